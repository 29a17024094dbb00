"""How clients are connected: the address, who may use it, what they get, and texts to paste."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Server, Version
from endpoint.snippets import PLACEHOLDER, Target, snippets
from endpoint.views.place import CONNECT, Place, both
from orgs import access

WITH_KEY, WITHOUT = "key", "none"


def _connect(request: HttpRequest, place: Place) -> HttpResponse:
    usual = WITHOUT if place.is_public else WITH_KEY
    chosen = request.GET.get("with", usual)
    with_key = chosen == WITH_KEY
    target = Target(place.target.slug, place.address, PLACEHOLDER if with_key else "")
    newest = None
    if isinstance(place.target, Server):
        newest = Version.objects.filter(server=place.target).order_by("-number").first()
    context = place.context(
        CONNECT,
        "connect",
        with_key=with_key,
        snippets=snippets(target),
        newest=newest,
        may_make_keys=access.may(place.membership, "keys.manage"),
    )
    return render(request, "endpoint/connect.html", context)


connect, toolkit_connect = (require_safe(view) for view in both(_connect))
