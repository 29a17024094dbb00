"""A browser that keeps what it was shown, and one that follows every link there is."""

from __future__ import annotations

import re
from collections import deque
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from orgs.models import User
from tests.system.leaks import in_response

_LINK = re.compile(r"""(?:href|hx-get|src|data-url)=["']([^"'#]+)""")
_NOT = ("/static/", "/accounts/logout", "/admin/logout", "/admin/jsi18n")
EACH = 3
"""Pages of one sort that are asked for: there are as many as Runs, but one looks like the other."""
ALL_OF = "forges:"
"""Sorts of which each is."""


class Watched(Client):
    """A test client that keeps each answer: (where, text)."""

    def __init__(self, person: User) -> None:
        super().__init__()
        self.raise_request_exception = False
        self.seen: list[tuple[str, str]] = []
        self.force_login(person)

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        self.seen.append(in_response(f"{request.get('REQUEST_METHOD', 'GET')} {request['PATH_INFO']}", response))
        return response


def crawl(client: Watched, *starts: str, below: tuple[str, ...] = ("/",), each: int = EACH) -> dict[str, int]:
    """Follow every link from `starts`: the sorts of pages that were found, and how many of each. None may fail."""
    waiting, known = deque(starts), set(starts)
    asked: dict[str, int] = {}
    while waiting:
        address = waiting.popleft()
        try:
            sort = resolve(urlsplit(address).path).view_name
        except Resolver404:
            continue
        asked[sort] = asked.get(sort, 0) + 1
        if asked[sort] > each and not sort.startswith(ALL_OF):
            continue
        response = client.get(address)
        assert response.status_code < 500, address
        found = [*_LINK.findall(client.seen[-1][1]), response.headers.get("Location", "")]
        for link in (urljoin(address, one.replace("&amp;", "&")) for one in found if one):
            parts = urlsplit(link)
            ours = not parts.netloc and parts.path.startswith(below) and not parts.path.startswith(_NOT)
            if ours and link not in known:
                known.add(link)
                waiting.append(link)
    return asked
