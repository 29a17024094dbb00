"""Rows of toolkits, commands, skills and clients as the documents that their files hold; see
`catalog.portable.model.Definition.document` for their form.

What an entity names of others is in its document by their names and slugs. So the document changes with theirs, without
a save of its own: whoever compares documents (gitsync) hears of it by `config_saved` or `entity_saved` of the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from catalog.models import Client, Command, EntityKind, Skill, SkillFile, Toolkit, ToolkitItem
from catalog.models.entities import EntityQuerySet
from catalog.portable.model import Kind
from catalog.portable.normal import normal

Entity = Toolkit | Command | Skill | Client
Document = dict[str, Any]
MODELS: Mapping[str, type[Entity]] = {
    EntityKind.TOOLKIT: Toolkit,
    EntityKind.COMMAND: Command,
    EntityKind.SKILL: Skill,
    EntityKind.CLIENT: Client,
}
CHOICES = {"tools": "name", "prompts": "name", "resources": "uri"}
"""What a toolkit chooses of servers, and by which field its document names it."""
Owners = Mapping[UUID, Any]
"""Whose each row is, by primary keys; None is the organisation's."""
Members = Callable[[Any], Document]
"""What stands in a row's document beside its name, slug and description."""


def kind_of(row: Entity) -> EntityKind:
    return EntityKind(str(row._meta.model_name))


def document_of(row: Entity) -> Document:
    """The document of one row as it is saved."""
    return documents(MODELS[kind_of(row)].objects.filter(pk=row.pk))[0][1]


def documents(rows: EntityQuerySet) -> list[tuple[Any, Document]]:
    """Each row with its document, in a constant number of queries.

    What is the organisation's names only what is the organisation's, whatever it came to refer to.
    """
    kind = Kind(str(rows.model._meta.model_name))
    found = list(rows)
    members = _MEMBERS[kind](rows, {row.pk: getattr(row, "owner_id", None) for row in found})
    return [(row, normal(kind, {**_head(row), **members(row)})) for row in found]


def _head(row: Entity) -> Document:
    return {"name": row.name, "slug": row.slug, "description": row.description}


def _commands(_: EntityQuerySet, __: Owners) -> Members:
    return lambda row: {"arguments": row.arguments, "prompt": row.prompt}


def _skills(rows: EntityQuerySet, _: Owners) -> Members:
    files: dict[UUID, dict[str, str]] = defaultdict(dict)
    for skill, path, oid in SkillFile.objects.filter(skill__in=rows).values_list("skill", "path", "blob__oid"):
        files[skill][path] = oid
    return lambda row: {
        "frontMatter": row.front_matter,
        "instructions": row.instructions,
        "files": files[row.pk],
    }


def _toolkits(rows: EntityQuerySet, owners: Owners) -> Members:
    servers: dict[UUID, dict[str, Document]] = defaultdict(dict)
    for choice, named in CHOICES.items():
        thing = choice.removesuffix("s")
        items = ToolkitItem.objects.filter(toolkit__in=rows, **{f"{thing}__isnull": False})
        told = items.values_list("toolkit", f"{thing}__server__owner", f"{thing}__server__slug", f"{thing}__{named}")
        for toolkit, owner, server, name in told:
            if toolkit in owners and owner in (None, owners[toolkit]):
                servers[toolkit].setdefault(server, {}).setdefault(choice, []).append(name)
    commands = _slugs(Toolkit.commands.through, rows, "toolkit", "command", owners)
    skills = _slugs(Toolkit.skills.through, rows, "toolkit", "skill", owners)
    return lambda row: {"servers": servers[row.pk], "commands": commands[row.pk], "skills": skills[row.pk]}


def _clients(rows: EntityQuerySet, owners: Owners) -> Members:
    servers = _slugs(Client.servers.through, rows, "client", "server", owners)
    toolkits = _slugs(Client.toolkits.through, rows, "client", "toolkit", owners)
    return lambda row: {"kind": str(row.kind), "servers": servers[row.pk], "toolkits": toolkits[row.pk]}


def _slugs(links: Any, rows: EntityQuerySet, holder: str, held: str, owners: Owners) -> dict[UUID, list[str]]:
    """What each holder has, without what is somebody else's own."""
    found: dict[UUID, list[str]] = defaultdict(list)
    among = links._default_manager.filter(**{f"{holder}__in": rows})
    for key, owner, slug in among.values_list(holder, f"{held}__owner", f"{held}__slug"):
        if key in owners and owner in (None, owners[key]):
            found[key].append(slug)
    return found


_MEMBERS: Mapping[Kind, Callable[[EntityQuerySet, Owners], Members]] = {
    Kind.TOOLKIT: _toolkits,
    Kind.COMMAND: _commands,
    Kind.SKILL: _skills,
    Kind.CLIENT: _clients,
}
