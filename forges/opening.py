"""A forge client with this installation's caps and egress policy: the one place where settings meet the clients."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from forges.clients import open_client
from forges.clients.base import Client, Credential, Limits
from lib.database import release_connections
from lib.egress import Policy


def egress_policy() -> Policy:
    """What requests may reach, from the settings."""
    return _parsed(tuple(settings.EGRESS_ALLOW_HOSTS), tuple(settings.EGRESS_ALLOW_NETWORKS))


_parsed = lru_cache(maxsize=4)(Policy.parse)


def local_roots() -> tuple[Path, ...]:
    return tuple(Path(root) for root in settings.FORGE_LOCAL_ROOTS)


def limits(*, seconds: float | None = None) -> Limits:
    """The operator's caps; `seconds` bounds each request further, for work that a person waits for."""
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
        found = replace(found, timeout=min(found.timeout, seconds), total_timeout=min(found.total_timeout, seconds))
    return found


def client_for(*, forge: str, base_url: str, credential: Credential, seconds: float | None = None) -> Client:
    """A client to be used as a context manager. Raises `forges.clients.base.ForgeError`s when used.

    The database's connection is given back meanwhile; whoever asks the database in between gives it back again
    (`jobs.context.RunContext.progress` and `check` do).
    """
    release_connections()
    return open_client(
        forge,
        base_url=base_url,
        credential=credential,
        policy=egress_policy(),
        limits=limits(seconds=seconds),
        local_roots=local_roots(),
    )
