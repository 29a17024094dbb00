"""Whose tools, prompts, resources, commands and skills a request sees.

Everything that serves something configured begins here, so that nothing is offered that the target does not have, that
became somebody's own or another organisation's since a toolkit chose it, or that the caller may not see.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from catalog.models import Command, Prompt, Resource, Server, Skill, Tool
from endpoint.admitted import Admitted

Thing = TypeVar("Thing", Tool, Prompt, Resource)
Entity = TypeVar("Entity", Command, Skill)


def things(admitted: Admitted, model: type[Thing], *, hidden: bool = False) -> QuerySet[Thing]:
    """Those of the server, or those that the toolkit chose. Of private providers only for callers who are known, unless
    what is `hidden` from them is asked for, too."""
    rows = model._default_manager.filter(_owned(admitted, "server__"), server__organization=admitted.organization)
    if admitted.toolkit is not None:
        rows = rows.filter(toolkit_items__toolkit=admitted.toolkit)
    else:
        rows = rows.filter(server=admitted.server)
    if not (admitted.caller.known or hidden):
        rows = rows.filter(provider__visibility=Server.Visibility.PUBLIC)
    return rows.order_by("pk")


def entities(admitted: Admitted, model: type[Entity]) -> QuerySet[Entity]:
    """Those that are attached to the server, or that the toolkit holds."""
    rows = model._default_manager.filter(_owned(admitted), organization=admitted.organization)
    holder: dict[str, Model | None] = (
        {"toolkits": admitted.toolkit} if admitted.toolkit is not None else {"servers": admitted.server}
    )
    found: QuerySet[Any] = rows.filter(**holder).order_by("pk")
    return found


def _owned(admitted: Admitted, prefix: str = "") -> Q:
    """The organisation's, and on what is personal also its owner's."""
    shared = Q(**{f"{prefix}owner": None})
    owner = admitted.target.owner_id
    return shared if owner is None else shared | Q(**{f"{prefix}owner": owner})
