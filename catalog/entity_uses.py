"""What uses a command, a skill, a toolkit, a server, a provider, or what one offers: told on its page, and before it is
deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from catalog.models import (
    Client,
    Command,
    EntityKind,
    Prompt,
    Provider,
    Resource,
    Server,
    Skill,
    Tool,
    Toolkit,
    ToolkitItem,
)
from orgs.models import Membership

Used = Command | Skill | Toolkit | Server | Provider | Tool | Prompt | Resource


@dataclass(frozen=True, slots=True)
class EntityUse:
    """One thing that has it, and has it no more once it is deleted."""

    kind: EntityKind
    label: str
    pk: UUID
    slug: str

    @property
    def loss(self) -> str:
        """What its deletion means, in words."""
        return f"{self.kind.label} “{self.label}” loses it"


def uses_of(row: Used, membership: Membership) -> list[EntityUse]:
    """What uses a row that the member sees, by kind and name; what is somebody else's own is not told. Two queries at
    most."""
    return [
        EntityUse(kind, used_by.name, used_by.pk, used_by.slug)
        for kind, rows in _users(row, membership)
        for used_by in rows
    ]


def _users(row: Used, membership: Membership) -> Iterator[tuple[EntityKind, Iterable[Any]]]:
    toolkits = Toolkit.objects.visible_to(membership)
    match row:
        case Command() | Skill():
            field = "commands" if isinstance(row, Command) else "skills"
            yield EntityKind.TOOLKIT, toolkits.filter(**{field: row})
            theirs = Q(owner=None) | Q(owner=membership.user_id)
            yield EntityKind.SERVER, row.servers.filter(theirs, organization=membership.organization_id)
        case Toolkit():
            yield EntityKind.CLIENT, Client.objects.visible_to(membership).filter(toolkits=row)
        case Server() | Provider():
            of = row._meta.model_name
            its = Q(**{f"tool__{of}": row}) | Q(**{f"prompt__{of}": row}) | Q(**{f"resource__{of}": row})
            holders = ToolkitItem.objects.filter(its).values("toolkit")
            yield EntityKind.TOOLKIT, toolkits.filter(pk__in=holders)
            if isinstance(row, Server):
                yield EntityKind.CLIENT, Client.objects.visible_to(membership).filter(servers=row)
        case Tool() | Prompt() | Resource():
            yield EntityKind.TOOLKIT, toolkits.filter(**{f"items__{row._meta.model_name}": row})
