"""The settings of the tests: the real ones, from an environment of their own. No `.env` is read."""

import os
import tempfile

os.environ.update(
    {
        "MILLRACE_ENV_FILE": "",
        "MILLRACE_ROLE": "tests",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "ENCRYPTION_KEYS": "test:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
        # The forge of the tests answers on 127.0.0.1; every other inward address stays refused.
        "EGRESS_ALLOW_NETWORKS": "127.0.0.1/32",
        "EMAIL_URL": "memorymail://",
        "LOG_LEVEL": "WARNING",
        "GITSYNC_QUIET_SECONDS": "0",
        # Sources of the tests are mostly at addresses that nobody answers at.
        "SEARCH_ELSEWHERE_SECONDS": "0",
    }
)
# The same in all processes of a test run.
os.environ.setdefault("TEST_RUN", str(os.getpid()))
if not os.environ["DATABASE_URL"]:
    del os.environ["DATABASE_URL"]

from config.settings import *  # noqa: F403  # the environment has to be there first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# A file, as in production: the in-memory database that Django would take locks whole tables and knows no waiting.
# Named by the process, so that two test runs at the same moment do not share it.
DATABASES["default"]["TEST"] = {  # noqa: F405
    "NAME": f"test_millrace_{os.getpid()}"
    if "postgresql" in DATABASES["default"]["ENGINE"]  # noqa: F405
    else f"{tempfile.gettempdir()}/test_millrace_{os.getpid()}.sqlite3"
}
