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


def test_no_secret_is_printed(settings: Settings) -> None:
    _, told = doctor()
    assert settings.SECRET_KEY not in told
    assert settings.ENCRYPTION_KEYS.partition(":")[2] not in told
