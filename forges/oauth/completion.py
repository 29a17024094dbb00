"""Coming back from a forge: the grant becomes a connection, or a sentence says why not. Nothing else keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from allauth.socialaccount.providers.base.constants import AuthError
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from forges import connections, returning
from forges.applications import APP_KEY
from forges.clients import github_app as apps
from forges.clients import oauth
from forges.clients.errors import ForgeError
from forges.connecting import connect_installation, connect_oauth
from forges.credentials import configured_app
from forges.keeping import Connected, ConnectionRefused
from forges.models import Connection
from forges.oauth.flow import Intent
from forges.oauth.providers import ExchangeFailed, ForgeProvider, application_of, callback_url
from forges.renewing import EXCHANGE_SECONDS
from forges.standing import where
from lib.policy import egress_policy
from orgs import access
from orgs.models import Membership

OURS_TO_MEND = {
    "application_suspended",
    "invalid_request",
    "invalid_scope",
    "redirect_uri_mismatch",
    "unauthorized_client",
    "unsupported_response_type",
}
"""What forges say on the way back when the application is not set up there as it should be."""


@sensitive_variables("grant")
def complete(
    request: HttpRequest, provider: ForgeProvider, grant: oauth.Grant, state: Mapping[str, Any]
) -> HttpResponseBase:
    """Make the connection that was set out for, and go back to where that was."""
    intent = Intent.of(state)
    membership = intent.member(request.user)
    if membership is None:
        _take_back(provider, grant)
        return page(request, 403, "This was begun by somebody else", "Nothing was connected. Begin again as yourself.")
    try:
        into = intent.connection(membership)
        if provider.key == APP_KEY:
            return _with_app(request, provider, membership, grant, intent, into)
        return _connected(request, intent, _with_account(request, provider, membership, grant, intent, into))
    except Connection.DoesNotExist:
        refused = "The connection that you were about to connect again has been deleted meanwhile."
    except (ConnectionRefused, PermissionDenied) as error:
        refused = str(error)
    _take_back(provider, grant)
    messages.error(request, refused)
    return redirect(intent.back)


@sensitive_variables("grant")
def _with_account(
    request: HttpRequest,
    provider: ForgeProvider,
    membership: Membership,
    grant: oauth.Grant,
    intent: Intent,
    into: Connection | None,
) -> Connected:
    application = application_of(provider.key)
    if application is None:
        raise ConnectionRefused("", f"There is no OAuth application for {provider.name} here any more.")
    made = connect_oauth(membership, application, grant, shared=intent.shared, into=into, request=request)
    if intent.shared and not made.connection.shared:  # it was there before, and its maker wants it shared now
        connections.share(membership, made.connection, request=request)
    return made


@sensitive_variables("grant")
def _with_app(
    request: HttpRequest,
    provider: ForgeProvider,
    membership: Membership,
    grant: oauth.Grant,
    intent: Intent,
    into: Connection | None,
) -> HttpResponseBase:
    """Which installation, GitHub says, or was chosen here before; else the person chooses now."""
    number = intent.installation or request.GET.get("installation_id", "")
    if not number:
        seen = _installations(grant)
        if not seen:
            raise ConnectionRefused(
                "",
                "The GitHub App is not installed at any account that yours has access to. Install it first, or ask who "
                "administers the account.",
            )
        if len(seen) > 1:
            _take_back(provider, grant)
            return _choose(request, membership, intent, seen)
        number = seen[0][0]
    made = connect_installation(
        membership, installation_id=number, user_token=grant.access_token, into=into, request=request
    )
    return _connected(request, intent, made)


@sensitive_variables("grant")
def _installations(grant: oauth.Grant) -> list[tuple[str, str]]:
    try:
        seen = apps.installations_seen(
            configured_app(), grant.access_token, policy=egress_policy(), timeout=EXCHANGE_SECONDS
        )
        return list(seen)
    except ForgeError as error:
        raise ConnectionRefused("", f"{error} {error.advice}".strip()) from error


def _choose(
    request: HttpRequest, membership: Membership, intent: Intent, seen: list[tuple[str, str]]
) -> HttpResponseBase:
    """The token is not kept until they have chosen: GitHub, who knows them by now, gives another one."""
    numbers = [number for number, _ in seen]
    connected = set(
        Connection.objects.for_org(membership.organization)
        .filter(installation_id__in=numbers)
        .values_list("installation_id", flat=True)
    )
    request.membership = membership  # type: ignore[attr-defined]  # the layout shows it
    context = {
        "installations": [(number, account, number in connected) for number, account in seen],
        "into": intent.into,
        "return_to": returning.sign(intent.back, membership),
        "nav_section": "connections",
    }
    return render(request, "forges/connection_installations.html", context)


def _connected(request: HttpRequest, intent: Intent, made: Connected) -> HttpResponseBase:
    again = "" if made.created else " again"
    messages.success(request, f"{made.connection} at {where(made.connection)} is connected{again}.")
    return redirect(returning.with_connection(intent.back, made.connection))


def _take_back(provider: ForgeProvider, grant: oauth.Grant) -> None:
    """A token that nobody keeps should not be good for anything."""
    application: oauth.App = provider.oauth2_adapter_class.application
    with suppress(ForgeError):
        oauth.revoke(application, grant, whole=False, policy=egress_policy(), timeout=EXCHANGE_SECONDS)


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def fail(
    request: HttpRequest,
    provider: ForgeProvider,
    error: str | None,
    exception: Exception | None,
    state: Mapping[str, Any] | None,
) -> HttpResponseBase:
    """Say what happened and go back. What the forge wrote beside its word for it is not repeated: anybody can write an
    address."""
    if state is None:
        return page(
            request,
            400,
            "This cannot be finished",
            "It was finished before, begun more than ten minutes ago, or not in this browser. Nothing was connected.",
        )
    intent = Intent.of(state)
    if intent.member(request.user) is None:
        return page(request, 403, "This was begun by somebody else", "Nothing was connected. Begin again as yourself.")
    if error == AuthError.CANCELLED:
        messages.info(request, f"You said no at {provider.name}. Nothing was connected.")
    elif isinstance(exception, ExchangeFailed):
        messages.error(request, f"{exception} Nothing was connected.")
    elif request.GET.get("error") in OURS_TO_MEND:
        messages.error(
            request,
            f"The application for {provider.name} is not set up there as it should be. Ask the operator to compare its "
            f"callback address, {callback_url(provider.key)}, and its scopes.",
        )
    else:
        messages.error(request, f"{provider.name} refused, and did not say why. Nothing was connected. Try again.")
    return redirect(intent.back)


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponseBase:
    """For who comes back to nothing: a sentence and the way on."""
    last = request.session.get(access.LAST_USED)
    way_on = reverse("forges:connections", args=[last]) if last else reverse("orgs:home")
    context = {"title": title, "text": text, "url": way_on}
    return render(request, "socialaccount/authentication_error.html", context, status=status)
