"""Production refuses to start without its keys, and says what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

KEYS = {"SECRET_KEY": "x" * 60, "ENCRYPTION_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}


def start(code: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process with that environment and nothing of ours."""
    clean = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START")
    }
    return subprocess.run(
        [sys.executable, "-c", f"from config import settings; {code}"],
        cwd=settings.BASE_DIR,
        env={**clean, "MILLRACE_ENV_FILE": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_without_a_key_it_refuses_to_start_and_says_what_to_do(missing: str) -> None:
    ended = start(**{name: value for name, value in KEYS.items() if name != missing})

    assert ended.returncode != 0
    assert f"{missing} is not set" in ended.stderr
    assert "python -c" in ended.stderr


def test_a_command_that_lacks_a_key_says_so_in_a_sentence_and_shows_no_code() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "MILLRACE_ENV_FILE": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("Millrace cannot start: SECRET_KEY is not set. Set it to")
    assert "Traceback" not in ended.stderr


def test_debug_is_off_by_default_and_cookies_are_secure_over_https() -> None:
    names = ("DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    code = f"print(*(getattr(settings, name) for name in {names}))"
    assert start(code, **KEYS, BASE_URL="https://millrace.example").stdout.split() == ["False", "True", "True", "True"]


def test_behind_a_proxy_the_scheme_is_its_word_but_the_host_of_links_is_not() -> None:
    code = "print(bool(settings.SECURE_PROXY_SSL_HEADER), getattr(settings, 'USE_X_FORWARDED_HOST', False))"
    assert start(code, **KEYS, TRUSTED_PROXY="true").stdout.split() == ["True", "False"]


def test_the_web_process_pools_its_connections_and_a_worker_never_does() -> None:
    url = "postgres://somebody@127.0.0.1/some"
    code = "one = settings.DATABASES['default']; print('pool' in one.get('OPTIONS', {}), one['CONN_MAX_AGE'])"

    assert start(code, **KEYS, DATABASE_URL=url, MILLRACE_ROLE="web").stdout.split() == ["True", "0"]
    assert start(code, **KEYS, DATABASE_URL=url, MILLRACE_ROLE="worker").stdout.split() == ["False", "60"]


def test_sqlite_takes_its_write_lock_when_a_transaction_begins() -> None:
    code = "print(settings.DATABASES['default']['OPTIONS']['transaction_mode'])"
    assert start(code, **KEYS, DATABASE_URL="sqlite:////tmp/nothing-is-opened.sqlite3").stdout.strip() == "IMMEDIATE"


def test_the_queue_lives_in_the_database_or_in_redis_where_one_is_named() -> None:
    code = "print(settings.Q_CLUSTER.get('orm'), settings.Q_CLUSTER.get('redis'))"

    assert start(code, **KEYS).stdout.split() == ["default", "None"]
    address = "redis://127.0.0.1:6379/3"
    assert start(code, **KEYS, Q_BROKER_URL=address).stdout.split() == ["None", address]


def test_a_cache_in_redis_may_be_away() -> None:
    code = "from django.core.cache import cache; print(cache.get('a'), cache.add('a', 1), cache.incr('a'))"

    assert start(code, **KEYS, CACHE_URL="redis://127.0.0.1:1/0").stdout.split() == ["None", "True", "2"]
