"""Toolkits: create, edit, share, delete.

What the organisation has holds only what is the organisation's; a personal one also what is its owner's. A toolkit's
document names tools, prompts and resources by their servers' slugs and their own names, commands and skills by their
slugs: it changes when one of them is renamed or deleted, without a save of its own (see `catalog.documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from catalog import entity_saving
from catalog.checking.entities import clean_entity
from catalog.checking.problems import FieldError, Findings, Invalid
from catalog.documents import CHOICES
from catalog.entity_saving import Act, chosen, set_relation
from catalog.models import Command, Prompt, Resource, Skill, Tool, Toolkit, ToolkitItem
from catalog.revisions import Source
from catalog.variables import listed
from orgs.models import Organization, User

FIELDS = ("name", "slug", "description")
_RELATIONS = ("commands", "skills")
VALUES = (*FIELDS, *CHOICES, *_RELATIONS)
"""`tools`, `prompts`, `resources`, `commands` and `skills` are primary keys."""
_PAGE = Source()
_THINGS: Mapping[str, type[Tool | Prompt | Resource]] = {"tools": Tool, "prompts": Prompt, "resources": Resource}


def create_toolkit(
    *,
    organization: Organization,
    values: Mapping[str, Any],
    by: User | None,
    owner: User | None = None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Toolkit:
    """Make a toolkit of VALUES; without a slug it gets one made of its name, and with an owner it is personal. Raises
    Invalid."""
    row = Toolkit(organization=organization, owner=owner)
    return entity_saving.insert(row, values=values, clean=clean, act=Act(by, request, source))


def edit_toolkit(
    *,
    toolkit: Toolkit,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Toolkit:
    """Save VALUES. Raises Invalid and Stale."""
    act = Act(by, request, source)
    return entity_saving.change(toolkit, values=values, seen_revision=seen_revision, clean=clean, act=act)


def share_toolkit(*, toolkit: Toolkit, by: User | None, request: HttpRequest | None = None) -> Toolkit:
    """Make a personal one the organisation's, for good. Raises Invalid where another one has its slug, and while it
    holds what is personal."""
    return entity_saving.share(toolkit, check=_check_sharing, act=Act(by, request))


def delete_toolkit(
    *, toolkit: Toolkit, by: User | None, request: HttpRequest | None = None, source: Source = _PAGE
) -> None:
    """Delete it; clients have it no more."""
    entity_saving.delete(toolkit, act=Act(by, request, source))


def among(organization: Organization, owner: User | None) -> dict[str, QuerySet[Any]]:
    """What a toolkit can hold, by the names of VALUES: the organisation's, and with an owner the owner's own."""
    theirs = Q(owner=None) | Q(owner=owner)
    of_servers = Q(server__organization=organization) & (Q(server__owner=None) | Q(server__owner=owner))
    return {
        **{name: model._default_manager.filter(of_servers) for name, model in _THINGS.items()},
        "commands": Command.objects.filter(theirs, organization=organization),
        "skills": Skill.objects.filter(theirs, organization=organization),
    }


def clean(row: Toolkit, values: Mapping[str, Any]) -> tuple[dict[str, Any], entity_saving.Relate]:
    """An `entity_saving.Clean`."""
    findings = Findings()
    fields = clean_entity({name: values.get(name, getattr(row, name)) for name in FIELDS}, findings)
    rows = among(row.organization, row.owner)
    given = {name: list(values[name]) for name in rows if name in values}
    wanted = {name: chosen(findings, name, keys, rows[name], owner=row.owner) for name, keys in given.items()}
    findings.refuse()

    def relate(saved: Toolkit) -> bool:
        changes = [_choose(saved, name, wanted[name]) for name in CHOICES if name in wanted]
        changes += [set_relation(saved, name, wanted[name]) for name in _RELATIONS if name in wanted]
        return any(changes)

    return fields, relate


def _choose(toolkit: Toolkit, name: str, wanted: set[UUID]) -> bool:
    thing = name.removesuffix("s")
    items = ToolkitItem.objects.filter(toolkit=toolkit, **{f"{thing}__isnull": False})
    now = set(items.values_list(thing, flat=True))
    if gone := now - wanted:
        items.filter(**{f"{thing}__in": gone}).delete()
    ToolkitItem.objects.bulk_create(
        [ToolkitItem(toolkit=toolkit, **{f"{thing}_id": key}) for key in sorted(wanted - now)]
    )
    return now != wanted


def _check_sharing(toolkit: Toolkit) -> None:
    own = [
        *toolkit.commands.exclude(owner=None),
        *toolkit.skills.exclude(owner=None),
        *(item.tool or item.prompt or item.resource for item in _items_of_personal_servers(toolkit)),
    ]
    if own:
        words = f"It holds what is yours alone: {listed(own)}. Share that first, or take it out."
        raise Invalid([FieldError("", words)])


def _items_of_personal_servers(toolkit: Toolkit) -> QuerySet[ToolkitItem]:
    personal = [Q(**{f"{name.removesuffix('s')}__server__owner__isnull": False}) for name in CHOICES]
    return ToolkitItem.objects.filter(personal[0] | personal[1] | personal[2], toolkit=toolkit).select_related(
        *(name.removesuffix("s") for name in CHOICES)
    )
