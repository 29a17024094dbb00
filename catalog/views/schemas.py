"""The JSON Schemas of entities' files, for editors and programs anywhere: public, and the same for everybody."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from catalog.exchange.document import dumps
from catalog.portable.model import Kind
from catalog.portable.schemas import MEDIA_TYPE, published

KEPT = 24 * 3600
"""Seconds that it may be cached."""


@require_safe
def schema(_request: HttpRequest, kind: str) -> HttpResponse:
    """One of them. Editors that run in a browser may read it from another origin."""
    if kind in set(Kind):
        response = HttpResponse(dumps(published(settings.BASE_URL, Kind(kind))), content_type=MEDIA_TYPE)
    else:
        text = f"There is no such schema. There are: {', '.join(sorted(Kind))}.\n"
        response = HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    patch_cache_control(response, public=True, max_age=KEPT)
    return response
