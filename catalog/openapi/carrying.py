"""The document on its way through the form that chooses from it: signed for the person and the server, and read anew
each time."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from catalog.models import Server
from orgs.models import User

_SALT = "catalog.openapi.document"
_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Carried:
    text: str
    found_at: str = ""
    """The address that it was read from, if it was."""


def sign(carried: Carried, *, person: User, server: Server) -> str:
    about = [str(person.pk), str(server.pk)]
    return signing.dumps([about, carried.text, carried.found_at], salt=_SALT, compress=True)


def carried(signed: str, *, person: User, server: Server) -> Carried | None:
    """What was signed; None if that is not for them, too old, or not of this Millrace."""
    try:
        about, text, found_at = signing.loads(signed, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return Carried(text, found_at) if about == [str(person.pk), str(server.pk)] else None
