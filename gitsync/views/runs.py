"""What the page of a Run shows of a push: the commit, and the files that it wrote and removed."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from gitsync.models import PushTarget
from gitsync.views.page import web_address
from jobs.models import Run
from orgs.models import Membership

SECTIONS = (("added", "Added", "ok"), ("changed", "Changed", "busy"), ("removed", "Removed", "error"))


def details(request: HttpRequest, membership: Membership, run: Run) -> SafeString:
    """See `jobs.registry.Kind.details`."""
    result = run.result
    target: PushTarget | None = run.subject
    pull_request = result.get("pull_request") or {}
    context = {
        "membership": membership,
        "org": membership.organization.slug,
        "run": run,
        "target": target,
        "commit_url": web_address(result.get("commit_url", "")),
        "pull_request": pull_request.get("number", ""),
        "pull_request_url": web_address(pull_request.get("url", "")),
        "sections": [(label, tone, result[key]) for key, label, tone in SECTIONS if result.get(key)],
    }
    return render_to_string("gitsync/_run_details.html", context, request)
