"""Files that deleted integrations brought and nobody refreshes any more."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog.access import server_of
from catalog.models import Server
from catalog.views.page import confirm
from integrations import left_overs
from integrations.left_overs import LeftOver
from integrations.models import ImportedFile
from integrations.views.page import page_context, server_page
from orgs import access
from orgs.models import Membership

SHOWN = 100


@access.for_members("contents.can_delete")
def remove(request: HttpRequest, membership: Membership, server: str, key: str) -> HttpResponse:
    it = server_of(membership, server)
    left = _left_over(it, key)
    if request.method == "POST":
        removed = left_overs.remove(it, key, by=membership.user, request=request)
        messages.success(request, f"{removed:,} {'file is' if removed == 1 else 'files are'} removed.")
        return redirect(server_page(it))
    files = ImportedFile.objects.filter(server=it, source_key=key, track=None, detached_at=None)
    paths = list(files.order_by("content__path").values_list("content__path", flat=True)[:SHOWN])
    context = page_context(
        membership,
        it,
        title=f"Remove {left.files:,} {'file' if left.files == 1 else 'files'} of {left.repository}?",
        text="The integration that brought them is deleted. Versions that hold them keep them; detached files stay.",
        items=paths,
        more=left.files - len(paths),
        action=reverse("integrations:left_overs", args=[membership.organization.slug, it.slug, key]),
        cancel_url=server_page(it),
        confirm=f"Remove {left.files:,} {'file' if left.files == 1 else 'files'}",
        danger=True,
    )
    return confirm(request, context)


def _left_over(server: Server, key: str) -> LeftOver:
    for left in left_overs.of_server(server):
        if left.source_key == key:
            return left
    raise Http404
