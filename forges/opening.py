"""A forge client with this installation's caps and egress policy: the one place where settings meet the clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore

from django.conf import settings

from forges.clients import open_client
from forges.clients.base import Client, CredentialSource, Limits, Usage
from forges.clients.errors import AuthFailed, Busy, Forbidden, ForgeError, TooLarge, TooLargeNow
from forges.credentials import credential_source
from forges.models import Connection, Method
from forges.standing import lost
from lib.database import release_connections
from lib.policy import egress_policy

WHOLE = 3
"""Times as long as one exchange with a forge may take, everything together may take while a person waits."""
AT_ONCE = 4
"""Clients that people of one process wait for at once: were all its threads waiting, nobody would see a page."""
TURN_SECONDS = 1.0
"""How long one more waits for its turn."""

_TURNS = BoundedSemaphore(AT_ONCE)
_LARGEST = 2**31 - 1
"""What a column of numbers holds."""


def local_roots() -> tuple[Path, ...]:
    return tuple(Path(root) for root in settings.FORGE_LOCAL_ROOTS)


def limits(*, seconds: float | None = None, max_blob_bytes: int | None = None) -> Limits:
    """The operator's caps; for work that a person waits for, `seconds` bounds each request further, and with it go a
    bound of the whole and a lower cap on what may be fetched."""
    found = Limits(
        timeout=settings.FORGE_TIMEOUT,
        total_timeout=settings.FORGE_TOTAL_TIMEOUT,
        max_pages=settings.FORGE_MAX_PAGES,
        max_tree_requests=settings.FORGE_MAX_TREE_REQUESTS,
        listing_seconds=settings.FORGE_LISTING_SECONDS,
        max_entries=settings.FORGE_MAX_ENTRIES,
        max_archive_bytes=settings.FORGE_MAX_ARCHIVE_BYTES,
        max_blob_bytes=max_blob_bytes or settings.CONTENT_MAX_FILE_BYTES,
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
def turn() -> Iterator[None]:
    """For whatever a person waits for: Busy when too many do already."""
    if not _TURNS.acquire(timeout=TURN_SECONDS):
        raise Busy("Many people ask forges at this moment.")
    try:
        yield
    finally:
        _TURNS.release()


@contextmanager
def client_for(
    *,
    forge: str,
    base_url: str,
    credential: CredentialSource,
    seconds: float | None = None,
    max_blob_bytes: int | None = None,
) -> Iterator[Client]:
    """A client for `with`, in which it raises `forges.clients.errors.ForgeError`s.

    With `seconds`, as in `limits`, it is for work that a person waits for. Then also Busy at once when too many wait
    already, OutOfTime, and TooLargeNow for what a client without `seconds` may take.

    The database's connection is given back meanwhile; whoever asks the database in between gives it back again
    (`jobs.context.RunContext.progress` and `check` do).
    """
    caps = limits(seconds=seconds, max_blob_bytes=max_blob_bytes)
    client = open_client(
        forge,
        base_url=base_url,
        credential=credential,
        policy=egress_policy(),
        limits=caps,
        local_roots=local_roots(),
    )
    release_connections()
    with nullcontext() if seconds is None else turn(), client:
        try:
            yield client
        except TooLarge as error:
            if caps.max_archive_bytes < settings.FORGE_MAX_ARCHIVE_BYTES:
                raise TooLargeNow("The repository is too large to look into while you wait.") from error
            raise


@contextmanager
def client_through(
    connection: Connection, *, seconds: float | None = None, max_blob_bytes: int | None = None
) -> Iterator[Client]:
    """The same with a connection's credential, which is renewed as it goes. What the forge tells of its rate limit is
    noted on the connection.

    ConnectionLost (an AuthFailed, with the connection's reason) when it is not connected, at once or in the middle.
    """
    if not connection.is_connected:
        raise lost(connection)
    source = credential_source(connection)
    with client_for(
        forge=connection.forge,
        base_url=connection.base_url,
        credential=source,
        seconds=seconds,
        max_blob_bytes=max_blob_bytes,
    ) as client:
        try:
            yield client
        except (AuthFailed, Forbidden) as error:
            if isinstance(error, Forbidden) and connection.method == Method.GITHUB_APP:
                _learn_of_suspension(source)
            now = Connection.objects.filter(pk=connection.pk).first()
            if now is not None and not now.is_connected:
                raise lost(now) from error
            raise
        finally:
            note_rate(connection, client.usage)


def _learn_of_suspension(source: CredentialSource) -> None:
    """A suspended App's token is refused with 403, as is what an App may not do: asking for another one tells which."""
    with suppress(ForgeError):
        source.renewed(source.current())


def note_rate(connection: Connection, usage: Usage) -> None:
    """Keep what the forge told last, for the budgets of `forges.turns`; nothing where it does not tell."""
    if usage.rate_limit is None or usage.rate_remaining is None:
        return
    Connection.objects.filter(pk=connection.pk).update(
        rate_limit=min(usage.rate_limit, _LARGEST),
        rate_remaining=min(usage.rate_remaining, _LARGEST),
        rate_reset_at=usage.rate_reset_at,
    )
    release_connections()
