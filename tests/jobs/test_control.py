"""What people do with Runs: in the request, cancel, retry, confirm, decline, go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from catalog.models import Server
from jobs import leases, runs
from jobs.context import Budget, RunContext
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from jobs.outcomes import HandOver, Held, Outcome, Waiting
from orgs.models import AuditEvent, User
from tests import factories
from tests.jobs.conftest import AsksFor, Workbench

BUDGET = Budget(seconds=5, items=20)


def waits(context: RunContext) -> Outcome:
    raise Waiting(None, "a credential")


def holds(context: RunContext) -> Outcome:
    if context.options.get("confirmed") == "commit 1":
        return Outcome()
    raise Held({"removed": ["a.md"]}, "All would be removed.", confirm_options={"confirmed": "commit 1"})


def ended(run: Run) -> Run:
    execute(str(run.pk))
    run.refresh_from_db()
    return run


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


# ------------------------------------------------------------------------------------------------ within a request


def test_small_work_is_done_within_the_request(ask: AsksFor, work: Workbench) -> None:
    run = runs.run_inline(ask(enqueue=False), budget=BUDGET)
    assert run.status == Status.SUCCEEDED
    assert work.contexts[0].budget == BUDGET
    assert not OrmQ.objects.exists()


def test_work_that_proves_too_big_is_handed_to_a_worker(ask: AsksFor, work: Workbench) -> None:
    def too_big(context: RunContext) -> Outcome:
        if context.budget:
            raise HandOver("21 files are to be fetched")
        return Outcome()

    work.does = too_big
    run = runs.run_inline(ask(enqueue=False), budget=BUDGET)
    assert (run.status, run.lost_leases) == (Status.QUEUED, 0)
    assert OrmQ.objects.count() == 1
    assert ended(run).status == Status.SUCCEEDED


def test_work_on_a_busy_subject_is_left_to_a_worker(ask: AsksFor, work: Workbench) -> None:
    other = ask(options={"number": 1})
    leases.claim(other.pk)
    run = runs.run_inline(ask(options={"number": 2}, enqueue=False), budget=BUDGET)
    assert run.status == Status.QUEUED
    assert run.enqueued_at is not None
    assert work.times == 0


def test_what_is_handed_over_joins_an_equal_run_that_is_queued_by_then(ask: AsksFor, work: Workbench) -> None:
    queued: list[Run] = []

    def meanwhile(context: RunContext) -> Outcome:
        queued.append(ask())
        raise HandOver("too big")

    work.does = meanwhile
    mine = ask(enqueue=False)
    assert runs.run_inline(mine, budget=BUDGET) == queued[0]
    mine.refresh_from_db()
    assert (mine.status, mine.joined_to) == (Status.CANCELLED, queued[0])


def test_the_budget_says_how_much_time_is_left(ask: AsksFor, work: Workbench) -> None:
    left: list[float | None] = []
    work.does = lambda context: left.append(context.time_left())
    runs.run_inline(ask(enqueue=False), budget=BUDGET)
    ended(ask())
    assert left[0] is not None
    assert 4 < left[0] <= 5
    assert left[1] is None


# ------------------------------------------------------------------------------------------------ cancel


def test_a_queued_run_is_cancelled_at_once(ask: AsksFor, work: Workbench, bob: User) -> None:
    run = runs.cancel_run(ask(), by=bob)
    assert run.status == Status.CANCELLED
    assert execute(str(run.pk)) == "not to be run now"
    assert actions() == ["run.cancelled"]


def test_a_running_run_is_asked_to_stop_once(ask: AsksFor, bob: User) -> None:
    run = ask()
    leases.claim(run.pk)
    first = runs.cancel_run(run, by=bob)
    again = runs.cancel_run(run, by=bob)
    assert (first.status, first.cancel_requested_at) == (Status.RUNNING, again.cancel_requested_at)
    assert actions() == ["run.cancelled"]


@pytest.mark.parametrize("does", [waits, holds])
def test_a_waiting_or_held_run_is_cancelled_at_once(ask: AsksFor, work: Workbench, bob: User, does: object) -> None:
    work.does = does  # type: ignore[assignment]
    assert runs.cancel_run(ended(ask()), by=bob).status == Status.CANCELLED


def test_a_finished_run_stays_as_it_is(ask: AsksFor, bob: User) -> None:
    assert runs.cancel_run(ended(ask()), by=bob).status == Status.SUCCEEDED
    assert actions() == []


def test_all_that_has_not_ended_about_a_subject_is_cancelled(ask: AsksFor, work: Workbench, docs: Server) -> None:
    work.does = waits
    waiting = ended(ask(options={"number": 1}))
    running, queued = ask(options={"number": 2}), ask(options={"number": 3})
    leases.claim(running.pk)
    other = ask(subject=factories.server(docs.organization))
    assert runs.cancel_queued(docs) == 3
    for run in (waiting, running, queued, other):
        run.refresh_from_db()
    assert (waiting.status, queued.status, other.status) == (Status.CANCELLED, Status.CANCELLED, Status.QUEUED)
    assert running.cancel_requested_at is not None


# ------------------------------------------------------------------------------------------------ retry


def test_a_retry_is_a_new_run_of_who_asked_for_it(ask: AsksFor, adam: User, docs: Server) -> None:
    old = ended(ask(options={"prune": True}, trigger=Trigger.WEBHOOK))
    new = runs.retry_run(old, by=adam).run
    assert new != old
    assert (new.options, new.subject, new.scope) == ({"prune": True}, docs, old.scope)
    assert (new.requested_by, new.trigger) == (adam, Trigger.MANUAL)
    assert actions() == ["run.retried"]
    assert AuditEvent.objects.get().scope == str(docs.pk)


def test_support_retries_on_behalf_of_who_asked_first(ask: AsksFor, bob: User) -> None:
    support = factories.user(is_staff=True)
    new = runs.retry_run(ended(ask()), by=support).run
    assert new.requested_by == bob
    assert AuditEvent.objects.get().actor == support


def test_support_does_not_bring_back_what_a_deleted_person_asked_for(ask: AsksFor, bob: User) -> None:
    old = ended(ask())
    bob.delete()
    old.refresh_from_db()
    with pytest.raises(runs.Refused, match="asked for it is gone"):
        runs.retry_run(old, by=factories.user(is_staff=True))


def test_what_has_not_ended_is_not_retried(ask: AsksFor, bob: User) -> None:
    with pytest.raises(runs.Refused, match="not ended"):
        runs.retry_run(ask(), by=bob)


def test_what_is_gone_is_not_retried(ask: AsksFor, bob: User, docs: Server) -> None:
    run = ended(ask())
    docs.delete()
    with pytest.raises(runs.Refused, match="deleted"):
        runs.retry_run(run, by=bob)


# ------------------------------------------------------------------------------------------------ held


def test_a_confirmed_run_goes_on_with_what_was_confirmed_in_the_name_of_who_did(
    ask: AsksFor, work: Workbench, adam: User
) -> None:
    work.does = holds
    run = runs.confirm_run(ended(ask(options={"prune": True})), by=adam)
    assert run.status == Status.QUEUED
    assert run.options == {"prune": True, "confirmed": "commit 1"}
    assert ended(run).status == Status.SUCCEEDED
    assert work.contexts[-1].requested_by == adam
    assert actions() == ["run.confirmed"]


def test_a_confirmed_run_is_another_than_the_one_queued_without_confirmation(
    ask: AsksFor, work: Workbench, adam: User
) -> None:
    work.does = holds
    held = ended(ask())
    queued = ask()
    assert runs.confirm_run(held, by=adam) != queued


def test_a_declined_run_ends(ask: AsksFor, work: Workbench, adam: User) -> None:
    work.does = holds
    run = runs.decline_run(ended(ask()), by=adam)
    assert (run.status, run.error_code) == (Status.CANCELLED, "declined")
    with pytest.raises(runs.Refused):
        runs.confirm_run(run, by=adam)
    with pytest.raises(runs.Refused):
        runs.decline_run(run, by=adam)
    assert actions() == ["run.declined"]


def test_a_confirmed_run_that_is_queued_does_not_say_that_it_is_at_a_stage(
    ask: AsksFor, work: Workbench, adam: User
) -> None:
    def looks_and_holds(context: RunContext) -> Outcome:
        context.progress("Listing main")
        return holds(context)

    work.does = looks_and_holds
    held = ended(ask())
    assert held.stage == "Listing main"
    assert runs.confirm_run(held, by=adam).stage == ""


def test_the_days_that_a_run_was_held_do_not_count_as_work(ask: AsksFor, work: Workbench, adam: User) -> None:
    work.does = holds
    held = ended(ask())
    Run.objects.filter(pk=held.pk).update(started_at=timezone.now() - timedelta(days=2))
    run = ended(runs.confirm_run(held, by=adam))
    assert run.duration is not None
    assert run.duration < timedelta(hours=1)


# ------------------------------------------------------------------------------------------------ waiting


def test_a_waiting_run_goes_on_when_told(ask: AsksFor, work: Workbench) -> None:
    work.does = waits
    run = ended(ask())
    work.does = lambda _: None
    assert runs.resume(run) == run
    assert ended(run).status == Status.SUCCEEDED
    assert run.waiting_for == ""


def test_resuming_what_does_not_wait_changes_nothing(ask: AsksFor) -> None:
    run = ended(ask())
    assert runs.resume(run).status == Status.SUCCEEDED


@pytest.mark.parametrize("running", [False, True])
def test_a_waiting_run_joins_the_equal_one_that_came_after_it(
    ask: AsksFor, work: Workbench, adam: User, running: bool
) -> None:
    work.does = waits
    waiting = ended(ask())
    newer = ask(requested_by=adam)
    if running:
        leases.claim(newer.pk)
    assert runs.resume(waiting) == newer
    waiting.refresh_from_db()
    newer.refresh_from_db()
    assert (waiting.status, waiting.joined_to) == (Status.CANCELLED, newer)
    assert newer.status == (Status.RUNNING if running else Status.QUEUED)
    assert newer.joined_by == [str(waiting.requested_by_id)]


def test_several_equal_waiting_runs_become_one(ask: AsksFor, work: Workbench) -> None:
    work.does = waits
    both = [ended(ask()), ended(ask())]
    Run.objects.update(wait_until=timezone.now() - timedelta(seconds=1))
    for run in both:
        runs.resume(run)
    assert Run.objects.filter(status=Status.QUEUED).count() == 1
