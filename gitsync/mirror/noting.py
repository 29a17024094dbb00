"""What is remembered of an entity after it was compared: that both agree, or what keeps them from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from catalog.portable.advice import advice
from catalog.portable.model import BadFile, Code, Definition, Kind, Problem
from catalog.porting import Ours
from gitsync.mirror.local import digest_of
from gitsync.mirror.pairs import Pair
from gitsync.mirror.spool import SecretFound
from gitsync.mirror.there import There
from gitsync.models import EntityState, MirroredEntity, Mode

_OTHERS = 20
"""Further problems of one entity that are told."""
_FIELDS = 50
_LONGEST = 2000
"""Characters of a message."""


def whole(definition: Definition) -> dict[str, Any]:
    """What is kept of a file: with what Millrace does not know. Of a skill also what its SKILL.md had in front."""
    if definition.kind is Kind.SKILL:
        return {**definition.document, "raw": dict(definition.raw)}
    return dict(definition.raw)


def raw_of(kind: Kind, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is to be carried over into a file that is written anew."""
    raw: Mapping[str, Any] = document.get("raw", {}) if kind is Kind.SKILL else document
    return raw


def agreed(pair: Pair, there: There, ours: Ours) -> MirroredEntity:
    """Both sides are as they are now. The row, to be saved."""
    row = based(pair, there)
    row.entity, row.name, row.digest = ours.pk, ours.name, digest_of(pair.kind, ours)
    row.entity_revision = ours.revision
    return cleared(row)


def based(pair: Pair, there: There) -> MirroredEntity:
    """What git has is what both go on from; what is here is a change of that. The row, to be saved."""
    row, definition = pair.row, pair.definition
    row.path, row.name = pair.path, pair.name[:120]
    if pair.here is not None:
        row.entity = pair.here.pk
    if pair.found is not None:
        row.files = pair.files
    if definition is not None:
        row.file_id = definition.id or row.file_id
        row.document, row.digest = whole(definition), pair.digest
    row.agreed_commit, row.agreed_at = there.commit, timezone.now()
    if pair.echo or row.mirror.mode != Mode.PULL_REQUEST:  # else the side branch has it, until it is written anew
        row.proposed = {}
    return row


def unagreed(pair: Pair) -> MirroredEntity:
    """It is to be in git again, as if it had never been there. The row, to be saved."""
    pair.row.files, pair.row.digest = {}, ""
    return pair.row


def cleared(row: MirroredEntity) -> MirroredEntity:
    """Nothing is wrong with it any more."""
    row.state, row.error, row.seen_files, row.seen_digest = EntityState.IN_STEP, {}, {}, ""
    row.theirs, row.settle = {}, {}
    return row


def unchanged(pair: Pair) -> MirroredEntity | None:
    """The row, where something else was told of it."""
    row, here = pair.row, pair.here
    if here is None:
        return None
    told = row.state != EntityState.IN_STEP or row.settle or row.proposed
    if not told and (row.entity_revision, row.name) == (here.revision, here.name):
        return None
    row.entity_revision, row.name, row.proposed = here.revision, here.name, {}
    return cleared(row)


def told(pair: Pair, there: There, state: EntityState, error: Mapping[str, Any]) -> MirroredEntity:
    """The row with what is wrong, to be saved."""
    row, here = pair.row, pair.here
    when = {"commit": there.commit, "at": timezone.now().isoformat()}
    if row.state == state and {**row.error, "commit": "", "at": ""} == {**error, "commit": "", "at": ""}:
        when = {name: row.error.get(name, "") for name in when}  # the same as before
    if here is not None:
        row.entity = here.pk
    row.name = pair.name[:120]
    row.state, row.error, row.settle = state, {**error, **when}, {}
    row.seen_files, row.seen_digest = pair.files, here.digest if here else ""
    row.entity_revision = here.revision if here else None
    row.theirs = {}
    if state == EntityState.CONFLICT and pair.definition is not None:
        row.theirs = dict(pair.definition.document if pair.kind is Kind.SKILL else pair.definition.raw)
    return row


def error_of(bad: BadFile) -> dict[str, Any]:
    """What a row tells of what is wrong with its files."""
    first = bad.problems[0]
    found = {
        **_told_of(first),
        "status": first.status,
        "advice": advice(first.code),
        "fields": list(dict.fromkeys(name for problem in bad.problems for name in problem.fields))[:_FIELDS],
        "others": [_told_of(problem) for problem in bad.problems[1:_OTHERS]],
    }
    if isinstance(bad, SecretFound):
        found["findings"] = bad.findings[:_OTHERS]
    if hosts := getattr(bad, "hosts", None):
        found["hosts"] = hosts
    return found


def _told_of(problem: Problem) -> dict[str, Any]:
    return {
        "code": str(problem.code),
        "message": problem.message[:_LONGEST],
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
    }


def conflict(pair: Pair) -> BadFile:
    if pair.here is None:
        text = "It was deleted here and changed in git. Take theirs to have it again, or keep ours to delete the file."
    elif not pair.row.files:
        text = "It is here and in git, was never the same, and differs. Compare the two, and take theirs or keep ours."
    else:
        where = ", ".join(pair.conflicts[:5])
        text = f"It was changed here and in git, each in its own way{f': {where}' if where else ''}. Nothing is lost."
    return BadFile(Problem(Code.CONFLICT, text, pair.path, fields=pair.conflicts[:50]))


def unmergeable(pair: Pair, bad: BadFile) -> BadFile:
    """Edits that do not meet, and together break a rule."""
    text = f"It was changed here and in git, and the two do not go together. {bad.problems[0].message}"
    return BadFile(Problem(Code.CONFLICT, text, pair.path, fields=bad.problems[0].fields))


def missing_error(pair: Pair) -> dict[str, Any]:
    """What is told of one whose files are gone from git; it has no code, as nothing is wrong with a file."""
    edited = pair.here is not None and pair.here.digest != pair.row.digest
    return {
        "code": "",
        "status": 400,
        "message": f"Its file is gone from the repository{', and it was changed here since' if edited else ''}.",
        "advice": "Delete it here as well, or have its file written again.",
        "path": pair.path,
        "line": 0,
        "column": 0,
        "fields": [],
        "others": [],
    }
