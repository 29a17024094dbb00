"""What somebody entered in a form of an app above, kept while they are at a forge to give their consent.

In their session, for an hour, without a token, and without one that was pasted within an address. Its name is signed
for the member and for what it is about: it comes back in an address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.db.models import Model
from django.utils.crypto import get_random_string

from forges import returning
from orgs.models import Membership

MOST = 5
"""Of one form in one session: somebody has a handful of windows open. The oldest goes."""
LONGEST = 20_000
_WHO_SIGNS_IN = re.compile(r"(?<=://)[^/?#\s]*@")
"""In https://bob:token@git.example.com, which no form takes, but is kept before any is looked at."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Those of one form."""

    name: str
    """In the session, and in what is signed."""
    fields: tuple[str, ...]
    """Of the form, those that are kept; never a token."""

    def keep(self, session: SessionBase, values: Mapping[str, str], *, membership: Membership, about: Model) -> str:
        """Keep what is entered; returns the signed name of the draft."""
        drafts = self._fresh(session)
        for name in sorted(drafts, key=lambda name: drafts[name]["at"])[: max(0, len(drafts) - MOST + 1)]:
            del drafts[name]
        name = get_random_string(16)
        kept = {key: _WHO_SIGNS_IN.sub("", values.get(key, "")[:LONGEST]) for key in self.fields}
        drafts[name] = {"at": time.time(), "values": kept}
        session[self.name] = drafts
        return signing.dumps([name, str(membership.pk), str(about.pk)], salt=self.name)

    def find(self, session: SessionBase, signed: str, *, membership: Membership, about: Model) -> dict[str, str] | None:
        """The values of a draft; None when it is another member's or about something else, too old, used, or of
        another browser."""
        name = self._named(signed, membership, about)
        draft = self._fresh(session).get(name) if name else None
        return dict(draft["values"]) if draft else None

    def forget(self, session: SessionBase, signed: str, *, membership: Membership, about: Model) -> None:
        """Once it is used, it is not used again."""
        drafts = self._fresh(session)
        drafts.pop(self._named(signed, membership, about) or "", None)
        session[self.name] = drafts

    def _named(self, signed: str, membership: Membership, about: Model) -> str | None:
        try:
            name, member, of = signing.loads(signed, salt=self.name, max_age=returning.MAX_AGE)
        except (signing.BadSignature, ValueError, TypeError):
            return None
        return str(name) if (member, of) == (str(membership.pk), str(about.pk)) else None

    def _fresh(self, session: SessionBase) -> dict[str, dict[str, Any]]:
        oldest = time.time() - returning.MAX_AGE
        return {name: draft for name, draft in session.get(self.name, {}).items() if draft["at"] > oldest}
