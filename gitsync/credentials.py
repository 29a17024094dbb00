"""With what a destination speaks to its forge, and its place among those that do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from forges import standing, turns
from forges.clients.base import Client, Credential
from forges.opening import client_for, client_through
from forges.standing import ConnectionLost
from gitsync.models import Mirror, PushTarget
from gitsync.places import place_of
from jobs.context import RunContext
from jobs.outcomes import Failure, Waiting
from lib.crypto import CryptoError


@contextmanager
def open_client(
    target: PushTarget | Mirror, *, seconds: float | None, max_blob_bytes: int | None = None
) -> Iterator[Client]:
    """A client with the target's connection or own token. `seconds` is how long a person waits, None in a worker.
    `max_blob_bytes` is of the largest file to read, if not CONTENT_MAX_FILE_BYTES.

    Raises Failure when its connection was deleted or its token cannot be read, and Waiting when the connection is not
    connected, at once or in the middle: the Run goes on when somebody connects it again.
    """
    if target.credential_lost:
        raise Failure("credential_missing", f"{target.credential_lost} Choose another connection.")
    connection = target.connection
    if connection is None:
        try:
            credential = Credential(token=target.token, username=target.username)
        except CryptoError as error:
            raise Failure("credential_missing", str(error)) from error
        with client_for(
            forge=target.forge,
            base_url=target.base_url,
            credential=credential,
            seconds=seconds,
            max_blob_bytes=max_blob_bytes,
        ) as client:
            yield client
        return
    try:
        with client_through(connection, seconds=seconds, max_blob_bytes=max_blob_bytes) as client:
            yield client
    except ConnectionLost as error:
        raise Waiting(for_what=f"{standing.named(connection)} to be connected again") from error


@contextmanager
def turn(context: RunContext, target: PushTarget | Mirror) -> Iterator[None]:
    """The only place of a writer at its branch, and one among those that speak with the forge. Raises Waiting."""
    place = place_of(target)
    where = urlsplit(target.base_url).netloc.removeprefix("api.") or "its server"
    words = f"the branch {target.branch} of the repository {target.repository_id} at {where}"
    keys = turns.places(forge=target.forge, base_url=target.base_url, connection=target.connection)
    with turns.take(context.run, keys_with_limits={f"{words[:200]} #{place.digest}": 1, **keys}):
        yield
