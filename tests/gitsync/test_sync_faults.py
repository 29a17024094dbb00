"""What goes wrong between us and the forge is repaired by running again, and loses nobody's work."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from catalog.models import EntityRevision
from forges.models import Connection, ConnectionStatus
from gitsync.mirror.settling import seen_of, settle, sides_of
from gitsync.models import EntityState, MirrorChange, MirroredEntity
from jobs.execution import execute
from jobs.models import Run, Status
from jobs.sweeper import sweep
from orgs.models import User
from tests.gitsync.conftest import FORGES, aside, git, of
from tests.gitsync.mirror_world import ALL, HELLO, Begin, Mirrored, begin, command, work
from tests.gitsync.test_push_faults import COMMITS
from tests.wire import faults

__all__ = ["begin"]

pytestmark = pytest.mark.django_db(transaction=True)


def take_away() -> None:
    """As the sweeper does with a Run whose worker was killed."""
    Run.objects.filter(status=Status.RUNNING).update(
        status=Status.QUEUED, lease=None, lease_until=None, enqueued_at=None
    )


@pytest.mark.parametrize("key", ["github", "git"])  # once a commit is there, no forge matters
def test_a_sync_killed_between_commit_and_record_finds_both_sides_agreed(key: str, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    made.save("command", "hello", description="Ours.")
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    run = made.ask()
    with made.forge.fault(faults.afterwards(aside(take_away)), on=COMMITS[key], times=1) as armed:
        execute(str(run.pk))
    assert armed.hits == 1
    commits = len(made.subjects)
    assert made.json("commands/hello.json")["description"] == "Ours."

    done = work()
    assert {each.status for each in done} == {Status.SUCCEEDED}, [each.error_text for each in done]
    assert len(made.subjects) == commits
    assert made.row("command", "hello").prompt == "Theirs, {{who}}."
    assert made.states() == {}
    made.assert_in_step()


def test_the_first_sync_killed_before_its_record_makes_nothing_twice(begin: Begin) -> None:
    made = begin(synced=False)
    made.create("command", name="Hello", slug="hello", prompt="Hello.")
    made.create("skill", name="tea", slug="tea", description="Makes tea.")
    with made.forge.fault(faults.afterwards(aside(take_away)), on=COMMITS["github"], times=1):
        execute(str(made.ask().pk))
    commits = len(made.subjects)
    work()
    assert len(made.subjects) == commits
    assert set(made.here()) == {"commands/hello.json", "skills/tea"}
    made.assert_in_step()


def test_a_sync_killed_while_it_read_makes_nothing_twice(begin: Begin) -> None:
    made = begin(synced=False)
    made.commit(ALL)
    with made.forge.fault(faults.afterwards(aside(take_away)), times=3):
        execute(str(made.ask().pk))
    work()
    made.sync()
    assert len(made.here()) == 5
    assert EntityRevision.objects.filter(kind="command").count() == 1
    made.assert_in_step()


@pytest.mark.parametrize("key", FORGES)
def test_a_reply_that_never_came_is_no_second_commit(key: str, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    commits = len(made.subjects)
    made.save("command", "hello", description="Ours.")
    with made.forge.fault(faults.cut_after_work(), on=COMMITS[key]):
        run = made.tried()
    if run.status != Status.SUCCEEDED:  # a client may look by itself whether it arrived
        assert run.status == Status.WAITING, run.error_text
        with time_machine.travel(timezone.now() + timedelta(minutes=2)):
            sweep()
            work()
    assert len(made.subjects) == commits + 1
    made.assert_in_step()


@pytest.mark.parametrize("key", FORGES)
def test_a_push_of_somebody_else_while_we_push_stays_and_is_read(key: str, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    made.save("command", "hello", description="Ours.")

    def theirs() -> None:
        made.hosted.git.commit({"commands/new.json": '{"id": "n", "name": "New", "slug": "new", "prompt": "x"}'})

    with made.forge.fault(faults.first(aside(theirs)), on=COMMITS[key], times=1) as armed:
        made.sync()
    assert armed.hits == 1
    made.sync()
    assert made.row("command", "new").prompt == "x"
    assert made.json("commands/hello.json")["description"] == "Ours."
    assert git(made.hosted, "rev-list", "--merges", "main") == ""
    made.assert_in_step()


@pytest.mark.parametrize("key", FORGES)
def test_a_push_to_the_same_file_while_we_push_is_merged_or_a_conflict_and_never_overwritten(
    key: str, begin: Begin
) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    push = faults.first(aside(lambda: made.edit("commands/hello.json", prompt="Theirs, {{who}}.")))
    with made.forge.fault(push, on=COMMITS[key], times=1):
        made.sync()
    made.sync()
    assert made.states() == {"commands/hello.json": EntityState.CONFLICT}
    assert made.json("commands/hello.json")["prompt"] == "Theirs, {{who}}."
    assert made.row("command", "hello").prompt == "Ours, {{who}}."
    made.settle("commands/hello.json", "ours")
    made.assert_in_step()


def test_a_save_here_while_a_sync_is_at_work_is_in_the_next_one(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", description="First.")
    save = faults.first(aside(lambda: made.save("command", "hello", description="Second.")))
    with made.forge.fault(save, on=COMMITS["github"], times=1):
        made.sync()
    work()
    assert made.json("commands/hello.json")["description"] == "Second."
    assert made.states() == {}
    made.assert_in_step()


def test_what_somebody_decides_while_a_sync_is_at_work_is_done_by_the_next_one(begin: Begin, bob: User) -> None:
    made = begin(files={"commands/hello.json": HELLO, "commands/new.json": command("new")})
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    made.sync()
    made.edit("commands/new.json", prompt="Read meanwhile.")

    def decide() -> None:
        found = made.entity("commands/hello.json")
        settle(found, "ours", of(bob), seen=seen_of(found, sides_of(found)))

    with made.forge.fault(faults.afterwards(aside(decide)), on="POST */graphql*", times=1) as armed:
        made.sync()
    assert armed.hits == 1
    work()
    assert made.json("commands/hello.json")["prompt"] == "Ours, {{who}}."
    assert made.states() == {}
    made.assert_in_step()


def test_a_save_here_between_reading_git_and_applying_it_is_not_overwritten(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.edit("commands/hello.json", prompt="Theirs, {{who}}.")
    save = faults.afterwards(aside(lambda: made.save("command", "hello", prompt="Ours, {{who}}.")))
    with made.forge.fault(save, on="POST */graphql*", times=1) as armed:
        made.sync()
    assert armed.hits == 1
    made.sync()
    assert made.states() == {"commands/hello.json": EntityState.CONFLICT}
    assert made.row("command", "hello").prompt == "Ours, {{who}}."


def test_a_token_that_was_revoked_is_waited_for(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", description="Ours.")
    with made.forge.fault(faults.unauthorized()):
        run = made.tried()
    assert run.status == Status.WAITING
    assert Connection.objects.get().status == ConnectionStatus.DISCONNECTED
    assert made.states() == {}
    assert MirroredEntity.objects.count() == 1


def test_a_repository_that_is_gone_deletes_nothing_here(begin: Begin) -> None:
    made = begin(files=ALL, apply_deletions=True)
    made.forge.world.delete(made.hosted.full_name)
    run = made.tried()
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert len(made.here()) == 5
    assert made.states() == {}


def test_a_branch_that_is_gone_deletes_nothing_here(begin: Begin) -> None:
    made = begin(files=ALL, apply_deletions=True)
    made.hosted.git.branch("other")
    made.hosted.git.delete_branch("main")
    run = made.tried()
    assert run.status == Status.FAILED
    assert len(made.here()) == 5


def test_a_branch_that_was_forced_to_another_history_is_compared_by_content(begin: Begin) -> None:
    made = begin(files=ALL)
    kept = {path: made.bytes_of(path) for path in made.tree()}
    made.hosted.git.force_push(
        {**kept, "commands/new.json": '{"id": "n", "name": "New", "slug": "new", "prompt": "x"}'}
    )
    made.sync()
    assert made.states() == {}
    assert len(made.here()) == 6
    made.assert_in_step()


def test_changes_are_told_of_once_the_commit_has_them_and_not_before(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.save("command", "hello", description="Ours.")
    with made.forge.fault(faults.status(503)):
        run = made.tried()
    assert run.status == Status.WAITING
    assert MirrorChange.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        sweep()
        work()
    assert "Hello" in made.subjects[0]
    assert not MirrorChange.objects.exists()


def crowd(made: Mirrored, number: int) -> None:
    made.commit({f"commands/c{n}.json": command(f"c{n}") for n in range(number)})


def test_a_sync_killed_among_many_goes_on_where_it_was(begin: Begin) -> None:
    """Half of them are saved, none of their files has an id yet."""
    made = begin(synced=False)
    crowd(made, 40)
    seen = {"hits": 0}

    def once() -> None:
        seen["hits"] += 1
        if seen["hits"] == 4:
            take_away()

    with made.forge.fault(faults.afterwards(aside(once))):
        execute(str(made.ask().pk))
    work()
    made.sync()
    assert len(made.here()) == 40
    assert EntityRevision.objects.filter(kind="command", number=1).count() == 40
    made.assert_in_step()
