"""What a push would change, without doing it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.access import server_of
from gitsync import previewing
from gitsync.models import PushTarget
from gitsync.targets import FieldError
from gitsync.views.page import page_context, target_of
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

ACTIONS = {
    "foreign": ("In the way", "error"),
    "changed": ("Changed", "busy"),
    "removed": ("Removed", "error"),
    "added": ("Added", "ok"),
}
"""What people read of each action, and its tone."""
COMMIT_MESSAGE = "commit message"
"""What findings call it."""
OPEN = 6
"""Up to so many differences are open at once."""


@require_safe
@access.for_members("servers.edit")
def preview(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """The page first, which then asks for what takes a while: the forge. With `now` all at once, without a script."""
    it = server_of(membership, server)
    target = target_of(it)
    if target is None:
        raise Http404
    fragment = is_fragment(request)
    context = page_context(membership, it, target=target)
    if fragment or "now" in request.GET:
        context |= _previewed(target)
    return render(request, "gitsync/_preview.html" if fragment else "gitsync/preview.html", context)


def _previewed(target: PushTarget) -> dict[str, Any]:
    try:
        found = previewing.preview(target)
    except FieldError as error:
        return {"asked": True, "problem": str(error)}
    # Files, and the message, in which something looks like a secret are not shown.
    secret = {finding["path"] for finding in found.findings}
    return {
        "asked": True,
        "preview": found,
        "changes": [(change, *ACTIONS[change.action], change.path in secret) for change in found.changes],
        "message": "" if COMMIT_MESSAGE in secret else found.message.text,
        "counts": {name: found.count(name) for name in ("added", "changed", "removed")},
        "in_the_way": found.count("foreign"),
        "open": len(found.changes) <= OPEN,
    }
