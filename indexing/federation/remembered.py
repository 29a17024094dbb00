"""Which tool a source was asked by last: in the cache, so that a search need not ask for the list of them again."""

from __future__ import annotations

from django.core.cache import cache

from indexing.federation.model import SearchTool
from indexing.models import Source

SECONDS = 3600


def tool_of(source: Source) -> SearchTool | None:
    found: SearchTool | None = cache.get(_key(source))
    return found


def remember(source: Source, tool: SearchTool | None) -> None:
    """None forgets."""
    if tool is None:
        cache.delete(_key(source))
    else:
        cache.set(_key(source), tool, SECONDS)


def _key(source: Source) -> str:
    # Whoever edits the source may have meant another server or tool.
    return f"indexing:tool:{source.pk}:{source.updated_at.timestamp()}"
