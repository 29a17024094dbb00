"""The Search page of a server, where queries are tried, and those that found nothing."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalog.access import server_of
from catalog.models import Server, Version
from catalog.views.page import asked
from indexing.forms import SearchForm
from indexing.models import EmptyQuery, Source
from indexing.search.model import BadCursor, Filters, Hit, Results
from indexing.search.searching import search as find
from indexing.tables import MissesTable
from indexing.views.page import page_context, sources_of
from indexing.wording import KIND_WORDS, web_url
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

SERVED, LIVE = "", "live"
VERSIONS = 100
"""The newest, which can be chosen to search in."""
PER_PAGE = 10


@require_safe
@access.for_members()
def search(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """What a query finds, and why; `q`, `path`, `source`, `kind`, `version` and `cursor` in the query string."""
    it = server_of(membership, server)
    sources = {str(each.pk): each for each in sources_of(membership).filter(server=it)}
    versions = _versions(it)
    names = [(pk, each.name) for pk, each in sources.items()]
    form = SearchForm(request.GET, sources=names, versions=[(key, label) for key, label, _ in versions])
    query = asked(request, "q")
    context = page_context(membership, it, "search", form=form, query=query, any=bool(sources))
    if query and form.is_valid():
        chosen = form.cleaned_data
        version = next(version for key, _, version in versions if key == chosen["version"])
        context |= _answer(request, it, version, query, _filters(chosen))
    template = "indexing/_results.html" if is_fragment(request) else "indexing/search.html"
    return render(request, template, context, status=400 if context.get("problem") else 200)


def _versions(server: Server) -> list[tuple[str, str, Version | None]]:
    """(value, label, version) of what can be searched: as it is served, the live content, each version."""
    served = server.active_version or server.default_version
    words = f"As served now: {f'version {served.number}' if served else 'the live content'}"
    found = Version.objects.filter(server=server).order_by("-number")[:VERSIONS]
    each = [(str(version.number), f"Version {version.number}", version) for version in found]
    return [(SERVED, words, served), (LIVE, "Live content", None), *each]


def _filters(chosen: dict[str, Any]) -> Filters:
    return Filters(
        path=chosen["path"],
        sources=(uuid.UUID(chosen["source"]),) if chosen["source"] else (),
        kinds=(chosen["kind"],) if chosen["kind"] else (),
    )


def _answer(
    request: HttpRequest, server: Server, version: Version | None, query: str, filters: Filters
) -> dict[str, Any]:
    try:
        results = find(
            server,
            version,
            query,
            limit=PER_PAGE,
            cursor=request.GET.get("cursor", ""),
            filters=filters,
            explain=True,
        )
    except BadCursor as error:
        return {"problem": str(error)}
    return {
        "results": results,
        "hits": [(hit, _address(hit, server, version), KIND_WORDS[Source.Kind(hit.kind)]) for hit in results.hits],
        "more": _more(request, results),
    }


def _address(hit: Hit, server: Server, version: Version | None) -> str:
    """Where a person sees it, "" if nowhere."""
    if hit.kind == Source.Kind.CONTENT and hit.path and version is None:
        page = reverse("catalog:content_at", args=[server.organization.slug, server.slug])
        return f"{page}?{urlencode({'path': hit.path})}"
    return web_url(hit.url)


def _more(request: HttpRequest, results: Results) -> str:
    if not results.cursor:
        return ""
    asked_for = request.GET.copy()
    asked_for["cursor"] = results.cursor
    return f"?{asked_for.urlencode()}"


@require_safe
@access.for_members()
def misses(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """Queries that found nothing: what people look for and do not find."""
    it = server_of(membership, server)
    table = MissesTable(EmptyQuery.objects.filter(server=it).select_related("server__organization"))
    table.empty_title = "Every query has found something"
    table.empty_text = "What is searched for and not found appears here: it tells what a source is missing for."
    tables.configure(request, table, per_page=50)
    return render(request, "indexing/misses.html", page_context(membership, it, "search", table=table))
