"""The pages of Runs: the list, the Run, the fragment that follows it, the buttons."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Server
from jobs import heartbeats, leases, registry, runs
from jobs.context import RunContext
from jobs.execution import execute
from jobs.models import Heartbeat, LogLine, Run, Status, Trigger
from jobs.outcomes import Failure, Held, Outcome, Waiting
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse
from tests.jobs.conftest import AsksFor, Workbench

Answer = Any
LIVE = 'hx-trigger="every'
DETAILS = mark_safe("<p>12 files &amp; more</p>")


def url(name: str, run: Run | None = None) -> str:
    return reverse(f"jobs:{name}", kwargs={"org": "acme", **({"pk": run.pk} if run else {})})


def page(client: Client, run: Run) -> str:
    return client.get(url("run", run)).content.decode()


def poll(client: Client, run: Run, seen: str = "") -> Answer:
    return client.get(url("run_fragment", run), {"seen": seen}, headers={"HX-Request": "true"})


def ended(run: Run) -> Run:
    execute(str(run.pk))
    run.refresh_from_db()
    return run


@pytest.fixture
def bobs(bob: User, browse: Browse) -> Client:
    return browse(bob)


# ------------------------------------------------------------------------------------------------ the list


def test_the_list_shows_runs_of_this_organization_alone(bobs: Client, ask: AsksFor, charlie: User) -> None:
    ask()
    theirs = factories.server(charlie.memberships.get().organization, "Secret server")
    ask(subject=theirs, organization=theirs.organization, requested_by=charlie)
    text = bobs.get(url("runs")).content.decode()
    assert "Docs" in text
    assert "Secret server" not in text


def test_an_empty_list_says_when_a_run_appears(bobs: Client) -> None:
    assert "No runs yet" in bobs.get(url("runs")).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "queued"}, True),
        ({"status": "failed"}, False),
        ({"kind": "tests.work"}, True),
        ({"trigger": "manual"}, True),
        ({"trigger": "webhook"}, False),
        ({"subject": "dOc"}, True),
        ({"subject": "other"}, False),
        ({"scope": "00000000-0000-0000-0000-000000000000"}, False),
    ],
)
def test_the_list_is_filtered_by_the_address(bobs: Client, ask: AsksFor, query: dict[str, str], found: bool) -> None:
    run = ask()
    text = bobs.get(url("runs"), query).content.decode()
    assert (url("run", run) in text) == found
    assert ("No run matches" in text) != found


def test_the_list_asks_the_same_number_of_queries_for_many_runs(bobs: Client, ask: AsksFor, docs: Server) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            bobs.get(url("runs"))
        return len(counted)

    ask(options={"number": 0})
    queries()  # the first one fills caches
    few = queries()
    for number in range(1, 20):
        ask(subject=factories.server(docs.organization), options={"number": number})
    assert queries() == few


def test_who_asked_is_named(bobs: Client, ask: AsksFor, adam: User) -> None:
    ask(options={"number": 1}, requested_by=adam)
    ask(options={"number": 2}, requested_by=None, trigger=Trigger.WEBHOOK)
    text = bobs.get(url("runs")).content.decode()
    assert "Adam" in text
    assert "Millrace" in text
    adam.delete()
    assert "a deleted account" in bobs.get(url("runs")).content.decode()


# ------------------------------------------------------------------------------------------------ one run


def test_a_running_run_shows_its_stage_bar_and_log(bobs: Client, ask: AsksFor) -> None:
    run = ask()
    leases.claim(run.pk)
    Run.objects.update(stage="Fetching files", done=3, total=1200)
    LogLine.objects.create(run=run, level="warning", text="logo.png was skipped: <binary>")
    text = page(bobs, run)
    assert "Fetching files" in text
    assert "3 of 1,200" in text
    assert "logo.png was skipped: &lt;binary&gt;" in text
    assert LIVE in text


def test_a_failed_run_says_what_to_do(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    def fails(context: RunContext) -> Outcome:
        raise Failure("auth-failed", "The token was refused. Enter a new one.")

    work.does = fails
    text = page(bobs, ended(ask()))
    assert "The token was refused. Enter a new one." in text
    assert "Retry" in text
    assert LIVE not in text
    assert "The token was refused." in bobs.get(url("runs")).content.decode()


def test_a_kind_adds_its_details_to_the_page(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    run = ask()
    assert "run-details" not in page(bobs, run)
    registry.register(replace(registry.kind(work.name), details=lambda *_: DETAILS))
    assert DETAILS in page(bobs, run)


def test_a_waiting_run_says_for_what_and_until_when(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    until = timezone.now() + timedelta(minutes=5)

    def waits(context: RunContext) -> Outcome:
        raise Waiting(until, "the rate limit to reset")

    work.does = waits
    text = page(bobs, ended(ask()))
    assert "Waiting for the rate limit to reset, until" in text
    assert f"{until:%H:%M}</time>" in text


def test_a_run_that_joined_another_leads_there(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    first = ask()
    leases.claim(first.pk)
    second = ask()
    Run.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    leases.recover(Run.objects.all())
    assert url("run", second) in page(bobs, first)


def test_a_run_about_something_deleted_has_a_page(bobs: Client, ask: AsksFor, docs: Server) -> None:
    run = ask()
    docs.delete()
    assert "Docs" in page(bobs, run)
    assert "/subject/" not in page(bobs, run)


def test_a_run_of_a_kind_that_is_gone_has_a_page(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    run = ask()
    registry.unregister(work.name)
    assert "tests.work" in page(bobs, run)
    assert bobs.get(url("runs")).status_code == 200


def test_a_queued_run_without_a_worker_says_how_to_start_one(bobs: Client, ask: AsksFor, settings: Settings) -> None:
    run = ask()
    assert "No worker is running" in page(bobs, run)
    assert "No worker is running" in bobs.get(url("runs")).content.decode()
    heartbeats.beat("worker:host:1")
    assert "No worker is running" not in page(bobs, run)
    assert "No worker is running" not in bobs.get(url("runs")).content.decode()
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=settings.JOB_STALE + 1))
    assert "No worker is running" in page(bobs, run)


def test_the_page_asks_a_fixed_number_of_queries_however_long_the_log(
    bobs: Client, ask: AsksFor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = ask()
    LogLine.objects.bulk_create(LogLine(run=run, text=f"line {number}") for number in range(300))
    with django_assert_max_num_queries(12):
        text = page(bobs, run)
    assert "line 299" in text
    assert "line 99<" not in text
    assert "The newest 200 lines" in text


# ------------------------------------------------------------------------------------------------ following it


def test_the_fragment_follows_a_live_run_and_tells_when_it_ended(bobs: Client, ask: AsksFor) -> None:
    run = ask()
    live = poll(bobs, run)
    assert LIVE in live.content.decode()
    assert "HX-Trigger" not in live.headers
    ended(run)
    over = poll(bobs, run)
    assert LIVE not in over.content.decode()
    assert over.headers["HX-Trigger"] == "run-finished"


def test_the_fragment_stays_as_it_is_while_nothing_changes(bobs: Client, ask: AsksFor) -> None:
    run = ask()
    seen = re.findall(r"seen=([0-9a-f]+)", page(bobs, run))[0]
    assert poll(bobs, run, seen).status_code == 204
    LogLine.objects.create(run=run, text="News")
    assert poll(bobs, run, seen).status_code == 200


def test_the_fragment_without_script_is_the_page(bobs: Client, ask: AsksFor) -> None:
    run = ask()
    assert bobs.get(url("run_fragment", run)).headers["Location"] == url("run", run)


# ------------------------------------------------------------------------------------------------ the buttons


def test_cancelling_by_the_button(bobs: Client, ask: AsksFor) -> None:
    run = ask()
    assert url("cancel", run) in page(bobs, run)
    response = bobs.post(url("cancel", run), follow=True)
    assert "The run is cancelled." in response.content.decode()
    assert url("cancel", run) not in response.content.decode()


def test_retrying_by_the_button_leads_to_the_new_run(bobs: Client, ask: AsksFor) -> None:
    run = ended(ask())
    assert url("retry", run) in page(bobs, run)
    response = bobs.post(url("retry", run))
    assert response.headers["Location"] == url("run", Run.objects.get(status=Status.QUEUED))


def test_a_second_click_on_retry_leads_to_the_same_run(bobs: Client, ask: AsksFor) -> None:
    run = ended(ask())
    first, second = bobs.post(url("retry", run)), bobs.post(url("retry", run))
    assert first.headers["Location"] == second.headers["Location"]


def test_a_viewer_sees_why_there_are_no_buttons_and_is_refused(ask: AsksFor, carol: User, browse: Browse) -> None:
    run = ask()
    text = page(browse(carol), run)
    assert url("cancel", run) not in text
    assert "It needs the entitlement “integrations.import”" in text
    assert browse(carol).post(url("cancel", run)).status_code == 403
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_confirming_needs_more_than_retrying(
    bobs: Client, ask: AsksFor, work: Workbench, adam: User, browse: Browse
) -> None:
    def holds(context: RunContext) -> Outcome:
        raise Held({}, "All 12 files would be removed.", confirm_options={"confirmed": True})

    work.does = holds
    run = ended(ask())
    assert "All 12 files would be removed." in page(bobs, run)
    assert url("confirm", run) not in page(bobs, run)
    assert "contents.can_delete" in page(bobs, run)
    assert bobs.post(url("confirm", run)).status_code == 403
    assert url("confirm", run) in page(browse(adam), run)
    browse(adam).post(url("confirm", run))
    run.refresh_from_db()
    assert (run.status, run.options) == (Status.QUEUED, {"confirmed": True})


def test_the_buttons_stand_below_what_is_decided_on_if_the_kind_shows_that(
    adam: User, browse: Browse, ask: AsksFor, work: Workbench
) -> None:
    def holds(context: RunContext) -> Outcome:
        raise Held({}, "All would be removed.")

    work.does = holds
    registry.register(replace(registry.kind(work.name), details=lambda *_: DETAILS))
    run = ended(ask())
    for text in (page(browse(adam), run), poll(browse(adam), run).content.decode()):
        assert "All would be removed." in text
        assert url("confirm", run) not in text
        assert url("decline", run) not in text


def test_declining_by_the_button(bobs: Client, ask: AsksFor, work: Workbench) -> None:
    def holds(context: RunContext) -> Outcome:
        raise Held({}, "All would be removed.")

    work.does = holds
    run = ended(ask())
    assert url("decline", run) in page(bobs, run)
    assert "Declined" in bobs.post(url("decline", run), follow=True).content.decode()


@pytest.mark.parametrize(
    ("button", "action"),
    [("cancel", "run.cancelled"), ("retry", "run.retried"), ("confirm", "run.confirmed"), ("decline", "run.declined")],
)
def test_what_was_done_with_a_run_is_logged_in_words_and_with_where_from(
    adam: User, browse: Browse, ask: AsksFor, work: Workbench, button: str, action: str
) -> None:
    def holds(context: RunContext) -> Outcome:
        raise Held({}, "Shall it?")

    work.does = holds
    run = ask()
    if button in ("confirm", "decline"):
        execute(str(run.pk))
    elif button == "retry":
        runs.cancel_run(run, by=None)

    browse(adam).post(url(button, run))

    event = AuditEvent.objects.get(actor=adam, action__startswith="run.")
    assert event.action == action
    assert event.target_label == f"{registry.label_of(run.kind)}: {run.subject_label}"
    assert event.address == "127.0.0.1"
