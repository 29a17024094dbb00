"""Tools out of an OpenAPI document: where it is, then which of its operations. Nothing is kept between the two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from catalog.access import server_of
from catalog.checking.problems import Invalid
from catalog.exchange.errors import DocumentError, Problem
from catalog.forms.openapi import ChooseForm, SourceForm
from catalog.models import Provider, Server
from catalog.openapi import adding
from catalog.openapi.carrying import Carried, carried, sign
from catalog.openapi.fetching import Unreachable, fetch
from catalog.openapi.matching import CHANGED, NEW, Match
from catalog.openapi.reading import read
from catalog.openapi.tools import Described, describe
from catalog.views.entity import page
from catalog.views.page import posted
from lib.policy import egress_policy
from orgs import access
from orgs.models import Membership

EXPIRED = "The list is too old, or was made for another page. Nothing has been imported: choose the document again."


@dataclass(frozen=True)
class Row:
    """An operation of the list."""

    match: Match
    chosen: bool


@access.for_members("servers.edit")
def openapi(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    if "document" in request.POST:
        return _choosing(request, membership, it)
    form = SourceForm(posted(request), request.FILES or None)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        given = form.given
        found_at = form.cleaned_data["url"] if given is None else ""
        try:
            document = read(fetch(found_at, policy=egress_policy()) if given is None else given)
            described = describe(document, found_at=found_at)
        except Unreachable as error:
            form.add_error("url", str(error))
        except DocumentError as error:
            problems = error.problems
        else:
            signed = sign(Carried(document.text, found_at), person=membership.user, server=it)
            return _list(request, membership, it, described, _first(it, described, signed), None)
    return page(request, membership, it, "catalog/openapi.html", form=form, problems=problems)


def _choosing(request: HttpRequest, membership: Membership, it: Server) -> HttpResponse:
    """The list again, as its buttons say, or the import."""
    found = carried(request.POST["document"], person=membership.user, server=it)
    if found is None:
        messages.error(request, EXPIRED)
        return redirect("catalog:openapi", membership.organization.slug, it.slug)
    described = describe(read(found.text), found_at=found.found_at)
    form = _form(it, described, request.POST)
    chosen = set(request.POST.getlist("chosen"))
    if request.POST.get("action") == "import" and form.is_valid():
        try:
            added = adding.add_tools(
                server=it,
                provider=form.home,
                described=described,
                chosen=chosen,
                values=form.cleaned_data,
                make_variables=form.cleaned_data["make_variables"],
                by=membership.user,
                request=request,
            )
        except Invalid as invalid:
            form.refuse(invalid.errors)
        except ObjectDoesNotExist:
            form.add_error(None, "Somebody deleted this provider meanwhile. Choose another.")
        else:
            messages.success(request, _said(added))
            return redirect("catalog:provider", membership.organization.slug, it.slug, added.provider.pk)
    elif request.POST.get("action") != "import":
        form = _form(it, described, None, initial=request.POST.dict())
        form.initial["make_variables"] = "make_variables" in request.POST
    return _list(request, membership, it, described, form, chosen)


def _form(it: Server, described: Described, data: Any, **more: Any) -> ChooseForm:
    providers = Provider.objects.filter(server=it).exclude(base_url="")
    return ChooseForm(data, providers=providers, base_urls=described.base_urls, **more)


def _first(it: Server, described: Described, signed: str) -> ChooseForm:
    """As it is shown at first: with the provider that is at one of the document's addresses."""
    form = _form(it, described, None)
    home = next((key for key, each in form.providers.items() if each.base_url in described.base_urls), "")
    form.initial = {
        "document": signed,
        "provider": home,
        "name": described.title,
        "base_url": next(iter(described.base_urls), ""),
        "make_variables": True,
    }
    return form


def _list(
    request: HttpRequest,
    membership: Membership,
    it: Server,
    described: Described,
    form: ChooseForm,
    chosen: Collection[str] | None,
) -> HttpResponse:
    """The operations; `chosen` is None at first, when those that are new are."""
    found = adding.matches(it, form.home, described)
    query = str(form["q"].value() or "").strip().lower()
    shown = [each for each in found if _fits(each, query)]
    ticked = _ticked(found, shown, chosen, request.POST.get("action", ""))
    credentials = [need for each in found if each.key in ticked for need in each.proposal.credentials]
    tokens = any(each.proposal.oauth2 for each in found if each.key in ticked)
    return page(
        request,
        membership,
        it,
        "catalog/openapi_choose.html",
        form=form,
        described=described,
        rows=[Row(each, each.key in ticked) for each in shown],
        hidden=sorted(ticked - {each.key for each in shown}),
        counts={
            "all": len(found),
            "chosen": len(ticked),
            "new": sum(each.state == NEW for each in found),
            "changed": sum(each.state == CHANGED for each in found),
        },
        query=query,
        needs=adding.needs(it, list(dict.fromkeys(credentials)), form.address),
        lacks_oauth2=bool(tokens and form.home and not form.home.oauth2_token_url),
    )


def _fits(found: Match, query: str) -> bool:
    values = found.values
    return not query or any(query in str(text).lower() for text in (values["name"], values["title"], found.key))


def _ticked(found: list[Match], shown: list[Match], chosen: Collection[str] | None, action: str) -> set[str]:
    possible = {each.key for each in found if each.can_be_chosen}
    if chosen is None:
        return {each.key for each in found if each.state == NEW and not each.proposal.deprecated}
    ticked = possible.intersection(chosen)
    if action == "all":
        ticked |= possible.intersection(each.key for each in shown)
    elif action == "none":
        ticked -= {each.key for each in shown}
    return ticked


def _said(added: adding.Added) -> str:
    parts = [(added.created, "added"), (added.changed, "changed")]
    words = " and ".join(f"{count:,} tool{'' if count == 1 else 's'} {word}" for count, word in parts if count)
    text = f"{added.provider.name}: {words}."
    if added.variables:
        text += f" Enter the values of {', '.join(added.variables)} on the Variables tab."
    return text
