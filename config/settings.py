"""Millrace's settings, in reading order. Each value that differs between installations comes from the environment or
from `.env`; `.env.example` documents them all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if env_file := env.str("MILLRACE_ENV_FILE", default=str(BASE_DIR / ".env")):
    environ.Env.read_env(env_file)  # what is already in the environment wins

DEBUG = env.bool("DEBUG", default=False)
ROLE = env.str("MILLRACE_ROLE", default="command")
"""Which process this is: web (config/asgi.py), worker (manage.py worker) or command. It decides how it connects."""

# ------------------------------------------------------------------------------------------------ keys


def _required(name: str, advice: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {advice} `make demo` does this by itself.")
    return value


SECRET_KEY = _required(
    "SECRET_KEY",
    "Set it to a long random text, for example from `python -c 'import secrets; print(secrets.token_urlsafe(50))'`, "
    "in the environment or in .env.",
)
ENCRYPTION_KEYS = _required(
    "ENCRYPTION_KEYS",
    "Tokens are stored encrypted and need a key of the form id:key: run "
    "`python -c \"import base64, os; print('k1:' + base64.b64encode(os.urandom(32)).decode())\"` "
    "and put the line into the environment or .env; keep a copy of it apart from the database's backups.",
)
"""A ring `id:key,id:key`: the first encrypts, all decrypt (see lib/crypto.py and `manage.py rotate_keys`)."""

# ------------------------------------------------------------------------------------------------ addresses

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
"""Where people reach this installation; links in e-mails and webhooks start with it."""
TRUSTED_PROXY = env.bool("TRUSTED_PROXY", default=False)
"""A reverse proxy in front sets X-Forwarded-Proto and X-Forwarded-For, and drops those that clients send. The name that
links begin with is the Host header's, which it hands on: X-Forwarded-Host is never believed, as many let it through."""
SITE_NAME = env.str("SITE_NAME", default="Millrace")

EGRESS_ALLOW_HOSTS: list[str] = env.list("EGRESS_ALLOW_HOSTS", default=[])
EGRESS_ALLOW_NETWORKS: list[str] = env.list("EGRESS_ALLOW_NETWORKS", default=[])
"""What requests may reach although it is not public: internal forges, for example (see lib/egress.py)."""
EGRESS_CA_FILE = env.str("EGRESS_CA_FILE", default="")
"""Certificate authorities, in PEM, that are trusted beside the public ones: those of internal forges."""

# ------------------------------------------------------------------------------------------------ apps

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "endpoint.apps.EndpointConfig",
    "gitsync.apps.GitsyncConfig",
    "integrations.apps.IntegrationsConfig",
    "indexing.apps.IndexingConfig",
    "catalog.apps.CatalogConfig",
    "forges.apps.ForgesConfig",
    "jobs.apps.JobsConfig",
    "orgs.apps.OrgsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
    "django_filters",
    "django_htmx",
    "django_q",
    "django_tables2",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "orgs.middleware.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "orgs.middleware.PersonMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orgs.context_processors.person",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DJANGO_TABLES2_TEMPLATE = "components/_table.html"
DJANGO_TABLES2_PAGE_RANGE = 5

# ------------------------------------------------------------------------------------------------ database

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'millrace.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock when a transaction begins: six writers and a worker lost no write,
    # where the default (DEFERRED) failed in nine of ten.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
    }
    if _database["NAME"] != ":memory:":
        Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
elif ROLE == "web":
    # Under ASGI, connections live in threads that come and go: only a pool bounds their number.
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=10), "timeout": 10},
        # Uses until a statement is planned for good; only what lib/prepared.py asks can be.
        "prepare_threshold": 5 if env.bool("DATABASE_PREPARE", default=True) else None,
    }
else:
    # A pool's threads do not survive the fork of a worker.
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith("LocMemCache"):
    # Django's 300 would let whoever asks from many addresses push out what is counted of others.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 100_000)
elif CACHES["default"]["BACKEND"].endswith("RedisCache"):
    CACHES["default"]["BACKEND"] = "lib.shared_cache.SharedCache"

# ------------------------------------------------------------------------------------------------ people

AUTH_USER_MODEL = "orgs.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
OPEN_SIGNUP = env.bool("OPEN_SIGNUP", default=False)
"""Whether anyone may sign up; otherwise only the first person, and then those with an invitation."""

ACCOUNT_ADAPTER = "orgs.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "orgs.forms.SignupForm"
ACCOUNT_FORMS = {"login": "orgs.sign_in_form.LoginForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="optional")
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.split(":", 1)[0]
MFA_ADAPTER = "orgs.adapter.MFAAdapter"
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
# Without a mail server no address is ever verified, and a second factor is wanted all the same.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Accounts at forges are connected, and never signed in with (forges/oauth): none of allauth's own pages is there.
SOCIALACCOUNT_ADAPTER = "forges.oauth.adapter.SocialAccountAdapter"
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Millrace <millrace@localhost>")
# Without a mail server, e-mails are written to the console.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))

# ------------------------------------------------------------------------------------------------ security

_https = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_SSL_REDIRECT = _https and env.bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if _https else 0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

MAX_REQUEST_BYTES = env.int("MAX_REQUEST_BYTES", default=128 << 20)
"""Of a request's body, uploaded files included: what is longer is refused before it is read, whoever sends it."""
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_500  # a checkbox for each operation of an OpenAPI document
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 << 20

# ------------------------------------------------------------------------------------------------ language, time, files

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
"""The zone of people who chose none."""

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ------------------------------------------------------------------------------------------------ jobs

JOB_WORKERS = env.int("JOB_WORKERS", default=2)
JOB_TIMEOUT = env.int("JOB_TIMEOUT", default=3600)
"""Seconds after which the cluster ends a worker that is still at the same job."""
JOB_LEASE = env.int("JOB_LEASE", default=60)
"""Seconds that a Run's lease lasts; a live worker renews it several times within."""
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=3)
"""How many workers a Run may cost (killed at it) before it fails."""
JOB_STALE = env.int("JOB_STALE", default=180)
"""Seconds without a sign of life after which the cluster is restarted and pages say that no worker is running."""
JOB_STOP_SECONDS = env.int("JOB_STOP_SECONDS", default=30)
"""Seconds that running jobs have to come to a stop when the worker is asked to."""
JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", default=90)

Q_CLUSTER: dict[str, Any] = {
    "name": "millrace",
    "label": "Queue",
    "workers": JOB_WORKERS,
    # The retry clock starts when a job is fetched from the broker, not when it starts: fetch no more than can start.
    "queue_limit": JOB_WORKERS,
    "timeout": JOB_TIMEOUT,
    "retry": 2 * JOB_TIMEOUT + 300,
    "max_attempts": 1,  # our Run counts its attempts itself, the sweeper takes it up again
    "ack_failures": True,
    "catch_up": False,
    "poll": 0.5,
    "recycle": 200,
    "save_limit": 500,
}
if _redis := env.str("Q_BROKER_URL", default=""):
    Q_CLUSTER["redis"] = _redis
else:
    Q_CLUSTER["orm"] = "default"

# ------------------------------------------------------------------------------------------------ forges

FORGE_LOCAL_ROOTS: list[str] = env.list("FORGE_LOCAL_ROOTS", default=[])
"""Folders whose git repositories may be connected by path. None by default: anyone who may import could read them."""
FORGE_TIMEOUT = env.float("FORGE_TIMEOUT", default=30.0)
FORGE_TOTAL_TIMEOUT = env.float("FORGE_TOTAL_TIMEOUT", default=600.0)
FORGE_MAX_PAGES = env.int("FORGE_MAX_PAGES", default=100)
FORGE_MAX_TREE_REQUESTS = env.int("FORGE_MAX_TREE_REQUESTS", default=1000)
FORGE_LISTING_SECONDS = env.float("FORGE_LISTING_SECONDS", default=300.0)
FORGE_MAX_ENTRIES = env.int("FORGE_MAX_ENTRIES", default=500_000)
FORGE_MAX_ARCHIVE_BYTES = env.int("FORGE_MAX_ARCHIVE_BYTES", default=1 << 30)
FORGE_INTERACTIVE_MAX_BYTES = env.int("FORGE_INTERACTIVE_MAX_BYTES", default=64 << 20)
"""The same while somebody waits for a page. What takes more is left to a worker."""

FORGE_OAUTH_APPS: list[str] = env.list("FORGE_OAUTH_APPS", default=[])
"""OAuth applications at forges, each `forge|https://web.address|client id|client secret` (forges/applications.py)."""
GITHUB_APP_URL = env.str("GITHUB_APP_URL", default="https://github.com")
GITHUB_APP_ID = env.str("GITHUB_APP_ID", default="")
GITHUB_APP_SLUG = env.str("GITHUB_APP_SLUG", default="")
GITHUB_APP_CLIENT_ID = env.str("GITHUB_APP_CLIENT_ID", default="")
GITHUB_APP_CLIENT_SECRET = env.str("GITHUB_APP_CLIENT_SECRET", default="")
GITHUB_APP_PRIVATE_KEY = env.str("GITHUB_APP_PRIVATE_KEY", default="")
"""A PEM text with \\n for its line ends, or the path of a file with one."""
GITHUB_APP_WEBHOOK_SECRET = env.str("GITHUB_APP_WEBHOOK_SECRET", default="")
FORGE_POLL_MINUTES = env.int("FORGE_POLL_MINUTES", default=60)
"""How often a repository with a webhook is looked at all the same: a webhook can fail without a word."""
FORGE_POLL_WITHOUT_HOOK_MINUTES = env.int("FORGE_POLL_WITHOUT_HOOK_MINUTES", default=5)
"""And one that should refresh on push, but has no webhook that works."""
FORGE_CONCURRENCY = env.int("FORGE_CONCURRENCY", default=8)
"""Runs that read from one forge's server at the same moment, in all workers together."""
CONNECTION_CONCURRENCY = env.int("CONNECTION_CONCURRENCY", default=3)
"""And through one connection."""
FORGE_RATE_RESERVE = env.int("FORGE_RATE_RESERVE", default=10)
"""Per cent of a connection's hourly requests that automatic runs leave to people."""
FORGE_AVATARS = env.bool("FORGE_AVATARS", default=False)
"""Whether pages show the accounts' pictures, fetched by this server; otherwise their initials."""
HOOK_MAX_BYTES = env.int("HOOK_MAX_BYTES", default=5 << 20)
HOOK_SECRET_OVERLAP_HOURS = env.int("HOOK_SECRET_OVERLAP_HOURS", default=24)
"""How long the old secret of a webhook still verifies after a new one was made."""

# ------------------------------------------------------------------------------------------------ pushes

GITSYNC_COMMITTER = env.str("GITSYNC_COMMITTER", default="Millrace <millrace@localhost>")
"""Whom git names as the committer of what is pushed; the author is who saved."""
GITSYNC_QUIET_SECONDS = env.float("GITSYNC_QUIET_SECONDS", default=3.0)
"""Saves of a server that are no further apart become one commit; at most four times as long is waited for them."""
ENTITY_MAX_FILE_BYTES = env.int("ENTITY_MAX_FILE_BYTES", default=5 << 20)
"""Of one file of an entity in git, and of one file of a skill in the pages."""
SKILL_MAX_BYTES = env.int("SKILL_MAX_BYTES", default=20 << 20)
SKILL_MAX_FILES = env.int("SKILL_MAX_FILES", default=500)
"""Of one skill, all its files together."""

# ------------------------------------------------------------------------------------------------ calls of tools

CALL_TIMEOUT = env.float("CALL_TIMEOUT", default=30.0)
CALL_TOTAL_TIMEOUT = env.float("CALL_TOTAL_TIMEOUT", default=60.0)
"""Seconds for a call with all that belongs to it: an access token, repeats, redirects, the whole answer."""
CALL_MAX_BYTES = env.int("CALL_MAX_BYTES", default=5 << 20)
"""Of an answer, unpacked. A longer one is refused."""
CALL_MAX_RESPONSE_CHARACTERS = env.int("CALL_MAX_RESPONSE_CHARACTERS", default=100_000)
"""What agents get of an answer; the rest is left out, and the end says how much."""

# ------------------------------------------------------------------------------------------------ content

CONTENT_MAX_FILE_BYTES = env.int("CONTENT_MAX_FILE_BYTES", default=1 << 20)
"""Larger files are skipped on import and refused on upload."""
REFRESH_INLINE_FILES = env.int("REFRESH_INLINE_FILES", default=20)
"""A refresh that has to fetch no more than this many files is done within the request."""
REFRESH_INLINE_SECONDS = env.float("REFRESH_INLINE_SECONDS", default=5.0)

# ------------------------------------------------------------------------------------------------ indexing and search

INDEX_MAX_PAGES = env.int("INDEX_MAX_PAGES", default=1000)
"""Of one web site; a source can ask for fewer."""
INDEX_CRAWL_SECONDS = env.float("INDEX_CRAWL_SECONDS", default=1800.0)
INDEX_CRAWL_MAX_BYTES = env.int("INDEX_CRAWL_MAX_BYTES", default=1 << 30)
"""Of all pages of one crawl, unpacked."""
INDEX_CRAWL_CONCURRENCY = env.int("INDEX_CRAWL_CONCURRENCY", default=4)
"""Requests to one host at the same moment."""
INDEX_CRAWL_DELAY = env.float("INDEX_CRAWL_DELAY", default=0.0)
"""Seconds between the beginnings of two requests to one host; what its robots.txt asks for counts where it is more."""
INDEX_PAGE_TIMEOUT = env.float("INDEX_PAGE_TIMEOUT", default=20.0)
INDEX_PAGE_MAX_BYTES = env.int("INDEX_PAGE_MAX_BYTES", default=5 << 20)
INDEX_FILE_PATTERNS: list[str] = env.list("INDEX_FILE_PATTERNS", default=["*.md", "*.mdx", "*.txt", "*.rst", "*.adoc"])
"""Which files of a repository are indexed where a source has no patterns of its own."""
INDEX_FILE_MAX_BYTES = env.int("INDEX_FILE_MAX_BYTES", default=100_000)
INDEX_REFRESH_JITTER_MINUTES = env.int("INDEX_REFRESH_JITTER_MINUTES", default=60)
"""Over which the sources that refresh at the same time of day begin."""
SEARCH_ELSEWHERE_SECONDS = env.float("SEARCH_ELSEWHERE_SECONDS", default=2.0)
"""How long a search waits for other MCP servers, and for pages of what is not indexed yet; 0 asks nobody."""

# ------------------------------------------------------------------------------------------------ endpoint

MCP_ALLOWED_ORIGINS: list[str] = env.list("MCP_ALLOWED_ORIGINS", default=[])
"""Origins whose pages may ask the endpoint in a browser, beside those on ALLOWED_HOSTS: `https://host`; `*` for all."""
MCP_MAX_REQUEST_BYTES = env.int("MCP_MAX_REQUEST_BYTES", default=4 << 20)
MCP_REQUEST_SECONDS = env.float("MCP_REQUEST_SECONDS", default=120.0)
"""From its first byte to the last one of its answer."""
MCP_THREADS = env.int("MCP_THREADS", default=8)
"""What is answered from the database at the same moment, in one process; each takes a connection."""
MCP_PATIENT_THREADS = env.int("MCP_PATIENT_THREADS", default=32)
"""And what waits for others: tools' calls, searches that ask other servers."""
MCP_OAUTH_DAYS = env.int("MCP_OAUTH_DAYS", default=90)
"""How long a person's consent to a client lasts, however often its tokens are refreshed."""
MCP_RATE_ANONYMOUS = env.int("MCP_RATE_ANONYMOUS", default=60)
"""Requests a minute from one address (a /64 of IPv6) that carry no credential, and as many with wrong ones."""
MCP_RATE_KEY = env.int("MCP_RATE_KEY", default=600)
"""Requests a minute with one key that has no limit of its own, or by one person."""
LLMS_TXT_MAX_FILES = env.int("LLMS_TXT_MAX_FILES", default=10_000)
LLMS_FULL_MAX_BYTES = env.int("LLMS_FULL_MAX_BYTES", default=32 << 20)
"""Of the texts in one llms-full.txt; what is left out is told of at its end."""

# ------------------------------------------------------------------------------------------------ seen by the operator

MCP_LOG_DAYS = env.int("MCP_LOG_DAYS", default=30)
"""How long the endpoint's request log is kept. What is counted by the hour is kept for 13 months."""
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
"""What Prometheus sends as bearer token to read /metrics; without it there is no such address."""

# ------------------------------------------------------------------------------------------------ logging

DEFAULT_EXCEPTION_REPORTER_FILTER = "lib.reports.WithoutValues"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # A line for each job and process, at INFO; what happened to a Run is on its page.
        "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
        # They write addresses, headers and bodies at DEBUG, which may hold what they should not.
        "urllib3": {"level": "WARNING"},
        "github": {"level": "WARNING"},
        "dulwich": {"level": "WARNING"},
        # So do these at INFO already, and what a server sent that they do not understand.
        "httpx2": {"level": "WARNING"},
        "mcp.client": {"level": "CRITICAL"},
        # It writes codes and tokens at DEBUG.
        "oauthlib": {"level": "WARNING"},
        # Two lines for each request; and what it says of those it refuses, is in our request log.
        "mcp.server": {"level": "ERROR"},
        "client": {"level": "CRITICAL"},
    },
}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
