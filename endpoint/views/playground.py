"""The Playground: tools, prompts and resources tried in the page, as a client gets them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from catalog.models import Server, Version
from catalog.views.page import asked, posted
from endpoint import admission, playing
from endpoint.admitted import Admitted, Refused
from endpoint.forms.playing import ArgumentsForm
from endpoint.playing import Played, Thing
from endpoint.views.place import CONNECT, Place, both, used_up
from lib.htmx import is_fragment

SERVED, LIVE = "", "live"
VERSIONS = 100
"""The newest, which can be chosen."""


def _playground(request: HttpRequest, place: Place) -> HttpResponseBase:
    """`do` is what is tried, `version` of which content, `as=json` asks for all arguments as one text."""
    versions = _versions(place)
    key = asked(request, "version")
    version = next((version for each, _, version in versions if each == key), versions[0][2])
    chosen: dict[str, Any] = {"versions": [(each, label, each == key) for each, label, _ in versions], "version": key}
    try:
        admitted = admission.admit_member(place.membership, place.target, version=version)
    except Refused as refused:
        return _answer(request, place, refused=str(refused), **chosen)
    offered = playing.things(admitted)
    thing = _chosen(offered, asked(request, "do"))
    if thing is None:
        return _answer(request, place, offered=offered, **chosen)
    whole = asked(request, "as") == "json"
    form = ArgumentsForm(thing.schema, posted(request), whole=whole)
    played, ask = None, False
    if request.method == "POST" and form.is_valid():
        ask = thing.destructive and "confirmed" not in request.POST
        if not ask:
            played = _play(request, place, admitted, thing, form)
    chosen["used_up"] = used_up(admitted.setup)  # which holds for clients alone: members try what is theirs
    return _answer(request, place, offered=offered, thing=thing, form=form, played=played, ask=ask, **chosen)


def _play(request: HttpRequest, place: Place, admitted: Admitted, thing: Thing, form: ArgumentsForm) -> Played:
    return playing.play(admitted, thing, form.arguments, by=place.membership, request=request)


def _answer(request: HttpRequest, place: Place, **more: Any) -> HttpResponse:
    template = "endpoint/_play.html" if is_fragment(request) else "endpoint/playground.html"
    response = render(request, template, place.context(CONNECT, "playground", **more))
    response["Cache-Control"] = "no-store"  # what a provider answers may be anybody's business
    patch_vary_headers(response, ("HX-Request",))
    return response


def _chosen(offered: dict[str, list[Thing]], value: str) -> Thing | None:
    """The thing of that value; a resource that is not in the list, by its URI; the first where nothing was chosen."""
    every = [thing for each in offered.values() for thing in each]
    if not value:
        return every[0] if every else None
    kind, _, name = value.partition(":")
    found = next((thing for thing in every if thing.value == value), None)
    if found is None and kind == "resource" and name:
        return playing.resource(name)
    return found


def _versions(place: Place) -> list[tuple[str, str, Version | None]]:
    """(value, label, version) of the content that can be chosen; of a toolkit there is no choice."""
    server = place.target
    if not isinstance(server, Server):
        return [(SERVED, "As served", None)]
    served = server.served_version
    words = f"As served now: {f'version {served.number}' if served else 'the live content'}"
    found = Version.objects.filter(server=server).order_by("-number")[:VERSIONS]
    each = [(str(version.number), f"Version {version.number}", version) for version in found]
    return [(SERVED, words, served), (LIVE, "Live content", None), *each]


playground, toolkit_playground = (require_http_methods(["GET", "HEAD", "POST"])(view) for view in both(_playground))
