"""The tool that searches: passages, where they are from, and how to read on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q

from endpoint.admitted import Admitted
from endpoint.serving.answers import Trouble, without_empty
from endpoint.serving.names import Names
from endpoint.serving.served import Served, served
from endpoint.serving.uris import SourceId, is_storable, shown
from indexing.models import Source
from indexing.search.model import EVERYTHING, BadCursor, Filters, Hit, Results
from indexing.search.searching import MAX_LIMIT, search_many

DEFAULT_LIMIT = 10
MAX_TITLE = 300
KNOWN = 10
"""Seconds for which it is remembered whether others are asked."""

INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {
            "type": "string",
            "minLength": 1,
            "description": "Words, or a question in plain language. Names of functions, settings and error messages "
            "are found as they are written. There are no operators.",
        },
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_LIMIT,
            "default": DEFAULT_LIMIT,
            "description": "How many passages.",
        },
        "path": {
            "type": "string",
            "description": "Only what is below this folder, such as guides/, or below this address of a web site.",
        },
        "cursor": {
            "type": "string",
            "description": "next_cursor of the answer before, with the same query and path: what follows it.",
        },
    },
    "required": ["query"],
    "additionalProperties": False,
}
OUTPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "description": "Best first.",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": "By which the whole document is read."},
                    "title": {"type": "string"},
                    "heading": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "The headings that the passage stands under, outermost first.",
                    },
                    "snippet": {"type": "string"},
                    "score": {"type": "number", "description": "Higher is better, within one answer."},
                    "path": {"type": "string", "description": "Of a file on this server."},
                    "url": {"type": "string", "description": "Where a person sees it."},
                    "citation": {
                        "type": "object",
                        "properties": {
                            "title": {"type": "string"},
                            "path": {"type": "string"},
                            "url": {"type": "string"},
                            "repository": {"type": "string"},
                            "commit": {"type": "string"},
                            "start_line": {"type": "integer"},
                            "end_line": {"type": "integer"},
                        },
                    },
                    "source": {"type": "string", "description": "Whose it is: a web site's or repository's name."},
                    "note": {"type": "string"},
                },
                "required": ["id", "title", "snippet", "score", "citation", "source"],
            },
        },
        "next_cursor": {"type": "string", "description": "There are more: send it as cursor."},
        "version": {"type": "integer", "description": "Of the server's files that were searched."},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["results"],
}
_LIVE = "It was fetched just now, as its source is still being indexed."
_NOTHING_YET = (
    "There is nothing to search here yet, whatever the words: no file, and no source. Whoever runs this can add files, "
    "connect a repository, or add a web site as a source, on its pages."
)
_TOLD = "Another MCP server told of it: its text is not kept here."


def search(admitted: Admitted, arguments: dict[str, Any], names: Names) -> dict[str, Any]:
    """`arguments` as INPUT says; the answer as OUTPUT says. Raises Trouble."""
    everything = served(admitted)
    query: str = arguments["query"]
    chosen, filters, notes = _confined(everything, arguments.get("path", ""))
    admitted.trace.query = shown(query)
    try:
        found = search_many(
            [(it.server, it.version) for it in chosen],
            query,
            limit=arguments.get("limit", DEFAULT_LIMIT),
            cursor=arguments.get("cursor", ""),
            filters=filters,
        )
    except BadCursor as error:
        raise Trouble(str(error)) from None
    admitted.trace.found = len(found.hits)
    by_server = {it.server.pk: it for it in chosen}
    return {
        "results": [_result(hit, by_server) for hit in found.hits],
        **without_empty(
            {
                "next_cursor": found.cursor,
                "version": admitted.version.number if admitted.version else None,
                "notes": [*notes, *_notes(found, arguments, names, everything)],
            }
        ),
    }


def asks_others(admitted: Admitted) -> bool:
    """Whether a search may wait for other servers: known for some seconds, as each call asks."""
    if settings.SEARCH_ELSEWHERE_SECONDS <= 0:
        return False
    key = f"endpoint:asks-others:{admitted.target.pk}"
    known: bool | None = cache.get(key)
    if known is None:
        unindexed = Q(kind__in=(Source.Kind.SITE, Source.Kind.REPOSITORY), indexed_at=None, error_code="")
        servers = [it.server for it in served(admitted)]
        sources = Source.objects.filter(unindexed | Q(kind=Source.Kind.MCP), server__in=servers, paused_at=None)
        known = sources.exists()
        cache.set(key, known, KNOWN)
    return known


def _confined(everything: Sequence[Served], path: str) -> tuple[Sequence[Served], Filters, list[str]]:
    """Which servers are searched, and what of them."""
    if not path or not everything:
        return everything, EVERYTHING, []
    if not is_storable(path):
        raise Trouble(f"Nothing can be below “{shown(path)}”. Leave the path out, or give a folder's.")
    if everything[0].prefix and not path.startswith(("https://", "http://")):
        slug, _, rest = path.lstrip("/").partition("/")
        chosen = [it for it in everything if it.server.slug == slug]
        if not chosen:
            known = ", ".join(it.prefix for it in everything)
            raise Trouble(f"Paths begin with a server here: {known}. There is none for “{shown(path)}”.")
        return chosen, Filters(path=rest), []
    return everything, Filters(path=path), []


def _notes(found: Results, arguments: dict[str, Any], names: Names, everything: Sequence[Served]) -> list[str]:
    notes = [f"“{word}” was not found; searched instead: {near}." for word, near in found.corrected.items()]
    notes += found.notes
    if not found.hits and not arguments.get("cursor"):
        if not _is_anything(everything):
            return [*notes, _NOTHING_YET]
        elsewhere = " Leave the path out to search everything." if arguments.get("path") else ""
        looking = f" {names.list} shows what files there are." if names.list else ""
        notes.append(f"Nothing was found. Try fewer or other words.{elsewhere}{looking}")
    return notes


def _is_anything(everything: Sequence[Served]) -> bool:
    """Whether there is a file or a source, in the index or not. Asked only where nothing was found."""
    sources = Source.objects.filter(server__in=[it.server for it in everything]).exclude(kind=Source.Kind.CONTENT)
    return sources.exists() or any(it.rows.exists() for it in everything)


# -- results -----------------------------------------------------------------------------------------------------------


def _result(hit: Hit, by_server: dict[Any, Served]) -> dict[str, Any]:
    it = by_server.get(hit.server_id)
    path = f"{it.prefix}{hit.path}" if it and _is_file(hit) else hit.path
    url = hit.url
    if not url and it and _is_file(hit):
        url = it.web_address(hit.path, {})
    place = without_empty({"path": path, "url": url})
    cited = {"repository": hit.repository, "commit": hit.commit, "start_line": hit.start_line, "end_line": hit.end_line}
    title = hit.title[:MAX_TITLE] or path or url
    return {
        "id": _id(hit, it),
        "title": title,
        **without_empty({"heading": list(hit.heading)}),
        "snippet": "".join(part.text for part in hit.snippet),
        "score": round(hit.score, 3),
        **place,
        "citation": {"title": title, **place, **without_empty({name: each or None for name, each in cited.items()})},
        "source": hit.source_name,
        **({"note": _LIVE} if hit.live else {"note": _TOLD} if hit.federated else {}),
    }


def _is_file(hit: Hit) -> bool:
    """Of the server's own content."""
    return hit.kind == Source.Kind.CONTENT


def _id(hit: Hit, it: Served | None) -> str:
    if _is_file(hit) and it is not None:
        return it.uri(hit.path)
    assert hit.source_id is not None  # noqa: S101  # all others come from one
    address = hit.path or hit.url.partition("#")[0] or hit.title
    return str(SourceId("live" if hit.live else "elsewhere" if hit.federated else "page", hit.source_id, address))
