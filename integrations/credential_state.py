"""What pages say of the credential that an integration has: whose it is, whether it works, and who can mend it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from forges import flows
from forges.connection_rows import tone_of
from forges.connections import PERSONAL, may_use
from forges.models import Connection
from forges.standing import MAKER_LEFT, where
from integrations.models import Integration
from integrations.wording import Step
from lib.crypto import CryptoError, mask
from orgs import access
from orgs.models import Membership


@dataclass(frozen=True, slots=True)
class CredentialState:
    text: str
    """What it is, in a sentence."""
    tone: str
    word: str
    """Of its status."""
    url: str = ""
    """Of the connection's page, for who sees that."""
    connection: Connection | None = None
    step: Step | None = None
    """What is wrong with it, and what to do."""


def of(integration: Integration, membership: Membership) -> CredentialState:
    """For somebody who may import; the integration comes with its connection and that with its maker."""
    wrong = step(integration, integration.connection, membership, may_import=True)
    connection = integration.connection
    if connection is not None:
        return _of_connection(connection, membership, wrong)
    if integration.credential_lost:
        return CredentialState("It has lost its credential.", "error", "Lost", step=wrong)
    if Integration.token.is_set(integration):
        return _of_token(integration)
    if integration.private:
        return CredentialState("It has none, and the repository is private.", "error", "Missing", step=wrong)
    return CredentialState("It needs none: anyone can read the repository.", "idle", "None")


def _of_connection(connection: Connection, membership: Membership, wrong: Step | None) -> CredentialState:
    seen = may_use(membership, connection)
    whose = "shared with the organisation" if connection.shared else "your own"
    facts = f"{connection.get_method_display()}, {whose}" if seen else connection.get_method_display()
    return CredentialState(
        f"{_named(connection, membership)} at {where(connection)} ({facts}).",
        tone_of(connection),
        connection.get_status_display(),
        url=reverse("forges:connection", args=[membership.organization.slug, connection.pk]) if seen else "",
        connection=connection,
        step=wrong,
    )


def _named(connection: Connection, membership: Membership) -> str:
    """The connection with its account; whose it is instead, for who is not shown a colleague's own account."""
    if may_use(membership, connection):
        return f"The connection of {connection}"
    return f"A connection of {connection.user}" if connection.user else "A connection of somebody who left"


def _of_token(integration: Integration) -> CredentialState:
    try:
        shown = mask(integration.token)
    except CryptoError:
        lost = Step("error", "The stored token cannot be decrypted any more. Enter a new one.")
        return CredentialState("An access token of its own.", "error", "Unreadable", step=lost)
    whose = f" of {integration.token_account}" if integration.token_account else ""
    return CredentialState(f"The access token {shown}{whose}, kept with this integration alone.", "ok", "Stored")


def step(
    integration: Integration, connection: Connection | None, membership: Membership, *, may_import: bool
) -> Step | None:
    """What is wrong with the credential and what this member can do about it; None while nothing is known to be.

    Asks the database nothing.
    """
    org = membership.organization.slug
    edit = reverse("integrations:edit", args=[org, integration.pk]) if may_import else ""
    if connection is not None:
        return None if connection.is_connected else _lost(integration, connection, membership, edit)
    if integration.credential_lost:
        return Step("error", integration.credential_lost, "Choose another credential", edit)
    if integration.credential_missing:
        return Step("error", "It is private and has no credential here.", "Choose one", edit)
    return None


def _lost(integration: Integration, connection: Connection, membership: Membership, edit: str) -> Step:
    reason = connection.reason.rstrip(".") or "It is not connected"
    said = f"{_named(connection, membership)} does not work: {_lower(reason)}. Refreshes wait for it."
    if may_reconnect(connection, membership):
        back = reverse("integrations:integration", args=[membership.organization.slug, integration.pk])
        return Step("error", said, "Reconnect", flows.again_url(connection, membership, back=back))
    personal = connection.user is not None and not connection.shared and connection.reason_code != MAKER_LEFT
    who = connection.user if personal else "who manages connections"
    return Step("error", f"{said} Ask {who} to connect it again.", "Choose another credential", edit)


def _lower(sentence: str) -> str:
    """As it goes on after a colon; names in capitals stay."""
    first = sentence.partition(" ")[0]
    return sentence[:1].lower() + sentence[1:] if first in ("The", "It", "Its", "This") else sentence


def may_reconnect(connection: Connection, membership: Membership) -> bool:
    """As `forges.connections.may_manage`, without asking the database who is here."""
    if connection.user_id == membership.user_id and connection.method in PERSONAL:
        return True
    ours = connection.shared or connection.reason_code == MAKER_LEFT
    return ours and access.may(membership, "connections.manage")
