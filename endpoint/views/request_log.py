"""The request log of a server or toolkit, and one request of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog.views.page import asked
from endpoint.models import ApiKey, Hour
from endpoint.recording.looking import Look, Position, look
from endpoint.setups import setup_of
from endpoint.tables.requests import TONES, RequestFilter, RequestsTable, sort_of_caller
from endpoint.views import seen
from endpoint.views.place import REQUESTS, Place, both

PER_PAGE = 50
_MOST_CHOICES = 500


def _requests(request: HttpRequest, place: Place) -> HttpResponse:
    shows_callers = seen.may_see_callers(place.membership)
    rows = seen.requests_of(place)
    keys = _keys(place) if shows_callers else None
    found = RequestFilter(request.GET, queryset=rows, tools=_tools(place), keys=keys)
    filtered = any(request.GET.get(name) for name in found.filters)
    after = Position.parse(asked(request, "before"))
    among = found.in_time(rows) if found.sifts else None
    page = look(found.qs, among=among, after=after, size=PER_PAGE)
    urls = {row.pk: place.url("request", row.pk) for row in page.rows}
    table = RequestsTable(page.rows, urls=urls, shows_callers=shows_callers)
    _word_empty(table, place, page, filtered=filtered or after is not None)
    context = place.context(
        REQUESTS,
        "requests",
        table=table,
        form=found.form,
        filtered=filtered,
        look=page,
        older=_with(request, str(page.older)) if page.older else "",
        newest=_with(request, "") if after else "",
        days=settings.MCP_LOG_DAYS,
        shows_callers=shows_callers,
        any=bool(page.rows) or filtered or after is not None,
    )
    return render(request, "endpoint/requests.html", context)


def _tools(place: Place) -> list[str]:
    """Those called while there was a log."""
    since = timezone.now() - timedelta(days=settings.MCP_LOG_DAYS + 1)
    rows = Hour.objects.filter(target=place.target.pk, hour__gte=since).exclude(tool="")
    return list(rows.order_by("tool").values_list("tool", flat=True).distinct()[:_MOST_CHOICES])


def _keys(place: Place) -> list[tuple[str, str]]:
    keys = ApiKey.objects.visible_to(place.membership).order_by("name")[:_MOST_CHOICES]
    return [(str(key.pk), f"{key.name} ({key.hint}…)") for key in keys]


def _word_empty(table: RequestsTable, place: Place, page: Look, *, filtered: bool) -> None:
    if page.stopped_at is not None:
        table.empty_title, table.empty_text = (
            "Nothing among these",
            "Look through older requests, or change the filter.",
        )
    elif filtered:
        table.empty_title, table.empty_text = "No request matches", "Change or clear the filter."
    else:
        table.empty_title = "No request yet"
        table.empty_text = f"What agents ask this {place.noun} for appears here, a second later."
        table.empty_url, table.empty_label = place.url("connect"), "Connect a client"


def _with(request: HttpRequest, position: str) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    if position:
        query["before"] = position
    return f"?{query.urlencode()}"


def _request(request: HttpRequest, place: Place, number: int) -> HttpResponse:
    row = seen.requests_of(place).select_related("key").filter(pk=number).first() if number < 2**63 else None
    if row is None:
        raise Http404
    callers = seen.may_see_callers(place.membership)
    context = place.context(
        REQUESTS,
        "requests",
        entry=row,
        tone=TONES.get(row.outcome, "idle"),
        who=row.caller if callers else sort_of_caller(row),
        shows_callers=callers,
        shows_arguments=seen.may_see_arguments(place.membership, place.target),
        logs_arguments=setup_of(place.target).log_arguments,
        log_url=place.url("requests"),
        setup_url=place.url("setup"),
    )
    return render(request, "endpoint/request.html", context)


requests, toolkit_requests = (require_safe(view) for view in both(_requests))
request_of_server, request_of_toolkit = (require_safe(view) for view in both(_request))
