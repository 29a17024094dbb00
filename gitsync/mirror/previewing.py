"""What a sync would do, with nothing written on either side."""

from __future__ import annotations

import time
from dataclasses import dataclass

from catalog import porting
from catalog.portable.model import Kind
from forges.clients.base import Client
from forges.clients.errors import ForgeError, OutOfTime
from forges.picking import FieldError, advised
from gitsync import pull_requests
from gitsync.credentials import open_client
from gitsync.endings import advice
from gitsync.mirror import noting, outgoing
from gitsync.mirror.comparing import compare
from gitsync.mirror.deciding import Action
from gitsync.mirror.local import Gone, take_local
from gitsync.mirror.pairs import Pair
from gitsync.mirror.reporting import counted
from gitsync.mirror.secrets import Scanner
from gitsync.mirror.spool import Spool
from gitsync.mirror.there import There, head_of, list_there
from gitsync.models import Mirror, Mode
from jobs.outcomes import Failure, Waiting
from lib.crypto import CryptoError

_REASONS = {
    Action.TAKE: "changed in git",
    Action.MERGE: "changed here and in git, in different places",
    Action.PUSH: "changed here",
    Action.REMOVE: "deleted in git",
    Action.WITHDRAW: "deleted here",
    Action.MISSING: "gone from git: you are asked before anything is deleted",
}
_ACTIONS = {
    Action.TAKE: "read",
    Action.MERGE: "merge",
    Action.PUSH: "write",
    Action.REMOVE: "delete here",
    Action.WITHDRAW: "delete in git",
    Action.FAIL: "error",
    Action.CONFLICT: "conflict",
    Action.MISSING: "missing",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What would be done about one entity."""

    action: str
    """read, write, merge, delete here, delete in git; error, conflict, missing: a person is asked, or has to act."""
    kind: Kind
    name: str
    path: str
    reason: str
    """Why, in a few words or a sentence."""


@dataclass(frozen=True, slots=True)
class Preview:
    commit: str
    """The branch's head; "" for an empty repository."""
    complete: bool
    """Whether the repository was listed whole: else nothing would be written or deleted."""
    unchanged: int
    proposed: int
    """Of those that are not the same, how many the open pull request holds as they are here: nothing is done."""
    steps: tuple[Step, ...]

    @property
    def same(self) -> str:
        """Why there is nothing to do, where there is nothing."""
        if not self.proposed:
            return "Both sides are the same."
        return f"In the open pull request: {counted(self.proposed)}. All else is the same on both sides."


def preview(mirror: Mirror, *, seconds: float) -> Preview:
    """Asks the forge for the head, the tree and the files that differ. What only saving can tell, such as a tool that
    a toolkit names and no server has, is not among it. Raises FieldError, with a sentence, when it cannot be told, or
    takes too long."""
    end = time.monotonic() + seconds

    def tell(_stage: str, _done: int, _total: int) -> None:
        if time.monotonic() > end:
            raise OutOfTime("There is more to compare than can be while you wait. Sync, and see what it did.")

    try:
        with open_client(mirror, seconds=seconds, max_blob_bytes=porting.limits().max_file_bytes) as client:
            local = take_local(mirror)
            there = list_there(client, mirror, *head_of(client, mirror))
            scanner = Scanner(mirror.organization)
            with Spool(there, porting.limits(), scanner) as spool:
                pairs = compare(client, mirror, local, there, spool, everything=True, tell=tell)
            made, refused = outgoing.make(mirror, pairs, there, scanner) if there.complete else ([], [])
            for pair, bad in refused:
                pair.action, pair.bad = Action.FAIL, bad
            proposed = [each.pair for each in made if each.is_proposed]
            if proposed and not _is_open(client, mirror):
                proposed = []
            return _previewed(there, pairs, proposed)
    except Waiting as waiting:
        raise FieldError("", f"It cannot be compared now: it waits for {waiting.for_what}.") from waiting
    except (CryptoError, Gone) as error:
        raise FieldError("", str(error) or "It was changed meanwhile. Try again.") from error
    except Failure as failure:
        raise FieldError("", failure.text) from failure
    except ForgeError as error:
        said = f"{error} {advice(error)}" if not error.retryable else advised(error)
        raise FieldError("", said.strip()) from error


def _is_open(client: Client, mirror: Mirror) -> bool:
    """Whether the pull request still is: else all of it is proposed anew."""
    side = pull_requests.open_side(client, mirror) if mirror.mode == Mode.PULL_REQUEST else None
    return side is not None and side.open is not None


def _previewed(there: There, pairs: list[Pair], proposed: list[Pair]) -> Preview:
    waiting = {id(pair) for pair in proposed}
    steps = [step for pair in pairs if id(pair) not in waiting and (step := _step(pair)) is not None]
    all_of_them = sum(pair.action is not Action.FORGET for pair in pairs)
    return Preview(there.commit, there.complete, all_of_them - len(steps) - len(waiting), len(waiting), tuple(steps))


def _step(pair: Pair) -> Step | None:
    if pair.action is Action.KEEP and pair.failed:
        return Step(str(pair.row.state), pair.kind, pair.name, pair.path, pair.row.error.get("message", ""))
    action = _ACTIONS.get(pair.action)
    if action is None:
        return None
    reason = _REASONS.get(pair.action, "")
    if pair.action is Action.FAIL and pair.bad is not None:
        reason = pair.bad.problems[0].message
    elif pair.action is Action.CONFLICT:
        reason = noting.conflict(pair).problems[0].message
    elif pair.action is Action.TAKE and pair.here is None:
        reason = "new in git"
    elif pair.action is Action.PUSH and not pair.row.files:
        reason = "new here"
    return Step(action, pair.kind, pair.name, pair.path, reason)
