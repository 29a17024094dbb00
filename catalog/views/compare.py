"""Two versions side by side, or a version and the live content."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from catalog import compare as services
from catalog.access import server_of
from catalog.forms import CompareForm
from catalog.models import Server, Version
from catalog.views.page import asked, page_of, server_context
from orgs import access
from orgs.models import Membership

CHOICES = 200
"""The newest versions that the two menus offer."""


@access.for_members()
def compare(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    known = list(Version.objects.filter(server=it)[:CHOICES])
    asked = {"before": _default(it, known), "after": "live", **request.GET.dict()}
    form = CompareForm(asked, versions=known)
    context = server_context(membership, it, "versions", form=form, known=known)
    if known and form.is_valid():
        before, after = (_side(it, form.cleaned_data[name]) for name in ("before", "after"))
        changes = services.changes(before, after)
        context |= {
            "before": before,
            "after": after,
            "counts": services.counts(before, after),
            "page": page_of(request, changes, 100),
        }
    return render(request, "catalog/compare.html", context)


@access.for_members()
def compare_file(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    before, after = (_side(it, asked(request, name)) for name in ("before", "after"))
    path = asked(request, "path")
    difference = services.text_diff(before, after, path)
    if difference is None:
        raise Http404
    fragment = bool(request.headers.get("HX-Request"))
    context = server_context(membership, it, "versions", before=before, after=after, path=path, difference=difference)
    return render(request, "catalog/_compare_file.html" if fragment else "catalog/compare_file.html", context)


def _default(server: Server, known: list[Version]) -> str:
    served = server.served_version or (known[0] if known else None)
    return str(served.number) if served else "live"


def _side(server: Server, key: str) -> services.Side:
    if key == "live":
        return services.Side(server, None)
    version = (
        Version.objects.filter(server=server, number=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    )
    if version is None:
        raise Http404
    return services.Side(server, version)
