"""Connecting a repository: Bitbucket's by a consumer's key and secret, others' by a connection or an address."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gitsync.mirror.connecting import (
    MANAGE,
    Connected,
    FieldError,
    NeedsAgreement,
    NotConnected,
    StaleMirror,
    connect_mirror,
    edit_mirror,
    mirror_of,
)
from gitsync.mirror.forms import BitbucketForm, ConnectionForm, SettingsForm
from gitsync.models import Mirror
from gitsync.requesting import ASSIGN
from gitsync.views.choosing import listed, offered
from gitsync.views.mirror.page import fixed_address, page_context, required, shown
from gitsync.views.page import connection_groups
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

TITLE = "Connection test failed."
BITBUCKET_TITLE = "Connection test failed. Please verify your Workspace, Client ID, and Client Secret are correct."


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("client_secret", "webhook_secret")
@access.for_members()
def bitbucket(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """“Bitbucket Integration”: everything on one page, tried and saved with Connect."""
    found = mirror_of(membership.organization)
    form = BitbucketForm(request.POST if request.method == "POST" else None, mirror=found)
    context: dict[str, Any] = {"hook_address": fixed_address("bitbucket")}
    if request.method == "POST":
        access.require(membership, ASSIGN)
        access.require(membership, MANAGE)
        if form.is_valid():
            connect = partial(connect_mirror, consumer=form.consumer(), **_entered(request, membership, form))
            made, form, told = _tried(form, connect, BITBUCKET_TITLE)
            if made is not None:
                return _connected(request, membership, made)
            context |= told
    return _page(request, membership, "gitsync/mirror/bitbucket.html", form, found, context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("token")
@access.for_members()
def connection(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """The same for other forges, through a connection, and for plain git by its address."""
    found = mirror_of(membership.organization)
    data = request.POST if request.method == "POST" else None
    form = ConnectionForm(data, mirror=found, chosen=request.GET.get("choice", ""))
    org = membership.organization.slug
    context: dict[str, Any] = {
        "groups": connection_groups(membership) if access.may(membership, ASSIGN) else (),
        "repositories_url": reverse("gitsync:mirror_repositories", args=[org]),
        "branches_url": reverse("gitsync:mirror_branches", args=[org]),
    }
    if request.method == "POST":
        access.require(membership, ASSIGN)
        if form.is_valid():
            made, form, told = _tried(form, partial(connect_mirror, **_entered(request, membership, form)), TITLE)
            if made is not None:
                return _connected(request, membership, made)
            context |= told
    return _page(request, membership, "gitsync/mirror/connection.html", form, found, context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("gitsync.assign")
def settings(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """Branch, directory and how changes travel, through the credential that it has."""
    found = required(membership)
    form = SettingsForm(request.POST if request.method == "POST" else None, mirror=found)
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        entered = _entered(request, membership, form)
        entered["seen_revision"] = entered["seen_revision"] or 0
        made, form, context = _tried(form, partial(edit_mirror, mirror=found, **entered), TITLE)
        if made is not None:
            messages.success(request, "The settings of the sync are saved, and both sides are compared.")
            return redirect("gitsync:mirror", org=membership.organization.slug)
    return _page(request, membership, "gitsync/mirror/settings.html", form, found, context)


def _entered(request: HttpRequest, membership: Membership, form: Any) -> dict[str, Any]:
    return {
        "membership": membership,
        "values": form.wanted(),
        "seen_revision": form.cleaned_data["seen_revision"],
        "agreed": "agreed" in request.POST,
        "request": request,
    }


def _tried(form: Any, save: Callable[[], Connected], title: str) -> tuple[Connected | None, Any, dict[str, Any]]:
    """What was made of it; else the form to show again, and what the page says of it."""
    try:
        return save(), form, {}
    except NotConnected as error:
        return None, form, {"failed": title, "cause": error}
    except FieldError as error:
        form.add_field_error(error)
        return None, form, {}
    except (StaleMirror, NeedsAgreement) as error:
        told = _asks(error, form)
        return None, told.pop("form"), told


def _asks(error: StaleMirror | NeedsAgreement, form: Any) -> dict[str, Any]:
    """The same form with what the person entered, which saves over what is there now, or agrees, the next time."""
    if isinstance(error, NeedsAgreement):
        return {"agree": str(error), "form": form}
    mine = form.data.copy()
    mine["seen_revision"] = "" if error.current is None else str(error.current.revision)
    again = type(form)(mine, mirror=error.current) if error.current or not isinstance(form, SettingsForm) else form
    return {"stale": str(error), "theirs": error.current, "form": again}


def _page(
    request: HttpRequest,
    membership: Membership,
    template: str,
    form: Any,
    found: Mirror | None,
    context: dict[str, Any],
) -> HttpResponse:
    wrong = bool(form.is_bound and form.errors) or "failed" in context or "agree" in context
    status = 409 if "stale" in context else 422 if wrong else 200
    return render(request, template, page_context(membership, form=form, mirror=found, **context), status=status)


def _connected(request: HttpRequest, membership: Membership, made: Connected) -> HttpResponseBase:
    """To the status; by way of a page that shows the webhook's secret this once, where Millrace made one."""
    it = made.mirror
    messages.success(
        request,
        f"Connected: {it.repository} on {it.branch} is there, and can be read and written. The first sync has begun.",
    )
    for note in made.notes:
        messages.info(request, note)
    if not made.secret:
        return redirect("gitsync:mirror", org=membership.organization.slug)
    context = page_context(membership, shown=shown(membership, it), secret=made.secret)
    response = render(request, "gitsync/mirror/connected.html", context)
    response["Cache-Control"] = "no-store"
    return response


# -- what the form of connections offers -------------------------------------------------------------------------------


@require_safe
@access.for_members("gitsync.assign")
def repositories(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Those of one connection: a group of the list for htmx, else a page on which one chooses a connection, too."""
    context = listed(request, membership, mirror_of(membership.organization))
    context["repositories_url"] = reverse("gitsync:mirror_repositories", args=[membership.organization.slug])
    template = "gitsync/_repositories.html" if is_fragment(request) else "gitsync/mirror/repositories.html"
    return render(request, template, page_context(membership, **context))


@require_POST
@sensitive_post_parameters("token")
@access.for_members("gitsync.assign")
def branches(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The branch's field for the repository that is chosen."""
    found = mirror_of(membership.organization)
    return offered(request, membership, ConnectionForm(request.POST, mirror=found), found)
