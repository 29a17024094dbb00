"""Several at once: two servers in one repository, two organisations, and saves while a push is at work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from forges.models import Turn
from gitsync import targets
from gitsync.clock import tick
from gitsync.models import PendingChange, PushTarget
from gitsync.probing import Assignment
from gitsync.saves import ask_for_pushes
from gitsync.targets import FieldError
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.gitsync.conftest import Assign, Pushed, aside, connection_at, git, of, paths, subjects, text, work, worked
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db(transaction=True)


def workers(number: int) -> None:
    """So many workers do what is queued, at once, until nothing is."""
    barrier = threading.Barrier(number)

    def run(_: int) -> None:
        try:
            barrier.wait(timeout=20)
            for _round in range(100):
                # A Run that found no turn is resumed by who leaves it, or by the sweeper, for which nobody waits here.
                Run.objects.filter(status=Status.WAITING).update(status=Status.QUEUED, wait_until=None)
                queued = list(Run.objects.filter(status=Status.QUEUED).values_list("pk", flat=True))
                if not queued and not Run.objects.filter(status__in=[Status.RUNNING, Status.WAITING]).exists():
                    return
                for pk in queued:
                    execute(str(pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(run, range(number)))


def second(organization: Organization, name: str) -> Server:
    server = factories.server(organization, name, slug=name.lower())
    factories.tool(factories.provider(server, "Maps"), "getMap")
    return server


@pytest.mark.parametrize("key", ["github", "gitlab"])
def test_two_servers_in_one_repository_saved_at_once_by_two_workers(
    key: str, assign: Assign, hosted: HostedRepository, weather: Server
) -> None:
    first = assign(key)
    other = assign(key, server=second(weather.organization, "Maps"))
    work()
    before = len(subjects(hosted))
    for number in range(3):
        first.save(f"Weather {number}.")
        other.save(f"Maps {number}.")
        workers(2)
    assert not Run.objects.exclude(status__in=[Status.SUCCEEDED, Status.CANCELLED]).exists()
    assert len(subjects(hosted)) == before + 6
    assert git(hosted, "rev-list", "--merges", "main") == ""
    assert "Weather 2." in text(hosted, "weather/Open Meteo/tools/get-forecast.json")
    assert "Maps 2." in text(hosted, "maps/Maps/tools/get-map.json")
    for made in (first, other):
        assert made.target.pushed_revision == Server.objects.get(pk=made.server.pk).config_revision
    assert not Turn.objects.exists()


def test_there_is_one_writer_at_a_branch(
    assign: Assign, forge: Forge, hosted: HostedRepository, weather: Server
) -> None:
    first = assign()
    other = assign(server=second(weather.organization, "Maps"))
    work()
    first.save("Changed.")
    other.save("Changed.")
    (mine,) = Run.objects.about(first.target).filter(status=Status.QUEUED)
    (theirs,) = Run.objects.about(other.target).filter(status=Status.QUEUED)
    seen: list[Any] = []

    def meanwhile() -> None:
        execute(str(theirs.pk))
        seen.append(Run.objects.get(pk=theirs.pk))

    with forge.fault(faults.first(aside(meanwhile)), on="PATCH */git/refs/*", times=1):
        execute(str(mine.pk))
    (waited,) = seen
    assert waited.status == Status.WAITING
    assert "a turn at the branch main of the repository" in waited.waiting_for
    theirs.refresh_from_db()
    assert theirs.status == Status.QUEUED, "who leaves the place calls the next"
    worked()


def test_a_burst_of_a_hundred_saves_makes_at_most_two_commits(
    assign: Assign, hosted: HostedRepository, settings: Settings
) -> None:
    made = assign()
    worked()
    settings.GITSYNC_QUIET_SECONDS = 2.0  # waits for 8 s at most, in which all are saved
    done, pause = threading.Event(), threading.Event()

    def save() -> None:
        try:
            for number in range(100):
                made.save(f"Version {number}.")
        finally:
            done.set()
            connection.close()

    def push() -> None:
        try:
            while not done.is_set() or PendingChange.objects.exists():
                ask_for_pushes()
                for pk in Run.objects.filter(status=Status.QUEUED).values_list("pk", flat=True):
                    execute(str(pk))
                pause.wait(0.05)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for each in (pool.submit(save), pool.submit(push)):
            each.result(timeout=60)
    assert len(subjects(hosted)) - 2 in (1, 2)
    assert "Version 99." in text(hosted, "weather/Open Meteo/tools/get-forecast.json")
    assert not PendingChange.objects.exists()


def test_what_is_saved_while_a_push_is_at_work_is_in_the_next_one(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    made.save("First.")

    with forge.fault(faults.first(aside(lambda: made.save("Second."))), on="PATCH */git/refs/*", times=1):
        runs = work()
    assert [run.status for run in runs] == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert len(subjects(hosted)) == 4
    assert "Second." in text(hosted, "weather/Open Meteo/tools/get-forecast.json")


def test_a_push_to_a_repository_that_is_none_any_more_records_nothing(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    other = forge.repository("octo/other", private=True)
    other.git.commit({"README.md": "Other.\n"}, "Begin")
    made.save("Changed.")

    mine = Run.objects.get(status=Status.QUEUED)
    with forge.fault(faults.first(aside(lambda: assign(to=other))), on="PATCH */git/refs/*", times=1):
        execute(str(mine.pk))
    mine.refresh_from_db()
    assert mine.status == Status.CANCELLED
    assert made.target.repository == "octo/other"
    assert (made.target.pushed_revision, made.target.last_commit) == (None, "")
    assert not made.target.files.exists()
    worked()
    assert subjects(other) == ["Add server Weather (Alice)", "Begin"]
    assert made.target.last_commit == git(other, "rev-parse", "main").strip()


def test_two_organisations_share_a_repository_and_see_nothing_of_each_other(
    assign: Assign, forge: Forge, hosted: HostedRepository, charlie: User
) -> None:
    mine = assign()
    worked()
    organization = of(charlie).organization
    theirs = second(organization, "Weather")
    used = connection_at(forge, "github", organization, charlie)
    values = Assignment(connection_id=used.pk, repository=hosted.full_name)
    with pytest.raises(FieldError) as caught:
        targets.assign(server=theirs, values=values, membership=of(charlie))
    assert caught.value.field == "directory"
    assert "Acme" not in str(caught.value)
    with pytest.raises(FieldError):
        targets.assign(
            server=theirs,
            values=Assignment(connection_id=used.pk, repository=hosted.full_name, directory="weather/theirs"),
            membership=of(charlie),
        )
    made: Pushed = assign(server=theirs, by=charlie, connection=used, directory="others/weather")
    mine.save("Changed.")
    workers(2)
    assert {path.partition("/")[0] for path in paths(hosted)} == {"README.md", "weather", "others"}
    assert made.target.foreign == {} == mine.target.foreign
    assert [run.organization for run in Run.objects.about(made.target)] == [organization]


def test_a_lost_worker_of_the_first_push_is_found_by_the_clock(assign: Assign, hosted: HostedRepository) -> None:
    made = assign()
    Run.objects.update(status=Status.CANCELLED, finished_at=timezone.now())
    assert tick() == "0 pushes asked for", "somebody cancelled it"
    PendingChange.objects.update(at=timezone.now() + timedelta(seconds=1))
    assert tick() == "1 pushes asked for", "somebody saved since"
    worked()
    assert PushTarget.objects.get().last_commit
    assert made.target.pushed_revision == 1
