"""A forge client with this installation's caps and egress policy: the one place where settings meet the clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore

from django.conf import settings

from forges.clients import open_client
from forges.clients.base import Busy, Client, Credential, Limits, TooLarge, TooLargeNow
from lib.database import release_connections
from lib.egress import Policy

WHOLE = 3
"""Times as long as one exchange with a forge may take, everything together may take while a person waits."""
AT_ONCE = 4
"""Clients that people of one process wait for at once: were all its threads waiting, nobody would see a page."""
TURN_SECONDS = 1.0
"""How long one more waits for its turn."""

_TURNS = BoundedSemaphore(AT_ONCE)


def egress_policy() -> Policy:
    """What requests may reach, from the settings."""
    return _parsed(tuple(settings.EGRESS_ALLOW_HOSTS), tuple(settings.EGRESS_ALLOW_NETWORKS))


_parsed = lru_cache(maxsize=4)(Policy.parse)


def local_roots() -> tuple[Path, ...]:
    return tuple(Path(root) for root in settings.FORGE_LOCAL_ROOTS)


def limits(*, seconds: float | None = None) -> Limits:
    """The operator's caps; for work that a person waits for, `seconds` bounds each request further, and with it go a
    bound of the whole and a lower cap on what may be fetched."""
    found = Limits(
        timeout=settings.FORGE_TIMEOUT,
        total_timeout=settings.FORGE_TOTAL_TIMEOUT,
        max_pages=settings.FORGE_MAX_PAGES,
        max_tree_requests=settings.FORGE_MAX_TREE_REQUESTS,
        max_entries=settings.FORGE_MAX_ENTRIES,
        max_archive_bytes=settings.FORGE_MAX_ARCHIVE_BYTES,
        max_blob_bytes=settings.CONTENT_MAX_FILE_BYTES,
    )
    if seconds is not None:
        found = replace(
            found,
            timeout=min(found.timeout, seconds),
            total_timeout=min(found.total_timeout, seconds),
            deadline=WHOLE * seconds,
            max_archive_bytes=min(found.max_archive_bytes, settings.FORGE_INTERACTIVE_MAX_BYTES),
        )
    return found


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=TURN_SECONDS):
        raise Busy("Many people ask forges at this moment.")
    try:
        yield
    finally:
        _TURNS.release()


@contextmanager
def client_for(*, forge: str, base_url: str, credential: Credential, seconds: float | None = None) -> Iterator[Client]:
    """A client for `with`, in which it raises `forges.clients.base.ForgeError`s.

    With `seconds`, as in `limits`, it is for work that a person waits for. Then also Busy at once when too many wait
    already, OutOfTime, and TooLargeNow for what a client without `seconds` may take.

    The database's connection is given back meanwhile; whoever asks the database in between gives it back again
    (`jobs.context.RunContext.progress` and `check` do).
    """
    caps = limits(seconds=seconds)
    client = open_client(
        forge,
        base_url=base_url,
        credential=credential,
        policy=egress_policy(),
        limits=caps,
        local_roots=local_roots(),
    )
    release_connections()
    with nullcontext() if seconds is None else _turn(), client:
        try:
            yield client
        except TooLarge as error:
            if caps.max_archive_bytes < settings.FORGE_MAX_ARCHIVE_BYTES:
                raise TooLargeNow("The repository is too large to look into while you wait.") from error
            raise
