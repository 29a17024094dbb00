"""What git has, saved here: each entity by itself, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError, transaction

from catalog import porting
from catalog.checking.problems import Invalid
from catalog.portable import references
from catalog.portable.model import TO_CONFIRM, BadFile, Code, Definition, Kind, Problem
from catalog.revisions import Source
from catalog.saving import Stale
from catalog.servers import StaleServer
from gitsync.ledger import current
from gitsync.mirror import noting
from gitsync.mirror.deciding import Action, Choice
from gitsync.mirror.excerpts import excerpt
from gitsync.mirror.local import Gone, full, here_of
from gitsync.mirror.pairs import Pair
from gitsync.mirror.spool import Spool
from gitsync.mirror.there import There
from gitsync.models import WELL, EntityState, Mirror, MirroredEntity
from jobs.context import RunContext
from orgs.models import User

_SAVED = (Action.TAKE, Action.MERGE)
_MISSING = (Code.MISSING_INTEGRATION, Code.MISSING_TOOL, Code.MISSING_ENTITY)
_AFTER_OTHERS = (*_MISSING, Code.DUPLICATE_SLUG)
"""What another entity of the same push may bring, or make room for."""
_UNSHOWN = (Code.SECRET_FOUND, Code.FETCH_FAILED, Code.TOO_LARGE, Code.CONFLICT)
"""Of these no line of the file is kept."""


@dataclass(slots=True)
class Applied:
    read: set[str] = field(default_factory=set)
    """Keys of those that were saved or deleted here."""
    again: bool = False
    """Whether something was saved here by somebody meanwhile: it has to be compared again."""


class Applying:
    def __init__(self, context: RunContext, mirror: Mirror, there: There, spool: Spool, *, commit_url: str) -> None:
        self._context, self._mirror, self._there, self._spool = context, mirror, there, spool
        self._source = Source(kind="git", commit=there.commit, url=commit_url)
        self._applied = Applied()

    def apply(self, pairs: Sequence[Pair]) -> Applied:
        """Do what is to be done here, in the order of kinds. What is still to be written to git has PUSH or WITHDRAW
        as its action afterwards."""
        self._drop_unused(pairs)
        saved = [pair for pair in pairs if pair.action in _SAVED]
        later = []
        for done, pair in enumerate(saved):
            self._context.check()
            self._context.progress("Saving", done, len(saved))
            if (bad := self._save(pair)) is not None:
                later.append((pair, bad))
        for pair in reversed(pairs):
            if pair.action is Action.REMOVE:
                self._context.check()
                self._remove(pair)
        self._save_later(later)
        for pair in pairs:
            self._note(pair)
        if self._applied.read:
            self._follow(pairs)
        return self._applied

    def _follow(self, pairs: Sequence[Pair]) -> None:
        """What names something that is called otherwise now, or gone, says so in git, too."""
        for kind in (Kind.SERVER, Kind.TOOLKIT, Kind.CLIENT):
            settled = {
                pair.here.pk: pair
                for pair in pairs
                if pair.kind is kind and pair.action in (Action.NOTHING, Action.PUSH) and pair.here is not None
            }
            now = porting.revisions(self._mirror.organization, kind)
            read = {
                pk
                for pk, pair in settled.items()
                if kind is not Kind.SERVER or pair.here is None or now.get(pk, (0,))[0] != pair.here.revision
            }
            for pk, ours in porting.ours(self._mirror.organization, kind, only=read).items():
                pair = settled[pk]
                pair.here = here_of(kind, ours)
                if pair.here.digest != pair.row.digest:
                    pair.action = Action.PUSH

    def _drop_unused(self, pairs: Iterable[Pair]) -> None:
        """What was told of paths that are gone, and of an entity that is told of under another one by now."""
        used = {pair.row.pk for pair in pairs if pair.row.pk is not None}
        elsewhere = {(str(pair.kind), pair.here.pk) for pair in pairs if pair.here is not None}
        unused = [
            pk
            for pk, kind, entity in self._mirror.entities.values_list("pk", "kind", "entity")
            if pk not in used and (self._there.complete or (kind, entity) in elsewhere)
        ]
        if unused:
            with transaction.atomic():
                current(self._context, self._mirror)
                self._mirror.entities.filter(pk__in=unused).delete()

    def _save_later(self, later: list[tuple[Pair, BadFile]]) -> None:
        """Those again that others may have made room for, or brought what they name."""
        left = []
        for pair, bad in later:
            self._context.check()
            again = self._save(pair) if bad.problems[0].code in _AFTER_OTHERS else bad
            if again is not None:
                left.append((pair, again))
        for kind in Kind:
            taken = {
                pair.here.pk: pair
                for pair, bad in left
                if pair.kind is kind and pair.here is not None and bad.problems[0].code is Code.DUPLICATE_SLUG
            }
            if len(taken) > 1:
                self._save_together(kind, taken)
        for pair, bad in left:
            if pair.action in _SAVED:
                self._fail(pair, self._placed(pair, bad))

    def _placed(self, pair: Pair, bad: BadFile) -> BadFile:
        """The same, with where in the file that is named which is missing."""
        definition = pair.definition
        if definition is None or pair.action is Action.MERGE or bad.problems[0].code not in _MISSING:
            return bad
        text = self._spool.bytes_of(pair.files.get(pair.path, ""))
        if text is None:
            return bad
        problems = references.check(pair.kind, definition.document, pair.path, self._offered, text.decode("utf-8"))
        return BadFile(*problems) if problems else bad

    @cached_property
    def _offered(self) -> references.There:
        """What can be named, once all that could be saved is."""
        return porting.there(self._mirror.organization)

    def _save_together(self, kind: Kind, taken: dict[UUID, Pair]) -> None:
        """Those that have each other's slugs, in one transaction in which all let go of theirs first."""
        slugs = {slug: pk for pk, (_, slug, _) in porting.revisions(self._mirror.organization, kind).items()}
        while waiting := [pk for pk, pair in taken.items() if slugs.get(_slug(pair)) not in taken]:
            for pk in waiting:
                del taken[pk]
        if not taken:
            return
        try:
            with self._whole(*taken.values()):
                rows = porting.rows_of(self._mirror.organization, kind)
                for pk in taken:
                    rows.filter(pk=pk).update(slug=f"moving-{uuid4().hex}")
                done = [(pair, self._write(pair)) for pair in taken.values()]
        except (BadFile, Invalid, DataError, IntegrityError):  # each was told why when it was tried by itself
            return
        except (Stale, StaleServer, ObjectDoesNotExist):
            self._applied.again = True
            return
        for pair, ours in done:
            self._saved(pair, ours)

    def _save(self, pair: Pair) -> BadFile | None:
        """Why it cannot be, and then nothing of it is."""
        try:
            with self._whole(pair):
                ours = self._write(pair)
        except BadFile as bad:
            return bad
        except (Stale, StaleServer, ObjectDoesNotExist):
            self._applied.again = True
            pair.action = Action.KEEP
            return None
        except (Invalid, DataError, IntegrityError) as error:
            text = str(error) if isinstance(error, Invalid) else "The database does not take what is in the file."
            return BadFile(Problem(Code.VALIDATION_FAILED, text, pair.path))
        self._saved(pair, ours)
        return None

    @contextmanager
    def _whole(self, *pairs: Pair) -> Iterator[None]:
        """A transaction; where it does not end well, also what is noted of these is as it was."""
        before = []
        for pair in pairs:
            row = copy(pair.row)
            row._state = copy(pair.row._state)
            before.append(row)
        try:
            with transaction.atomic():
                current(self._context, self._mirror)
                yield
        except BaseException:
            for pair, row in zip(pairs, before, strict=True):
                pair.row = row
            raise

    def _write(self, pair: Pair) -> porting.Ours:
        """Part of the caller's transaction."""
        definition = pair.definition
        if definition is None:
            raise Gone
        document = pair.merged if pair.action is Action.MERGE else definition.document
        definition = replace(definition, document=document, name=document["name"], slug=document["slug"])
        ours = porting.apply(
            self._mirror.organization,
            replace(definition, data=self._data(definition)),
            pk=pair.here.pk if pair.here else None,
            seen_revision=pair.here.revision if pair.here else None,
            by=self._person(pair),
            source=self._source,
            confirmed=pair.settled is Choice.CONFIRM,
        )
        if pair.action is Action.MERGE:
            noting.cleared(noting.based(pair, self._there)).save()
        else:
            noting.agreed(pair, self._there, ours).save()
        return ours

    def _saved(self, pair: Pair, ours: porting.Ours) -> None:
        merged = pair.action is Action.MERGE
        pair.here = here_of(pair.kind, ours)
        pair.action = Action.PUSH if pair.needs_id or (merged and pair.here.digest != pair.digest) else Action.NOTHING
        self._applied.read.add(pair.key)

    def _data(self, definition: Definition) -> dict[str, bytes]:
        """Of a skill, what came from git; what it has otherwise is here already."""
        if definition.kind is not Kind.SKILL:
            return {}
        oids = definition.document.get("files", {})
        data = {path: self._spool.bytes_of(oid) for path, oid in oids.items()}
        return {path: each for path, each in data.items() if each is not None}

    def _person(self, pair: Pair) -> User | None:
        """Who settled it; None where nobody had to."""
        by = pair.row.settle.get("by") if pair.settled else None
        return User.objects.filter(pk=by).first() if by else None

    def _remove(self, pair: Pair) -> None:
        if pair.here is None:
            return
        by, organization = self._person(pair), self._mirror.organization
        with transaction.atomic():
            current(self._context, self._mirror)
            now = porting.revisions(organization, pair.kind).get(pair.here.pk)
            if now is not None and now[0] != pair.here.revision:
                self._applied.again, pair.action = True, Action.KEEP
                return
            if now is not None:
                porting.remove(organization, pair.kind, pair.here.pk, by=by, source=self._source)
            if pair.row.pk is not None:
                pair.row.delete()
        self._applied.read.add(pair.key)

    def _note(self, pair: Pair) -> None:
        """What is remembered of those that nothing was saved of."""
        if pair.action is Action.FAIL:
            self._fail(pair, pair.bad or noting.conflict(pair))
        elif pair.action is Action.FORGET:
            if not pair.row._state.adding:
                with transaction.atomic():
                    current(self._context, self._mirror)
                    pair.row.delete()
        elif (row := self._noted(pair)) is not None:
            with transaction.atomic():
                current(self._context, self._mirror)
                row.save()

    def _noted(self, pair: Pair) -> MirroredEntity | None:
        """The row, where there is something to be noted."""
        there = self._there
        match pair.action:
            case Action.AGREE:
                pair.action = Action.PUSH if pair.needs_id else Action.NOTHING
                return noting.agreed(pair, there, full(self._mirror, pair))
            case Action.NOTHING:
                pair.action = Action.NOTHING if pair.told_id else Action.PUSH
                return noting.unchanged(pair)
            case Action.PUSH | Action.WITHDRAW if pair.echo or (pair.settled and pair.definition is not None):
                return noting.based(pair, there)  # what was decided holds for as long as a pull request is open
            case Action.PUSH if pair.settled and pair.found is None:
                return noting.unagreed(pair)
            case Action.CONFLICT:
                return noting.told(pair, there, EntityState.CONFLICT, noting.error_of(noting.conflict(pair)))
            case Action.MISSING:
                return noting.told(pair, there, EntityState.MISSING, noting.missing_error(pair))
            case Action.KEEP if pair.here is not None and pair.row.entity == pair.here.pk:
                known = pair.row.digest if pair.row.state in WELL else pair.row.seen_digest
                # Else it would count as compared, and what was saved here since for what was agreed on.
                if pair.row.entity_revision != pair.here.revision and pair.here.digest == known:
                    pair.row.entity_revision = pair.here.revision
                    return pair.row
        return None

    def _fail(self, pair: Pair, bad: BadFile) -> None:
        if pair.action is Action.MERGE and bad.problems[0].code not in (*TO_CONFIRM, *_MISSING):
            bad = noting.unmergeable(pair, bad)
        code = bad.problems[0].code
        state = EntityState.CONFIRM if code in TO_CONFIRM else EntityState.ERROR
        if code is Code.CONFLICT:
            state = EntityState.CONFLICT
        pair.action, pair.bad = Action.FAIL, bad
        error = {**noting.error_of(bad), **self._excerpt(pair, bad.problems[0])}
        with transaction.atomic():
            current(self._context, self._mirror)
            noting.told(pair, self._there, state, error).save()

    def _excerpt(self, pair: Pair, problem: Problem) -> dict[str, Any]:
        """The lines around what is wrong; of a file that is not to be shown, or was not read, nothing."""
        if problem.code in _UNSHOWN or not problem.line:
            return {}
        data = self._spool.shown_of(pair.files.get(problem.path, ""))
        return {"excerpt": excerpt(data, problem.line, problem.column)} if data is not None else {}


def _slug(pair: Pair) -> str:
    document = pair.merged if pair.action is Action.MERGE else pair.definition.document if pair.definition else {}
    return str(document.get("slug", ""))
