"""What is to be done about one entity: what both sides last agreed on, compared with what each has now. Pure.

========== =========== ======================================================================================
here       in git
========== =========== ======================================================================================
same       same        NOTHING
same       changed     TAKE
same       broken      FAIL
same       absent      MISSING, or REMOVE where deletions are applied
changed    same        PUSH
changed    changed     AGREE where they are equal, MERGE where they do not meet, else CONFLICT
changed    broken      FAIL; PUSH where it was changed after that had been told
changed    absent      MISSING
absent     same        WITHDRAW
absent     changed     CONFLICT
absent     broken      FAIL; WITHDRAW where it was deleted after that had been told
absent     absent      FORGET
========== =========== ======================================================================================

What was never agreed on counts as changed wherever it is; without anything to agree with it is TAKEn or PUSHed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Side(enum.StrEnum):
    """How the entity is there, against what was agreed on."""

    ABSENT = "absent"
    SAME = "same"
    CHANGED = "changed"
    BROKEN = "broken"
    """Its files cannot be taken; in git alone."""


class Choice(enum.StrEnum):
    """What a person settled."""

    NONE = ""
    THEIRS = "theirs"
    OURS = "ours"
    EDIT = "edit"
    """They saved something else here, which is ours by now."""
    DELETE = "delete"
    RESTORE = "restore"
    CONFIRM = "confirm"


class Action(enum.StrEnum):
    NOTHING = "nothing"
    AGREE = "agree"
    """Both are the same: only that is to be noted."""
    TAKE = "take"
    MERGE = "merge"
    """Take what git changed into what was changed here, and push that."""
    PUSH = "push"
    REMOVE = "remove"
    """Delete it here."""
    WITHDRAW = "withdraw"
    """Delete its files in git."""
    FORGET = "forget"
    KEEP = "keep"
    """Leave it as it stands: nothing is known that could change it."""
    FAIL = "fail"
    CONFLICT = "conflict"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Facts:
    here: Side
    git: Side
    agreed: bool = True
    """Whether both sides ever agreed on it."""
    equal: bool = False
    """Whether both say the same now."""
    mergeable: bool = False
    """Whether what each changed leaves alone what the other did."""
    overridden: bool = False
    """Whether it was changed or deleted here after a person could see what is wrong with these very files."""
    settled: Choice = Choice.NONE
    complete: bool = True
    """Whether all of the repository was listed: only then is absent what is not in it."""
    deletes: bool = False
    """Whether what is gone from git goes here without asking."""


def decide(facts: Facts) -> Action:
    here, git = facts.here, facts.git
    if git is Side.ABSENT and not facts.complete:
        return Action.KEEP
    if here is Side.ABSENT and git is Side.ABSENT:
        return Action.FORGET
    if facts.settled and (settled := _settled(facts)) is not None:
        return settled
    if git is Side.BROKEN:
        return _push(here) if facts.overridden else Action.FAIL
    if facts.overridden and git is not Side.ABSENT and not facts.equal:
        return _push(here)
    if Side.ABSENT in (here, git):
        return _one_sided(facts)
    if git is Side.SAME:
        return Action.NOTHING if here is Side.SAME else Action.PUSH
    if facts.equal:
        return Action.AGREE
    if here is Side.SAME:
        return Action.TAKE
    return Action.MERGE if facts.mergeable else Action.CONFLICT


def _one_sided(facts: Facts) -> Action:
    """Of what is not on the other side: it is new, or was deleted there."""
    here, git = facts.here, facts.git
    if not facts.agreed:
        return Action.TAKE if here is Side.ABSENT else Action.PUSH
    if here is Side.ABSENT:
        return Action.WITHDRAW if git is Side.SAME else Action.CONFLICT
    return Action.REMOVE if here is Side.SAME and facts.deletes else Action.MISSING


def _settled(facts: Facts) -> Action | None:
    """What a person's choice comes to; None where it says nothing about how things are."""
    here, git = facts.here, facts.git
    match facts.settled:
        case Choice.THEIRS | Choice.DELETE if git is Side.ABSENT:
            return Action.REMOVE
        case Choice.THEIRS if git is not Side.BROKEN:
            return Action.AGREE if facts.equal else Action.TAKE
        case Choice.OURS | Choice.EDIT | Choice.RESTORE:
            return Action.AGREE if facts.equal and git is not Side.BROKEN else _push(here)
        case _:  # to confirm is to have done what would be done anyway
            return None


def _push(here: Side) -> Action:
    return Action.WITHDRAW if here is Side.ABSENT else Action.PUSH
