"""Turns at a forge: as many at once as there are places, and none lost with a worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from forges import turns
from forges.models import Connection, Turn
from jobs.models import Run, Status, Trigger
from jobs.outcomes import Waiting
from orgs.models import Organization, User
from tests import factories

HOST = {"github.com": 2}


def running(organization: Organization, **fields: Any) -> Run:
    """A Run that a living worker is at."""
    subject = factories.server(organization)
    now = timezone.now()
    return factories.run(
        subject,
        status=Status.RUNNING,
        lease=uuid.uuid4(),
        lease_until=now + timedelta(minutes=1),
        started_at=now,
        **fields,
    )


@pytest.fixture
def full(acme: Organization) -> Iterator[list[Run]]:
    """Both places are taken."""
    runs = [running(acme) for _ in range(2)]
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(turns.take(run, keys_with_limits=HOST))
        yield runs


def test_a_run_that_finds_no_place_waits_a_while_and_says_for_what(acme: Organization, full: list[Run]) -> None:
    with pytest.raises(Waiting) as caught, turns.take(running(acme), keys_with_limits=HOST):
        pass
    assert caught.value.for_what == "a turn at github.com"
    assert caught.value.until is not None
    assert timedelta() < caught.value.until - timezone.now() < timedelta(seconds=30)
    assert Turn.objects.count() == 2


def test_a_place_is_free_again_when_its_run_is_done_or_fails(acme: Organization) -> None:
    run = running(acme)
    with pytest.raises(RuntimeError), turns.take(run, keys_with_limits=HOST):
        raise RuntimeError
    assert not Turn.objects.exists()


@pytest.mark.parametrize(
    "ended",
    [
        {"lease_until": timezone.now() - timedelta(seconds=1)},
        {"status": Status.SUCCEEDED, "lease": None, "lease_until": None},
        {"status": Status.QUEUED, "lease": None, "lease_until": None},
    ],
    ids=["worker killed", "ended", "queued again"],
)
def test_the_place_of_a_run_that_nobody_is_at_is_free(
    acme: Organization, full: list[Run], ended: dict[str, object]
) -> None:
    Run.objects.filter(pk=full[0].pk).update(**ended)
    with turns.take(running(acme), keys_with_limits=HOST):
        assert Turn.objects.count() == 2


def test_a_run_that_is_taken_up_again_is_not_in_its_own_way(acme: Organization) -> None:
    run = running(acme)
    Turn.objects.create(run=run, key="github.com", slot=0)
    with turns.take(run, keys_with_limits={"github.com": 1}):
        assert Turn.objects.count() == 1


def test_a_worker_that_lost_its_run_leaves_the_place_of_the_next_one_alone(acme: Organization) -> None:
    run = running(acme)
    with ExitStack() as next_worker:
        with turns.take(run, keys_with_limits=HOST):
            next_worker.enter_context(turns.take(run, keys_with_limits=HOST))
        assert Turn.objects.count() == 1


def test_all_places_are_taken_or_none(acme: Organization, full: list[Run]) -> None:
    keys = {"a": 1, **HOST}
    with pytest.raises(Waiting, match=r"github\.com"), turns.take(running(acme), keys_with_limits=keys):
        pass
    assert not Turn.objects.filter(key="a").exists()


def test_who_leaves_calls_the_run_that_waits_longest(acme: Organization) -> None:
    first, second, other = (
        factories.run(
            factories.server(acme),
            status=Status.WAITING,
            waiting_for=f"a turn at {where}",
            wait_until=timezone.now() + timedelta(minutes=1),
        )
        for where in ("github.com", "github.com", "gitlab.com")
    )
    with turns.take(running(acme), keys_with_limits=HOST):
        pass
    states = [Run.objects.get(pk=run.pk).status for run in (first, second, other)]
    assert states == [Status.QUEUED, Status.WAITING, Status.WAITING]


@pytest.mark.django_db(transaction=True)
def test_never_more_at_once_than_there_are_places_and_all_have_their_turn(acme: Organization) -> None:
    runs = [running(acme) for _ in range(6)]
    barrier, lock = Barrier(6), Lock()
    inside, most, refused = 0, 0, 0

    def work(run: Run) -> None:
        nonlocal inside, most, refused
        database.ensure_connection()
        barrier.wait(timeout=10)
        while True:
            try:
                with turns.take(run, keys_with_limits=HOST):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    list(Run.objects.all())
                    with lock:
                        inside -= 1
                    break
            except Waiting:
                refused += 1
        database.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, runs))
    assert 1 <= most <= 2
    assert not Turn.objects.exists()


# -- what there are places at ------------------------------------------------------------------------------------------


def test_a_run_takes_a_place_at_the_server_and_one_in_its_connection(
    acme: Organization, bob: User, settings: Settings
) -> None:
    settings.FORGE_CONCURRENCY, settings.CONNECTION_CONCURRENCY = 8, 3
    row = factories.connection(acme, account="octo", shared=True)
    places = turns.places(forge="github", base_url="", connection=row)
    assert list(places.values()) == [8, 3]
    assert next(iter(places)) == "github.com"
    assert turns._words(list(places)[1]) == "a turn at the connection of octo"
    own = turns.places(forge="github", base_url="", connection=factories.connection(acme, bob, account="octo"))
    assert turns._words(list(own)[1]) == "a turn at a connection of Bob", "whose account it is, is seen by Bob alone"
    assert turns.places(forge="git", base_url="") == {}


def test_two_connections_of_one_account_have_places_of_their_own(acme: Organization) -> None:
    one, two = (factories.connection(acme, account="octo") for _ in range(2))
    keys = [set(turns.places(forge="github", base_url=row.base_url, connection=row)) for row in (one, two)]
    assert keys[0] & keys[1] == {"github.com"}


def test_who_waits_reads_a_connections_whole_name_and_a_personal_ones_not_at_all(acme: Organization, bob: User) -> None:
    def words(row: Connection) -> str:
        return turns._words(list(turns.places(forge="github", base_url="", connection=row))[1])

    assert words(factories.connection(acme, name="Docs #2", shared=True)) == "a turn at the connection of Docs #2"
    assert words(factories.connection(acme, bob, name="Docs #2")) == "a turn at a connection of Bob"
    assert turns._words("github.com") == "a turn at github.com"


# -- budgets -----------------------------------------------------------------------------------------------------------


def told(row: Connection, *, remaining: int, reset_in: int = 600) -> Connection:
    row.rate_limit, row.rate_remaining = 5000, remaining
    row.rate_reset_at = timezone.now() + timedelta(seconds=reset_in)
    row.save()
    return row


@pytest.mark.parametrize("trigger", [Trigger.WEBHOOK, Trigger.SCHEDULE])
def test_an_automatic_run_leaves_the_last_requests_to_people(
    acme: Organization, settings: Settings, trigger: str
) -> None:
    settings.FORGE_RATE_RESERVE = 10
    row, run = factories.connection(acme), running(acme, trigger=trigger)
    turns.spare(run, told(row, remaining=500))
    with pytest.raises(Waiting, match="count the requests") as caught:
        turns.spare(run, told(row, remaining=499))
    assert row.rate_reset_at is not None
    assert caught.value.until is not None
    assert caught.value.until > row.rate_reset_at


def test_a_person_is_not_kept_waiting_for_the_reserve(acme: Organization) -> None:
    turns.spare(running(acme, trigger=Trigger.MANUAL), told(factories.connection(acme), remaining=0))


def test_what_was_told_before_the_last_reset_counts_no_more(acme: Organization) -> None:
    row = told(factories.connection(acme), remaining=0, reset_in=-1)
    turns.spare(running(acme, trigger=Trigger.SCHEDULE), row)
    turns.spare(running(acme, trigger=Trigger.SCHEDULE), factories.connection(acme))
    turns.spare(running(acme, trigger=Trigger.SCHEDULE), None)
