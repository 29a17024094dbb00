"""The document that a preview showed, on its way through the form that confirms it.

It is signed for the person, for the server or organisation, and for the revision that it was compared with: what comes
back is what was read and checked, and not the form of another page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing

from catalog.exchange.document import from_document, to_document
from catalog.exchange.errors import DocumentError
from catalog.exchange.model import ServerConfig
from catalog.models import Server
from orgs.models import Organization, User

_SALT = "catalog.exchange.preview"
_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Shown:
    config: ServerConfig
    revision: int
    """Of the server when it was compared; 0 for a new one."""


def sign(config: ServerConfig, *, person: User, about: Server | Organization, revision: int = 0) -> str:
    shown = {"for": _audience(person, about), "revision": revision, "document": to_document(config)}
    return signing.dumps(shown, salt=_SALT, compress=True)


def shown(text: str, *, person: User, about: Server | Organization) -> Shown | None:
    """What was signed; None if that is not for them, too old, or not of this Millrace."""
    try:
        found: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=_SECONDS)
        if found["for"] != _audience(person, about):
            return None
        return Shown(from_document(found["document"]), int(found["revision"]))
    except (signing.BadSignature, DocumentError, KeyError):
        return None


def _audience(person: User, about: Server | Organization) -> list[str]:
    return [str(person.pk), about._meta.label_lower, str(about.pk)]
