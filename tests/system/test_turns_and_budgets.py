"""Runs that share a forge: one at a time where that is set, the last requests for people, and sleep until the reset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from jobs import sweeper
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.conftest import Registered, at_once
from tests.system.conftest import FORGES, OWNER, Follow, Synced, work
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository, uuid_of

pytestmark = pytest.mark.django_db

OAuth = Callable[[str], Registered]


@pytest.fixture
def atlas(forge: Forge) -> HostedRepository:
    """Another private repository of octo's."""
    hosted = forge.repository(f"{OWNER}/atlas", private=True)
    hosted.git.commit({"maps.md": "# Maps\n"})
    return hosted


# -- turns -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["FORGE_CONCURRENCY", "CONNECTION_CONCURRENCY"])
@pytest.mark.parametrize("key", FORGES)
@pytest.mark.django_db(transaction=True)
def test_with_one_place_two_runs_do_not_overlap_and_both_have_their_turn(
    key: str,
    setting: str,
    oauth: OAuth,
    follow: Follow,
    forge: Forge,
    acme: Organization,
    atlas: HostedRepository,
    alice: User,
    settings: Settings,
) -> None:
    connection = oauth(key).connect(alice)
    first = follow(connection, on_push=False)
    second = follow(connection, repository=atlas, server=factories.server(acme), on_push=False)
    for made in (first, second):
        made.hosted.git.commit({"new.md": "# New\n"})
    setattr(settings, setting, 1)
    waiting = [str(made.ask().pk) for made in (first, second)]

    done = overlapping(forge, waiting)

    assert sorted(done) == [Status.SUCCEEDED, Status.WAITING], "one had its turn, the other waits for it"
    spoken_of = [whose(request, (first, second)) for request in forge.requests]
    assert len(set(spoken_of) - {None}) == 1, "nothing was asked for the one that waits"
    assert [run.status for run in work()] == [Status.SUCCEEDED], "who left its place called the other one"
    assert first.at_head()
    assert second.at_head()


@pytest.mark.parametrize("key", FORGES)
@pytest.mark.django_db(transaction=True)
def test_with_two_places_they_do_overlap(
    key: str,
    oauth: OAuth,
    follow: Follow,
    forge: Forge,
    acme: Organization,
    atlas: HostedRepository,
    alice: User,
    settings: Settings,
) -> None:
    """The control: the same two Runs at the same moment, and both are at the forge."""
    connection = oauth(key).connect(alice)
    first = follow(connection, on_push=False)
    second = follow(connection, repository=atlas, server=factories.server(acme), on_push=False)
    settings.FORGE_CONCURRENCY = 2

    assert overlapping(forge, [str(made.ask().pk) for made in (first, second)]) == [Status.SUCCEEDED] * 2

    assert {whose(request, (first, second)) for request in forge.requests} >= {"book", "atlas"}


def overlapping(forge: Forge, runs: list[str]) -> list[str]:
    """Do two Runs at once: who reaches the forge first is kept there until the other is there, too, or has ended."""
    other_is_through = Event()

    def keep(request: Request, proceed: Proceed) -> Reply:
        other_is_through.wait(timeout=10)
        return proceed(request)

    def let_go(request: Request, proceed: Proceed) -> Reply:
        other_is_through.set()
        return proceed(request)

    def one() -> str:
        status = execute(runs.pop())
        other_is_through.set()
        return status

    with forge.fault(keep, times=1), forge.fault(let_go, skip=1, times=1):
        return at_once(2, one)


def whose(request: Request, followed: tuple[Synced, ...]) -> str | None:
    """The name of the repository that a request is about: it may be asked for by its name or its id."""
    for hosted in (each.hosted for each in followed):
        if any(f"/{word}/" in f"{request.path}/" for word in (hosted.name, hosted.id, uuid_of(hosted.id))):
            return hosted.name
    return None


# -- budgets -----------------------------------------------------------------------------------------------------------

RESOURCE = {"github": "core", "gitlab": "gitlab"}
COUNTING = tuple(RESOURCE)
"""Bitbucket tells no limit before it is near."""


def leave(made: Synced, remaining: int, *, reset_in: int = 600) -> None:
    made.forge.world.leave(remaining, token=made.connection.token, reset_in=reset_in, resource=RESOURCE[made.key])


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.WEBHOOK])
@pytest.mark.parametrize("key", COUNTING)
def test_below_the_reserve_an_automatic_run_waits_and_a_persons_goes_on(
    key: str, trigger: str, oauth: OAuth, follow: Follow, alice: User, settings: Settings
) -> None:
    settings.FORGE_RATE_RESERVE = 10
    made = follow(oauth(key).connect(alice), on_push=False)
    leave(made, 400)  # of 5,000
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    assert made.refresh().status == Status.SUCCEEDED, "it learns what is left"
    made.hosted.git.commit({"chapters/14.md": "# Chapter 14\n"})
    made.forge.requests.clear()

    automatic = made.refresh(trigger=trigger)

    assert automatic.status == Status.WAITING
    assert "to count the requests of a connection of Alice anew" in automatic.waiting_for
    assert len(made.forge.requests) == 0
    assert made.refresh().status == Status.SUCCEEDED
    assert made.at_head()

    made.hosted.git.commit({"chapters/15.md": "# Chapter 15\n"})
    with time_machine.travel(timezone.now() + timedelta(seconds=700)):
        sweeper.sweep()
        assert [run.status for run in work()] == [Status.SUCCEEDED]
    assert made.at_head()


@pytest.mark.parametrize("key", COUNTING)
def test_a_run_that_is_rate_limited_sleeps_until_the_reset_and_goes_on_by_itself(
    key: str, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice), on_push=False)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    leave(made, 1)

    run = made.refresh()

    assert (run.status, run.waiting_for) == (Status.WAITING, "the forge's rate limit to reset")
    assert run.wait_until is not None
    assert timedelta(seconds=590) < run.wait_until - timezone.now() < timedelta(seconds=700)
    sweeper.sweep()
    assert work() == [], "it sleeps"
    with time_machine.travel(run.wait_until + timedelta(seconds=1)):
        sweeper.sweep()
        (again,) = work()
    assert (again.pk, again.status) == (run.pk, Status.SUCCEEDED)
    assert made.at_head()


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("github", faults.secondary_limited(retry_after=120)),
        ("gitlab", faults.status(429, Retry_After="120")),
        ("bitbucket", faults.status(429, Retry_After="120")),
    ],
)
def test_a_forge_that_says_later_is_asked_later(
    key: str, limit: Any, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice), on_push=False)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})

    with made.forge.fault(limit, on="GET *", skip=1, times=1):
        run = made.refresh()

    assert run.status == Status.WAITING
    assert run.wait_until is not None
    assert timedelta(seconds=110) < run.wait_until - timezone.now() < timedelta(seconds=200)
    with time_machine.travel(run.wait_until + timedelta(seconds=1)):
        sweeper.sweep()
        assert [each.status for each in work()] == [Status.SUCCEEDED]
    assert made.at_head()


def test_pushes_that_come_while_it_sleeps_need_no_more_than_one_run(oauth: OAuth, follow: Follow, alice: User) -> None:
    made = follow(oauth("github").connect(alice), on_push=False)
    leave(made, 0)
    asleep = [made.refresh(trigger=Trigger.WEBHOOK) for _ in range(3)]
    assert {run.status for run in asleep} == {Status.WAITING}
    assert len({run.pk for run in asleep}) == 1
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})

    with time_machine.travel(timezone.now() + timedelta(seconds=1000)):
        sweeper.sweep()
        work()

    assert made.at_head()
    assert Run.objects.get(pk=asleep[0].pk).status == Status.SUCCEEDED
