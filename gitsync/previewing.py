"""What a push would do at this moment, for a person who waits: the files, with how they differ. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.compare import MAX_BYTES, TextDiff, diff
from forges.clients.base import Client
from forges.clients.errors import EmptyRepository, ForgeError, NotFound, TooLarge
from forges.picking import INTERACTIVE_SECONDS, FieldError, advised
from gitsync import ledger, pull_requests
from gitsync.comparing import Plan, compare
from gitsync.credentials import open_client
from gitsync.endings import advice
from gitsync.gate import findings_in, message_for
from gitsync.messages import Message
from gitsync.models import Mode, PushTarget
from gitsync.picture import Files, files_of, take_picture
from jobs.outcomes import Failure, Waiting
from lib.crypto import CryptoError

DIFFS = 40
"""Files whose text is compared; of the rest only the path is told."""


@dataclass(frozen=True, slots=True)
class Change:
    path: str
    action: str
    """added, changed, removed, or foreign (in our way)"""
    difference: TextDiff | None = None
    """None where it is not made: there are too many."""


@dataclass(frozen=True, slots=True)
class Preview:
    changes: tuple[Change, ...]
    message: Message
    branch: str
    """What it is compared with: the target's branch, or the side branch of the open pull request."""
    commit: str
    """Its head; "" for an empty repository."""
    findings: list[dict[str, Any]] = field(default_factory=list)
    """What looks like a secret, and would stop the push."""
    foreign: tuple[str, ...] = ()
    """Files of others in the directory that would be left."""

    def count(self, action: str) -> int:
        return sum(change.action == action for change in self.changes)

    @property
    def blocked(self) -> bool:
        return bool(self.findings) or self.count("foreign") > 0


def preview(target: PushTarget) -> Preview:
    """Asks the forge for the head, the tree and the texts that would change. Raises FieldError, with a sentence, when
    that cannot be told, or takes too long."""
    try:
        picture = take_picture(target, following=False)
        files = files_of(target, picture)
        rows = ledger.rows_of(target)
        vacated = ledger.vacated(target)
        others = ledger.others_have(target, rows.keys() - files.ids.keys())
        initial = not any(row.oid for row in rows.values())
        message = message_for(target, picture, initial=initial)
        findings = findings_in(target, files, message)
        with open_client(target, seconds=INTERACTIVE_SECONDS) as client:
            name = client.find(target.repository_id).full_name
            branch, commit = _head(client, target, name)
            tree = _tree(client, name, commit)
            plan = compare(tree, files.ids, rows, directory=target.directory, vacated=vacated, others=others)
            return Preview(
                changes=_changes(client, name, plan, tree, files),
                message=message,
                branch=branch,
                commit=commit,
                findings=findings,
                foreign=tuple(plan.foreign),
            )
    except Waiting as waiting:
        raise FieldError("", f"It cannot be compared now: it waits for {waiting.for_what}.") from waiting
    except CryptoError as error:
        raise FieldError("", str(error)) from error
    except Failure as failure:
        raise FieldError("", failure.text) from failure
    except ForgeError as error:
        said = f"{error} {advice(error)}" if not error.retryable else advised(error)
        raise FieldError("", said.strip()) from error


def _head(client: Client, target: PushTarget, name: str) -> tuple[str, str]:
    """Where the push would go, and the commit that it would be put on."""
    if target.mode == Mode.PULL_REQUEST and (side := pull_requests.open_side(client, target)) is not None:
        try:
            return side.branch, client.head(name, side.branch, repository_id=target.repository_id)
        except NotFound:
            pass  # deleted: it would begin anew
    try:
        return target.branch, client.head(name, target.branch, repository_id=target.repository_id)
    except EmptyRepository:
        return target.branch, ""


def _tree(client: Client, name: str, commit: str) -> dict[str, str]:
    if not commit:
        return {}
    listing = client.tree(name, commit)
    if not listing.complete:
        raise TooLarge(f"The repository could not be listed whole. {listing.reason}")
    return {entry.path: entry.oid for entry in listing.entries}


def _changes(client: Client, name: str, plan: Plan, tree: Mapping[str, str], files: Files) -> tuple[Change, ...]:
    blocking = sorted(plan.blocking)
    changed = [path for path in plan.changed if path not in plan.blocking]
    compared = [*blocking, *changed, *plan.removed, *plan.added][:DIFFS]
    old = _texts(client, name, {tree[path] for path in compared if path in tree})

    def change(path: str, action: str) -> Change:
        if path not in compared:
            return Change(path, action)
        before = old.get(tree[path]) if path in tree else b""
        after = b"" if action == "removed" else files.data.get(path)
        if before is None or after is None:
            return Change(path, action)
        if len(before) + len(after) > MAX_BYTES:
            return Change(path, action, TextDiff([], cut=False, too_large=True))
        return Change(path, action, diff(_text(before), _text(after)))

    return (
        *(change(path, "foreign") for path in blocking),
        *(change(path, "changed") for path in changed),
        *(change(path, "removed") for path in plan.removed),
        *(change(path, "added") for path in plan.added),
    )


def _texts(client: Client, name: str, oids: Iterable[str]) -> dict[str, bytes]:
    """As many as the forge gives without more requests than that is worth."""
    wanted = sorted(oids)
    return dict(client.blobs(name, wanted)) if wanted else {}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
