"""How much an endpoint is used: of a server, of a toolkit, and of an organisation in short."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog.models import Server
from endpoint.usage import counting, drawing
from endpoint.usage.spans import SPANS, Span, span_of
from endpoint.views.place import REQUESTS, Place, both
from orgs import access
from orgs.models import Membership


def _usage(request: HttpRequest, place: Place) -> HttpResponse:
    span = span_of(request.GET.get("span", ""))
    of = counting.of_target(place.target)
    context = place.context(REQUESTS, "usage", **_numbers(of, span))
    bars = context["usage"].bars
    if isinstance(place.target, Server):
        context["empty_queries"] = counting.empty_queries(place.target, bars[0].begins)
    context |= {
        "tools": counting.top_tools(of, bars),
        "queries": counting.top_queries(of, bars),
        "log_url": place.url("requests"),
        "connect_url": place.url("connect"),
    }
    return render(request, "endpoint/usage.html", context)


def _numbers(of: Q, span: Span) -> dict[str, Any]:
    found = counting.usage(of, span.bars(timezone.now(), timezone.get_current_timezone()))
    total = found.total
    times = zip(("p50", "p95", "p99"), total.latencies, strict=True)
    return {
        "span": span,
        "spans": [{"label": each.label, "url": f"?span={each.name}", "current": each == span} for each in SPANS],
        "usage": found,
        "total": total,
        "times": [(name, drawing.milliseconds(value)) for name, value in times],
        "figures": [drawing.calls(found, span), drawing.latencies(found, span)],
        "ever": bool(total.calls) or counting.ever(of),
    }


usage, toolkit_usage = (require_safe(view) for view in both(_usage))


@require_safe
@access.for_members()
def organization_usage(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All servers and toolkits that the member sees, together, and those that are asked most."""
    context = _numbers(counting.of_organization(membership), span_of(request.GET.get("span", "")))
    uses = counting.top_targets(membership, context["usage"].bars)
    context |= {
        "organization": membership.organization,
        "membership": membership,
        "nav_section": "servers",
        "targets": [(use, Place(use.target, membership).url("usage")) for use in uses],
        "servers_url": reverse("catalog:servers", args=[membership.organization.slug]),
    }
    return render(request, "endpoint/organization_usage.html", context)
