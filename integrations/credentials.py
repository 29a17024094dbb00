"""With what an integration speaks to its forge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from forges import connections, holding
from forges.clients.base import Client
from forges.models import Connection
from forges.picking import FieldError
from integrations.models import Integration
from jobs.outcomes import Failure
from orgs import access
from orgs.models import Organization, User


@contextmanager
def open_client(integration: Integration, *, seconds: float | None) -> Iterator[Client]:
    """As `forges.holding.client_of`. Failure, too, when there is no credential where one is needed: asking would only
    be told “not found”."""
    if integration.credential_missing and not integration.credential_lost:
        raise Failure(
            "credential_missing",
            f"{integration.short_name} is private and has no credential here. Choose a connection or enter an access "
            "token with “Change credential”.",
        )
    choose = "Choose another one with “Change credential”."
    with holding.client_of(integration, choose=choose, seconds=seconds) as client:
        yield client


def check_chosen(connection: Connection, *, forge: str, organization: Organization, by: User) -> None:
    """FieldError unless it is, at this moment, a connection to that forge which the person may use there.

    Within the transaction that saves the choice: until that ends, it stays as it is.
    """
    current = Connection.objects.select_for_update(of=("self",)).filter(pk=connection.pk, forge=forge).first()
    membership = access.membership_of(by, organization.pk)
    if current is None or membership is None or not connections.may_use(membership, current):
        raise FieldError("connection", "This is not a connection that you may use for it (any more). Choose another.")
