"""Editing a source."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from forges.picking import FieldError
from indexing import clock
from indexing import sources as services
from indexing.forms import SourceForm
from indexing.sources import EDIT
from indexing.views.page import editable_source_of, page_context, server_page, unless_deleted
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(EDIT)
@unless_deleted
def edit(request: HttpRequest, membership: Membership, source: uuid.UUID) -> HttpResponseBase:
    """What is indexed of it, with what, and when; its address stays: another one is another source."""
    it = editable_source_of(membership, source)
    auto = clock.auto_refresh_of(membership.organization)
    data = request.POST if request.method == "POST" else None
    form = SourceForm(data, source=it, membership=membership, auto=auto)
    if request.method == "POST" and form.is_valid():
        try:
            anew = services.edit(it, form.values(), by=membership, request=request)
        except FieldError as error:
            form.add_field_error(error)
        else:
            name = form.cleaned_data["name"]
            messages.success(request, f"{name} is saved{', and is being indexed anew' if anew else ''}.")
            return go_to(request, server_page(it.server))
    context = page_context(membership, it.server, source=it, form=form, in_dialog=is_fragment(request))
    template = "indexing/_edit_form.html" if is_fragment(request) else "indexing/edit.html"
    return render(request, template, context, status=422 if form.errors else 200)
