"""What GitHub's answers say, checked before it is believed. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import requests
from github.Repository import Repository as GithubRepository

from forges.clients.base import Repository
from forges.clients.names import UNSTORABLE
from lib import egress

_MAX_TEXT, MAX_URL = 255, 1024
"""Characters of a name and of an address; what is stored of them has room for no more."""
_LARGEST = 1 << 63
"""No forge counts further."""


def repository_of(found: GithubRepository) -> Repository:
    """A repository in forge-neutral terms; TypeError or ValueError for one that cannot be."""
    # PyGithub gives None for what an answer lacks, whatever its types say.
    if type(found.id) is not int or not 0 < found.id < _LARGEST:
        raise TypeError("a repository without an id")
    return Repository(
        id=str(found.id),
        full_name=name_of(found.full_name),
        default_branch=name_of(found.default_branch),
        private=found.private is not False,
        web_url=_page(name_of(found.html_url, most=MAX_URL)),
    )


def _page(url: str) -> str:
    """An address that a page may link to: what a server says of itself can be a script."""
    return url if url.startswith(("https://", "http://")) else ""


def name_of(value: object, *, most: int = _MAX_TEXT) -> str:
    """A name as it can be stored and shown; TypeError and ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    if len(value) > most or UNSTORABLE.search(value):
        raise ValueError("no name is like this")
    return value


def message_of(response: requests.Response) -> str:
    """What GitHub says about an error, in lower case: to be judged, never to be shown."""
    try:
        data = response.json()
    except (ValueError, requests.RequestException, egress.EgressError):
        return ""
    return str(data.get("message", "")).lower() if isinstance(data, dict) else ""


def expiry_of(value: object) -> datetime | None:
    """`2026-12-31 23:59:59 UTC`, or with an offset in place of the name."""
    for form in ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S %z"):
        try:
            moment = datetime.strptime(str(value), form)
        except ValueError:
            continue
        if 2000 <= moment.year < 9000:  # a page shows it in any time zone, which the first and last year do not survive
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
