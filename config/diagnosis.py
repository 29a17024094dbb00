"""What is configured, what is missing and how to get it: the findings of `manage.py doctor`."""

from __future__ import annotations

import enum
import shutil
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone

from forges.applications import APP_KEY, github_app, oauth_applications
from forges.clients import FORGES
from forges.clients.errors import Misconfigured
from forges.clients.github_app import app_jwt
from forges.clients.oauth import check_secret
from forges.oauth.providers import callback_url
from jobs import heartbeats
from lib import crypto
from lib.policy import egress_policy
from orgs.models import Organization


class State(enum.StrEnum):
    OK = "ok"
    NOTE = "note"
    MISSING = "missing"
    """Something does not work without it: the doctor's exit code is 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    topic: str
    state: State
    text: str
    advice: str = ""


def diagnose() -> list[Finding]:
    """Every check, in the order in which a person would mend what is wrong."""
    return [finding for check in CHECKS for finding in check()]


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", State.OK, version)


def _keys() -> Iterator[Finding]:
    try:
        ring = crypto.key_ring()
    except (crypto.CryptoError, ImproperlyConfigured) as error:
        yield Finding("Encryption keys", State.MISSING, str(error), "Correct ENCRYPTION_KEYS (see .env.example).")
        return
    yield Finding("Encryption keys", State.OK, f"New secrets are encrypted with “{ring.newest}”.")
    if len(settings.SECRET_KEY) < 32:
        yield Finding("Secret key", State.NOTE, "SECRET_KEY is short.", "Use 50 random characters.")


def _database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        yield Finding(
            "Database", State.MISSING, f"It cannot be reached: {type(error).__name__}.", "Correct DATABASE_URL."
        )
        return
    name = connection.settings_dict["NAME"] if connection.vendor == "sqlite" else connection.settings_dict["HOST"]
    yield Finding("Database", State.OK, f"{connection.display_name} ({name or 'local socket'})")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        if mode.lower() not in ("wal", "memory"):
            yield Finding(
                "Database", State.NOTE, f"The journal mode is {mode}.", "Put the file on a local disk: WAL needs one."
            )
    executor = MigrationExecutor(connection)
    open_migrations = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if open_migrations:
        yield Finding(
            "Migrations", State.MISSING, f"{len(open_migrations)} are not applied.", "Run `manage.py migrate`."
        )
    else:
        yield Finding("Migrations", State.OK, "All are applied.")


def _people() -> Iterator[Finding]:
    try:
        organizations = Organization.objects.count()
    except DatabaseError:
        return  # told by the check of the migrations
    if organizations:
        yield Finding("Organisations", State.OK, f"{organizations}")
    else:
        yield Finding(
            "Organisations", State.NOTE, "There is none yet.", f"Sign up at {settings.BASE_URL}: the first one owns it."
        )


def _worker() -> Iterator[Finding]:
    try:
        alive, last = heartbeats.worker_is_alive(), heartbeats.last_beat(heartbeats.SWEEPER)
    except DatabaseError:
        return
    if alive:
        yield Finding("Worker", State.OK, "It showed life recently.")
    else:
        seen = f"Last seen {last:%Y-%m-%d %H:%M} UTC." if last else "None has ever run."
        yield Finding("Worker", State.MISSING, f"No worker is running. {seen}", "Start `manage.py worker`.")


def _addresses() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("Debug", State.NOTE, "DEBUG is on: error pages show code.", "Turn it off for others than you.")
    host = settings.BASE_URL.split("://", 1)[-1].split(":")[0].split("/")[0]
    if host not in settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        yield Finding(
            "Address", State.MISSING, f"ALLOWED_HOSTS does not hold {host}.", "Add the host of BASE_URL to it."
        )
    elif settings.BASE_URL.startswith("https://") or host in ("localhost", "127.0.0.1"):
        yield Finding("Address", State.OK, settings.BASE_URL)
    else:
        yield Finding("Address", State.NOTE, f"{settings.BASE_URL} is not encrypted.", "Serve it over https.")


def _static_files() -> Iterator[Finding]:
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        yield Finding(
            "Static files", State.MISSING, "They are not collected.", "Run `manage.py collectstatic --no-input`."
        )


def _mail() -> Iterator[Finding]:
    if settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        yield Finding("E-mail", State.OK, f"Sent through {settings.EMAIL_HOST}.")
    else:
        yield Finding("E-mail", State.NOTE, "E-mails are written to the console.", "Set EMAIL_URL to send them.")


def _forges() -> Iterator[Finding]:
    labels = ", ".join(forge.label for forge in FORGES.values())
    yield Finding("Forges", State.OK, f"{labels}; by access token without further settings.")
    try:
        egress_policy()
    except ValueError as error:
        yield Finding("Egress", State.MISSING, str(error), "Correct EGRESS_ALLOW_HOSTS and EGRESS_ALLOW_NETWORKS.")
    if settings.EGRESS_CA_FILE:
        try:
            ssl.create_default_context(cafile=settings.EGRESS_CA_FILE)
        except OSError:  # which ssl's own error is, too
            text = f"{settings.EGRESS_CA_FILE} is no file of certificates, so no forge can be reached over https."
            yield Finding("Egress", State.MISSING, text, "Correct EGRESS_CA_FILE: it names a PEM file.")
    for root in settings.FORGE_LOCAL_ROOTS:
        if Path(root).is_dir():
            yield Finding(
                "Local folders", State.NOTE, f"Repositories in {root} can be connected by all who may connect.",
                "Clear FORGE_LOCAL_ROOTS unless that is meant.",
            )  # fmt: skip
        else:
            yield Finding("Local folders", State.NOTE, f"{root} does not exist.", "Correct FORGE_LOCAL_ROOTS.")
    if shutil.which("git") is None:
        yield Finding("git", State.NOTE, "No git program is installed.", "Only `make demo` needs it.")


def _oauth_applications() -> Iterator[Finding]:
    advice = "Correct FORGE_OAUTH_APPS (see .env.example)."
    try:
        found = oauth_applications()
    except ImproperlyConfigured as error:
        yield Finding("OAuth", State.MISSING, str(error), advice)
        return
    for each in found:
        topic = f"OAuth at {each.label}"
        try:
            check_secret(each.app, egress_policy())
        except Misconfigured as error:
            yield Finding(topic, State.MISSING, str(error), advice)
        except ValueError:
            return  # told as egress
        else:
            yield Finding(topic, State.OK, f"Callback address, to be registered there: {callback_url(each.key)}")
    if not found:
        yield Finding(
            "OAuth", State.NOTE, "There is no OAuth application: accounts are connected by access token.",
            "Register one at each forge and enter it in FORGE_OAUTH_APPS.",
        )  # fmt: skip


def _github_app() -> Iterator[Finding]:
    try:
        app = github_app()
        if app is None:
            yield Finding("GitHub App", State.NOTE, "There is none.", "Register one and enter it in GITHUB_APP_….")
            return
        app_jwt(app, timezone.now())
        check_secret(app.oauth, egress_policy())
    except (ImproperlyConfigured, Misconfigured) as error:
        yield Finding("GitHub App", State.MISSING, str(error), "Correct GITHUB_APP_… (see .env.example).")
    except ValueError:
        return  # told as egress
    else:
        webhook = settings.BASE_URL + reverse("inbox:app")
        yield Finding(
            "GitHub App", State.OK, f"Callback URL: {callback_url(APP_KEY)}, webhook URL: {webhook}",
            "At GitHub “Request user authorization (OAuth) during installation” has to be ticked.",
        )  # fmt: skip


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _keys,
    _database,
    _people,
    _worker,
    _addresses,
    _static_files,
    _mail,
    _forges,
    _oauth_applications,
    _github_app,
)
