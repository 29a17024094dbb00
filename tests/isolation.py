"""What a case of the isolation test looks like; the cases themselves are in `tests/<app>/isolation.py`.

Each of those files holds `CASES: dict[str, Case]`, by the URL's name with its namespace::

    CASES = {
        "catalog:servers": Case(viewer=200),
        "catalog:server": Case(lambda acme: {"server": factories.server(acme).slug}, viewer=200),
        "catalog:delete": Case(lambda acme: {"server": factories.server(acme).slug}, method="post", viewer=403),
    }

For every URL that has an organisation in it, `tests/test_isolation.py` then proves that

- nobody signed in is sent to sign in (or told 401),
- somebody of another organisation gets 404 by Acme's address,
- and 404 by the address of their own organisation, which they own, with the ids of Acme's things in it,
- a viewer of Acme gets what the case says.

The other method (GET or POST) is tried as well, and may only be refused with 405 beyond that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from orgs.models import Organization


def _nothing(_acme: Organization) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Case:
    """How one URL answers to those who should not, or only just, be there."""

    arguments: Callable[[Organization], dict[str, Any]] = _nothing
    """Makes what the URL needs inside Acme, and returns the URL's arguments other than `org`."""
    viewer: int = 200
    """The status that a viewer of Acme gets: 200 or 302 for what they may, 403 for what they may not."""
    method: Literal["get", "post"] = "get"
    data: dict[str, str] | None = None
    """What the viewer's request carries."""
    nobody: int = 302
    """The status for nobody: 302 leads to sign-in, 401 tells a program. Anything else needs `why`."""
    outsider: int = 404
    """The status for somebody of another organisation. Anything else needs `why`."""
    elsewhere: int = 404
    """Their own organisation's address with the ids of Acme's things. Not asked when there are no arguments."""
    why: str = ""
    """The reason for being open to nobody, or to outsiders."""
