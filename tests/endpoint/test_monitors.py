"""What monitors and Prometheus ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from catalog.models import Server
from endpoint.monitoring import readiness
from endpoint.recording.writing import write
from jobs import heartbeats
from jobs.models import Heartbeat
from tests.endpoint.events import event
from tests.installation import free_port

TOKEN = "a-long-random-text"


@pytest.fixture(autouse=True)
def not_yet_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_all_applied", False)


def _gone(*_: Any) -> None:
    raise OperationalError("could not connect to server")


def _numbers(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, frozenset(each.labels.items())): each.value for each in samples}


@pytest.fixture
def with_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_a_process_is_ready_when_its_tables_are_there(client: Client, db: None) -> None:
    heartbeats.beat(heartbeats.WORKER)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "database": "ok", "migrations": "ok", "worker": "ok", "cache": "ok"}


def test_a_missing_worker_is_told_and_takes_no_web_process_away(client: Client, db: None) -> None:
    heartbeats.beat("worker:host:1")
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=settings.JOB_STALE + 1))
    response = client.get("/readyz")
    assert response.status_code == 200
    assert "manage.py worker" in response.json()["worker"]


def test_a_shared_cache_that_is_away_is_told_and_takes_no_web_process_away(
    client: Client, db: None, settings: Any
) -> None:
    address = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {"BACKEND": "lib.shared_cache.SharedCache", "LOCATION": address}}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert "CACHE_URL" in response.json()["cache"]
    assert address not in response.content.decode()


def test_a_process_whose_tables_are_not_there_yet_is_not_ready(client: Client, db: None) -> None:
    MigrationRecorder.Migration.objects.filter(app="endpoint").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["migrations"]


def test_a_process_without_its_database_is_not_ready(client: Client, db: None) -> None:
    with connection.execute_wrapper(_gone):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert "cannot be reached" in response.json()["database"]
    assert "could not connect" not in response.content.decode()


def test_monitors_ask_by_any_name_without_https_and_get_no_session(client: Client, db: None, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = TOKEN
    for path in ("/readyz", "/metrics", "/healthz"):
        response = client.get(path, headers={"Host": "10.0.0.7", "Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200, path
        assert not response.cookies
        assert client.post(path).status_code == 405


def test_there_are_no_metrics_without_a_token_in_the_settings(client: Client, db: None) -> None:
    for header in ("", "Bearer ", "Bearer"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü", TOKEN])
def test_metrics_are_told_to_who_has_the_token(client: Client, db: None, header: str) -> None:
    response = client.get("/metrics", headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.usefixtures("with_token")
def test_metrics_tell_what_the_database_counted(client: Client, docs: Server) -> None:
    write(
        [event(docs, milliseconds=3)] * 4
        + [event(docs, outcome="tool_error", milliseconds=700)]
        + [event(docs, method="x", outcome="error"), event(None, method="", outcome="refused")]
        + [event(docs, at=timezone.now() - timedelta(days=2))] * 9
    )
    heartbeats.beat(heartbeats.WORKER)
    numbers = _numbers(client)

    def requests(method: str, outcome: str) -> float | None:
        return numbers.get(("millrace_mcp_requests_total", frozenset({("method", method), ("outcome", outcome)})))

    assert requests("tools/call", "ok") == 4
    assert requests("tools/call", "tool_error") == 1
    assert requests("other", "error") == 1
    assert requests("other", "refused") == 1
    assert numbers["millrace_mcp_request_duration_seconds_count", frozenset()] == 6
    assert numbers["millrace_mcp_request_duration_seconds_sum", frozenset()] == pytest.approx(0.724)
    assert numbers["millrace_mcp_request_duration_seconds_bucket", frozenset({("le", "0.004")})] == 4
    assert numbers["millrace_mcp_request_duration_seconds_bucket", frozenset({("le", "+Inf")})] == 6
    assert numbers["millrace_database_up", frozenset()] == 1
    assert numbers["millrace_worker_heartbeat_age_seconds", frozenset()] < 60
    assert numbers["millrace_runs", frozenset({("status", "queued")})] == 0


@pytest.mark.usefixtures("with_token")
def test_no_label_names_an_organisation_a_server_or_a_person(client: Client, docs: Server) -> None:
    write([event(docs, caller="alice@acme.example", subject="secretTool", query="pumps", client="acme-bot")])
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode().lower()
    for word in ("acme", "docs", "alice", "secrettool", "pumps", str(docs.pk)):
        assert word not in text


@pytest.mark.usefixtures("with_token")
def test_metrics_say_so_when_the_database_is_gone(client: Client, db: None) -> None:
    with connection.execute_wrapper(_gone):
        numbers = _numbers(client)
    assert numbers["millrace_database_up", frozenset()] == 0
    assert any(name == "millrace_request_log_buffered" for name, _ in numbers)
