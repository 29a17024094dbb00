"""The table of GitLab's endpoints, and what each of them needs: who calls, which project, which page.

A path is split where it was sent with a slash: what GitLab wants percent-encoded (a project's path, a branch) is one
part, and whoever forgets the encoding gets a 404.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote, urlencode, urlsplit

from tests.wire.gitlab_documented import ENDPOINTS, Documented
from tests.wire.hooks import HostedHook
from tests.wire.messages import Reply, Request, json_reply
from tests.wire.world import HostedRepository, Token, World

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50
"""https://docs.gitlab.com/api/access_requests/#valid-access-levels"""
LEVELS = {"read": REPORTER, "write": DEVELOPER, "admin": MAINTAINER}


class Refused(Exception):
    """An endpoint's way to answer with an error."""

    def __init__(self, status: int, message: object, *, key: str = "message", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.reply = json_reply({key: message}, status, **headers)


def missing(what: str = "") -> Refused:
    """GitLab's 404, which names what was not found."""
    return Refused(404, " ".join(part for part in ("404", what, "Not Found") if part))


@dataclass(slots=True)
class Caps:
    """Limits GitLab keeps, settable so that a test reaches them with little."""

    archives: int = 5
    """Archives a minute and caller: https://docs.gitlab.com/api/repositories/#get-file-archive"""
    compared_files: int = 1000
    """Files in a comparison, the others left out without a word: https://docs.gitlab.com/administration/diff_limits/"""
    counted: int = 10_000
    """Above it an offset page has no totals: https://docs.gitlab.com/user/gitlab_com/#pagination-response-headers"""
    offset: int = 50_000
    """How deep offset pages go: https://docs.gitlab.com/administration/instance_limits/"""
    body_bytes: int = 300 << 20
    hook_rest: float = 60.0
    """Seconds for which a hook is switched off at first; doubled each time."""


class Events(Protocol):
    """See `tests.wire.gitlab_events`."""

    def rests_until(self, hook: HostedHook) -> float | None: ...

    def status(self, hook: HostedHook) -> str: ...


class Hall(Protocol):
    """What the speaker keeps beside the world, see `tests.wire.gitlab`."""

    caps: Caps
    merge_requests: dict[int, list[Any]]
    writing: threading.Lock

    @property
    def events(self) -> Events: ...

    def complain(self, request: Request, complaint: str) -> None: ...

    def count_archive(self, token: Token | None) -> bool: ...


@dataclass(slots=True)
class Call:
    """One request on its way to an endpoint."""

    request: Request
    world: World
    hall: Hall
    token: Token | None
    path: dict[str, str]
    """Parameters in the path, decoded."""
    values: dict[str, Any] = field(default_factory=dict)
    """Parameters in the query or the body; booleans and integers as such."""

    @property
    def base(self) -> str:
        return self.request.base

    @property
    def web(self) -> str:
        """Where people's pages are."""
        return self.base.removesuffix("/api/v4")

    @property
    def caps(self) -> Caps:
        return self.hall.caps

    def signed_in(self) -> Token:
        if self.token is None:
            raise Refused(401, "401 Unauthorized")
        return self.token

    @property
    def hosted(self) -> HostedRepository:
        """The project the path names. Hidden is the same as missing; a former path leads to the number."""
        found, moved = find_project(self.world, self.path["id"])
        if found is None or not found.seen_by(self.token):
            raise missing("Project")
        if moved:
            # https://docs.gitlab.com/api/rest/#redirects
            if self.request.method not in {"GET", "HEAD"}:
                raise Refused(405, "Non GET methods are not allowed for moved projects")
            raise MovedProject(found)
        return found

    def level(self, hosted: HostedRepository) -> int:
        """The caller's access level in a project; 0 where there is none."""
        if self.token is None:
            return 0
        login = self.token.account.login
        role = hosted.role(login)
        return OWNER if login.lower() == hosted.owner.login.lower() else LEVELS.get(role or "", 0)

    def administered(self) -> HostedRepository:
        """The project, where the caller is its Maintainer."""
        self.signed_in()
        found = self.hosted
        if self.level(found) < MAINTAINER:
            raise Refused(403, "403 Forbidden")
        return found

    def commit(self, hosted: HostedRepository, ref: str | None) -> str | None:
        """What a branch, a tag or a commit id names, and the default branch where none is named."""
        return hosted.git.resolve(ref or hosted.git.default_branch)

    # -- pages ---------------------------------------------------------------------------------------------------------

    @property
    def per_page(self) -> int:
        size = int(self.values.get("per_page", 20))
        if size < 1:
            raise Refused(400, "per_page does not have a valid value", key="error")
        return size

    def paged(self, items: Sequence[Any], shape: Callable[[Any], Any], *, totals: bool = True) -> Reply:
        """One offset page with its headers: https://docs.gitlab.com/api/rest/#offset-based-pagination"""
        size, page = self.per_page, max(int(self.values.get("page", 1)), 1)
        if (page - 1) * size > self.caps.offset:
            limit = self.caps.offset
            message = f"Offset pagination has a maximum allowed offset of {limit} for requests that return objects"
            raise Refused(405, f"{message} of this type. Remaining records can be retrieved using keyset pagination.")
        last = max(1, -(-len(items) // size))
        chosen = items[(page - 1) * size : page * size]
        reply = json_reply([shape(item) for item in chosen])
        counted = totals and len(items) <= self.caps.counted
        links = [("prev", page - 1)] if page > 1 else []
        links += [("next", page + 1)] if page < last else []
        links += [("first", 1)] + ([("last", last)] if counted else [])
        reply.headers["Link"] = ", ".join(f'<{self.address(page=number)}>; rel="{rel}"' for rel, number in links)
        facts: dict[str, object] = {
            "X-Next-Page": page + 1 if page < last else "",
            "X-Page": page,
            "X-Per-Page": size,
            "X-Prev-Page": page - 1 if page > 1 else "",
        }
        if counted:
            facts |= {"X-Total": len(items), "X-Total-Pages": last}
        for name, value in facts.items():
            reply.headers[name] = str(value)
        return reply

    def keyset(
        self, items: Iterable[Any], shape: Callable[[Any], Any], token_of: Callable[[Any], tuple[str, str]]
    ) -> Reply:
        """The first items of those after the token. A full page names a next one, even where nothing is left.

        https://docs.gitlab.com/api/rest/#keyset-based-pagination
        """
        size = self.per_page
        chosen = list(items)[:size]
        reply = json_reply([shape(item) for item in chosen])
        if len(chosen) == size:
            name, value = token_of(chosen[-1])
            reply.headers["Link"] = f'<{self.address(**{name: value})}>; rel="next"'
        return reply

    def address(self, **changed: object) -> str:
        """This request's own address with other parameters. GitLab repeats the project among them."""
        query = {**self.request.query, "per_page": self.per_page, **({"id": self.path["id"]} if self.path else {})}
        sent = urlsplit(self.request.target).path
        return f"{self.request.origin}{sent}?{urlencode({**query, **changed})}"


class MovedProject(Exception):
    def __init__(self, hosted: HostedRepository) -> None:
        super().__init__(hosted.full_name)
        self.hosted = hosted


def find_project(world: World, name: str) -> tuple[HostedRepository | None, bool]:
    """The project of a number or a path, and whether the path is a former one."""
    if name.isdigit():
        return world.find_id(int(name)), False
    if found := world.find(name):
        return found, False
    number = world.moved.get(name.lower())
    return (world.find_id(number) if number else None), True


Endpoint = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    parts: tuple[str, ...]
    """Of the path as documented; those that begin with a colon are parameters."""
    documented: Documented
    scopes: frozenset[str]
    """Any of them is enough."""
    endpoint: Endpoint

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        if len(parts) != len(self.parts):
            return None
        found = {}
        for ours, sent in zip(self.parts, parts, strict=True):
            fixed, colon, name = ours.partition(":")
            if not colon:
                if ours != unquote(sent):
                    return None
            elif not sent.startswith(fixed) or not sent.removeprefix(fixed):
                return None
            else:
                found[name] = unquote(sent.removeprefix(fixed))
        return found


READING = frozenset({"api", "read_api"})
"""`read_repository` opens git over HTTP and the files API, and nothing that is served here:
https://docs.gitlab.com/security/tokens/access_token_scopes/
"""


class Routes:
    def __init__(self) -> None:
        self.all: list[Route] = []

    def on(self, line: str, *also: str) -> Callable[[Endpoint], Endpoint]:
        """Register the endpoint for `METHOD /path` as documented; `also` are scopes that open it beside the usual."""
        method, _, path = line.partition(" ")
        scopes = (READING if method == "GET" else frozenset({"api"})) | set(also)

        def register(endpoint: Endpoint) -> Endpoint:
            self.all.append(Route(method, tuple(path.split("/")[1:]), ENDPOINTS[line], scopes, endpoint))
            return endpoint

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """`path` as it was sent, below `/api/v4`."""
        asked, parts = "GET" if method == "HEAD" else method, path.split("/")[1:]
        for route in self.all:
            if route.method == asked and (found := route.match(parts)) is not None:
                return route, found
        return None


routes = Routes()
