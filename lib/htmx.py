"""Answering htmx and plain browsers from one view: a page works without JavaScript, a fragment is part of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page. Not when it restores a page from its history: that takes all of it."""
    htmx = cast("HtmxDetails", request.htmx)  # type: ignore[attr-defined]  # set by HtmxMiddleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_partial(
    request: HttpRequest, template: str, partial: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The `partialdef` of that name for htmx, the whole template otherwise; caches keep the two apart."""
    name = f"{template}#{partial}" if is_fragment(request) else template
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response


def go_to(request: HttpRequest, url: str) -> HttpResponseBase:
    """Lead the browser to another page: htmx would put a plain redirect's page inside the element it swaps."""
    return HttpResponseClientRedirect(url) if is_fragment(request) else redirect(url)
