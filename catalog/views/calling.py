"""A tool tried from its page: the form, and what came of the call."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from catalog.access import server_of
from catalog.calls.trying import try_tool
from catalog.forms.trying import TryForm
from catalog.models import Tool
from catalog.models.tools import Method
from catalog.views.entity import find, page
from catalog.views.page import posted
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@access.for_members("servers.edit")
def tool_try(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    tool = find(Tool, it, pk)
    tool.provider.server = it
    form = TryForm(tool, posted(request))
    trial = None
    if request.method == "POST" and form.is_valid():
        trial = try_tool(tool=tool, arguments=form.arguments, by=membership.user, request=request)
    template = "catalog/_try_it.html" if is_fragment(request) else "catalog/tool_try.html"
    writes = tool.method not in (Method.GET, Method.HEAD) or tool.destructive
    response = page(request, membership, it, template, tool=tool, form=form, trial=trial, writes=writes)
    response["Cache-Control"] = "no-store"  # what a provider answers may be anybody's business
    patch_vary_headers(response, ("HX-Request",))
    return response
