"""To a forge's consent page for the sake of a source, and back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from catalog.access import server_of
from forges import returning
from forges.picking import FieldError
from indexing import linking
from indexing.sources import EDIT
from indexing.views.page import editable_source_of, source_page, unless_deleted
from lib.htmx import go_to
from orgs import access
from orgs.models import Membership


@require_POST
@sensitive_post_parameters("token")
@access.for_members(EDIT)
def link_with(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    """Keep what is entered on the Add page, and begin the flow that the button names."""
    url = linking.set_out(request, membership, server_of(membership, server))
    if url is None:
        raise Http404
    return go_to(request, url)


@require_GET
@never_cache
@access.for_members(EDIT)
@unless_deleted
def linked(request: HttpRequest, membership: Membership, source: uuid.UUID, signed: str) -> HttpResponse:
    """Back from the forge: the source gets the connection, and is asked to be indexed."""
    it = editable_source_of(membership, source)
    if not linking.verified(signed, it, membership):
        messages.error(request, "This way back is not yours, or longer than an hour ago. Nothing was changed.")
        return redirect(source_page(it))
    connection = returning.brought(request, membership)
    if connection is None:  # the flow has said why
        return redirect(source_page(it))
    try:
        linking.link(it, connection, by=membership, request=request)
    except FieldError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{it.name} is read with {connection} from now on, and is being indexed.")
    return redirect(source_page(it))
