"""Secrets in entities' files, on their way out and in: what holds one is neither written nor saved.

What comes from git and holds a secret is in git's history for good: who reads of it has to change that secret, not only
to take it out. So both ways say where it is, and never what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from catalog.checking.json_text import BadJson, lines_of, parse_json, pointer_to
from catalog.exchange.document import dumps
from catalog.portable.model import FOLDERS, Kind
from catalog.portable.reading import LEVELS, MOST_VALUES
from gitsync.gate import Gate
from gitsync.scanning import Finding
from orgs.models import Organization

_FOLDERS_OF_JSON = frozenset(folder for kind, folder in FOLDERS.items() if kind is not Kind.SKILL)
_READABLE = re.compile(rb"[\t\n\r -~]{6,}")
_BETWEEN = "\n\0\n"


class Scanner:
    """For all entities of one sync. Raises CryptoError for a secret of the organisation that does not open any more."""

    def __init__(self, organization: Organization) -> None:
        self._gate = Gate(organization)

    def findings(self, data: Mapping[str, bytes], texts: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """What in an entity's files (path below the directory of all -> bytes), in their names and in `texts` looks
        like a secret, or is one that is kept here, and nobody has allowed: {path, line, field, kind, digest,
        allowable}, by path and line. What of a path is secret itself is “…”."""
        files = {path: _taken_apart(path, content) for path, content in data.items()}
        whole = {path: _text(data[path]) for path, canonical in files.items() if not canonical}
        found = self._gate.scan(files, {**whole, **(texts or {})})
        placed = (_placed(each, files.get(each.path, b""), data.get(each.path, b"")) for each in found)
        return [asdict(each) for each in sorted(placed)]


def _taken_apart(path: str, content: bytes) -> bytes:
    """An entity's JSON as we write it, so that each of its texts is looked at without its escapes; b"" for all else,
    which is a text by itself."""
    if path.partition("/")[0] not in _FOLDERS_OF_JSON:
        return b""
    try:
        text = content.decode("utf-8-sig")
        return dumps(parse_json(text, longest=len(text), deepest=LEVELS, most=MOST_VALUES))
    except (UnicodeError, BadJson):  # half a character is not written either
        return b""


def _text(content: bytes) -> str:
    """A text as it is; of anything else what can be read in it, which is little of a picture."""
    if b"\0" not in content:
        return content.decode("utf-8", "replace")
    return _BETWEEN.join(run.decode() for run in _READABLE.findall(content))


def _placed(finding: Finding, canonical: bytes, content: bytes) -> Finding:
    """With the line that it has in the file as its author wrote it; 0 where there are none."""
    if not canonical and b"\0" in content:
        return replace(finding, line=0)
    if not canonical or not finding.line or canonical == content:
        return finding
    text = content.decode("utf-8-sig")
    value = parse_json(text, longest=len(text), deepest=LEVELS, most=MOST_VALUES)
    pointer = list(_lines(value, ""))[finding.line - 1]
    return replace(finding, line=lines_of(text, [pointer])[pointer])


def _lines(value: Any, pointer: str) -> Iterator[str]:
    """What each line of a document begins or ends, as `dumps` writes it."""
    yield pointer
    if isinstance(value, dict | list) and value:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for step, member in members:
            yield from _lines(member, pointer + pointer_to([step]))
        yield pointer
