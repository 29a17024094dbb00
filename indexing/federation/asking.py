"""A query, asked of another MCP server: its answers as hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexing.federation.answers import found_in
from indexing.federation.model import Found, NoAnswer, SearchTool
from indexing.federation.remembered import remember, tool_of
from indexing.models import Source
from indexing.reasons import Reason
from indexing.search.model import Hit
from indexing.search.queries import MAX_CHARACTERS, parse
from indexing.search.snippets import Marker, snippet
from lib.crypto import CryptoError
from lib.database import release_connections
from lib.policy import egress_policy

if TYPE_CHECKING:
    from indexing.federation import calling


def warm() -> None:
    """Import the SDK, once for a process: before a deadline begins, which it would use up."""
    from indexing.federation import calling  # noqa: F401


def asking(source: Source, query: str, limit: int, seconds: float) -> tuple[Hit, ...]:
    """What the source's search tool finds, best first, within `seconds`. Raises NoAnswer.

    Asks nothing of the database (what the cache may ask it is given back before the server is asked).
    """
    from indexing.federation import calling

    known = tool_of(source)
    release_connections()
    try:
        answer, tool = calling.ask(
            place_of(source), query[:MAX_CHARACTERS], known=known, wanted=source.search_tool, seconds=seconds
        )
    except NoAnswer:
        remember(source, None)
        raise
    remember(source, tool)
    marker = Marker(parse(query).tokens)
    found = found_in(answer, limit=limit)
    return tuple(_hit(source, thing, marker, score=1 / rank) for rank, thing in enumerate(found, 1))


def place_of(source: Source) -> calling.Place:
    """Raises NoAnswer where its token cannot be read."""
    from indexing.federation import calling

    try:
        token = source.token
    except CryptoError as error:
        raise NoAnswer(Reason.AUTH_REQUIRED, str(error)) from error
    return calling.Place(source.url, token, egress_policy())


def find_tool(source: Source, *, seconds: float) -> SearchTool:
    """Ask the server for it, and remember it. Raises NoAnswer."""
    from indexing.federation import calling

    remember(source, None)
    tool = calling.find_tool(place_of(source), wanted=source.search_tool, seconds=seconds)
    remember(source, tool)
    return tool


def _hit(source: Source, thing: Found, marker: Marker, *, score: float) -> Hit:
    return Hit(
        title=thing.title,
        heading=(),
        snippet=snippet(thing.text, marker),
        score=score,
        kind=source.kind,
        source_id=source.pk,
        source_name=source.name,
        server_id=source.server_id,
        url=thing.url,
        federated=True,
    )
