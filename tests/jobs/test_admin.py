"""Runs in the Django admin: to look at, retry and cancel, not to edit."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django_q.models import OrmQ, Schedule

from jobs import heartbeats, leases
from jobs.execution import execute
from jobs.models import LogLine, Run, Status
from orgs.models import AuditEvent
from tests import factories
from tests.conftest import Browse
from tests.jobs.conftest import AsksFor, Workbench

LIST = "/admin/jobs/run/"


@pytest.fixture
def support(db: None, browse: Browse) -> Client:
    return browse(factories.user("support@millrace.example", is_staff=True, is_superuser=True))


def act(support: Client, action: str, *runs: Run) -> str:
    response = support.post(LIST, {"action": action, "_selected_action": [run.pk for run in runs]}, follow=True)
    return response.content.decode()


def test_support_finds_a_run_by_what_a_person_tells_them(support: Client, ask: AsksFor) -> None:
    run = ask()
    Run.objects.update(error_text="the reference 1A2B3C4D, by which")
    for words in (str(run.pk), "Docs", "Acme", "1A2B3C4D"):
        assert f"{LIST}{run.pk}/change/" in support.get(LIST, {"q": words}).content.decode()
    assert f"{LIST}{run.pk}/change/" not in support.get(LIST, {"q": "nothing like it"}).content.decode()


def test_support_sees_a_run_with_its_log_and_cannot_edit_it(support: Client, ask: AsksFor) -> None:
    run = ask()
    LogLine.objects.create(run=run, text="One file was skipped")
    text = support.get(f"{LIST}{run.pk}/change/").content.decode()
    assert "One file was skipped" in text
    assert 'name="_save"' not in text
    assert support.post(f"{LIST}{run.pk}/change/", {"status": "succeeded"}).status_code == 403
    assert support.get(f"{LIST}add/").status_code == 403


def test_support_retries_and_it_is_in_the_audit_log(support: Client, ask: AsksFor, work: Workbench) -> None:
    run = ask()
    execute(str(run.pk))
    assert "queued as" in act(support, "retry", run)
    assert Run.objects.filter(status=Status.QUEUED).count() == 1
    assert "run.retried" in AuditEvent.objects.values_list("action", flat=True)


def test_support_reads_why_a_run_is_not_retried(support: Client, ask: AsksFor) -> None:
    assert "It has not ended yet" in act(support, "retry", ask())


def test_support_cancels(support: Client, ask: AsksFor) -> None:
    running, queued = ask(options={"number": 1}), ask(options={"number": 2})
    leases.claim(running.pk)
    act(support, "cancel", running, queued)
    running.refresh_from_db()
    queued.refresh_from_db()
    assert running.cancel_requested_at is not None
    assert queued.status == Status.CANCELLED


def test_staff_who_may_only_look_cannot_act(ask: AsksFor, browse: Browse) -> None:
    looker = factories.user(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_run"))
    run = ask()
    client = browse(looker)
    assert client.get(LIST).status_code == 200
    act(client, "cancel", run)
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_signs_of_life_are_shown(support: Client) -> None:
    heartbeats.beat("worker:host:1")
    assert "worker:host:1" in support.get("/admin/jobs/heartbeat/").content.decode()


def test_the_queue_beneath_is_not_for_editing() -> None:
    assert not admin.site.is_registered(OrmQ)
    assert not admin.site.is_registered(Schedule)
