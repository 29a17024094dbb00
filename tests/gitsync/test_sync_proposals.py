"""What people do to a pull request of ours while it is open: nothing of theirs is overwritten, nothing of ours lost."""

from __future__ import annotations

from typing import Any

import pytest

from gitsync.models import EntityState, Mirror, Mode
from jobs.models import Trigger
from tests.gitsync.conftest import MANAGED
from tests.gitsync.mirror_world import HELLO, SKILL, Begin, Mirrored, begin, command
from tests.gitsync.test_push_faults import COMMITS
from tests.gitsync.test_sync_others import merge, pulls
from tests.wire import faults

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

AT = "commands/hello.json"
BYE_AT = "commands/bye.json"
BOTH: dict[str, Any] = {AT: HELLO, BYE_AT: command("bye", id="bye-1")}


@pytest.fixture
def made(begin: Begin) -> Mirrored:
    return begin(files=BOTH, mode=Mode.PULL_REQUEST)


def side(made: Mirrored) -> str:
    return pulls(made)[-1].head


def at_side(made: Mirrored, path: str = AT) -> dict[str, Any]:
    return made.json(path, side(made))


def close(made: Mirrored, state: str = "closed") -> None:
    for pull in made.hosted.pulls:
        pull.state = state


def test_what_git_changed_elsewhere_in_a_proposed_entity_is_merged_into_the_proposal(made: Mirrored) -> None:
    made.save("command", "hello", description="Ours.")
    made.sync()
    made.edit(AT, prompt="Theirs, {{who}}.")
    made.sync()
    assert made.states() == {}
    assert made.row("command", "hello").prompt == "Theirs, {{who}}."
    assert (at_side(made)["description"], at_side(made)["prompt"]) == ("Ours.", "Theirs, {{who}}.")
    merge(made)
    made.sync()
    made.assert_in_step()


def test_a_skill_that_git_changed_while_it_was_proposed_is_merged_into_the_proposal(begin: Begin) -> None:
    made = begin(files=SKILL, mode=Mode.PULL_REQUEST)
    merge(made)
    made.sync()
    made.save("skill", "pdf-forms", description="Ours.")
    made.sync()
    made.commit({"skills/pdf-forms/scripts/fill.py": "print('theirs')\n"})
    made.sync()
    head = side(made)
    assert "Ours." in made.text("skills/pdf-forms/SKILL.md", head)
    assert made.text("skills/pdf-forms/scripts/fill.py", head) == "print('theirs')\n"


def test_where_git_changed_the_same_field_the_proposal_waits_for_a_person(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.edit(AT, prompt="Theirs, {{who}}.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    made.settle(AT, "ours")
    assert at_side(made)["prompt"] == "Ours, {{who}}."
    merge(made)
    made.sync()
    made.assert_in_step()


def test_theirs_taken_leaves_nothing_of_ours_in_the_proposal(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    made.edit(AT, prompt="Theirs, {{who}}.")
    made.sync()
    made.settle(AT, "theirs")
    made.sync()
    assert at_side(made)["prompt"] == "Theirs, {{who}}."
    assert at_side(made, BYE_AT)["prompt"] == "Ours."


def test_of_two_that_were_proposed_the_one_that_was_taken_back_leaves_the_proposal(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    made.save("command", "hello", prompt=HELLO["prompt"])
    made.sync()
    assert at_side(made)["prompt"] == HELLO["prompt"]
    assert at_side(made, BYE_AT)["prompt"] == "Ours."
    merge(made)
    made.sync()
    made.assert_in_step()


def test_what_others_wrote_into_our_branch_stays_and_comes_here_once_it_is_merged(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.hosted.git.commit({AT: made.text(AT, side(made)).replace("Ours", "Reviewed")}, "Review it", branch=side(made))
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    assert at_side(made)["prompt"] == "Reviewed, {{who}}."
    assert at_side(made, BYE_AT)["prompt"] == "Ours."
    merge(made)
    made.sync()
    assert made.row("command", "bye").prompt == "Ours."
    assert made.json(AT)["prompt"] == "Reviewed, {{who}}."
    assert made.states() == {AT: EntityState.CONFLICT}, "here it was edited, too, and never was what they wrote"


@pytest.mark.parametrize("key", MANAGED)
def test_a_branch_that_was_deleted_is_made_anew_with_all_that_is_proposed(key: str, begin: Begin) -> None:
    made = begin(key, BOTH, mode=Mode.PULL_REQUEST)
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.hosted.git.delete_branch(side(made))
    close(made)
    for request in made.forge.gitlab.merge_requests[made.hosted.id]:
        request.state = "closed"
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    assert at_side(made)["prompt"] == "Ours, {{who}}."
    assert at_side(made, BYE_AT)["prompt"] == "Ours."
    merge(made)
    made.sync()
    made.assert_in_step()


def test_a_branch_that_was_forced_back_gets_it_again(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.hosted.git.reset(side(made), made.head)
    made.sync()
    assert at_side(made)["prompt"] == "Ours, {{who}}."
    assert len(pulls(made)) == 1


def test_a_proposal_that_was_closed_is_not_proposed_again_until_it_changes(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    close(made)
    made.sync(Trigger.SCHEDULE)
    made.sync(Trigger.SCHEDULE)
    assert len(pulls(made)) == 1
    made.save("command", "hello", prompt="Ours again, {{who}}.")
    made.sync()
    assert at_side(made)["prompt"] == "Ours again, {{who}}."
    merge(made)
    made.sync()
    made.assert_in_step()


def test_merged_by_squash_and_edited_at_once_is_an_edit_of_theirs(made: Mirrored) -> None:
    made.save("command", "hello", description="Ours.")
    made.sync()
    made.hosted.git.commit({AT: made.bytes_of(AT, side(made))}, "Squash")
    close(made, "merged")
    made.edit(AT, prompt="Theirs, {{who}}.")
    made.sync()
    assert made.states() == {}
    assert (made.row("command", "hello").prompt, made.row("command", "hello").description) == (
        "Theirs, {{who}}.",
        "Ours.",
    )
    made.assert_in_step()


def test_a_new_one_that_was_proposed_and_is_deleted_here_leaves_the_proposal(made: Mirrored) -> None:
    made.create("command", name="New", slug="new", prompt="Do it.")
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    assert "commands/new.json" in made.tree(side(made))
    made.delete("command", "new")
    made.sync()
    assert "commands/new.json" not in made.tree(side(made))
    merge(made)
    made.sync()
    assert set(made.here()) == {AT, BYE_AT}
    made.assert_in_step()


def test_a_new_one_that_was_proposed_and_is_renamed_here_is_proposed_once(made: Mirrored) -> None:
    made.create("command", name="New", slug="new", prompt="Do it.")
    made.sync()
    made.save("command", "new", slug="newer")
    made.sync()
    assert set(made.tree(side(made))) >= {"commands/newer.json"}
    assert "commands/new.json" not in made.tree(side(made))
    merge(made)
    made.sync()
    made.assert_in_step()


def test_a_deletion_that_was_proposed_and_is_undone_by_restoring_leaves_the_proposal(made: Mirrored) -> None:
    made.delete("command", "hello")
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    assert AT not in made.tree(side(made))
    made.edit(AT, prompt="Theirs, {{who}}.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    made.settle(AT, "theirs")
    made.sync()
    assert at_side(made)["prompt"] == "Theirs, {{who}}."


def test_from_a_pull_request_to_commits_all_of_it_is_in_the_branch(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.create("command", name="New", slug="new", prompt="Do it.")
    made.delete("command", "bye")
    made.sync()
    Mirror.objects.update(mode=Mode.COMMIT)
    made.sync()
    assert set(made.there()) == {AT, "commands/new.json"}
    made.assert_in_step()


def test_a_later_save_is_proposed_although_the_forge_failed_at_first(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.sync()
    made.save("command", "hello", prompt="Ours again, {{who}}.")
    with made.forge.fault(faults.status(403), on=COMMITS["github"], times=1) as armed:
        made.tried()
    assert armed.hits == 1
    made.sync()
    assert at_side(made)["prompt"] == "Ours again, {{who}}."
    merge(made)
    made.sync()
    made.assert_in_step()


def test_a_file_that_waits_for_its_id_in_a_proposal_may_be_edited_in_git(begin: Begin) -> None:
    made = begin(files={AT: command("hello")}, mode=Mode.PULL_REQUEST)
    assert at_side(made)["id"]
    made.edit(AT, prompt="Theirs.")
    made.sync()
    assert made.row("command", "hello").prompt == "Theirs."
    assert at_side(made)["prompt"] == "Theirs."
    assert at_side(made)["id"]


def test_what_is_taken_back_here_takes_nothing_back_that_others_wrote_into_our_branch(made: Mirrored) -> None:
    made.save("command", "hello", prompt="Ours, {{who}}.")
    made.save("command", "bye", prompt="Ours.")
    made.sync()
    made.hosted.git.commit({AT: made.text(AT, side(made)).replace("Ours", "Reviewed")}, "Review it", branch=side(made))
    made.save("command", "hello", prompt=HELLO["prompt"])
    made.save("command", "bye", prompt=BOTH[BYE_AT]["prompt"])
    made.sync()
    assert at_side(made)["prompt"] == "Reviewed, {{who}}."
    assert at_side(made, BYE_AT)["prompt"] == BOTH[BYE_AT]["prompt"]
    merge(made)
    made.sync()
    assert made.row("command", "hello").prompt == "Reviewed, {{who}}."
    made.assert_in_step()


def test_to_keep_ours_holds_for_as_long_as_the_pull_request_is_open(made: Mirrored) -> None:
    made.save("command", "hello", description="Ours.")
    made.edit(AT, description="Theirs.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    made.settle(AT, "ours")
    made.edit(BYE_AT, description="Something else.")
    made.sync()
    made.sync()
    assert made.states() == {}
    assert made.row("command", "hello").description == "Ours."
    assert at_side(made)["description"] == "Ours."
    made.edit(AT, description="Theirs again.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    made.settle(AT, "ours")
    merge(made)
    made.sync()
    made.assert_in_step()
    assert made.json(AT)["description"] == "Ours."


def test_to_put_back_holds_for_as_long_as_the_pull_request_is_open(made: Mirrored) -> None:
    made.commit({AT: None}, "Delete it")
    made.sync()
    assert made.states() == {AT: EntityState.MISSING}
    made.settle(AT, "restore")
    made.edit(BYE_AT, description="Something else.")
    made.sync()
    made.sync()
    assert made.states() == {}
    merge(made)
    made.sync()
    made.assert_in_step()
    assert made.json(AT)["name"] == "Hello"
