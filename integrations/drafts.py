"""What somebody entered to connect a repository, kept while they are at a forge to give their consent.

In their session, for an hour, without a token, and without one that was pasted within an address. Its name is signed
for the member and the server that it is about: it comes back in an address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.utils.crypto import get_random_string

from catalog.models import Server
from forges import returning
from orgs.models import Membership

IN_SESSION = "integrations.drafts"
SALT = "integrations.drafts"
MOST = 5
"""Of one session: somebody has a handful of windows open. The oldest goes."""
KEPT = ("forge", "base_url", "username", "email", "repository", "branch", "include", "exclude", "mount_path", "on_push")
"""Fields of the connect form; never the token."""
LONGEST = 20_000
_WHO_SIGNS_IN = re.compile(r"(?<=://)[^/?#\s]*@")
"""In https://bob:token@git.example.com, which no form takes, but is kept before any is looked at."""


def keep(session: SessionBase, values: Mapping[str, str], *, membership: Membership, server: Server) -> str:
    """Keep what is entered; returns the signed name of the draft."""
    drafts = _fresh(session)
    for name in sorted(drafts, key=lambda name: drafts[name]["at"])[: max(0, len(drafts) - MOST + 1)]:
        del drafts[name]
    name = get_random_string(16)
    kept = {key: _WHO_SIGNS_IN.sub("", values.get(key, "")[:LONGEST]) for key in KEPT}
    drafts[name] = {"at": time.time(), "values": kept}
    session[IN_SESSION] = drafts
    return signing.dumps([name, str(membership.pk), str(server.pk)], salt=SALT)


def find(session: SessionBase, signed: str, *, membership: Membership, server: Server) -> dict[str, str] | None:
    """The values of a draft; None when it is another member's or server's, too old, used, or of another browser."""
    name = _name(signed, membership, server)
    draft = _fresh(session).get(name) if name else None
    return dict(draft["values"]) if draft else None


def forget(session: SessionBase, signed: str, *, membership: Membership, server: Server) -> None:
    """Once it is used, it is not used again."""
    drafts = _fresh(session)
    drafts.pop(_name(signed, membership, server) or "", None)
    session[IN_SESSION] = drafts


def _name(signed: str, membership: Membership, server: Server) -> str | None:
    try:
        name, member, about = signing.loads(signed, salt=SALT, max_age=returning.MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(name) if (member, about) == (str(membership.pk), str(server.pk)) else None


def _fresh(session: SessionBase) -> dict[str, dict[str, Any]]:
    oldest = time.time() - returning.MAX_AGE
    return {name: draft for name, draft in session.get(IN_SESSION, {}).items() if draft["at"] > oldest}
