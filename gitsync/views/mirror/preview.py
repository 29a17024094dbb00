"""What a sync would do on either side, without doing it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from forges.picking import INTERACTIVE_SECONDS, FieldError
from gitsync.mirror import previewing
from gitsync.models import Mirror
from gitsync.views.mirror.page import page_context, required
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

TONES = {
    "read": "ok",
    "write": "ok",
    "merge": "busy",
    "delete here": "error",
    "delete in git": "error",
    "error": "error",
    "conflict": "error",
}
"""By action; others want a person."""


@require_safe
@access.for_members("entities.edit")
def preview(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The page first, which then asks for what takes a while: the forge. With `now` all at once, without a script."""
    found = required(membership)
    fragment = is_fragment(request)
    context = page_context(membership, mirror=found)
    if fragment or "now" in request.GET:
        context |= _previewed(found)
    template = "gitsync/mirror/_preview.html" if fragment else "gitsync/mirror/preview.html"
    return render(request, template, context)


def _previewed(mirror: Mirror) -> dict[str, Any]:
    try:
        found = previewing.preview(mirror, seconds=INTERACTIVE_SECONDS)
    except FieldError as error:
        return {"asked": True, "problem": str(error)}
    return {
        "asked": True,
        "preview": found,
        "steps": [(step, TONES.get(step.action, "warn")) for step in found.steps],
        "counts": sorted(Counter(step.action for step in found.steps).items()),
    }
