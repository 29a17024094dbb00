"""To a forge's consent page and back: OAuth of a person's account, and the GitHub App's installation.

Setting out is safe against being made to. It takes a form of ours (with its CSRF token), or a link that carries an
address to return to which was signed for this very member: only a page of ours that they saw can hold one. Without
either, the page asks. It never answers with a redirect to the forge: to Chromium `form-action 'self'` covers where a
form's answer redirects to, ours and that of an app whose form redirects here. A page with a `Refresh` header leaves.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from forges import connections, returning
from forges.applications import APP_KEY, OAuthApplication
from forges.credentials import configured_app
from forges.keeping import takes_any_account
from forges.models import Connection, Method
from forges.oauth import completion, flow
from forges.oauth.flow import Intent
from forges.oauth.providers import ForgeProvider, application_of, provider_class
from orgs import access
from orgs.models import Membership


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def start(request: HttpRequest, membership: Membership, key: str) -> HttpResponse:
    """Connect an account at one OAuth application.

    `return_to` is of `forges.returning.sign`; `into` a connection's id, which is connected again; `shared` for the
    organisation; `write` for webhooks and pushes where the forge tells them from reading.
    """
    application = _application(key)
    asked = request.POST if request.method == "POST" else request.GET
    into = _into(membership, asked, method=Method.OAUTH, base_url=application.base_url)
    shared = "shared" in asked
    # Before they go to the forge in vain; the rule itself is kept where the connection is made.
    connections.require_connect(membership, Method.OAUTH, shared=shared, into=into)
    back, is_signed = _back(membership, asked)
    writing = "write" in asked or (into is not None and "api" in into.scopes.split())
    if request.method == "POST" or is_signed:
        intent = Intent(str(membership.pk), back, str(into.pk) if into else "", shared)
        scopes = flow.scopes(application.app.forge, writing=writing)
        url = flow.consent_url(request, _provider(request, key), intent, scopes=scopes)
        return _leaving(request, application.label, url)
    context = {
        "application": application,
        "into": into,
        "takes_any_account": into is not None and takes_any_account(into),
        "writing": writing,
        "return_to": asked.get("return_to", ""),
        "may_share": into is None and connections.may_add(membership, Method.OAUTH, shared=True),
        "nav_section": "connections",
    }
    return render(request, "forges/connection_start.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("connections.manage")
def install(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Connect the GitHub App: install it, choose among where it is installed, or connect the `installation` chosen."""
    asked = request.POST if request.method == "POST" else request.GET
    provider, app = _provider(request, APP_KEY), configured_app()
    into = _into(membership, asked, method=Method.GITHUB_APP, base_url=app.base_url)
    connections.require_connect(membership, Method.GITHUB_APP, shared=True, into=into)
    back, _ = _back(membership, asked)
    if request.method != "POST":
        context = {"app": app, "into": into, "return_to": asked.get("return_to", ""), "nav_section": "connections"}
        return render(request, "forges/connection_install.html", context)
    chosen = asked.get("installation", "")[:40]
    intent = Intent(str(membership.pk), back, str(into.pk) if into else "", shared=True, installation=chosen)
    if "install" in asked:
        return _leaving(request, "GitHub", flow.install_url(request, provider, intent, app))
    return _leaving(request, "GitHub", flow.consent_url(request, provider, intent))


@never_cache
@require_GET
def callback(request: HttpRequest, key: str) -> HttpResponseBase:
    """Where a forge sends the person back to."""
    if not request.user.is_authenticated:
        # Whoever began had a session: this one has no state, and the code in the address is not carried along.
        return redirect_to_login(reverse("orgs:home"))
    provider = _provider(request, key)
    if key == APP_KEY and (answer := _from_github(request, provider)) is not None:
        return answer
    back: HttpResponseBase = OAuth2CallbackView.adapter_view(provider.oauth2_adapter_class)(request)
    return back


def _from_github(request: HttpRequest, provider: ForgeProvider) -> HttpResponseBase | None:
    """What GitHub sends people here with that is no connection: without having begun here, or a mere request.

    https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/about-the-setup-url
    """
    if "state" not in request.GET:
        return completion.page(
            request,
            200,
            "That was done at GitHub",
            "What you chose there holds already where the GitHub App is connected. To connect it to an organisation, "
            "open its Connections, add the GitHub App and choose “It is installed already”.",
        )
    if request.GET.get("setup_action") != "request":
        return None
    try:
        state = provider.unstash_redirect_state(request, request.GET["state"])
    except PermissionDenied:
        return completion.fail(request, provider, None, None, None)
    messages.info(
        request,
        "An owner of that account has been asked at GitHub to install the App. Once they did, add the GitHub App here "
        "and choose “It is installed already”.",
    )
    return redirect(Intent.of(state).back)


def _application(key: str) -> OAuthApplication:
    try:
        found = application_of(key)
    except ImproperlyConfigured:  # the page with all ways says so
        found = None
    if found is None:
        raise Http404
    return found


def _provider(request: HttpRequest, key: str) -> ForgeProvider:
    try:
        found = provider_class(key)
    except ImproperlyConfigured:
        found = None
    if found is None:
        raise Http404
    return found.made(request)


def _into(membership: Membership, asked: Mapping[str, Any], *, method: Method, base_url: str) -> Connection | None:
    """The connection that is connected again; Http404 for one that they do not see, or that is another thing."""
    if not asked.get("into"):
        return None
    try:
        key = uuid.UUID(asked["into"])
    except ValueError:
        raise Http404 from None
    found: Connection = get_object_or_404(connections.visible(membership), pk=key, method=method, base_url=base_url)
    return found


def _back(membership: Membership, asked: Mapping[str, Any]) -> tuple[str, bool]:
    """Where to go afterwards, and whether a page of ours signed it for them."""
    signed = returning.verified(asked.get("return_to", ""), membership)
    return signed or reverse("forges:connections", args=[membership.organization.slug]), signed is not None


def _leaving(request: HttpRequest, forge: str, url: str) -> HttpResponse:
    response = render(request, "forges/connection_leaving.html", {"forge": forge, "url": url})
    response["Refresh"] = f"0; url={url}"
    return response
