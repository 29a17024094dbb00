"""The tool that lists files and folders."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from endpoint.admitted import Admitted
from endpoint.serving import paging
from endpoint.serving.answers import Trouble, without_empty
from endpoint.serving.entries import Entry, entries
from endpoint.serving.names import Names
from endpoint.serving.served import Served, served
from endpoint.serving.uris import is_storable, shown
from indexing.models import Source

DEFAULT_LIMIT, MOST = 100, 1_000
SOURCES = 20
"""Named where there are no files."""

INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {
            "type": "string",
            "description": "A folder, such as guides, or how paths begin: guides/st. Without one, the top.",
        },
        "recursive": {
            "type": "boolean",
            "default": False,
            "description": "All files below, in place of the files and folders of one folder.",
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
        "cursor": {
            "type": "string",
            "description": "next_cursor of the answer before, with the same path: what follows it.",
        },
    },
    "additionalProperties": False,
}
OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "entries": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "type": {"type": "string", "enum": ["file", "folder"]},
                    "size": {"type": "integer", "description": "Bytes, of a file."},
                },
                "required": ["path", "type"],
            },
        },
        "next_cursor": {"type": "string", "description": "There are more: send it as cursor."},
        "version": {"type": "integer", "description": "Of the server's files that are listed."},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["entries"],
}


def list_files(admitted: Admitted, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    """`arguments` as INPUT says; the answer as OUTPUT says. Raises Trouble."""
    everything = served(admitted)
    path: str = arguments.get("path", "")
    prefix = unicodedata.normalize("NFC", path.strip("/")) if is_storable(path) else None
    if prefix is None:
        raise _nothing(path)
    recursive, limit = arguments.get("recursive", False), arguments.get("limit", DEFAULT_LIMIT)
    listed = f"list {admitted.target.pk} {'all ' if recursive else ''}{prefix}"
    try:
        position = paging.read(arguments.get("cursor"), listed, length=2)
    except paging.BadCursor as error:
        raise Trouble(error.message) from None
    as_folder, after = (position[0] == "folder", position[1]) if position else (_is_folder(everything, prefix), "")
    found = _found(everything, prefix, as_folder=as_folder, recursive=recursive, after=after, limit=limit + 1)
    if not found and prefix and position is None:
        raise _nothing(path)
    given = found[:limit]
    told: dict[str, Any] = {"entries": [_told(entry) for entry in given]}
    if len(found) > limit:
        told["next_cursor"] = paging.write(listed, ["folder" if as_folder else "prefix", given[-1].key])
    notes = [] if found or position else _notes(everything, names)
    number = admitted.version.number if admitted.version else None
    admitted.trace.found = len(given)
    return {**told, **without_empty({"version": number, "notes": notes})}


def _told(entry: Entry) -> dict[str, Any]:
    if entry.is_folder:
        return {"path": entry.path, "type": "folder"}
    return {"path": entry.path, "type": "file", "size": entry.size}


def _is_folder(everything: Sequence[Served], prefix: str) -> bool:
    """Whether it is one, or how names begin."""
    return not prefix or bool(
        _found(everything, prefix, as_folder=True, recursive=True, after="", limit=1)  # the first file below
    )


def _found(
    everything: Sequence[Served], prefix: str, *, as_folder: bool, recursive: bool, after: str, limit: int
) -> list[Entry]:
    """With the paths that clients see, in the order of their keys."""
    start = f"{prefix}/" if as_folder and prefix else prefix
    found: list[Entry] = []
    for it in everything:
        # The server's own folder is above its files.
        if it.prefix != start and it.prefix.startswith(start) and not recursive:
            if it.prefix > after and it.rows.exists():
                found.append(Entry(it.prefix[:-1], True))
        elif start.startswith(it.prefix) or it.prefix.startswith(start):
            found += _of(it, start[len(it.prefix) :], recursive, after, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _of(it: Served, start: str, recursive: bool, after: str, limit: int) -> Iterator[Entry]:
    if after.startswith(it.prefix):
        after = after[len(it.prefix) :]
    elif after > it.prefix:
        return
    else:
        after = ""
    if recursive:
        files = it.files(below=start, after=after, limit=limit)
        found = [Entry(file.path, False, file.size) for file in files]
    else:
        folder, _, beginning = start.rpartition("/")
        found = entries(it, folder, beginning=beginning, after=after, limit=limit)
    for entry in found:
        yield Entry(f"{it.prefix}{entry.path}", entry.is_folder, entry.size)


def _nothing(path: str) -> Trouble:
    return Trouble(f"There is nothing below “{shown(path)}”. Leave the path out to see what there is at the top.")


def _notes(everything: Sequence[Served], names: Names) -> list[str]:
    """Of a server without files: what it has instead."""
    servers = [it.server for it in everything]
    sources = Source.objects.filter(server__in=servers).exclude(kind=Source.Kind.CONTENT)
    known = list(sources.order_by("name").values_list("name", flat=True)[:SOURCES])
    if not known:
        return ["There are no files yet."]
    how = f" {names.search} finds what is in these" if names.search else " There are these"
    return [f"There are no files.{how} sources: {', '.join(known)}."]
