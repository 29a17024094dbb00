"""What saves, forges, connections and the clock tell a mirror, and what they do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from catalog import library, servers
from catalog.models import Server
from catalog.saving import Change, tell
from forges import hooks
from forges.models import Connection, Hook, HookStatus
from forges.signals import connection_changed, repository_changed, repository_pushed
from forges.usage import uses_of
from gitsync.mirror import comparing
from gitsync.mirror.clock import tick
from gitsync.mirror.requesting import SYNC
from gitsync.models import Mirror, MirrorChange, MirroredEntity, Problem
from gitsync.saves import ask_for_syncs
from jobs.models import Run, Status, Trigger
from orgs.models import AuditEvent, User
from tests import factories
from tests.gitsync.mirror_world import ALL, Begin, Mirrored, begin, skill, work
from tests.wire import faults

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(begin: Begin) -> Mirrored:
    return begin(files=ALL)


def queued() -> list[str]:
    return list(Run.objects.filter(kind=SYNC, status=Status.QUEUED).values_list("trigger", flat=True))


def told(made: Mirrored, signal: object, **fields: object) -> None:
    mirror = made.mirror
    where = {name: getattr(mirror, name) for name in ("organization", "forge", "base_url", "repository_id")}
    signal.send(sender=None, **where, **fields)  # type: ignore[attr-defined]


def later(time_machine: TimeMachineFixture, minutes: int) -> None:
    time_machine.move_to(timezone.now() + timedelta(minutes=minutes), tick=False)


def test_a_save_is_noted_with_who_saved_and_synced_in_millraces_name(made: Mirrored, bob: User) -> None:
    row = made.row("command", "hello")
    made.save("command", "hello", prompt="Say hi to {{who}}.", by=bob)
    change = MirrorChange.objects.get()
    assert (change.verb, change.kind, change.name, change.person, change.entity) == (
        *("update", "command", "Hello"),
        bob,
        row.pk,
    )
    assert ask_for_syncs() == 1
    run = Run.objects.get(status=Status.QUEUED)
    assert (run.trigger, run.requested_by) == (Trigger.SAVE, None)
    work()
    assert not MirrorChange.objects.exists()
    assert made.json("commands/hello.json")["prompt"] == "Say hi to {{who}}."


def test_saves_within_seconds_become_one_run(
    made: Mirrored, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    settings.GITSYNC_QUIET_SECONDS = 3.0
    now = timezone.now()
    for seconds in (0, 2, 4):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        made.save("command", "hello", description=f"At {seconds}.")
        assert ask_for_syncs() == 0
    time_machine.move_to(now + timedelta(seconds=8), tick=False)
    assert (ask_for_syncs(), ask_for_syncs()) == (1, 0)
    assert MirrorChange.objects.count() == 3


def test_what_is_personal_is_noted_nowhere_not_even_by_name(made: Mirrored, bob: User) -> None:
    made.create("command", owner=bob, name="Mine alone", prompt="Psst.")
    server = factories.server(made.organization, "My server", owner=bob)
    with transaction.atomic():
        tell(server, Change("update", "tool", "secretTool"), bob)
    servers.delete_server(server=server, by=bob)
    assert not MirrorChange.objects.exists()


def test_what_came_from_git_is_not_noted_as_a_save(made: Mirrored) -> None:
    made.edit("commands/hello.json", description="From git.")
    made.edit("mcp-servers/weather.json", instructions="From git.")
    made.sync()
    assert made.row("server", "weather").instructions == "From git."
    assert not MirrorChange.objects.exists()
    assert queued() == []


def test_a_save_of_a_server_and_its_deletion_are_noted(made: Mirrored, alice: User) -> None:
    server: Server = made.row("server", "weather")
    with transaction.atomic():
        tell(server, Change("update", "tool", "getWeather"), alice)
    servers.delete_server(server=server, by=alice)
    noted = MirrorChange.objects.values_list("verb", "kind", "name")
    assert ("update", "tool", "getWeather") in noted
    assert ("delete", "server", "Weather") in noted
    work()
    assert "mcp-servers/weather.json" not in made.tree()


def test_a_server_that_goes_because_git_lacks_it_is_not_noted_as_a_save(made: Mirrored) -> None:
    made.commit({"mcp-servers/weather.json": None}, "Delete it")
    made.sync()
    made.settle("mcp-servers/weather.json", "delete")
    assert not Server.objects.filter(slug="weather").exists()
    assert not MirrorChange.objects.exists()
    assert ask_for_syncs() == 0


def test_without_a_mirror_nothing_is_noted(docs: Server, alice: User) -> None:
    with transaction.atomic():
        tell(docs, Change("update", "tool", "getWeather"), alice)
    assert not MirrorChange.objects.exists()


def test_a_deletion_says_what_becomes_of_the_file(made: Mirrored) -> None:
    removed = "is removed from octo/entities on main with the next sync."
    assert f"Its file commands/hello.json {removed}" in library.consequences(made.row("command", "hello"))
    assert f"Its folder skills/pdf-forms {removed}" in library.consequences(made.row("skill", "pdf-forms"))
    assert f"Its file mcp-servers/weather.json {removed}" in servers.consequences(made.row("server", "weather"))


def test_a_push_to_its_branch_is_synced_and_to_others_is_not(made: Mirrored) -> None:
    told(made, repository_pushed, branches=("other",))
    assert queued() == []
    told(made, repository_pushed, branches=("other", "main"))
    assert queued() == [Trigger.WEBHOOK]


def test_a_push_that_says_no_branch_is_looked_into(made: Mirrored) -> None:
    told(made, repository_pushed, branches=())
    assert queued() == [Trigger.WEBHOOK]


def test_a_repository_is_followed_when_it_is_renamed(made: Mirrored) -> None:
    told(made, repository_changed, kind="renamed", repository="octo/things", branches=())
    assert made.mirror.repository == "octo/things"
    assert AuditEvent.objects.filter(action="mirror.renamed").exists()


@pytest.mark.parametrize(("kind", "branches"), [("deleted", ()), ("branch_deleted", ("main",))])
def test_what_was_deleted_at_the_forge_is_said(made: Mirrored, kind: str, branches: tuple[str, ...]) -> None:
    told(made, repository_changed, kind=kind, repository="", branches=branches)
    mirror = made.mirror
    assert mirror.problem == Problem.FAILED
    assert "deleted at the forge" in mirror.problem_text
    assert MirroredEntity.objects.exists(), "nothing is deleted here"


def test_another_branch_that_was_deleted_matters_not(made: Mirrored) -> None:
    told(made, repository_changed, kind="branch_deleted", repository="", branches=("other",))
    assert made.mirror.problem == Problem.NONE


def test_a_connection_that_is_deleted_stops_it_and_says_so(made: Mirrored) -> None:
    connection = made.mirror.connection
    assert connection is not None
    (use,) = uses_of([connection])[connection.pk]
    assert (use.kind, use.url) == ("mirror", "/o/acme/settings/sync/")
    made.ask()
    connection_changed.send(sender=Connection, connection=connection, kind="deleted")
    assert "was deleted" in made.mirror.credential_lost
    assert queued() == []
    made.save("command", "hello", description="Not synced.")
    assert ask_for_syncs() == 0
    assert tick() == "0 syncs asked for"


def test_a_connection_that_is_back_has_it_look_again(made: Mirrored) -> None:
    connection_changed.send(sender=Connection, connection=made.mirror.connection, kind="connected")
    assert queued() == [Trigger.CONNECT]


# -- by the clock ------------------------------------------------------------------------------------------------------


def test_a_push_that_nobody_told_of_is_found_by_looking(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    assert tick() == "0 syncs asked for", "the first look finds what the sync saw"
    made.edit("commands/hello.json", description="Nobody told.")
    assert tick() == "0 syncs asked for", "not yet"
    later(time_machine, 16)
    assert tick() == "1 syncs asked for"
    work()
    assert made.row("command", "hello").description == "Nobody told."


def test_looking_where_nothing_moved_costs_one_request_and_no_run(
    made: Mirrored, time_machine: TimeMachineFixture
) -> None:
    tick()
    later(time_machine, 16)
    before = Run.objects.count(), len(made.forge.requests)
    assert tick() == "0 syncs asked for"
    assert (Run.objects.count(), len(made.forge.requests)) == (before[0], before[1] + 1)


def test_who_does_not_want_to_be_looked_at_is_not(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    Mirror.objects.update(poll_minutes=0)
    made.edit("commands/hello.json", description="Nobody told.")
    later(time_machine, 2000)
    assert tick() == "0 syncs asked for"


def test_a_branch_that_is_gone_is_found_and_told_by_a_run(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    made.hosted.git.branch("other", at="main")
    made.hosted.git.delete_branch("main")
    later(time_machine, 16)
    assert tick() == "1 syncs asked for"
    work()
    assert made.mirror.problem == Problem.FAILED
    later(time_machine, 16)
    assert tick() == "0 syncs asked for", "it is known"


def test_a_webhook_that_did_not_tell_is_asked_after(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    hook = Hook.objects.get()
    assert [use.kind for use in hooks.followers(hook)] == ["mirror"]
    assert hook.status == HookStatus.ACTIVE, "connecting made it"
    made.edit("commands/hello.json", description="Not told.")
    later(time_machine, 16)
    tick()
    hook.refresh_from_db()
    assert hook.silent_since is not None


@pytest.mark.parametrize("key", ["github", "gitlab", "bitbucket"])
def test_a_webhook_is_made_with_the_mirrors_own_credential(key: str, begin: Begin) -> None:
    made = begin(key)
    hook = Hook.objects.get()
    assert hook.status == HookStatus.ACTIVE, hook.reason
    assert hook.repository_id == made.mirror.repository_id


def test_a_row_that_no_sync_has_seen_is_found_each_minute(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    assert tick() == "0 syncs asked for"
    made.save("command", "hello", description="The note of it got lost.")
    MirrorChange.objects.all().delete()
    assert tick() == "1 syncs asked for"
    work()
    assert made.json("commands/hello.json")["description"] == "The note of it got lost."
    later(time_machine, 20)
    made.create("command", name="New", prompt="Do it.")
    MirrorChange.objects.all().delete()
    assert tick() == "1 syncs asked for"
    work()
    assert "commands/new.json" in made.tree()


def test_what_wants_a_person_is_not_tried_again_by_the_clock(made: Mirrored, time_machine: TimeMachineFixture) -> None:
    made.commit({"commands/hello.json": "{"})
    made.sync()
    later(time_machine, 16)
    assert tick() == "0 syncs asked for"
    assert made.states() == {"commands/hello.json": "error"}


def test_what_one_sync_had_no_room_for_is_asked_for_by_the_clock(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_READ", 1 << 19)
    body = "x" * 600_000
    made = begin(files={f"skills/s{number}/SKILL.md": skill("s", body=body) for number in range(4)})
    here = [len(made.here())]
    while tick() == "1 syncs asked for":
        work()
        here.append(len(made.here()))
    assert here == [2, 3, 4]
    made.assert_in_step()


def test_what_the_forge_does_not_hand_out_is_asked_for_once_more_and_not_for_ever(made: Mirrored) -> None:
    ghost = faults.entry("commands/ghost.json", "a" * 40)
    with made.forge.fault(faults.inject_entries(ghost), on="GET */git/trees/*"):
        made.commit({"a.md": "So that the head moves.\n"})
        made.sync()
        assert made.problem("commands/ghost.json")["code"] == "FETCH_FAILED"
        asked = []
        for _ in range(4):
            asked.append(tick())
            work()
    assert asked == ["1 syncs asked for", *["0 syncs asked for"] * 3]
