"""A forge that lies, and a repository that becomes another one: nothing of it is believed that can be checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import TimeMachineFixture

from forges.clients.base import blob_id
from gitsync.models import EntityState, Mode
from jobs.models import Run, Status
from tests.gitsync.conftest import MANAGED
from tests.gitsync.mirror_world import HELLO, Begin, begin, command, dumps
from tests.wire import faults
from tests.wire.messages import Proceed, Reply, Request

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

AT = "commands/hello.json"
TREES = "GET */git/trees/*"


def test_bytes_that_are_not_those_of_the_listing_are_not_taken(begin: Begin) -> None:
    made = begin(files={AT: HELLO})
    made.edit(AT, prompt="Theirs, {{who}}.")
    with made.forge.fault(faults.wrong_blob(dumps({**HELLO, "prompt": "Evil."})), on="POST */graphql"):
        made.sync()
    assert made.row("command", "hello").prompt != "Evil."
    made.sync()
    assert made.row("command", "hello").prompt == "Theirs, {{who}}."
    made.assert_in_step()


def test_a_tree_with_absurd_paths_hides_nothing_and_leads_nowhere(begin: Begin) -> None:
    made = begin(files={AT: HELLO}, directory="base", apply_deletions=True)
    oid = blob_id(made.bytes_of(AT))
    absurd = [
        faults.entry(f"{folder}{path}", oid)
        for folder in ("", "base/", "base/commands/", "base/skills/x/")
        for path in faults.HOSTILE_PATHS
    ]
    made.hosted.git.commit({"a.md": "So that the head moves.\n"})
    with made.forge.fault(faults.inject_entries(*absurd), on=TREES) as armed:
        made.sync()
    assert armed.hits
    assert set(made.here()) == {AT}
    made.hosted.git.commit({"a.md": "And again.\n"})
    made.sync()
    made.assert_in_step()


def test_a_tree_that_names_a_file_twice_gives_one_of_the_two(begin: Begin) -> None:
    made = begin(files={AT: HELLO}, apply_deletions=True)
    made.commit({"a.md": "So that the head moves.\n"})
    with made.forge.fault(faults.inject_entries(faults.entry(AT, "a" * 40), faults.entry(AT, "b" * 40)), on=TREES):
        made.sync()
    assert made.problem(AT)["code"] == "FETCH_FAILED"
    assert made.row("command", "hello").prompt == HELLO["prompt"]
    made.sync()
    made.assert_in_step()


def test_an_empty_tree_of_a_commit_deletes_nothing_where_most_would_go(begin: Begin) -> None:
    files = {f"commands/c{number}.json": command(f"c{number}", id=f"c-{number}") for number in range(12)}
    made = begin(files=files, apply_deletions=True)
    made.commit({"a.md": "So that the head moves.\n"})
    with made.forge.fault(faults.alter_json(lambda tree: {**tree, "tree": []}), on=TREES):
        made.sync()
    assert len(made.here()) == 12
    made.commit({"a.md": "And again.\n"})
    made.sync()
    made.assert_in_step()


@pytest.mark.parametrize("empty", [False, True])
def test_a_copy_that_lacks_our_commit_as_yet_takes_nothing_back(empty: bool, begin: Begin) -> None:
    """Forges answer from copies that are some seconds behind."""
    made = begin(empty=empty, synced=not empty, apply_deletions=True)
    before = made.head
    made.create("command", name="Hello", slug="hello", prompt="Ours.")
    made.sync()
    made.save("command", "hello", prompt="Ours again.")
    made.sync()
    ours = made.head
    if empty:
        made.hosted.git.delete_branch("main")
    else:
        made.hosted.git.reset("main", before)
    run = made.tried()
    assert run.status == Status.WAITING, run.error_text
    assert made.states() == {}
    assert made.row("command", "hello").prompt == "Ours again."
    if empty:
        made.hosted.git.branch("main", at=ours)
    else:
        made.hosted.git.reset("main", ours)
    made.sync()
    made.assert_in_step()


def test_who_forces_a_branch_back_is_believed_after_a_while(begin: Begin, time_machine: TimeMachineFixture) -> None:
    made = begin(files={AT: HELLO})
    before = made.head
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.hosted.git.reset("main", before)
    assert made.tried().status == Status.WAITING
    time_machine.move_to(timezone.now() + timedelta(minutes=3), tick=False)
    made.sync()
    assert made.row("command", "hello").prompt == HELLO["prompt"]
    made.assert_in_step()


def test_a_head_that_is_no_commit_changes_nothing(begin: Begin) -> None:
    made = begin(files={AT: HELLO}, apply_deletions=True)
    head = made.head

    def other(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.body = reply.body.replace(head.encode(), b"d" * 40) if isinstance(reply.body, bytes) else reply.body
        return reply

    with made.forge.fault(other, on="GET *"):
        run = made.tried()
    assert run.status in (Status.WAITING, Status.FAILED), run.status
    assert set(made.here()) == {AT}
    Run.objects.filter(status=Status.WAITING).update(status=Status.CANCELLED)
    made.sync()
    made.assert_in_step()


@pytest.mark.parametrize("key", [*MANAGED, "git"])
def test_a_branch_that_has_another_name_now_is_not_made_anew(key: str, begin: Begin) -> None:
    made = begin(key, {AT: HELLO})
    made.hosted.git.rename_branch("main", "trunk")
    made.hosted.git.default_branch = "trunk"
    made.save("command", "hello", prompt="Ours, {{who}}.")
    run = made.tried()
    assert run.status == Status.FAILED, (run.status, run.error_text)
    assert "main" not in made.hosted.git.branches()
    assert "no branch main" in made.mirror.problem_text
    assert set(made.here()) == {AT}


def test_a_pull_request_of_another_branch_is_not_taken_for_ours(begin: Begin) -> None:
    made = begin(files={AT: HELLO}, mode=Mode.PULL_REQUEST)

    def another(pulls: Any) -> Any:
        if isinstance(pulls, list):
            return [{**each, "head": {**each["head"], "ref": "evil"}, "number": 666} for each in pulls]
        return pulls

    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    number = made.mirror.pull_request
    made.save("command", "hello", prompt="Ours again, {{who}}.")
    with made.forge.fault(faults.alter_json(another), on="GET */pulls*"):
        made.tried()
    assert made.mirror.pull_request != "666"
    made.sync()
    assert made.entity(AT).state == EntityState.PROPOSED
    assert number
