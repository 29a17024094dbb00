"""What members do with connections that are there: rename, disconnect, delete, share; and who may.

Making them: `connecting`.

A personal connection is its maker's own. What is shared belongs to the organisation, as does what a maker who left has
left behind: who has `connections.manage` manages it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from forges import standing
from forges.clients import oauth
from forges.clients.errors import ForgeError
from forges.credentials import credential_source
from forges.models import NAME_LENGTH, Connection, ConnectionStatus, Method
from forges.renewing import EXCHANGE_SECONDS, configured_app
from forges.signals import connection_changed
from lib.database import release_connections
from lib.policy import egress_policy
from orgs import access, audit
from orgs.models import Membership

PERSONAL = (Method.OAUTH, Method.TOKEN)
"""Methods that speak for a person's own account."""


def visible(membership: Membership) -> QuerySet[Connection]:
    """What the member sees: their own, what is shared, and for who manages connections what a leaver left behind."""
    mine = Q(user=membership.user_id) | Q(shared=True)
    if access.may(membership, "connections.manage"):
        mine |= ~Q(Exists(makers()))
    found: QuerySet[Connection] = Connection.objects.filter(mine, organization=membership.organization_id)
    return found.select_related("user", "organization")


def needing_attention(membership: Membership) -> QuerySet[Connection]:
    """Connections that the member manages and that are not connected, although nobody disconnected them by hand."""
    lost = visible(membership).exclude(status=ConnectionStatus.CONNECTED).exclude(reason_code=standing.BY_HAND)
    return lost if access.may(membership, "connections.manage") else lost.filter(user=membership.user_id)


def makers() -> QuerySet[Membership]:
    """The membership of who made a connection, for a subquery of connections; none where they left."""
    return Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"), user__is_active=True)


def maker_is_here(connection: Connection) -> bool:
    return Membership.objects.filter(
        organization=connection.organization_id, user=connection.user_id, user__is_active=True
    ).exists()


def may_manage(membership: Membership, connection: Connection) -> bool:
    """Whether a member may connect it again, disconnect, delete and share it."""
    if connection.organization_id != membership.organization_id:
        return False
    if connection.user_id == membership.user_id and connection.method in PERSONAL:
        return True
    ours = connection.shared or not maker_is_here(connection)
    return ours and access.may(membership, "connections.manage")


def may_add(membership: Membership, method: str, *, shared: bool = False) -> bool:
    """Whether a member may make one: Apps and consumers, and what is shared, are the organisation's business."""
    if access.may(membership, "connections.manage"):
        return True
    return method in PERSONAL and not shared and access.may(membership, "integrations.import")


def why_not_add(membership: Membership, method: str, *, shared: bool = False) -> str:
    """The sentence for who may not, "" for who may."""
    if may_add(membership, method, shared=shared):
        return ""
    personal = method in PERSONAL and not shared
    return access.why_not("integrations.import" if personal else "connections.manage")


def require_add(membership: Membership, method: str, *, shared: bool = False) -> None:
    """PermissionDenied unless `may_add`."""
    if reason := why_not_add(membership, method, shared=shared):
        raise PermissionDenied(reason)


def require_connect(membership: Membership, method: str, *, shared: bool, into: Connection | None) -> None:
    """PermissionDenied unless a member may make one, or (`into`) connect one again, which stays as shared as it was."""
    if into is not None:
        require_manage(membership, into)
    require_add(membership, method, shared=shared and into is None)


def may_use(membership: Membership, connection: Connection) -> bool:
    """Whether a member may choose it as the credential of something: their own, and what is shared."""
    ours = connection.organization_id == membership.organization_id
    return ours and (connection.shared or connection.user_id == membership.user_id)


def require_manage(membership: Membership, connection: Connection) -> None:
    """PermissionDenied unless `may_manage`."""
    if not may_manage(membership, connection):
        raise PermissionDenied(
            access.why_not("connections.manage")
            if connection.shared
            else "Only who made this connection may change it: it is their own account."
        )


def locked(membership: Membership, connection: Connection) -> Connection:
    """The row as it is now, for a change within a transaction; PermissionDenied when it is gone or not theirs."""
    current: Connection | None = (
        Connection.objects.select_for_update(of=("self",))
        .select_related("organization", "user")
        .filter(pk=connection.pk, organization=membership.organization_id)
        .first()
    )
    if current is None:
        raise PermissionDenied("This connection has been deleted meanwhile.")
    require_manage(membership, current)
    return current


def clean_name(entered: str) -> str:
    """A connection's name as it is kept, "" for none. ValidationError for one that is too long or not all visible."""
    name = entered.strip()
    if len(name) > NAME_LENGTH:
        raise ValidationError(f"Enter a name of at most {NAME_LENGTH} characters.")
    if not name.isprintable():
        raise ValidationError("Enter a name in one line, without characters that cannot be seen.")
    return name


@transaction.atomic
def rename(
    membership: Membership, connection: Connection, *, name: str, request: HttpRequest | None = None
) -> Connection:
    """Call it something else; "" gives it its account's name back. PermissionDenied unless the member manages it,
    ValidationError for what is no name."""
    connection = locked(membership, connection)
    before, connection.name = connection.name, clean_name(name)
    if connection.name != before:
        connection.save(update_fields=["name", "updated_at"])
        audit.record(
            "connection.renamed",
            organization=connection.organization,
            actor=membership.user,
            target=connection,
            before={"name": before},
            after={"name": connection.name},
            request=request,
        )
    return connection


@transaction.atomic
def disconnect(membership: Membership, connection: Connection, *, request: HttpRequest | None = None) -> Connection:
    """Stop using it, until it is connected again. Its secrets stay, encrypted and unused, so that deleting it can
    revoke them. PermissionDenied unless the member manages it."""
    connection = locked(membership, connection)
    standing.lose(
        connection,
        code=standing.BY_HAND,
        reason=f"{membership.user} disconnected it.",
        by=membership.user,
        request=request,
    )
    return connection


@transaction.atomic
def share(membership: Membership, connection: Connection, *, request: HttpRequest | None = None) -> Connection:
    """Let the organisation's other members see and use it. PermissionDenied for all but its maker.

    Who may not manage connections may not share one either: others would depend on it.
    """
    access.require(membership, "connections.manage")
    return _set_shared(membership, connection, True, request)


@transaction.atomic
def unshare(membership: Membership, connection: Connection, *, request: HttpRequest | None = None) -> Connection:
    """Make it its maker's own again. What uses it goes on; nobody else can choose it any more.

    PermissionDenied for Apps and consumers, which are the organisation's.
    """
    return _set_shared(membership, connection, False, request)


def _set_shared(
    membership: Membership, connection: Connection, shared: bool, request: HttpRequest | None
) -> Connection:
    connection = locked(membership, connection)
    if connection.method not in PERSONAL:
        raise PermissionDenied("A connection of a GitHub App or an OAuth consumer is always shared.")
    if shared and connection.user_id != membership.user_id:
        raise PermissionDenied("Only who made this connection may share it: it is their own account.")
    if connection.shared != shared:
        connection.shared = shared
        connection.save(update_fields=["shared", "updated_at"])
        action = "connection.shared" if shared else "connection.unshared"
        audit.record(
            action, organization=membership.organization, actor=membership.user, target=connection, request=request
        )
    return connection


@dataclass(frozen=True, slots=True)
class Deleted:
    revoked: bool
    """Whether the forge took the authorisation back."""
    notice: str
    """What is left to do at the forge, for a person; "" for nothing."""


def delete(membership: Membership, connection: Connection, *, request: HttpRequest | None = None) -> Deleted:
    """Delete it, and take the authorisation back at the forge where that has a call for it.

    It is deleted whatever the forge says. PermissionDenied unless the member manages it. Not for use within a
    transaction: the forge is asked.
    """
    require_manage(membership, connection)
    token = _token_to_revoke(connection)
    with transaction.atomic():
        connection = locked(membership, connection)
        others = _others_of_grant(connection)
        key = connection.pk
        audit.record(
            "connection.deleted",
            organization=connection.organization,
            actor=membership.user,
            target=connection,
            before=facts(connection),
            request=request,
        )
        connection_changed.send(sender=Connection, connection=connection, kind="deleted")
        connection.delete()
        connection.pk = key  # its secrets are bound to it
    release_connections()
    return _revoke(connection, token, whole=not others)


def facts(connection: Connection) -> dict[str, object]:
    """What the audit log says of a connection: no secrets."""
    return {
        "forge": connection.forge,
        "address": connection.base_url,
        "method": connection.method,
        "name": connection.name,
        "account": connection.account,
        "shared": connection.shared,
        "scopes": connection.scopes,
    }


def _token_to_revoke(connection: Connection) -> str:
    """One that is good at this moment, as far as there is one: to GitHub, one that has ended says nothing of its grant.

    "" where there is nothing to revoke.
    """
    if connection.method != Method.OAUTH:
        return ""
    with suppress(ForgeError):
        if connection.is_connected:
            return credential_source(connection).current().token
        if connection.renew_at is not None and connection.renew_at <= timezone.now():
            app, policy = configured_app(connection), egress_policy()
            return oauth.refresh(app, connection.refresh_token, policy=policy, timeout=EXCHANGE_SECONDS).access_token
    return connection.token


def _others_of_grant(connection: Connection) -> bool:
    """Whether the same account is connected elsewhere here: to GitHub that is one and the same grant."""
    return (
        Connection.objects.filter(
            forge=connection.forge,
            base_url=connection.base_url,
            method=Method.OAUTH,
            account_id=connection.account_id,
            status=ConnectionStatus.CONNECTED,
        )
        .exclude(pk=connection.pk)
        .exists()
    )


_LEFT_TO_DO = {
    Method.TOKEN: "The token itself is still good: delete it at {forge} if nothing else uses it.",
    Method.GITHUB_APP: "The GitHub App is still installed: uninstall it at {forge} if nothing else uses it.",
    Method.CONSUMER: "The consumer is still there: delete it at {forge} if nothing else uses it.",
    Method.OAUTH: "The authorisation could not be taken back at {forge}{why}. Remove it in your settings there.",
}


def _revoke(connection: Connection, token: str, *, whole: bool) -> Deleted:
    forge, why = standing.where(connection), ""
    if connection.method == Method.OAUTH and token:
        try:
            app = configured_app(connection)
            if oauth.revoke(app, token, whole=whole, policy=egress_policy(), timeout=EXCHANGE_SECONDS):
                return Deleted(True, "")
            why = ", which has no call for that"
        except ForgeError as error:
            why = f" ({str(error).rstrip('.')})"
    return Deleted(False, _LEFT_TO_DO[Method(connection.method)].format(forge=forge, why=why))
