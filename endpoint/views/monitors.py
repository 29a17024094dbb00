"""What monitors and Prometheus ask. Answered before sessions and people are looked for (orgs.middleware)."""

from __future__ import annotations

import hmac
from dataclasses import asdict

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from endpoint.monitoring import metrics as numbers
from endpoint.monitoring import readiness


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 while this process can answer requests, 503 otherwise, with what is wrong. Names nobody and nothing of
    anybody's, for anybody may ask."""
    found = readiness.look()
    return JsonResponse({"ready": found.ready, **asdict(found)}, status=200 if found.ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which sends METRICS_TOKEN; without one there is no such address."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not same:
        response = HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return response
    return HttpResponse(numbers.exposition(), content_type=numbers.CONTENT_TYPE)
