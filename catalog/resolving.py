"""A document as the values that its service takes; what it names of others as rows, within what its entity may hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from catalog import clients, commands, skills, toolkits
from catalog.documents import CHOICES, Document
from catalog.entity_saving import Clean
from catalog.models import Command, Prompt, Resource, Server, Skill, Tool, Toolkit
from catalog.portable import references
from catalog.portable.model import Kind, Problem
from catalog.portable.references import Offered, There
from orgs.models import Organization, User

Chosen = Mapping[str, Collection[UUID]]
"""Primary keys by the names of a service's values: tools, prompts, resources, commands, skills, servers, toolkits."""


CLEAN: Mapping[str, Clean] = {
    Kind.TOOLKIT: toolkits.clean,
    Kind.COMMAND: commands.clean,
    Kind.SKILL: skills.clean,
    Kind.CLIENT: clients.clean,
}


def there(organization: Organization, owner: User | None = None) -> There:
    """All that entities of an organisation can name, and what is `owner`'s own; seven queries."""
    theirs = Q(owner=None) | Q(owner=owner)
    servers: QuerySet[Server] = Server.objects.for_org(organization).filter(theirs)
    offered: dict[str, dict[str, set[str]]] = {slug: {} for slug in servers.values_list("slug", flat=True)}
    for model, choice in ((Tool, "tools"), (Prompt, "prompts"), (Resource, "resources")):
        rows = model._default_manager.filter(server__in=servers).order_by()
        for slug, name in rows.values_list("server__slug", CHOICES[choice]):
            offered.setdefault(slug, {}).setdefault(choice, set()).add(name)
    slugs = [
        frozenset(model.objects.filter(theirs, organization=organization).values_list("slug", flat=True))
        for model in (Command, Skill, Toolkit)
    ]
    return There({slug: Offered(**things) for slug, things in offered.items()}, *slugs)


def resolved(
    kind: Kind, document: Mapping[str, Any], organization: Organization, *, owner: User | None = None, path: str = ""
) -> tuple[Chosen, tuple[Problem, ...]]:
    """The rows that a toolkit's or client's document names, and a problem of the file `path` for each that is not
    there; a constant number of queries.

    Only what is the organisation's counts, and for a personal one its owner's, which goes before the organisation's of
    the same slug.
    """
    match kind:
        case Kind.TOOLKIT:
            chosen, found = _of_toolkit(document, organization, owner)
        case Kind.CLIENT:
            chosen, found = _of_client(document, organization)
        case _:
            return {}, ()
    problems = references.check(kind, document, path, found)
    if problems:  # once more, to say what there is instead
        problems = references.check(kind, document, path, there(organization, owner))
    return chosen, problems


def _of_client(document: Mapping[str, Any], organization: Organization) -> tuple[Chosen, There]:
    keys = {name: _by_slug(rows, document.get(name, ())) for name, rows in clients.among(organization).items()}
    found = There(servers=dict.fromkeys(keys["servers"], Offered()), toolkits=keys["toolkits"].keys())
    return {name: list(these.values()) for name, these in keys.items()}, found


def _of_toolkit(document: Mapping[str, Any], organization: Organization, owner: User | None) -> tuple[Chosen, There]:
    named: Mapping[str, Mapping[str, list[str]]] = document.get("servers", {})
    among = toolkits.among(organization, owner)
    servers = Server.objects.for_org(organization).filter(Q(owner=None) | Q(owner=owner), slug__in=list(named))
    offered: dict[str, dict[str, set[str]]] = {slug: {} for slug in servers.values_list("slug", flat=True)}
    chosen: dict[str, list[UUID]] = defaultdict(list)
    for choice, field in CHOICES.items():
        names = {name for of_server in named.values() for name in of_server.get(choice, ())}
        rows = among[choice].filter(server__slug__in=list(offered), **{f"{field}__in": names})
        for key, slug, name in rows.values_list("pk", "server__slug", field):
            if name in named[slug].get(choice, ()):
                chosen[choice].append(key)
                offered[slug].setdefault(choice, set()).add(name)
    keys = {name: _by_slug(among[name], document.get(name, ())) for name in ("commands", "skills")}
    found = There(
        {slug: Offered(**things) for slug, things in offered.items()}, keys["commands"].keys(), keys["skills"].keys()
    )
    return {name: [] for name in CHOICES} | chosen | {name: list(these.values()) for name, these in keys.items()}, found


def _by_slug(rows: QuerySet[Any], slugs: Collection[str]) -> dict[str, UUID]:
    named = rows.filter(slug__in=list(slugs)).values_list("slug", "pk", "owner")
    return {slug: key for slug, key, _ in sorted(named, key=lambda row: row[2] is not None)}


def values_of(kind: Kind, document: Mapping[str, Any]) -> Document:
    """A document as the values of its service, but for what it names of others, and the bytes of files."""
    values: Document = {name: document.get(name, "") for name in ("name", "slug", "description")}
    match kind:
        case Kind.COMMAND:
            values |= {"arguments": document.get("arguments", []), "prompt": document.get("prompt", "")}
        case Kind.SKILL:
            values["front_matter"] = document.get("frontMatter", {})
            values["instructions"] = document.get("instructions", "")
        case Kind.CLIENT:
            values["kind"] = document.get("kind", "other")
    return values
