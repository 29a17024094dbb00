"""An organisation's API keys: the list, a new one, a change, the end of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from catalog.checking.problems import Invalid
from catalog.views.page import posted
from endpoint import keys as services
from endpoint.forms.keys import KeyForm, NewKeyForm
from endpoint.keys import RELATIONS, offered
from endpoint.models import ApiKey
from endpoint.snippets import Target, snippets
from endpoint.tables.keys import KEPT_DAYS, KeysTable, facts_of, listed
from endpoint.views.connecting import WITH_KEY
from endpoint.views.place import Place
from lib import tables
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership

NEEDED = "keys.manage"
MOST_PLACES = 10
"""That are listed with a new key."""


def _key(membership: Membership, pk: UUID) -> ApiKey:
    rows = ApiKey.objects.for_org(membership.organization).select_related("created_by")
    return get_object_or_404(rows, pk=pk)


def _ready(membership: Membership, key: ApiKey, token: str) -> dict[str, Any]:
    """What to paste where a key was made for one server or toolkit: there is no doubt then what it is for. Otherwise
    the places that it reaches, and how many there are beyond those that are shown."""
    found = [_reached(membership, key, name).order_by(Lower("name"), "slug") for name in RELATIONS]
    total = sum(rows.count() for rows in found)
    places = [Place(row, membership) for rows in found for row in rows[:MOST_PLACES]][:MOST_PLACES]
    if total == 1 and not key.everything:
        (place,) = places
        return {"place": place, "snippets": snippets(Target(place.target.slug, place.address, token))}
    shown = [(place, f"{place.url('connect')}?with={WITH_KEY}#clients-title") for place in places]
    return {"places": shown, "more": total - len(places)}


def _reached(membership: Membership, key: ApiKey, name: str) -> QuerySet[Any]:
    """Of `servers` or `toolkits`, in the moment in which it is made."""
    rows: QuerySet[Any] = getattr(key, name).all()
    return offered(name, key=None, to=membership).filter(owner=None) if key.everything else rows


@require_safe
@access.for_members(NEEDED)
def keys(request: HttpRequest, membership: Membership) -> HttpResponse:
    table = KeysTable(listed(membership), viewer=membership)
    tables.configure(request, table, per_page=50)
    context = {"membership": membership, "table": table.load(), "nav_section": "keys", "kept_days": KEPT_DAYS}
    return render(request, "endpoint/keys/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@access.for_members(NEEDED)
def make(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The form; the answer to a valid one is the only page that ever shows the key. `?for=` is what to mark in it."""
    form = NewKeyForm(posted(request), by=membership, likely=request.GET.get("for", ""))
    context = {"membership": membership, "nav_section": "keys", "form": form, "title": "Make key"}
    if request.method == "POST" and form.is_valid():
        try:
            key, token = services.make_key(by=membership, values=form.values, request=request)
        except services.MadeAlready as error:
            messages.warning(request, str(error))
            return redirect("endpoint:keys", org=membership.organization.slug)
        except Invalid as invalid:
            form.refuse(invalid.errors)
        else:
            context |= {"key": key, "token": token, **_ready(membership, key, token)}
            return render(request, "endpoint/keys/made.html", context)
    return render(request, "endpoint/keys/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(NEEDED)
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    key = _key(membership, pk)
    back = redirect("endpoint:keys", org=membership.organization.slug)
    if not key.is_usable:
        messages.warning(request, f"“{key}” cannot be used any more. Make a new key instead.")
        return back
    form = KeyForm(posted(request), by=membership, key=key)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_key(key=key, by=membership, values=form.values, request=request)
        except Invalid as invalid:
            form.refuse(invalid.errors)
        else:
            messages.success(request, f"“{form.values['name']}” is saved. It holds from its next request.")
            return back
    context = {
        "membership": membership,
        "nav_section": "keys",
        "form": form,
        "key": key,
        "facts": facts_of([key], membership)[key.pk],
        "title": "Edit key",
    }
    return render(request, "endpoint/keys/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members(NEEDED)
def revoke(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    key = _key(membership, pk)
    back = reverse("endpoint:keys", args=[membership.organization.slug])
    if request.method == "POST":
        services.revoke_key(key=key, by=membership, request=request)
        messages.success(request, f"“{key}” is revoked. Whoever carries it is refused from now on.")
        return redirect(back)
    facts = facts_of([key], membership)[key.pk]
    things = ["all servers and toolkits of the organisation"] if key.everything else facts.names
    if facts.personal:
        things = [*things, "what is personal to its maker"]
    context = {
        "membership": membership,
        "nav_section": "keys",
        "title": f"Revoke “{key}”?",
        "text": f"Whoever carries the key that begins with {key.hint} is refused from its next request. This cannot be "
        "undone: they need a new key. What it reaches:",
        "items": things,
        "action": reverse("endpoint:key_revoke", args=[membership.organization.slug, key.pk]),
        "cancel_url": back,
        "confirm": "Revoke key",
        "danger": True,
    }
    page = "components/_confirm.html" if is_fragment(request) else "endpoint/keys/revoke.html"
    return render(request, page, context)
