"""What is asked beside the index: other MCP servers, and pages of what is not indexed yet.

All of it in a few threads of the process and within one deadline, whoever does not answer. What a source answered is
kept for a minute, so that agents that ask the same again do not ask it of others; one that does not answer again and
again is left alone for a while. Whatever is kept is kept under the source's own id.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.db.models import Q, QuerySet

from catalog.models import Server
from indexing.federation.asking import asking, warm
from indexing.federation.model import NoAnswer
from indexing.live.asking import fetched
from indexing.models import Source
from indexing.reasons import Reason
from indexing.search.model import Filters, Hit
from lib.database import release_connections

logger = logging.getLogger(__name__)

MOST = 8
"""Sources of one search that are asked."""
KEPT = 60
"""Seconds that an answer is kept."""
FAILURES, ALONE = 3, 120
"""So many in a row, and for so many seconds nothing is asked."""
_HOPELESS = (Reason.AUTH_REQUIRED, Reason.EMPTY, Reason.BLOCKED_ADDRESS)
"""MCP servers with these errors answer nothing until somebody does something about it."""

_ASKERS = ThreadPoolExecutor(8, thread_name_prefix="elsewhere")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    hits: tuple[tuple[Hit, ...], ...] = ()
    """Of each that answered, best first."""
    notes: tuple[str, ...] = ()
    """Sentences about those that did not."""


def ask(servers: Sequence[Server], query: str, *, limit: int, filters: Filters) -> Elsewhere:
    """One query of the database; then SEARCH_ELSEWHERE_SECONDS at most, and none where there is nobody to ask."""
    if settings.SEARCH_ELSEWHERE_SECONDS <= 0:
        return Elsewhere()
    sources = list(_asked(servers, filters)[: MOST + 1])
    if not sources:
        return Elsewhere()
    notes = [f"“{source.name}” is still being indexed." for source in sources[:MOST] if not _is_mcp(source)]
    if len(sources) > MOST:
        notes.append(f"Of the sources that are asked as you search, {MOST} were asked.")
    answers, troubles = _answers(sources[:MOST], query, limit=limit, path=filters.path)
    return Elsewhere(tuple(hits for hits in answers if hits), (*notes, *troubles))


def _asked(servers: Sequence[Server], filters: Filters) -> QuerySet[Source]:
    unindexed = Q(kind__in=(Source.Kind.SITE, Source.Kind.REPOSITORY), indexed_at=None, error_code="")
    mcp = Q(kind=Source.Kind.MCP) & ~Q(error_code__in=_HOPELESS)
    # Nobody knows where on a server things are that another one finds.
    wanted = Source.objects.filter(unindexed if filters.path else unindexed | mcp, server__in=servers, paused_at=None)
    if filters.sources:
        wanted = wanted.filter(pk__in=filters.sources)
    if filters.kinds:
        wanted = wanted.filter(kind__in=filters.kinds)
    found: QuerySet[Source] = wanted.select_related("connection").order_by("created_at")
    return found


def _is_mcp(source: Source) -> bool:
    return source.kind == Source.Kind.MCP


# -- asking ------------------------------------------------------------------------------------------------------------


def _answers(
    sources: Sequence[Source], query: str, *, limit: int, path: str
) -> tuple[list[tuple[Hit, ...]], list[str]]:
    keys = {source.pk: _key(source, query, path, limit) for source in sources}
    kept = cache.get_many([*keys.values(), *map(_failures_key, sources)])
    answers: dict[object, tuple[Hit, ...]] = {}
    troubles: list[str] = []
    to_ask: list[Source] = []
    for source in sources:
        if (known := kept.get(keys[source.pk])) is not None:
            answers[source.pk] = known
        elif kept.get(_failures_key(source), 0) >= FAILURES:
            troubles.append(f"“{source.name}” did not answer lately, and is left alone for a while.")
        else:
            to_ask.append(source)
    if to_ask:
        if any(map(_is_mcp, to_ask)):
            warm()
        release_connections()
        seconds = settings.SEARCH_ELSEWHERE_SECONDS
        end = time.monotonic() + seconds
        tasks: dict[Future[_Told], Source] = {
            _ASKERS.submit(_ask, source, query, key=keys[source.pk], path=path, limit=limit, end=end): source
            for source in to_ask
        }
        done, late = wait(tasks, timeout=seconds)
        for task in done:
            told = task.result()
            answers[tasks[task].pk] = told.hits
            troubles += [told.trouble] if told.trouble else []
        for task in late:
            source = tasks[task]
            if task.cancel():
                troubles.append(f"“{source.name}” was not asked: too much is searched at this moment.")
            else:
                troubles.append(f"“{source.name}” did not answer in time.")
    return [answers[source.pk] for source in sources if source.pk in answers], troubles


@dataclass(frozen=True, slots=True)
class _Told:
    hits: tuple[Hit, ...] = ()
    trouble: str = ""


def _ask(source: Source, query: str, *, key: str, path: str, limit: int, end: float) -> _Told:
    """In a thread, to its end whether somebody still waits or not: what comes late is there for the next who asks."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        return _Told()
    try:
        if _is_mcp(source):
            hits: tuple[Hit, ...] | None = asking(source, query, limit, seconds)
        else:
            hits = fetched(source, query, path=path, limit=limit, seconds=seconds)
        if hits is None:
            _note_failure(source, seconds)
            return _Told()
        cache.set(key, hits, KEPT)
        cache.delete(_failures_key(source))
        return _Told(hits)
    except NoAnswer as error:
        if error.reason != Reason.EMPTY:  # that is of this query alone
            _note_failure(source, seconds)
        return _Told(trouble=f"“{source.name}” did not answer. {error}")
    except Exception:
        logger.exception("Asking source %s as somebody searched failed", source.pk)
        _note_failure(source, seconds)
        return _Told(trouble=f"“{source.name}” could not be asked.")
    finally:
        connections.close_all()


def _note_failure(source: Source, seconds: float) -> None:
    """`seconds` are what it was given; of what waited long for a thread it is not to blame."""
    if seconds < settings.SEARCH_ELSEWHERE_SECONDS / 2:
        return
    cache.add(_failures_key(source), 0, ALONE)
    with suppress(ValueError):  # it has just run out
        cache.incr(_failures_key(source))


def _failures_key(source: Source) -> str:
    # Whoever edits the source may have mended it.
    return f"indexing:elsewhere:failures:{source.pk}:{source.updated_at.timestamp()}"


def _key(source: Source, query: str, path: str, limit: int) -> str:
    asked = hashlib.sha256("\0".join((query, path, str(limit))).encode()).hexdigest()
    return f"indexing:elsewhere:{source.pk}:{source.updated_at.timestamp()}:{asked}"
