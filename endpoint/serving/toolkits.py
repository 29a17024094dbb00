"""Names of things that come from several places, each its own for all that is offered together. Pure.

A name depends on what it is of, and on names that were there before it, never on an order of requests: the same thing
is called the same in each list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from itertools import count

LONGEST = 64
"""Characters that every client takes."""
_DIGITS = 12
"""Of the digest that tells shortened names apart."""


def joined(server: str, name: str) -> str:
    """What a thing of a server is called in a toolkit: `server__name`.

    No two are the same: names of tools and prompts have no underscore, so the last two of them part the slug from it.
    """
    return within(f"{server}__{name}")


def within(name: str) -> str:
    """The name, or its beginning and a digest of all of it."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST - _DIGITS - 1]}_{digest}"


def free(name: str, taken: Collection[str], kind: str) -> str:
    """The name, where another thing has it already with what kind of thing this is behind it: `search_tool`."""
    if (first := within(name)) not in taken:
        return first
    tries = (within(f"{name}_{kind}" + (f"_{number}" if number > 1 else "")) for number in count(1))
    return next(each for each in tries if each not in taken)
