"""What the answers of every forge hold, checked before it is believed. Pure.

TypeError or ValueError for what cannot be: the server's failure, as `understood` of each client says.
"""

from __future__ import annotations

import re

from forges.clients.names import COMMIT_ID, UNSTORABLE

MAX_TEXT, MAX_URL = 255, 1024
"""Characters of a name and of an address; what is stored of them has room for no more."""
_LARGEST = 1 << 63
"""No forge counts further."""
_BETWEEN, _SCOPE = re.compile(r"[,\s]+"), re.compile(r"[a-z0-9_:.-]{1,80}")


def name_of(value: object, *, most: int = MAX_TEXT) -> str:
    """A name as it can be stored and shown; TypeError and ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    if len(value) > most or UNSTORABLE.search(value):
        raise ValueError("no name is like this")
    return value


def commit_of(value: object) -> str:
    commit = name_of(value)
    if not COMMIT_ID.fullmatch(commit):
        raise ValueError("no commit is named like this")
    return commit


def id_of(value: object) -> str:
    if type(value) is not int or not 0 < value < _LARGEST:
        raise TypeError("an id was expected")
    return str(value)


def page_of(value: object) -> str:
    """An address that a page may link to: what a server says of itself can be a script."""
    url = name_of(value, most=MAX_URL)
    return url if url.startswith(("https://", "http://")) else ""


def picture_of(value: object) -> str:
    """The address of an avatar; "" for what is none, or too long: no connection fails for that."""
    try:
        return page_of(value)
    except (TypeError, ValueError):
        return ""


def scopes_in(header: str | None) -> frozenset[str] | None:
    """Those in a header that lists them by commas, None without it. What cannot be the name of one is left out."""
    return None if header is None else frozenset(part for part in _BETWEEN.split(header) if _SCOPE.fullmatch(part))
