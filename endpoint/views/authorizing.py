"""The page on which a person lets a client use a server or toolkit, or does not."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.http import require_http_methods

from catalog.models import Server
from endpoint.oauth import asking, clients, grants, redirects, tokens
from endpoint.oauth.metadata import CALL, READ


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@xframe_options_deny
def authorize(request: HttpRequest) -> HttpResponse:
    """Asks the person each time; what is posted is their answer to the query of this address."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    person = request.user
    try:
        wish = asking.read(request, person)
    except asking.Unfit as error:
        context = {"sentence": str(error), "back": error.back, "back_to": redirects.place_of(error.back).name}
        return render(request, "endpoint/oauth/unfit.html", context, status=400)
    if request.method != "POST":
        return _ask(request, wish)
    if request.POST.get("answer") != "allow":
        return _send(wish.back(error="access_denied"))
    may_call = wish.calls and request.POST.get("call") == "1"
    grant = grants.allow(
        by=wish.membership,
        client=wish.client,
        target=wish.target,
        resource=wish.resource,
        may_call=may_call,
        request=request,
    )
    scopes = [READ, CALL] if may_call else [READ]
    code = tokens.make_code(grant, scopes=scopes, challenge=wish.challenge, redirect_uri=wish.redirect_uri)
    return _send(wish.back(code=code))


def _ask(request: HttpRequest, wish: asking.Wish) -> HttpResponse:
    context = {
        "wish": wish,
        "client_name": wish.client.name,
        "client_kind": clients.kind_of(wish.client),
        "client_host": clients.host_of(wish.client),
        "place": redirects.place_of(wish.redirect_uri),
        "target_kind": "server" if isinstance(wish.target, Server) else "toolkit",
        "days": settings.MCP_OAUTH_DAYS,
    }
    response = render(request, "endpoint/oauth/allow.html", context)
    # As django-csp's decorators do it: the form's answer redirects to the client, for this page alone.
    response._csp_update = {"form-action": redirects.form_targets(wish.redirect_uri)}  # type: ignore[attr-defined]
    return response


def _send(uri: str) -> HttpResponse:
    """To the client. Django's own redirects know web addresses only, and this may open an application."""
    return HttpResponse(status=302, headers={"Location": uri})
