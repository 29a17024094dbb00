"""The tool that reads a document, whole or in parts that fit a budget."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from catalog.tree import below
from endpoint.admitted import Admitted
from endpoint.serving.answers import Trouble, without_empty
from endpoint.serving.mime import mime_type
from endpoint.serving.names import Names
from endpoint.serving.parts import CHARACTERS_A_TOKEN, NoSuchPart, Part, part_of
from endpoint.serving.served import Served, named, served, split
from endpoint.serving.uris import FileId, SourceId, is_storable, parse_id, shown
from indexing.models import Page, Source
from indexing.search.citing import with_lines

DEFAULT_TOKENS, FEWEST_TOKENS, MOST_TOKENS = 8_000, 50, 100_000
_LARGEST = 1 << 40
"""Of numbers that say where a part begins: far more than any text has."""

INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The id of a search result, or the URI of a resource."},
        "path": {"type": "string", "description": "In place of an id: the path of a file, such as guides/start.md."},
        "start_line": {
            "type": "integer",
            "minimum": 1,
            "maximum": _LARGEST,
            "description": "The first line to read, from 1.",
        },
        "end_line": {
            "type": "integer",
            "minimum": 1,
            "maximum": _LARGEST,
            "description": "The last line to read.",
        },
        "offset": {
            "type": "integer",
            "minimum": 0,
            "maximum": _LARGEST,
            "description": "In place of start_line: the character to begin at, as next_offset told.",
        },
        "max_tokens": {
            "type": "integer",
            "minimum": FEWEST_TOKENS,
            "maximum": MOST_TOKENS,
            "default": DEFAULT_TOKENS,
            "description": "About how long the text may be; the answer says how to go on.",
        },
    },
    "additionalProperties": False,
}
OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "text": {"type": "string", "description": "The part that was asked for, exactly as it stands."},
        "url": {"type": "string", "description": "Where a person sees it."},
        "next_offset": {"type": "integer", "description": "There is more: send it as offset."},
        "more": {"type": "string", "description": "What part this is, and how to go on."},
        "metadata": {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "source": {"type": "string", "description": "A web site's or repository's name."},
                "repository": {"type": "string"},
                "branch": {"type": "string"},
                "commit": {"type": "string"},
                "version": {"type": "integer", "description": "Of the server's files."},
                "mime_type": {"type": "string"},
                "start_line": {"type": "integer"},
                "end_line": {"type": "integer"},
                "lines": {"type": "integer", "description": "Of the whole document."},
                "characters": {"type": "integer", "description": "Of the whole document."},
                "sha256": {"type": "string", "description": "Of the whole document: it changed if this did."},
            },
        },
    },
    "required": ["id", "title", "text", "metadata"],
}


def fetch(admitted: Admitted, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    """`arguments` as INPUT says; the answer as OUTPUT says. Raises Trouble."""
    asked: str = arguments.get("id") or arguments.get("path") or ""
    if not asked:
        raise Trouble(f"Say what to read: the id of a search result, or a path.{_looking(names)}")
    if "offset" in arguments and "start_line" in arguments:
        raise Trouble("Give offset or start_line, not both: each says where to begin.")
    everything = served(admitted)
    found = parse_id(asked)
    if isinstance(found, SourceId):
        return _page(everything, found, arguments, names)
    if isinstance(found, FileId):
        it = named(everything, found.server)
        place = (it, found.path) if it is not None else None
    else:
        place = split(everything, asked.strip("/"))
    if place is None:
        raise _not_found(asked, names)
    return _file(*place, asked, arguments, names)


def _file(it: Served, path: str, asked: str, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    document = it.document(path)
    if document is None:
        if below(it.rows, path).exists():
            how = f" {names.list} with this path shows what is in it." if names.list else ""
            raise Trouble(f"“{shown(asked)}” is a folder.{how}")
        raise _not_found(asked, names, it)
    brought, part = document.brought, _part(document.text, arguments)
    return {
        "id": it.uri(path),
        "title": document.title,
        "text": part.text,
        **without_empty({"url": _at(it.web_address(path, brought), part)}),
        **_more(part, arguments, names),
        "metadata": {
            "path": f"{it.prefix}{path}",
            **{name: str(brought[name]) for name in ("repository", "branch", "commit") if brought.get(name)},
            **({"version": it.version.number} if it.version is not None else {}),
            "mime_type": mime_type(path),
            **_facts(part, document.sha256),
        },
    }


def _page(everything: Sequence[Served], wanted: SourceId, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    """Of a source of these servers, if it is in the index by now, however the id was given."""
    servers = [it.server.pk for it in everything]
    source: Source | None = Source.objects.filter(pk=wanted.source, server__in=servers).first()
    if source is None:
        raise _not_found(str(wanted), names)
    key = hashlib.sha256(wanted.address.encode()).hexdigest()
    pages = Page.objects.filter(source=source, key=key, text__isnull=False).select_related("text__blob")
    page = pages.first()
    if page is None or page.text is None:
        raise Trouble(_unread(wanted, source, names))
    blob = page.text.blob
    part = _part(blob.text, arguments)
    of_repository = source.kind == Source.Kind.REPOSITORY
    facts = {"repository": source.repository, "commit": source.last_commit} if of_repository else {}
    return {
        "id": str(SourceId("page", source.pk, wanted.address)),
        "title": page.title or page.text.title,
        "text": part.text,
        **without_empty({"url": _at(page.url, part) if of_repository else page.url}),
        **_more(part, arguments, names),
        "metadata": {
            "source": source.name,
            **without_empty({"path": page.path if of_repository else "", **facts}),
            **_facts(part, blob.sha256),
        },
    }


def _part(text: str, arguments: dict[str, Any]) -> Part:
    try:
        return part_of(
            text,
            offset=arguments.get("offset", 0),
            start_line=arguments.get("start_line"),
            end_line=arguments.get("end_line"),
            characters=arguments.get("max_tokens", DEFAULT_TOKENS) * CHARACTERS_A_TOKEN,
        )
    except NoSuchPart as error:
        raise Trouble(f"{error} Ask for another part, or for all of it.") from None


def _at(url: str, part: Part) -> str:
    """At the lines of a part; as it is for all of them."""
    return with_lines(url, part.first_line, part.last_line) if (part.start, part.end) != (0, part.length) else url


def _more(part: Part, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    if (part.start, part.end) == (0, part.length):
        return {}
    here = f"These are lines {part.first_line:,} to {part.last_line:,} of {part.lines:,}."
    if part.next is None:
        rest = " The document goes on after them." if part.end < part.length else " The document ends here."
        return {"more": here + rest}
    last = f" and end_line {arguments['end_line']}" if "end_line" in arguments else ""
    how = f" There is more: call {names.fetch} with the same id and offset {part.next}{last}."
    return {"next_offset": part.next, "more": here + how}


def _facts(part: Part, sha256: str) -> dict[str, Any]:
    lines = {"start_line": part.first_line, "end_line": part.last_line} if part.length else {}
    return {**lines, "lines": part.lines, "characters": part.length, "sha256": sha256}


# -- what cannot be read -----------------------------------------------------------------------------------------------


def _not_found(asked: str, names: Names, it: Served | None = None) -> Trouble:
    where = f" in version {it.version.number}" if it is not None and it.version is not None else ""
    return Trouble(f"There is nothing at “{shown(asked)}”{where} on this server.{_looking(names)}")


def _looking(names: Names) -> str:
    ways = [name for name in (names.search, names.list) if name]
    return f" {' and '.join(ways)} tell{'s' if len(ways) == 1 else ''} what there is." if ways else ""


def _unread(wanted: SourceId, source: Source, names: Names) -> str:
    address = shown(wanted.address)
    is_url = wanted.address.startswith(("https://", "http://")) and is_storable(wanted.address)
    instead = f" Read it at {address} itself." if is_url else ""
    again = f" Or call {names.search} again in a while." if names.search else ""
    if wanted.kind == "elsewhere" or source.kind == Source.Kind.MCP:
        return f"“{address}” was told of by “{source.name}”, another MCP server: its text is not kept here.{instead}"
    if source.indexed_at is None:
        return f"“{source.name}” is still being indexed, and “{address}” is not there yet.{instead}{again}"
    return f"“{address}” is not in the index of “{source.name}” now.{instead}{again}"
