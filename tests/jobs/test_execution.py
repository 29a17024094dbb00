"""What a Run becomes, for each way in which its work can end."""

from __future__ import annotations

import logging
import signal
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.exceptions import TimeoutException
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Server
from jobs import registry
from jobs.context import RunContext
from jobs.execution import execute
from jobs.models import LogLine, Run, Status, Trigger
from jobs.outcomes import Failure, HandOver, Held, Outcome, Waiting
from jobs.runs import cancel_run
from orgs.models import User
from tests.jobs.conftest import AsksFor, Work, Workbench


def done(run: Run) -> Run:
    execute(str(run.pk))
    run.refresh_from_db()
    return run


def raising(error: BaseException) -> Work:
    def work(context: RunContext) -> Outcome:
        raise error

    return work


def test_an_outcome_is_kept_with_its_counts_and_result(ask: AsksFor, work: Workbench) -> None:
    work.does = lambda _: Outcome(Status.PARTIAL, {"added": 3}, {"requests": 2})
    run = done(ask())
    assert (run.status, run.counts, run.result) == (Status.PARTIAL, {"added": 3}, {"requests": 2})
    assert run.finished_at is not None
    assert run.lease is None


def test_an_outcome_is_succeeded_or_partial_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="failed"):
        Outcome(Status.FAILED)


def test_executing_twice_does_it_once(ask: AsksFor, work: Workbench) -> None:
    run = done(ask())
    assert execute(str(run.pk)) == "not to be run now"
    assert work.times == 1


def test_a_failure_says_what_happened(ask: AsksFor, work: Workbench) -> None:
    work.does = raising(Failure("auth-failed", "The token was refused. Enter a new one.", {"requests": 1}))
    run = done(ask())
    assert (run.status, run.error_code) == (Status.FAILED, "auth-failed")
    assert run.error_text == "The token was refused. Enter a new one."
    assert run.result == {"requests": 1}


def test_an_unexpected_error_shows_a_reference_that_the_log_knows(
    ask: AsksFor, work: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    work.does = raising(ZeroDivisionError("internals of the thing"))
    with caplog.at_level(logging.ERROR, "jobs.execution"):
        run = done(ask())
    assert (run.status, run.error_code) == (Status.FAILED, "unexpected")
    assert "internals" not in run.error_text
    reference = run.error_text.split("reference ")[1].split(",")[0]
    assert reference in caplog.text
    assert "internals of the thing" in caplog.text


def test_waiting_frees_the_subject_and_remembers_for_what(ask: AsksFor, work: Workbench) -> None:
    until = timezone.now() + timedelta(minutes=5)
    work.does = raising(Waiting(until, "the rate limit to reset"))
    waiting = done(ask(options={"number": 1}))
    assert (waiting.status, waiting.wait_until) == (Status.WAITING, until)
    assert waiting.waiting_for == "the rate limit to reset"
    assert waiting.finished_at is None
    work.does = lambda _: None
    assert done(ask(options={"number": 2})).status == Status.SUCCEEDED


def test_a_held_run_keeps_what_is_to_be_decided_on(ask: AsksFor, work: Workbench) -> None:
    work.does = raising(
        Held({"removed": ["a.md"]}, "1 of 1 files would be removed.", confirm_options={"confirmed": "abc"})
    )
    run = done(ask())
    assert (run.status, run.error_text) == (Status.HELD, "1 of 1 files would be removed.")
    assert run.result == {"removed": ["a.md"], "confirm_options": {"confirmed": "abc"}}


def test_a_worker_cannot_hand_over(ask: AsksFor, work: Workbench) -> None:
    work.does = raising(HandOver("too big"))
    assert done(ask()).status == Status.FAILED


def test_work_that_takes_too_long_ends_with_a_sentence_and_a_fresh_worker(ask: AsksFor, work: Workbench) -> None:
    work.does = raising(TimeoutException("3600 seconds"))
    run = ask()
    with pytest.raises(TimeoutException):
        execute(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Status.FAILED, "timeout")
    assert "longer than 60 minutes" in run.error_text


def test_cancelling_stops_the_work_at_its_next_step(ask: AsksFor, work: Workbench, bob: User) -> None:
    steps: list[int] = []

    def in_steps(context: RunContext) -> Outcome:
        for number in range(3):
            context.check()
            steps.append(number)
            if number == 0:
                cancel_run(context.run, by=bob)
            signal.sigtimedwait([], 0.25)  # longer than check waits between two questions
        return Outcome()

    work.does = in_steps
    run = done(ask())
    assert run.status == Status.CANCELLED
    assert steps == [0]


def test_a_step_that_survives_every_error_does_not_survive_cancelling(ask: AsksFor, work: Workbench, bob: User) -> None:
    def stubborn(context: RunContext) -> Outcome:
        cancel_run(context.run, by=bob)
        try:
            context.check()
        except Exception:
            raise AssertionError("caught") from None
        return Outcome()

    work.does = stubborn
    assert done(ask()).status == Status.CANCELLED


def test_a_cancelled_run_does_not_wait(ask: AsksFor, work: Workbench, bob: User) -> None:
    def cancelled_then_waits(context: RunContext) -> Outcome:
        cancel_run(context.run, by=bob)
        raise Waiting(None, "a credential")

    work.does = cancelled_then_waits
    assert done(ask()).status == Status.CANCELLED


def test_who_lost_the_entitlement_meanwhile_is_not_served(ask: AsksFor, work: Workbench, bob: User) -> None:
    run = ask()
    bob.memberships.update(denied=["integrations.import"])
    run = done(run)
    assert (run.status, run.error_code) == (Status.FAILED, "not_allowed")
    assert run.error_text.startswith("Bob is no longer allowed to connect repositories")
    assert work.times == 0


def test_who_left_or_was_deactivated_is_not_served(ask: AsksFor, work: Workbench, bob: User) -> None:
    run = ask()
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert done(run).error_code == "not_allowed"
    run = ask()
    bob.delete()
    assert done(run).error_code == "not_allowed"
    assert work.times == 0


def test_a_schedule_needs_no_person(ask: AsksFor, work: Workbench) -> None:
    assert done(ask(requested_by=None, trigger=Trigger.SCHEDULE)).status == Status.SUCCEEDED


def test_a_run_whose_subject_was_deleted_does_nothing(ask: AsksFor, work: Workbench, docs: Server) -> None:
    run = ask()
    docs.delete()
    run = done(run)
    assert (run.status, run.error_text) == (Status.CANCELLED, "What it was about has been deleted.")
    assert work.times == 0


def test_a_kind_that_is_gone_fails_with_a_sentence(ask: AsksFor, work: Workbench) -> None:
    run = ask()
    registry.unregister(work.name)
    assert done(run).error_code == "unknown_kind"


def test_progress_never_goes_back_within_a_stage(ask: AsksFor, work: Workbench) -> None:
    def reports(context: RunContext) -> Outcome:
        context.progress("Fetching", 5, 10)
        context.progress("Fetching", 3)
        return Outcome()

    work.does = reports
    run = done(ask())
    assert (run.stage, run.done, run.total) == ("Fetching", 5, 10)


def test_progress_is_written_at_once_for_a_stage_and_seldom_within(
    ask: AsksFor, work: Workbench, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def reports(context: RunContext) -> Outcome:
        context.progress("Fetching", 0, 1000)
        assert Run.objects.get(pk=context.run.pk).stage == "Fetching"
        with django_assert_num_queries(0):
            for number in range(100):
                context.progress("Fetching", number)
        return Outcome()

    work.does = reports
    assert done(ask()).done == 99


def test_what_was_logged_last_is_kept_however_it_ends(ask: AsksFor, work: Workbench) -> None:
    def logs_and_fails(context: RunContext) -> Outcome:
        context.log("One file was skipped", "warning")
        raise Failure("no", "No.")

    work.does = logs_and_fails
    line = done(ask()).log_lines.get()
    assert (line.text, line.level) == ("One file was skipped", LogLine.Level.WARNING)


def test_a_chatty_run_is_cut_with_a_note(ask: AsksFor, work: Workbench) -> None:
    def chats(context: RunContext) -> None:
        for number in range(3000):
            context.log(f"line {number}")

    work.does = chats
    run = done(ask())
    assert run.log_lines.count() == 2000
    assert run.log_lines.order_by("-id")[0].text == "The log ends here: 2000 lines are kept."


def test_a_stopping_worker_takes_nothing_new(
    ask: AsksFor, work: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("MILLRACE_STOP_FILE", str(tmp_path))
    run = ask()
    assert execute(str(run.pk)) == "left for the next worker"
    run.refresh_from_db()
    assert (run.status, run.enqueued_at) == (Status.QUEUED, None)


def test_the_timeout_in_the_sentence_follows_the_setting(ask: AsksFor, work: Workbench, settings: Settings) -> None:
    settings.JOB_TIMEOUT = 60
    work.does = raising(TimeoutException("60 seconds"))
    run = ask()
    with pytest.raises(TimeoutException):
        execute(str(run.pk))
    run.refresh_from_db()
    assert "longer than 1 minute," in run.error_text
