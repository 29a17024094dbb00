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
    public = not (admitted.caller.known or hidden)
    return things_of(model, toolkit=admitted.toolkit is not None, public=public, **values_of(admitted))


def values_of(admitted: Admitted) -> dict[str, Any]:
    """What `things_of` is told of a request."""
    target = admitted.target
    return {"organization": admitted.organization.pk, "target": target.pk, "owner": target.owner_id}


def things_of(
    model: type[Thing], *, toolkit: bool, public: bool, organization: Any, target: Any, owner: Any
) -> QuerySet[Thing]:
    """The same for a target, a server or a toolkit, of an organisation and an owner: primary keys, or Given."""
    # The organisation's, and on what is personal also its owner's.
    owned = Q(server__owner=None) | Q(server__owner=owner)
    of_it = {"toolkit_items__toolkit": target} if toolkit else {"server": target}
    rows = model._default_manager.filter(owned, server__organization=organization, **of_it)
    if public:
        rows = rows.filter(provider__visibility=Server.Visibility.PUBLIC)
    return rows.order_by("pk")


def entities(admitted: Admitted, model: type[Entity]) -> QuerySet[Entity]:
    """Those that are attached to the server, or that the toolkit holds."""
    owned = Q(owner=None) | Q(owner=admitted.target.owner_id)
    rows = model._default_manager.filter(owned, organization=admitted.organization)
    holder: dict[str, Model | None] = (
        {"toolkits": admitted.toolkit} if admitted.toolkit is not None else {"servers": admitted.server}
    )
    found: QuerySet[Any] = rows.filter(**holder).order_by("pk")
    return found
