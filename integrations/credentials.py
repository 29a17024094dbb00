"""With what an integration speaks to its forge, and what becomes of its Runs when it cannot any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from forges import connections, standing, turns
from forges.clients.base import Client, Credential
from forges.models import Connection
from forges.opening import client_for, client_through
from forges.picking import FieldError
from forges.standing import ConnectionLost
from integrations.models import Integration
from jobs.context import RunContext
from jobs.outcomes import Failure, Waiting
from orgs import access
from orgs.models import Organization, User


@contextmanager
def open_client(integration: Integration, *, seconds: float | None) -> Iterator[Client]:
    """A client with the integration's connection or own token. `seconds` is how long a person waits, None in a worker.

    Raises Failure when there is no credential where one is needed (asking would only be told “not found”), and Waiting
    when its connection is not connected, at once or in the middle: the Run goes on when somebody connects it again.
    """
    if integration.credential_lost:
        raise Failure(
            "credential_missing", f"{integration.credential_lost} Choose another one with “Change credential”."
        )
    if integration.credential_missing:
        raise Failure(
            "credential_missing",
            f"{integration.short_name} is private and has no credential here. Choose a connection or enter an access "
            "token with “Change credential”.",
        )
    connection = integration.connection
    if connection is None:
        with client_for(
            forge=integration.forge,
            base_url=integration.base_url,
            credential=Credential(token=integration.token, username=integration.username),
            seconds=seconds,
        ) as client:
            yield client
        return
    try:
        with client_through(connection, seconds=seconds) as client:
            yield client
    except ConnectionLost as error:
        raise waiting_for(connection) from error


def check_chosen(connection: Connection, *, forge: str, organization: Organization, by: User) -> None:
    """FieldError unless it is, at this moment, a connection to that forge which the person may use there.

    Within the transaction that saves the choice: until that ends, it stays as it is.
    """
    current = Connection.objects.select_for_update(of=("self",)).filter(pk=connection.pk, forge=forge).first()
    membership = access.membership_of(by, organization.pk)
    if current is None or membership is None or not connections.may_use(membership, current):
        raise FieldError("connection", "This is not a connection that you may use for it (any more). Choose another.")


def waiting_for(connection: Connection) -> Waiting:
    return Waiting(for_what=f"{standing.named(connection)} to be connected again")


@contextmanager
def turn_at_forge(context: RunContext, integration: Integration) -> Iterator[None]:
    """A place among those that read from the forge at this moment, for a worker: a person who waits takes none.

    Raises Waiting when there is none, or when what is left of the hour's requests is people's.
    """
    place: AbstractContextManager[None] = nullcontext()
    if context.budget is None:
        connection = integration.connection
        turns.spare(context.run, connection)
        there = turns.places(forge=integration.forge, base_url=integration.base_url, connection=connection)
        place = turns.take(context.run, keys_with_limits=there)
    with place:
        yield
