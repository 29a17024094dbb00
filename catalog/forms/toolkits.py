"""What people fill in about toolkits."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, cast
from uuid import UUID

from django.db.models.functions import Lower
from django.http import QueryDict

from catalog.documents import CHOICES
from catalog.forms.library import OwnedForm
from catalog.forms.picks import Group, Option, Part, Pick, PicksField, PicksForm, folded
from catalog.models import Command, Prompt, Resource, Server, Skill, Tool, Toolkit
from catalog.toolkits import among
from orgs.models import Membership

PARTS = tuple(CHOICES)
"""What toolkits choose of servers, by the name of the field."""


@dataclass(frozen=True)
class Offered:
    """All that a toolkit can hold, in a constant number of queries."""

    servers: list[Server]
    by_server: dict[UUID, dict[str, list[Pick]]]
    """By the server's key and the field's name."""
    commands: list[Pick]
    skills: list[Pick]

    def picks(self, name: str) -> Iterable[Pick]:
        if name in PARTS:
            return [pick for parts in self.by_server.values() for pick in parts[name]]
        return self.commands if name == "commands" else self.skills


def offered_to(membership: Membership, toolkit: Toolkit | None = None) -> Offered:
    """What a member may choose for a toolkit, or for a new one: the organisation's things, and for one that is or may
    become their own also their personal commands and skills."""
    organization = membership.organization
    by_server: dict[UUID, dict[str, list[Pick]]] = defaultdict(lambda: {name: [] for name in PARTS})
    rows = among(organization, membership.user if toolkit is None or toolkit.owner_id else None)
    for name in PARTS:
        for row in rows[name]:
            by_server[row.server_id][name].append(_pick(row))
    commands, skills = ([_text(row) for row in rows[name]] for name in ("commands", "skills"))
    servers = Server.objects.visible_to(membership).order_by(Lower("name"), "slug")
    return Offered([each for each in servers if each.pk in by_server], by_server, commands, skills)


def _text(row: Command | Skill) -> Pick:
    return Pick(row.pk, row.name, "Personal" if row.owner_id else row.slug)


def _pick(row: Tool | Prompt | Resource) -> Pick:
    if isinstance(row, Resource):
        return Pick(row.pk, row.uri, row.name, mono=True)
    off = " · disabled" if isinstance(row, Tool) and not row.enabled else ""
    return Pick(row.pk, row.name, f"{row.title}{off}".removeprefix(" · "), mono=True)


class ToolkitForm(PicksForm, OwnedForm):
    tools = PicksField(noun="tool")
    prompts = PicksField(noun="prompt")
    resources = PicksField(noun="resource")
    commands = PicksField(noun="command")
    skills = PicksField(noun="skill")

    def __init__(self, data: QueryDict | None = None, *, offered: Offered, **more: Any) -> None:
        super().__init__(data, **more)
        self.offered = offered
        for name, field in self.fields.items():
            if isinstance(field, PicksField):
                field.offer(offered.picks(name))

    @classmethod
    def values_of(cls, row: Any) -> dict[str, Any]:
        items = list(row.items.values_list("tool", "prompt", "resource"))
        return {
            "name": row.name,
            "slug": row.slug,
            "description": row.description,
            **{name: sorted(each[at] for each in items if each[at]) for at, name in enumerate(PARTS)},
            "commands": sorted(row.commands.values_list("pk", flat=True)),
            "skills": sorted(row.skills.values_list("pk", flat=True)),
            "seen_revision": row.revision,
        }

    def over(self, current: Any) -> Self:
        data = cast("QueryDict", self.data).copy()
        data["seen_revision"] = str(current.revision)
        return type(self)(data, initial=self.initial, offered=self.offered)

    @property
    def groups(self) -> list[Group]:
        """By server, those without anything left out."""
        found = []
        alone = sys.maxsize if len(self.offered.servers) == 1 else 0
        chosen = {name: {str(key) for key in self[name].value() or []} for name in PARTS}
        for server in self.offered.servers:
            parts = [
                Part(name.capitalize(), name, [Option(pick, str(pick.key) in chosen[name]) for pick in picks])
                for name, picks in self.offered.by_server[server.pk].items()
                if picks
            ]
            found.append(Group(server.name, parts, alone, found_by_label=True))
        return found

    @property
    def texts(self) -> list[Group]:
        return folded(self["commands"], self["skills"])
