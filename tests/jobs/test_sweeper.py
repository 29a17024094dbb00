"""The sweep: whatever was left lying is taken up, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from pytest_django import Settings

from jobs import heartbeats, leases, runs, schedules, sweeper
from jobs.context import RunContext
from jobs.execution import execute
from jobs.models import LogLine, Run, Status
from jobs.outcomes import Outcome, Waiting
from tests.jobs.conftest import AsksFor, Workbench


def ago(**length: float) -> object:
    return timezone.now() - timedelta(**length)


def handed_over() -> list[str]:
    return [task.task["args"][0] for task in OrmQ.objects.order_by("id")]


def the_sweep() -> Schedule:
    """The one row of the sweep; raises when there are more."""
    row: Schedule = Schedule.objects.get(name="Sweep the runs")
    return row


def test_a_run_whose_worker_was_killed_is_queued_again(ask: AsksFor) -> None:
    run = ask()
    leases.claim(run.pk)
    OrmQ.objects.all().delete()
    Run.objects.update(lease_until=ago(seconds=1))
    assert sweeper.sweep().recovered == 1
    assert handed_over() == [str(run.pk)]


def test_a_run_that_was_committed_but_never_enqueued_is_found(ask: AsksFor) -> None:
    run = ask(enqueue=False)
    assert sweeper.sweep().enqueued == 0  # its own process is about to do it
    Run.objects.update(created_at=ago(seconds=20))
    assert sweeper.sweep().enqueued == 1
    assert sweeper.sweep().enqueued == 0
    assert handed_over() == [str(run.pk)]


def test_a_run_lost_with_the_worker_that_had_fetched_it_is_found(ask: AsksFor) -> None:
    run = ask()
    OrmQ.objects.all().delete()
    Run.objects.update(enqueued_at=ago(minutes=1))
    assert sweeper.sweep().enqueued == 0
    Run.objects.update(enqueued_at=ago(minutes=3))
    assert sweeper.sweep().enqueued == 1
    assert handed_over() == [str(run.pk)]


def test_a_long_queue_is_not_made_longer(ask: AsksFor) -> None:
    ask()
    Run.objects.update(enqueued_at=ago(minutes=3))
    assert sweeper.sweep().enqueued == 0


def test_after_a_restart_nobody_waits_for_what_the_cluster_before_had_fetched(ask: AsksFor) -> None:
    run = ask()
    OrmQ.objects.all().delete()
    assert sweeper.sweep(after_restart=True).enqueued == 1
    assert handed_over() == [str(run.pk)]


def test_a_run_that_waits_for_its_subject_is_left_to_whoever_ends_there(ask: AsksFor) -> None:
    first, _ = ask(options={"number": 1}), ask(options={"number": 2}, enqueue=False)
    leases.claim(first.pk)
    Run.objects.update(created_at=ago(hours=1))
    assert sweeper.sweep().enqueued == 0


def test_a_run_goes_on_when_its_time_has_come(ask: AsksFor, work: Workbench) -> None:
    until = timezone.now() + timedelta(hours=1)

    def waits(context: RunContext) -> Outcome:
        raise Waiting(until, "the rate limit to reset")

    work.does = waits
    run = ask()
    execute(str(run.pk))
    assert sweeper.sweep().resumed == 0
    Run.objects.update(wait_until=ago(seconds=1))
    assert sweeper.sweep().resumed == 1
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_a_run_that_waits_for_somebody_is_not_resumed(ask: AsksFor, work: Workbench) -> None:
    def waits(context: RunContext) -> Outcome:
        raise Waiting(None, "a credential")

    work.does = waits
    run = ask()
    execute(str(run.pk))
    assert sweeper.sweep().resumed == 0
    assert runs.resume(run).status == Status.QUEUED


def test_what_ended_long_ago_is_forgotten_with_its_log(ask: AsksFor, work: Workbench, settings: Settings) -> None:
    settings.JOB_RETENTION_DAYS = 90
    old, fresh = ask(options={"number": 1}), ask(options={"number": 2})
    work.does = lambda context: context.log("A line")
    for run in (old, fresh):
        execute(str(run.pk))
    Run.objects.filter(pk=old.pk).update(finished_at=ago(days=91))
    Task.objects.create(id="1", name="a", func="f", started=ago(days=91), stopped=ago(days=91), success=False)
    assert sweeper.sweep().forgotten == 1
    assert list(Run.objects.all()) == [fresh]
    assert LogLine.objects.count() == 1
    assert not Task.objects.exists()


def test_a_sweep_shows_life_and_a_tick_shows_that_of_the_workers(db: None) -> None:
    sweeper.sweep()
    assert heartbeats.last_beat(heartbeats.SWEEPER) is not None
    assert not heartbeats.worker_is_alive()
    sweeper.tick()
    assert heartbeats.worker_is_alive()


def test_ticks_that_piled_up_sweep_once_unless_there_is_something_to_do(ask: AsksFor) -> None:
    assert sweeper.tick().startswith("Swept(")
    assert sweeper.tick() == "swept a moment ago"
    leases.claim(ask().pk)
    Run.objects.update(lease_until=ago(seconds=1))
    assert "recovered=1" in sweeper.tick()


def test_the_schedule_is_there_once_however_often_it_is_made(db: None) -> None:
    schedules.ensure()
    schedules.ensure()
    row = the_sweep()
    assert (row.func, row.minutes, row.repeats) == ("jobs.sweeper.tick", 1, -1)


def test_a_schedule_that_was_changed_or_doubled_is_put_right(db: None) -> None:
    schedules.ensure()
    row = the_sweep()
    Schedule.objects.update(minutes=60)
    Schedule.objects.create(name=row.name, func="something.else")
    schedules.ensure()
    assert the_sweep().minutes == 1


def test_migrating_makes_the_schedule(db: None) -> None:
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert the_sweep()


@pytest.mark.django_db(transaction=True)
def test_the_schedule_is_made_once_by_many_at_the_same_moment(
    on_disk: None, together: Callable[..., list[None]]
) -> None:
    for _ in range(3):
        Schedule.objects.all().delete()
        together(*[schedules.ensure] * 4)
        assert the_sweep()


@pytest.mark.django_db(transaction=True)
def test_many_sweepers_at_the_same_moment_take_each_run_up_once(
    on_disk: None, ask: AsksFor, together: Callable[..., list[sweeper.Swept]]
) -> None:
    waiting, dead = ask(options={"number": 1}), ask(options={"number": 2})
    leases.claim(dead.pk)
    Run.objects.filter(pk=dead.pk).update(lease_until=ago(seconds=1))
    Run.objects.filter(pk=waiting.pk).update(status=Status.WAITING, wait_until=ago(seconds=1))
    together(*[partial(sweeper.sweep)] * 4)
    dead.refresh_from_db()
    waiting.refresh_from_db()
    assert (dead.status, dead.lost_leases) == (Status.QUEUED, 1)
    assert waiting.status == Status.QUEUED
