"""Connecting by what a person enters: an access token, or an OAuth consumer's key and secret."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from forges import connections, returning
from forges.connecting import Connected, ConnectionRefused, connect_consumer, connect_token
from forges.forms import ConsumerForm, TokenForm
from forges.models import Connection, Method
from forges.standing import where
from forges.views.connections import connection_of, require_seeing
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership


@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members()
def token(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Connect an access token, or (`into`) enter another one for a connection that is there."""
    require_seeing(membership)
    into = _into(request, membership, Method.TOKEN)
    may_share = connections.may_add(membership, Method.TOKEN, shared=True)
    form = TokenForm(request.POST or None, may_share=may_share, into=into)
    if request.method == "POST" and form.is_valid():
        try:
            shared = form.cleaned_data.get("shared", False)
            made = connect_token(membership, **form.entered(), shared=shared, into=into, request=request)
        except ConnectionRefused as error:
            form.refuse(error)
        except ImproperlyConfigured as error:
            form.add_error(None, str(error))
        else:
            return _connected(request, membership, made)
    return _page(request, membership, "token", form, into)


@sensitive_post_parameters("consumer_secret")
@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("connections.manage")
def consumer(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Connect an OAuth consumer of Bitbucket; it is the organisation's."""
    into = _into(request, membership, Method.CONSUMER)
    form = ConsumerForm(request.POST or None, into=into)
    if request.method == "POST" and form.is_valid():
        try:
            made = connect_consumer(membership, **form.entered(), into=into, request=request)
        except ConnectionRefused as error:
            form.refuse(error)
        except ImproperlyConfigured as error:
            form.add_error(None, str(error))
        else:
            return _connected(request, membership, made)
    return _page(request, membership, "consumer", form, into)


def _into(request: HttpRequest, membership: Membership, method: Method) -> Connection | None:
    asked = request.POST.get("into") or request.GET.get("into")
    if not asked:
        return None
    try:
        found = connection_of(membership, uuid.UUID(asked))
    except ValueError:
        raise Http404 from None
    if found.method != method:
        raise Http404
    if not connections.may_manage(membership, found):
        raise PermissionDenied(access.why_not("connections.manage"))
    return found


def _page(
    request: HttpRequest, membership: Membership, what: str, form: TokenForm | ConsumerForm, into: Connection | None
) -> HttpResponseBase:
    asked = request.POST if request.method == "POST" else request.GET
    context = {
        "form": form,
        "into": into,
        "return_to": asked.get("return_to", ""),
        "org": membership.organization.slug,
        "nav_section": "connections",
    }
    template = f"forges/_connection_{what}_form.html" if is_fragment(request) else f"forges/connection_{what}.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _connected(request: HttpRequest, membership: Membership, made: Connected) -> HttpResponseBase:
    it = made.connection
    messages.success(request, f"{it} at {where(it)} is connected{'' if made.created else ' again'}.")
    back = returning.verified(request.POST.get("return_to", ""), membership)
    if back is None:
        return go_to(request, reverse("forges:connection", args=[membership.organization.slug, it.pk]))
    return go_to(request, returning.with_connection(back, it))
