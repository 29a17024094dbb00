"""What git lacks of the entities: made of the rows, held against what is there, scanned. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.conf import settings

from catalog import porting
from catalog.portable import front_matter, schemas, writing
from catalog.portable.model import SKILL_FILE, BadFile, Code, Kind, Problem
from catalog.portable.normal import normal
from catalog.portable.paths import path_of
from forges.clients.base import blob_id
from gitsync.comparing import folders
from gitsync.mirror import noting
from gitsync.mirror.deciding import Action
from gitsync.mirror.local import full
from gitsync.mirror.pairs import Pair
from gitsync.mirror.secrets import Scanner
from gitsync.mirror.spool import SecretFound
from gitsync.mirror.there import There
from gitsync.models import EntityState, Mirror

README = "README.md"


@dataclass(slots=True)
class Outgoing:
    """The files of one entity as they shall be in git; all paths are below the mirror's directory."""

    pair: Pair
    path: str
    """Of the unit."""
    file_id: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict)
    """What is to be written."""
    files: Mapping[str, str] = field(default_factory=dict)
    """All that it has then: path -> blob id. Empty where it goes."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """Its file whole, as `MirroredEntity.document` keeps it."""

    @property
    def gone(self) -> list[str]:
        return [path for path in self.pair.files if path not in self.files]

    @property
    def changes(self) -> dict[str, bytes | None]:
        return {**self.data, **dict.fromkeys(self.gone)}

    @property
    def proposal(self) -> dict[str, str]:
        """What a commit of it is about to hold, as `MirroredEntity.proposed` keeps it."""
        return {**self.files, **dict.fromkeys(self.gone, "")}

    @property
    def is_proposed(self) -> bool:
        """Whether the pull request has it, if that is still open."""
        return self.pair.row.state == EntityState.PROPOSED and self.pair.row.proposed == self.proposal


def make(
    mirror: Mirror, pairs: Iterable[Pair], there: There, scanner: Scanner
) -> tuple[list[Outgoing], list[tuple[Pair, BadFile]]]:
    """What is to be written, and what cannot be, and why. Raises Gone."""
    made: list[Outgoing] = []
    refused: list[tuple[Pair, BadFile]] = []
    taken = {pair.row.file_id for pair in pairs} | {pair.definition.id for pair in pairs if pair.definition}
    for pair in pairs:
        if pair.action is Action.WITHDRAW:
            made.append(Outgoing(pair, pair.path))
        elif pair.action is Action.PUSH:
            outgoing = _made(mirror, pair, taken)
            taken.add(outgoing.file_id)
            if findings := scanner.findings(outgoing.data):
                refused.append((pair, SecretFound(outgoing.path, findings)))
            else:
                made.append(outgoing)
    made, clashing = _without_clashes(made, there, mirror)
    return made, refused + clashing


def _made(mirror: Mirror, pair: Pair, taken: set[str]) -> Outgoing:
    ours = full(mirror, pair)
    file_id = _file_id(pair, taken)
    raw = pair.definition.raw if pair.definition is not None else noting.raw_of(pair.kind, pair.row.document)
    path = path_of(pair.kind, ours.slug)
    data: dict[str, bytes] = {}
    same: dict[str, str] = {}
    if pair.kind is Kind.SKILL:
        named = ours.document.get("files", {})
        same = {name: oid for name, oid in named.items() if _has(pair, f"{path}/{name}") == oid}
        data = porting.file_bytes(ours.pk, named.keys() - same.keys())
    written = writing.write(
        pair.kind,
        id=file_id,
        document=ours.document,
        raw=raw,
        data=data,
        schema_url=schemas.url(settings.BASE_URL, pair.kind),
    )
    main = f"{path}/{SKILL_FILE}"
    if pair.kind is Kind.SKILL and file_id == pair.told_id and _has(pair, main) and _says(pair, ours):
        # Another of its files changed here: SKILL.md stays as somebody wrote it.
        del written[main]
        same[SKILL_FILE] = pair.files[main]
    files = {each: blob_id(content) for each, content in written.items()}
    files |= {f"{path}/{name}": oid for name, oid in same.items()}
    return Outgoing(pair, path, file_id, written, files, _document(pair.kind, path, written, ours, raw))


def _has(pair: Pair, path: str) -> str:
    """The blob id that git has; "" where the open pull request holds another one, so that it is written again."""
    oid = pair.files.get(path, "")
    return oid if pair.row.proposed.get(path, oid) == oid else ""


def _says(pair: Pair, ours: porting.Ours) -> bool:
    """Whether the SKILL.md in git says the same as what is here."""
    theirs = pair.definition.document if pair.definition is not None else pair.row.document
    one, other = ({**normal(pair.kind, each), "files": None} for each in (theirs, ours.document))
    return one == other


def _document(
    kind: Kind, path: str, written: Mapping[str, bytes], ours: porting.Ours, raw: Mapping[str, Any]
) -> dict[str, Any]:
    if kind is Kind.SKILL:
        main = written.get(f"{path}/{SKILL_FILE}")
        return {**ours.document, "raw": dict(raw if main is None else front_matter.parse(main.decode()).front)}
    found: dict[str, Any] = json.loads(written[path])
    return found


def _file_id(pair: Pair, taken: set[str]) -> str:
    """The one that its file has; a new one is the row's, unless another's file has that."""
    known = pair.told_id or pair.row.file_id
    if known or pair.here is None:
        return known
    own = str(pair.here.pk)
    return str(uuid4()) if own in taken else own


def _without_clashes(
    made: list[Outgoing], there: There, mirror: Mirror
) -> tuple[list[Outgoing], list[tuple[Pair, BadFile]]]:
    """No file of somebody else is overwritten: a path has to be free, the entity's own, or left by another one now."""
    refused: list[tuple[Pair, BadFile]] = []
    base = mirror.base
    within = folders(there.tree)
    going = list(made)
    while True:
        moving = {path for each in going for path in [*each.gone, *each.pair.files]}
        clashing = [
            each for each in going if any(_is_taken(base, path, there.tree, within, moving) for path in each.data)
        ]
        if not clashing:
            return going, refused
        for each in clashing:
            going.remove(each)
            refused.append((each.pair, _in_the_way(each)))


def _is_taken(base: str, path: str, tree: Mapping[str, str], within: set[str], moving: set[str]) -> bool:
    """Whether a file of somebody else is there, or is called like one of its folders, or is in a folder of its name."""
    full = base + path
    above = any(folder in tree and folder.removeprefix(base) not in moving for folder in folders([full]))
    return above or full in within or (full in tree and path not in moving)


def _in_the_way(outgoing: Outgoing) -> BadFile:
    return BadFile(
        Problem(
            Code.DUPLICATE_SLUG,
            f"In git {outgoing.path} is another one's, and is not overwritten. Rename one of the two.",
            outgoing.path,
            fields=("slug",),
        )
    )


def readme() -> bytes:
    """What an empty repository begins with, for people who open it. Nothing in it is anybody's: it is not scanned."""
    return f"""\
# Toolkits, commands, MCP servers, MCP clients and skills

What an organisation's agents work with. Edits here and in Millrace are taken over on the other side.

| folder | what is in it |
|---|---|
| `toolkits/` | `{{slug}}.json`: a named choice of tools, prompts and resources of MCP servers |
| `commands/` | `{{slug}}.json`: a reusable prompt with arguments |
| `mcp-servers/` | `{{slug}}.json`: the configuration of an MCP server, without anything that authenticates |
| `mcp-clients/` | `{{slug}}.json`: a client application, and what it may reach |
| `skills/` | `{{slug}}/SKILL.md` and the files it refers to, in `scripts/`, `references/` and `assets/` |

A file is called like the `slug` in it. Its `id` stays the same when it is renamed; a new file may leave it out. The
JSON Schema of each kind is at {settings.BASE_URL}/schemas/v{schemas.VERSION}/.
""".encode()


def starting(mirror: Mirror, there: There) -> dict[str, bytes]:
    """The first commit's own file: paths in the repository -> bytes; nothing where there is a commit."""
    if there.commit:
        return {}
    return {mirror.base + README: readme()}
