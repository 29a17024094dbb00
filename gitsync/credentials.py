"""With what a destination speaks to its forge, and its place among those that do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

from forges import holding, turns
from forges.clients.base import Client
from gitsync.models import Mirror, PushTarget
from gitsync.places import place_of
from jobs.context import RunContext


def open_client(
    target: PushTarget | Mirror, *, seconds: float | None, max_blob_bytes: int | None = None
) -> AbstractContextManager[Client]:
    """As `forges.holding.client_of`."""
    return holding.client_of(
        target, choose="Choose another connection.", seconds=seconds, max_blob_bytes=max_blob_bytes
    )


@contextmanager
def turn(context: RunContext, target: PushTarget | Mirror) -> Iterator[None]:
    """The only place of a writer at its branch, and one among those that speak with the forge. Raises Waiting."""
    place = place_of(target)
    where = urlsplit(target.base_url).netloc.removeprefix("api.") or "its server"
    words = f"the branch {target.branch} of the repository {target.repository_id} at {where}"
    keys = turns.places(forge=target.forge, base_url=target.base_url, connection=target.connection)
    with turns.take(context.run, keys_with_limits={f"{words[:200]} #{place.digest}": 1, **keys}):
        yield
