"""The mirror beside others: other organisations, other installations, protected branches, pull requests."""

from __future__ import annotations

import pytest

from catalog.models import Command
from forges import connections
from forges.models import Connection
from gitsync.models import EntityState, Mirror, MirroredEntity, Mode
from jobs.models import Run, Status
from orgs.models import User
from tests.gitsync.conftest import MANAGED, of, subjects
from tests.gitsync.mirror_world import ALL, HELLO, SKILL, Begin, Mirrored, begin, command, work
from tests.gitsync.test_pull_requests import Pull

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


def pulls(made: Mirrored) -> list[Pull]:
    """All that were ever opened."""
    merge_requests = made.forge.gitlab.merge_requests[made.hosted.id]
    return [
        *(Pull(str(each.number), each.title, each.head, each.base) for each in made.hosted.pulls),
        *(Pull(str(each.iid), each.title, each.source, each.target) for each in merge_requests),
    ]


def merge(made: Mirrored) -> None:
    """Press the button at the forge."""
    made.hosted.git.reset("main", made.hosted.git.tip(pulls(made)[-1].head) or "")
    for pull in made.hosted.pulls:  # GitLab sees it by itself
        pull.state = "merged"


def test_two_organisations_on_one_repository_are_two_installations_to_each_other(begin: Begin, charlie: User) -> None:
    """What one of them writes the other reads, and neither answers with a commit: no loop."""
    ours = begin(files=ALL)
    theirs = begin(organization=of(charlie).organization, by=charlie)
    assert theirs.here() == ours.here()
    assert theirs.row("command", "hello").pk != ours.row("command", "hello").pk
    commits = len(ours.subjects)
    ours.save("command", "hello", description="Ours.")
    ours.sync()
    theirs.sync()
    assert theirs.row("command", "hello").description == "Ours."
    theirs.save("command", "hello", prompt="Theirs, {{who}}.")
    theirs.sync()
    for _ in range(3):
        ours.sync()
        theirs.sync()
    assert len(ours.subjects) == commits + 2
    assert ours.here() == theirs.here() == ours.there()
    assert ours.here()["commands/hello.json"]["prompt"] == "Theirs, {{who}}."


def test_two_organisations_with_the_same_ids_touch_nothing_of_each_other(begin: Begin, charlie: User) -> None:
    """A file may say any id, also that of a row of somebody else's."""
    ours = begin(files={"commands/hello.json": HELLO})
    row = ours.row("command", "hello")
    theirs = begin(organization=of(charlie).organization, by=charlie, name="octo/other")
    theirs.commit({"commands/hello.json": {**HELLO, "prompt": "Theirs."}})
    theirs.commit({"commands/stolen.json": {**command("stolen"), "id": str(row.pk)}})
    theirs.sync()
    theirs.commit({"commands/stolen.json": None, "commands/hello.json": None})
    theirs.sync()
    for path in list(theirs.states()):
        theirs.settle(path, "delete")
    ours.sync()
    row.refresh_from_db()
    assert (row.slug, row.prompt, row.organization) == ("hello", HELLO["prompt"], ours.organization)
    assert theirs.here() == {}
    ours.assert_in_step()


def test_another_branch_and_folder_of_one_repository_is_another_world(begin: Begin, charlie: User) -> None:
    ours = begin(files={"a/commands/hello.json": HELLO}, directory="", synced=False)
    Mirror.objects.update(directory="a")
    ours.sync()
    theirs = begin(organization=of(charlie).organization, by=charlie, directory="b")
    theirs.create("command", name="Hello", slug="hello", prompt="Of theirs.")
    theirs.sync()
    ours.sync()
    assert ours.row("command", "hello").prompt == HELLO["prompt"]
    assert theirs.there()["commands/hello.json"]["prompt"] == "Of theirs."
    ours.assert_in_step()
    theirs.assert_in_step()


@pytest.mark.parametrize("key", MANAGED)
def test_in_pull_request_mode_what_is_saved_here_waits_to_be_merged_and_what_is_merged_is_agreed(
    key: str, begin: Begin
) -> None:
    made = begin(key, ALL, mode=Mode.PULL_REQUEST)
    if pulls(made):  # the skill's id
        merge(made)
        made.sync()
    before = len(pulls(made))
    made.save("command", "hello", description="Ours.")
    made.sync()
    assert made.entity("commands/hello.json").state == EntityState.PROPOSED
    assert len(pulls(made)) == before + 1
    assert made.json("commands/hello.json")["description"] == HELLO["description"]
    assert made.json("commands/hello.json", pulls(made)[-1].head)["description"] == "Ours."

    made.save("command", "hello", description="Ours, again.")
    made.edit("mcp-clients/desk.json", description="Theirs.")
    made.sync()
    assert len(pulls(made)) == before + 1, "updated, not multiplied"
    assert made.row("client", "desk").description == "Theirs."
    side = subjects(made.hosted, pulls(made)[-1].head)
    assert len(side) == len(made.subjects) + 1 or len(side) >= 3
    made.sync()
    assert subjects(made.hosted, pulls(made)[-1].head) == side, "nothing new to propose"

    made.hosted.git.commit(
        {"commands/hello.json": made.bytes_of("commands/hello.json", pulls(made)[-1].head)}, "Merge it, squashed"
    )
    for pull in made.hosted.pulls:
        pull.state = "merged"
    for request in made.forge.gitlab.merge_requests[made.hosted.id]:
        request.state = "merged"
    made.sync()
    assert made.states() == {}
    assert made.entity("commands/hello.json").state == EntityState.IN_STEP
    assert made.entity("commands/hello.json").proposed == {}
    assert made.json("commands/hello.json")["description"] == "Ours, again."
    made.assert_in_step()


def test_a_file_deleted_here_is_proposed_as_deleted(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, mode=Mode.PULL_REQUEST)
    made.delete("command", "hello")
    made.sync()
    assert "commands/hello.json" in made.tree()
    assert "commands/hello.json" not in made.tree(pulls(made)[-1].head)
    assert made.here() == {}, "it does not come back meanwhile"
    made.sync()
    assert made.here() == {}
    merge(made)
    made.sync()
    assert not MirroredEntity.objects.exists()
    made.assert_in_step()


@pytest.mark.parametrize("key", MANAGED)
def test_a_protected_branch_is_told_and_reading_goes_on(key: str, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    made.hosted.protected_branches.add("main")
    made.save("command", "hello", description="Ours.")
    made.commit({"commands/new.json": {**command("new"), "id": "new-1"}})
    run = made.tried()
    assert run.status in (Status.FAILED, Status.PARTIAL), run.status
    assert made.mirror.problem == "protected"
    assert "Switch to pull requests" in made.mirror.problem_text
    assert made.row("command", "new").prompt == "Do it."
    assert made.json("commands/hello.json")["description"] == HELLO["description"]
    made.hosted.protected_branches.clear()
    made.sync()
    assert made.mirror.problem == ""
    made.assert_in_step()


def test_a_deleted_connection_stops_the_mirror_and_touches_nothing(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    connections.delete(of(made.by), Connection.objects.get())
    made.save("command", "hello", description="Ours.")
    assert [run for run in work() if run.status == Status.SUCCEEDED and run.counts] == []
    assert "was deleted" in made.mirror.credential_lost
    assert not Run.objects.filter(status=Status.QUEUED).exists()
    assert Command.objects.get().description == "Ours."


def test_a_renamed_repository_is_followed_by_its_id(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO})
    made.forge.world.rename("octo/entities", "octo/settings")
    stranger = made.forge.repository("octo/entities", private=True)
    stranger.git.commit({"commands/evil.json": '{"name": "Evil", "slug": "evil", "prompt": "x"}'})
    made.save("command", "hello", description="Ours.")
    made.sync()
    assert made.mirror.repository == "octo/settings"
    assert set(made.here()) == {"commands/hello.json"}
    made.assert_in_step()


def test_ids_that_were_proposed_stay_proposed_until_the_files_have_them(begin: Begin) -> None:
    made = begin(files={"commands/by-hand.json": command("by-hand"), **SKILL}, mode=Mode.PULL_REQUEST)
    side = made.mirror.side_branch
    assert made.json("commands/by-hand.json", side)["id"]
    proposed = made.tree(side)
    assert proposed != made.tree()
    made.commit({"commands/other.json": {**command("other"), "id": "other-1"}})
    made.sync()
    assert proposed.items() <= made.tree(side).items(), "they were taken back"
    merge(made)
    made.sync()
    assert made.json("commands/by-hand.json")["id"]
    assert "millrace-id" in made.text("skills/pdf-forms/SKILL.md")
