"""With what a thing of the apps above speaks to its forge (an integration, a destination, a source), and its place
among those that do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from forges import standing, turns
from forges.clients.base import Client, Credential
from forges.models import Connection
from forges.opening import client_for, client_through
from forges.standing import ConnectionLost
from jobs.context import RunContext
from jobs.outcomes import Failure, Waiting
from lib.crypto import CryptoError


class Holder(Protocol):
    """A row that has a credential: a connection, or a token of its own, or none for what anybody may read."""

    forge: str
    base_url: str
    credential_lost: str
    """Why its connection is gone, for a person; "" while it is not."""

    @property
    def connection(self) -> Connection | None: ...
    @property
    def token(self) -> str: ...
    @property
    def username(self) -> str: ...


@contextmanager
def client_of(
    holder: Holder, *, choose: str, seconds: float | None, max_blob_bytes: int | None = None
) -> Iterator[Client]:
    """A client with the holder's connection or own token. `choose` is what to do about a connection that is gone;
    `seconds` is how long a person waits, None in a worker; `max_blob_bytes` is of the largest file to read, if not
    CONTENT_MAX_FILE_BYTES.

    Raises Failure when its connection was deleted or its token cannot be read, and Waiting when the connection is not
    connected, at once or in the middle: the Run goes on when somebody connects it again.
    """
    if holder.credential_lost:
        raise Failure("credential_missing", f"{holder.credential_lost} {choose}")
    connection = holder.connection
    if connection is None:
        try:
            credential = Credential(token=holder.token, username=holder.username)
        except CryptoError as error:
            raise Failure("credential_missing", str(error)) from error
        with client_for(
            forge=holder.forge,
            base_url=holder.base_url,
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
        raise waiting_for(connection) from error


def waiting_for(connection: Connection) -> Waiting:
    return Waiting(for_what=f"{standing.named(connection)} to be connected again")


@contextmanager
def turn_of_reader(context: RunContext, holder: Holder) -> Iterator[None]:
    """A place among those that read from the forge at this moment, for a worker: a person who waits takes none.

    Raises Waiting when there is none, or when what is left of the hour's requests is people's.
    """
    place: AbstractContextManager[None] = nullcontext()
    if context.budget is None:
        connection = holder.connection
        turns.spare(context.run, connection)
        there = turns.places(forge=holder.forge, base_url=holder.base_url, connection=connection)
        place = turns.take(context.run, keys_with_limits=there)
    with place:
        yield
