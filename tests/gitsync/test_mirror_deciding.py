"""What is done about an entity follows from what was agreed on, what is here and what is in git, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from gitsync.mirror.deciding import Action, Choice, Facts, Side, decide

ABSENT, SAME, CHANGED, BROKEN = Side.ABSENT, Side.SAME, Side.CHANGED, Side.BROKEN
HERE = (ABSENT, SAME, CHANGED)
LOSING = {Action.TAKE, Action.REMOVE}
"""What is here is not what it was afterwards."""
OVERWRITING = {Action.PUSH, Action.WITHDRAW}


@pytest.mark.parametrize(
    ("here", "git", "action"),
    [
        (SAME, SAME, Action.NOTHING),
        (SAME, CHANGED, Action.TAKE),
        (SAME, BROKEN, Action.FAIL),
        (SAME, ABSENT, Action.MISSING),
        (CHANGED, SAME, Action.PUSH),
        (CHANGED, CHANGED, Action.CONFLICT),
        (CHANGED, BROKEN, Action.FAIL),
        (CHANGED, ABSENT, Action.MISSING),
        (ABSENT, SAME, Action.WITHDRAW),
        (ABSENT, CHANGED, Action.CONFLICT),
        (ABSENT, BROKEN, Action.FAIL),
        (ABSENT, ABSENT, Action.FORGET),
    ],
)
def test_what_was_agreed_on_is_compared_with_both_sides(here: Side, git: Side, action: Action) -> None:
    assert decide(Facts(here, git)) is action


@pytest.mark.parametrize(
    ("here", "git", "action"),
    [
        (ABSENT, CHANGED, Action.TAKE),
        (ABSENT, BROKEN, Action.FAIL),
        (ABSENT, ABSENT, Action.FORGET),
        (CHANGED, ABSENT, Action.PUSH),
        (CHANGED, CHANGED, Action.CONFLICT),
        (CHANGED, BROKEN, Action.FAIL),
    ],
)
def test_what_was_never_agreed_on_is_new_on_one_side_or_a_conflict(here: Side, git: Side, action: Action) -> None:
    assert decide(Facts(here, git, agreed=False)) is action


def test_both_sides_that_say_the_same_agree_and_edits_that_do_not_meet_are_merged() -> None:
    assert decide(Facts(CHANGED, CHANGED, equal=True)) is Action.AGREE
    assert decide(Facts(CHANGED, CHANGED, agreed=False, equal=True)) is Action.AGREE
    assert decide(Facts(CHANGED, CHANGED, mergeable=True)) is Action.MERGE


def test_a_deletion_in_git_is_applied_only_where_that_is_set_and_nothing_was_changed_here() -> None:
    assert decide(Facts(SAME, ABSENT, deletes=True)) is Action.REMOVE
    assert decide(Facts(CHANGED, ABSENT, deletes=True)) is Action.MISSING
    assert decide(Facts(CHANGED, ABSENT, agreed=False, deletes=True)) is Action.PUSH, "it never was in git"


def test_from_a_listing_with_holes_nothing_follows_for_what_is_not_in_it() -> None:
    for here, agreed, deletes, choice in itertools.product(HERE, (True, False), (True, False), Choice):
        facts = Facts(here, ABSENT, agreed=agreed, deletes=deletes, settled=choice, complete=False)
        assert decide(facts) is Action.KEEP, facts


def test_an_edit_here_that_knew_of_the_broken_file_is_written_over_it() -> None:
    assert decide(Facts(CHANGED, BROKEN, overridden=True)) is Action.PUSH
    assert decide(Facts(ABSENT, BROKEN, overridden=True)) is Action.WITHDRAW
    assert decide(Facts(CHANGED, CHANGED, overridden=True)) is Action.PUSH, "it names a tool that is not there"
    assert decide(Facts(CHANGED, ABSENT, overridden=True)) is Action.MISSING, "there is no file any more to be wrong"


@pytest.mark.parametrize(
    ("choice", "here", "git", "action"),
    [
        (Choice.THEIRS, CHANGED, CHANGED, Action.TAKE),
        (Choice.THEIRS, ABSENT, CHANGED, Action.TAKE),
        (Choice.THEIRS, CHANGED, ABSENT, Action.REMOVE),
        (Choice.THEIRS, CHANGED, BROKEN, Action.FAIL),
        (Choice.OURS, CHANGED, CHANGED, Action.PUSH),
        (Choice.OURS, SAME, CHANGED, Action.PUSH),
        (Choice.OURS, CHANGED, BROKEN, Action.PUSH),
        (Choice.OURS, ABSENT, CHANGED, Action.WITHDRAW),
        (Choice.EDIT, CHANGED, CHANGED, Action.PUSH),
        (Choice.DELETE, SAME, ABSENT, Action.REMOVE),
        (Choice.DELETE, CHANGED, ABSENT, Action.REMOVE),
        (Choice.DELETE, SAME, SAME, Action.NOTHING),
        (Choice.RESTORE, SAME, ABSENT, Action.PUSH),
        (Choice.CONFIRM, SAME, CHANGED, Action.TAKE),
        (Choice.CONFIRM, CHANGED, CHANGED, Action.CONFLICT),
    ],
)
def test_what_a_person_settled_is_done(choice: Choice, here: Side, git: Side, action: Action) -> None:
    assert decide(Facts(here, git, settled=choice)) is action


def test_nothing_that_was_changed_is_ever_lost_unless_a_person_says_so() -> None:
    flags = itertools.product((True, False), repeat=4)
    for (here, git), (agreed, equal, mergeable, deletes) in itertools.product(itertools.product(HERE, Side), flags):
        if not agreed and SAME in (here, git):
            continue
        facts = Facts(here, git, agreed, equal=equal, mergeable=mergeable, deletes=deletes)
        action = decide(facts)
        if action in LOSING and here is not ABSENT:
            assert here is SAME, facts
        if action in OVERWRITING and git is not ABSENT:
            assert git is SAME, facts
        if git is BROKEN:
            assert action is Action.FAIL, facts
