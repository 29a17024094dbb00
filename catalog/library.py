"""The four kinds of the Library, beside servers: what each is called, what it is for, and where its pages are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from catalog.documents import MODELS, Entity, kind_of
from catalog.models import EntityKind
from catalog.models.entities import EntityQuerySet
from orgs.models import Membership


@dataclass(frozen=True)
class Shelf:
    """One kind. Its pages are called `library:<kind>`, `library:<kind>_edit` and so on; its list `library:<kind>s`."""

    kind: EntityKind
    purpose: str
    """What such a thing is, in a sentence."""
    start: str
    """What to do where there is none yet, and what it is good for."""

    @property
    def model(self) -> type[Entity]:
        return MODELS[self.kind]

    @property
    def noun(self) -> str:
        return str(self.kind)

    @property
    def plural(self) -> str:
        return f"{self.kind}s"

    @property
    def title(self) -> str:
        return self.plural.capitalize()

    @property
    def fields(self) -> str:
        """The template of what its form has beside name, slug and description."""
        return f"catalog/entities/_{self.kind}_fields.html"

    @property
    def owned(self) -> bool:
        """Whether one can be a member's own."""
        return self.kind is not EntityKind.CLIENT

    def visible_to(self, membership: Membership) -> EntityQuerySet:
        found: EntityQuerySet = self.model.objects.visible_to(membership)
        return found

    def url(self, org: str, page: str = "", *args: object) -> str:
        """`page` is "" for one's own page, "create", "edit", "history" …, and "s" for the list."""
        name = f"{self.kind}{page}" if page in ("", "s") else f"{self.kind}_{page}"
        return reverse(f"library:{name}", args=[org, *args])


SHELVES: dict[EntityKind, Shelf] = {
    each.kind: each
    for each in (
        Shelf(
            EntityKind.TOOLKIT,
            "A named choice of tools, prompts and resources of servers, and of commands and skills.",
            "A toolkit hands a client what one task takes, instead of everything that a server has. Make one and "
            "choose what is in it.",
        ),
        Shelf(
            EntityKind.COMMAND,
            "A prompt to use again, with arguments filled in.",
            "Write down once what people ask agents again and again. A command reaches clients through a toolkit, or a "
            "server that it is attached to.",
        ),
        Shelf(
            EntityKind.SKILL,
            "A folder of instructions and files that teaches agents how to do something.",
            "Write down how your organisation does something, with its scripts and references. A skill reaches clients "
            "through a toolkit, or a server that it is attached to.",
        ),
        Shelf(
            EntityKind.CLIENT,
            "An application that speaks MCP, and what it is meant to reach.",
            "Write down which agents, editors and services your organisation uses, and which servers and toolkits each "
            "is meant to reach. A client grants nothing by itself.",
        ),
    )
}
"""By kind, in the order of the tabs."""


def shelf_of(row: Entity) -> Shelf:
    return SHELVES[kind_of(row)]


def address(row: Entity, page: str = "", *args: object) -> str:
    """Where a page about a row is; see `Shelf.url`."""
    return shelf_of(row).url(row.organization.slug, page, row.pk, *args)


Consequence = Callable[[Any], str]
"""What else happens when a row is deleted, in a sentence; "" for nothing."""

_consequences: list[Consequence] = []


def register_consequence(tell: Consequence) -> None:
    """Apps do it in their `ready()`, for what happens outside the database."""
    _consequences.append(tell)


def consequences(row: Entity) -> list[str]:
    """What is told before a row is deleted, besides what uses it."""
    return [told for tell in _consequences if (told := tell(row))]
