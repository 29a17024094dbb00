"""What git lacks, written there in one commit, and remembered once the forge confirmed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import EntityKind
from forges import writing
from forges.clients.base import Author, Client, PullRequest, blob_id
from forges.writing import Written
from gitsync import messages, pull_requests
from gitsync.ledger import current
from gitsync.messages import Message, Told, author_of
from gitsync.mirror import noting
from gitsync.mirror.deciding import Action, Choice
from gitsync.mirror.outgoing import Outgoing, starting
from gitsync.mirror.pairs import Pair
from gitsync.mirror.secrets import Scanner
from gitsync.mirror.there import There
from gitsync.models import WELL, EntityState, Mirror, MirrorChange, MirroredEntity, Mode
from gitsync.work import committer
from jobs.context import RunContext
from orgs.models import User

PLAIN = Message("Update entities", "", None)
"""One that names nothing and nobody."""
_KINDS = frozenset(EntityKind.values)


class Overtaken(Exception):  # no error: it begins anew
    """Somebody changed files in git after they were compared. Nothing is written."""


@dataclass(slots=True)
class Sent:
    written: Written | None = None
    opened: PullRequest | None = None
    message: Message = PLAIN
    left: list[str] = field(default_factory=list)
    """Paths of units that somebody changed in the side branch."""


class Writing:
    def __init__(
        self,
        context: RunContext,
        client: Client,
        mirror: Mirror,
        there: There,
        outgoing: Sequence[Outgoing],
        *,
        undone: Mapping[str, tuple[str, bytes | None]],
        message: Message,
    ) -> None:
        self._context, self._client, self._mirror, self._there = context, client, mirror, there
        self._outgoing, self._undone = list(outgoing), undone
        self._sent = Sent(message=message)
        self._before = {id(each): dict(each.pair.row.proposed) for each in outgoing}
        """What the open pull request had of them."""

    def write(self) -> Sent:
        """One commit, and the pull request in that mode; nothing where git has it all. Raises Overtaken and any
        ForgeError."""
        mirror, sent = self._mirror, self._sent
        self._intend()
        self._context.progress("Committing")
        if mirror.mode != Mode.PULL_REQUEST:
            sent.written = self._write(mirror.branch)
        else:
            side = pull_requests.side_of(self._client, mirror)
            if side.branch != mirror.side_branch or side.open is None:
                pull_requests.note_side(self._context, mirror, side.branch)
            sent.written, sent.opened = pull_requests.propose(self._client, mirror, side, self._write, sent.message)
        self._context.progress("Noting what was written")
        self._record(sent.written)
        return sent

    def _intend(self) -> None:
        """Note what is about to be there: who is killed after the commit knows it for their own."""
        with transaction.atomic():
            current(self._context, self._mirror)
            for each in self._outgoing:
                row = each.pair.row
                if self._mirror.mode != Mode.PULL_REQUEST or not row.proposed:
                    row.proposed = each.proposal  # else what the side branch has is known as ours until it has this
                if each.pair.here is not None:
                    row.entity, row.name, row.file_id = each.pair.here.pk, each.pair.here.name, each.file_id
                if not row.files:
                    row.path = each.path
                row.save()

    def _write(self, branch: str) -> Written:
        mirror, there = self._mirror, self._there
        return writing.write(
            self._client,
            name=there.name,
            repository_id=mirror.repository_id,
            branch=branch,
            base=mirror.branch,
            propose=self._propose if branch == mirror.branch else self._propose_beside,
            message=self._sent.message.text,
            author=self._sent.message.author or committer(),
            committer=committer(),
            known=(there.commit, there.tree) if there.commit else None,
            fresh=branch == mirror.branch,
            check=self._context.check,
        )

    def _propose(self, tree: Mapping[str, str]) -> dict[str, bytes | None]:
        """Where every path is still as it was compared, all of it."""
        wanted: dict[str, bytes | None] = {}
        for each in self._outgoing:
            for path, data in each.changes.items():
                full = self._mirror.base + path
                if tree.get(full) != self._there.tree.get(full) and not _is_so(tree.get(full), data):
                    raise Overtaken
                _want(wanted, full, data)
        return self._with_start(wanted, tree)

    def _propose_beside(self, tree: Mapping[str, str]) -> dict[str, bytes | None]:
        """The same for the side branch, which is behind and holds what was proposed before. What somebody else changed
        there is theirs."""
        wanted: dict[str, bytes | None] = {}
        self._sent.left = []
        for each in self._outgoing:
            before = self._before[id(each)]
            changes = {**dict.fromkeys(self._taken_back(each, before)), **each.changes}
            ours = True
            for path, data in changes.items():
                full = self._mirror.base + path
                now, agreed = tree.get(full), each.pair.row.files.get(path)
                ours = ours and (
                    now in (self._there.tree.get(full), before.get(path) or None, agreed) or _is_so(now, data)
                )
            if ours:
                for path, data in changes.items():
                    _want(wanted, self._mirror.base + path, data)
            else:
                self._sent.left.append(each.path)
        for path, (held, data) in self._undone.items():
            if tree.get(self._mirror.base + path, "") == held:
                _want(wanted, self._mirror.base + path, data)
        return self._with_start(wanted, tree)

    def _taken_back(self, each: Outgoing, before: Mapping[str, str]) -> list[str]:
        """Files that the side branch alone has, because we brought them."""
        there, base = self._there.tree, self._mirror.base
        return [path for path, oid in before.items() if oid and path not in each.files and base + path not in there]

    def _with_start(self, wanted: dict[str, bytes | None], tree: Mapping[str, str]) -> dict[str, bytes | None]:
        if tree:
            return wanted
        return {**starting(self._mirror, self._there), **wanted}

    def _record(self, written: Written) -> None:
        """The remote has it: now it is agreed on; or proposed, where it went to a side branch."""
        agreed = written.branch == self._mirror.branch
        now = timezone.now()
        with transaction.atomic():
            current(self._context, self._mirror)
            for each in self._outgoing:
                row, here = each.pair.row, each.pair.here
                if each.path in self._sent.left:
                    row.proposed = self._before[id(each)]
                    row.save()
                    continue
                if here is None and agreed:
                    row.delete()
                    continue
                row.entity_revision = here.revision if here else None
                noting.cleared(row)
                if agreed and here is not None:
                    row.path, row.files, row.document = each.path, dict(each.files), dict(each.document)
                    row.digest, row.proposed = here.digest, {}
                    row.agreed_commit, row.agreed_at = written.commit, now
                else:
                    row.state, row.proposed = EntityState.PROPOSED, each.proposal
                row.save()


def _want(wanted: dict[str, bytes | None], path: str, data: bytes | None) -> None:
    """What one entity leaves, another one may take."""
    if data is not None or path not in wanted:
        wanted[path] = data


def _is_so(oid: str | None, data: bytes | None) -> bool:
    return oid is None if data is None else oid == blob_id(data)


def message_of(
    mirror: Mirror, outgoing: Sequence[Outgoing], changes: Sequence[MirrorChange], scanner: Scanner
) -> Message:
    """What the commit says of these entities: who saved what. One that names nothing where it would hold what looks
    like a secret."""
    told = _told(mirror, outgoing, changes)
    if told:
        message = messages.compose(told, organization=mirror.organization.name)
    elif outgoing or mirror.synced_at:
        return PLAIN
    else:  # an empty repository, and nothing here yet
        message = Message("Add a README about what is synced here", "", _connector(mirror))
    author = f"{message.author.name} <{message.author.email}>" if message.author else ""
    if scanner.findings({}, {"commit message": message.text, "author": author}):
        return PLAIN
    return message


def _told(mirror: Mirror, outgoing: Sequence[Outgoing], changes: Sequence[MirrorChange]) -> list[Told]:
    """The saves behind it, in their order; then what no save tells of, but for files that change because something that
    they name is called otherwise. Of a server each is one of the server. What was here before the first sync comes
    from who connected the two."""
    going = {each.pair.row.entity or (each.pair.here.pk if each.pair.here else None): each for each in outgoing}
    told: list[Told] = []
    known = set()
    for change in changes:
        each = going.get(change.entity)
        if each is None or change.entity is None:
            continue
        known.add(change.entity)
        person = author_of(change.person.name, change.person.email) if change.person else None
        whole = change.kind in _KINDS and (change.kind == each.pair.kind)
        if whole:
            told.append(Told(change.verb, change.kind, change.name, change.former, person))
        else:
            told.append(Told("update", str(each.pair.kind), each.pair.name, "", person))
    people = _people(outgoing)
    connector = _connector(mirror)
    others = [
        _told_of(each, people.get(each.pair.row.settle.get("by", "")) if each.pair.settled else connector)
        for entity, each in going.items()
        if entity not in known or each.pair.settled is Choice.RESTORE
    ]
    return told + [each for each in others if not told or each.person or each.verb != "update"]


def _connector(mirror: Mirror) -> Author | None:
    """Who brought both sides together, as long as they never were compared."""
    by = mirror.assigned_by if mirror.synced_at is None else None
    return author_of(by.name, by.email) if by else None


def _people(outgoing: Sequence[Outgoing]) -> dict[str, Author]:
    """Who decided about some of it, by their id."""
    wanted = {each.pair.row.settle.get("by", "") for each in outgoing if each.pair.settled}
    found = User.objects.filter(pk__in=wanted - {""})
    return {str(person.pk): author_of(person.name, person.email) for person in found}


def _told_of(outgoing: Outgoing, person: Author | None) -> Told:
    pair = outgoing.pair
    if pair.action is Action.WITHDRAW:
        verb = "delete"
    elif pair.settled is Choice.RESTORE:
        verb = "restore"
    elif not pair.row.files:
        verb = "create"
    else:
        verb = "give" if _lacks_only_id(pair) else "update"
    return Told(verb, str(pair.kind), pair.name, "", person)


def _lacks_only_id(pair: Pair) -> bool:
    """Whether a file that was made by hand is otherwise as it shall be."""
    return not pair.told_id and pair.here is not None and pair.here.digest == pair.row.digest


def undone(proposed: Sequence[tuple[Pair, Mapping[str, str]]], there: There, base: str) -> dict[str, tuple[str, str]]:
    """What the open pull request holds of entities that are not to be changed (any more): path below the mirror's
    directory -> the blob ids that we proposed and that the branch has, "" for none."""
    found: dict[str, tuple[str, str]] = {}
    for pair, held in proposed:
        if pair.action in (Action.PUSH, Action.WITHDRAW) or pair.failed:
            continue
        for path, oid in held.items():
            now = there.tree.get(base + path, "")
            if now != oid:
                found[path] = (oid, now)
    return found


def settle_changes(mirror: Mirror, up_to: int) -> None:
    """What was told, or is the same on both sides by now, need not be told any more."""
    waiting = MirroredEntity.objects.filter(mirror=mirror).exclude(state__in=WELL)
    changes: Any = MirrorChange.objects.filter(mirror=mirror, pk__lte=up_to)
    changes.exclude(entity__in=waiting.filter(entity__isnull=False).values("entity")).delete()
