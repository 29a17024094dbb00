"""`manage.py doctor`: what is missing, and how to get it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config.diagnosis import State, diagnose
from jobs import heartbeats
from orgs.models import Organization
from tests.forges_app.conftest import app
from tests.wire.installations import HostedApp

__all__ = ["app"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def collected(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")


def doctor() -> tuple[int, str]:
    told = StringIO()
    try:
        call_command("doctor", stdout=told)
    except SystemExit as end:
        return int(end.code or 0), told.getvalue()
    return 0, told.getvalue()


def test_with_everything_there_the_exit_code_is_0(acme: Organization) -> None:
    heartbeats.beat(heartbeats.WORKER)

    code, told = doctor()

    assert code == 0, told
    assert "Everything that is needed is there." in told


def test_without_a_worker_it_says_how_to_start_one(acme: Organization) -> None:
    code, told = doctor()

    assert code == 1
    assert "No worker is running" in told
    assert "manage.py worker" in told


@pytest.mark.parametrize(
    ("name", "value", "topic"),
    [
        ("ENCRYPTION_KEYS", "nonsense", "Encryption keys"),
        ("ALLOWED_HOSTS", ["elsewhere.example"], "Address"),
        ("EGRESS_ALLOW_NETWORKS", ["10.0.0.0/99"], "Egress"),
        ("STATIC_ROOT", "/nowhere", "Static files"),
    ],
)
def test_a_setting_that_does_not_work_is_named_with_the_way_out(
    settings: Settings, name: str, value: object, topic: str
) -> None:
    setattr(settings, name, value)

    missing = {finding.topic: finding for finding in diagnose() if finding.state is State.MISSING}

    assert topic in missing
    assert missing[topic].advice


def test_each_address_to_register_at_a_forge_is_printed(settings: Settings) -> None:
    settings.BASE_URL = "https://millrace.example"
    settings.FORGE_OAUTH_APPS = [
        "github|https://github.com|id|s3cr3t",
        "gitlab|https://git.example.com|id|s3cr3t",
    ]
    _, told = doctor()
    assert "https://millrace.example/connections/callback/github/" in told
    assert "https://millrace.example/connections/callback/gitlab-git-example-com/" in told
    assert "s3cr3t" not in told


def test_the_github_apps_addresses_are_printed(settings: Settings, app: HostedApp) -> None:
    settings.BASE_URL = "https://millrace.example"
    _, told = doctor()
    assert "Callback URL: https://millrace.example/connections/callback/app/" in told
    assert "webhook URL: https://millrace.example/hooks/github/app" in told
    assert app.client_secret not in told


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FORGE_OAUTH_APPS", ["gitlab|https://git.example|id"], "Item 1 of FORGE_OAUTH_APPS"),
        ("FORGE_OAUTH_APPS", ["gitlab|http://git.example|id|s3cr3t"], "does not begin with https://"),
        ("GITHUB_APP_SLUG", "", "GITHUB_APP_SLUG missing"),
        ("GITHUB_APP_PRIVATE_KEY", "-----BEGIN nonsense", "private key"),
        ("GITHUB_APP_PRIVATE_KEY", "/nowhere.pem", "GITHUB_APP_PRIVATE_KEY"),
    ],
)
def test_what_is_wrong_with_an_application_is_said(
    settings: Settings, app: HostedApp, name: str, value: object, says: str
) -> None:
    setattr(settings, name, value)
    code, told = doctor()
    assert code == 1
    assert says in told
    assert "s3cr3t" not in told


def test_no_secret_is_printed(settings: Settings) -> None:
    _, told = doctor()
    assert settings.SECRET_KEY not in told
    assert settings.ENCRYPTION_KEYS.partition(":")[2] not in told
