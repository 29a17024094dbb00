"""From what was found out about an address to the source that it becomes, over a form that people can tamper with."""

from __future__ import annotations

import uuid
from typing import Any

from django.core import signing

from catalog.models import Server
from forges.models import Connection
from indexing.probing import Probe
from orgs.models import Membership

_SALT = "indexing.offering"
_SECONDS = 3600


class Expired(ValueError):
    """What was found out is too long ago, or none of ours. The text is a sentence for a person."""


def seal(found: Probe, server: Server, membership: Membership) -> str:
    """What was found out, signed for this member's form on this server."""
    facts = found.facts()
    connection: Connection | None = facts.pop("connection", None)
    return signing.dumps(
        {
            "facts": facts,
            "connection": str(connection.pk) if connection else "",
            "name": found.name,
            "branch": found.branch,
            "include": found.include,
            "for": _for(server, membership),
        },
        salt=_SALT,
        compress=True,
    )


def unseal(text: str, server: Server, membership: Membership) -> dict[str, Any]:
    """The fields of the source, its connection among them. Raises Expired."""
    try:
        kept = signing.loads(text, salt=_SALT, max_age=_SECONDS)
    except signing.BadSignature as error:
        raise Expired("This took too long. The address has been asked again: look at it, and add it.") from error
    if kept["for"] != _for(server, membership):
        raise Expired("This is of another form. The address has been asked again: look at it, and add it.")
    connection = None
    if kept["connection"]:
        usable = Connection.objects.usable_by(membership).select_related("user")
        connection = usable.filter(pk=uuid.UUID(kept["connection"])).first()
    defaults = {name: kept[name] for name in ("name", "branch", "include")}
    return {**kept["facts"], **defaults, "connection": connection}


def _for(server: Server, membership: Membership) -> str:
    return f"{server.pk} {membership.user_id}"
