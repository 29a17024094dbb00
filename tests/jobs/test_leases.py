"""One worker at a time: claiming, fencing, and what happens when a worker vanishes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from catalog.models import Server
from jobs import leases, runs
from jobs.context import RunContext
from jobs.execution import carry_out, execute
from jobs.leases import Lease
from jobs.models import LogLine, Run, Status
from jobs.outcomes import Failure, Outcome
from tests.jobs.conftest import AsksFor, Workbench


def killed(run: Run) -> None:
    """Its worker vanished a while ago."""
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def claimed(run: Run) -> Lease:
    lease = leases.claim(run.pk)
    assert lease is not None
    return lease


def test_a_run_is_claimed_once(ask: AsksFor) -> None:
    run = ask()
    claimed(run)
    assert leases.claim(run.pk) is None


def test_a_second_run_of_the_subject_stays_queued_until_the_first_ends(ask: AsksFor, work: Workbench) -> None:
    first, second = ask(options={"number": 1}), ask(options={"number": 2})
    lease = claimed(first)
    OrmQ.objects.all().delete()
    assert execute(str(second.pk)) == "not to be run now"
    second.refresh_from_db()
    assert second.status == Status.QUEUED
    carry_out(lease)
    assert [task.task["args"] for task in OrmQ.objects.all()] == [(str(second.pk),)]
    assert execute(str(second.pk)) == Status.SUCCEEDED


def test_a_dead_worker_does_not_block_the_next_run_of_its_subject(ask: AsksFor, work: Workbench) -> None:
    dead, next_one = ask(options={"number": 1}), ask(options={"number": 2})
    claimed(dead)
    killed(dead)
    assert execute(str(next_one.pk)) == Status.SUCCEEDED
    dead.refresh_from_db()
    assert dead.status == Status.QUEUED


def test_a_worker_that_lost_its_lease_cannot_apply_or_write_anything(
    ask: AsksFor, work: Workbench, docs: Server
) -> None:
    run = ask()

    def loses_its_lease_and_goes_on(context: RunContext) -> Outcome:
        killed(run)
        leases.recover(Run.objects.all())
        context.log("A line of the one that came back")
        with transaction.atomic():
            Server.objects.filter(pk=docs.pk).update(description="Applied twice")
            context.fence()
        raise AssertionError("never reached")

    work.does = loses_its_lease_and_goes_on
    execute(str(run.pk))
    docs.refresh_from_db()
    run.refresh_from_db()
    assert docs.description == ""
    assert (run.status, run.lost_leases) == (Status.QUEUED, 1)
    assert not LogLine.objects.exists()


@pytest.mark.parametrize("how", ["progress", "flush", "check", "ends", "fails"])
def test_a_worker_that_lost_its_lease_to_another_changes_nothing_of_the_run(
    ask: AsksFor, work: Workbench, how: str
) -> None:
    run = ask()

    def is_overtaken(context: RunContext) -> Outcome:
        killed(run)
        leases.recover(Run.objects.all())
        claimed(run).update(stage="Of the second")
        if how == "progress":
            context.progress("Of the first")
        elif how == "flush":
            context.log("Of the first")
            context.flush()
        elif how == "check":
            context.check()
        elif how == "fails":
            raise Failure("no", "Failed first")
        return Outcome(counts={"added": 1})

    work.does = is_overtaken
    execute(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.stage, run.counts, run.error_text) == (Status.RUNNING, "Of the second", {}, "")
    assert not run.log_lines.exists()


def test_a_run_that_keeps_killing_its_workers_fails_with_a_sentence(ask: AsksFor, settings: Settings) -> None:
    settings.JOB_MAX_ATTEMPTS = 3
    run = ask()
    for _ in range(3):
        claimed(run).update(stage="Unpacking the archive")
        killed(run)
        leases.recover(Run.objects.all())
    run.refresh_from_db()
    assert (run.status, run.error_code, run.attempts) == (Status.FAILED, "worker_killed", 3)
    assert run.error_text.startswith("The worker was killed 3 times during “Unpacking the archive”")
    assert leases.claim(run.pk) is None


def test_a_run_that_was_asked_to_stop_is_not_taken_up_again(ask: AsksFor) -> None:
    run = ask()
    claimed(run)
    runs.cancel_run(run, by=None)
    killed(run)
    leases.recover(Run.objects.all())
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_a_killed_run_joins_the_equal_one_that_is_queued_and_its_losses_count_on(ask: AsksFor) -> None:
    dead = ask()
    claimed(dead)
    queued = ask()
    OrmQ.objects.all().delete()  # it was fetched, and found the subject busy
    killed(dead)
    leases.recover(Run.objects.all())
    assert [task.task["args"] for task in OrmQ.objects.all()] == [(str(queued.pk),)]
    dead.refresh_from_db()
    queued.refresh_from_db()
    assert (dead.status, dead.joined_to) == (Status.CANCELLED, queued)
    assert (queued.status, queued.lost_leases) == (Status.QUEUED, 1)


def test_a_fresh_lease_is_left_alone(ask: AsksFor) -> None:
    run = ask()
    claimed(run)
    assert leases.recover(Run.objects.all()) == 0


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_the_work_goes_on(
    on_disk: None, ask: AsksFor, work: Workbench, settings: Settings
) -> None:
    settings.JOB_LEASE = 0.4
    until: list[Any] = []

    def takes_long(context: RunContext) -> Outcome:
        for _ in range(3):
            began = Run.objects.get(pk=context.run.pk).lease_until
            until.append(began)
            for _ in range(100):
                if Run.objects.get(pk=context.run.pk).lease_until != began:
                    break
                Event().wait(0.02)
        context.fence()
        return Outcome()

    work.does = takes_long
    run = ask()
    assert execute(str(run.pk)) == Status.SUCCEEDED
    assert until == sorted(set(until))


@pytest.mark.django_db(transaction=True)
def test_two_workers_claim_two_runs_of_one_subject_and_one_gets_to_run(
    on_disk: None, ask: AsksFor, together: Callable[..., list[Lease | None]]
) -> None:
    for round_number in range(5):
        pair = [ask(options={"round": round_number, "number": number}) for number in range(2)]
        got = together(*[partial(leases.claim, run.pk) for run in pair * 2])
        winners = [lease for lease in got if lease]
        assert len(winners) == 1
        winners[0].finish(Status.SUCCEEDED)
        for run in Run.objects.filter(status=Status.QUEUED):
            runs.cancel_run(run, by=None)


@pytest.mark.django_db(transaction=True)
def test_an_expired_lease_is_taken_up_once_by_many_sweepers(
    on_disk: None, ask: AsksFor, together: Callable[..., list[int]]
) -> None:
    run = ask()
    claimed(run)
    killed(run)
    assert sum(together(*[partial(leases.recover, Run.objects.all())] * 4)) == 1
    run.refresh_from_db()
    assert run.lost_leases == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_cannot_be_taken_from_a_worker_that_is_just_applying(
    on_disk: None, ask: AsksFor, together: Callable[..., list[Any]]
) -> None:
    run = ask()
    lease = claimed(run)
    killed(run)
    fenced, tried = Event(), Event()

    def applies() -> bool:
        with transaction.atomic():
            still_ours = lease.renew()
            fenced.set()
            tried.wait(0.5)  # on SQLite the other one cannot even look before we commit
        return still_ours

    def sweeps() -> int:
        fenced.wait(5)
        taken = leases.recover(Run.objects.all())
        tried.set()
        return taken

    still_ours, taken = together(applies, sweeps)
    assert still_ours
    assert taken == 0
    assert lease.finish(Status.SUCCEEDED)
