"""The table of GitHub's endpoints: which path, method and query parameters lead to which function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from tests.wire.messages import Reply, Request, json_reply
from tests.wire.world import ROLES, HostedApp, HostedRepository, Token, World

DOCUMENTATION = "https://docs.github.com/rest"
READING = {"GET", "HEAD"}


class Refused(Exception):
    """An endpoint's way to answer with an error."""

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.reply = json_reply(
            {"message": message, **more, "documentation_url": DOCUMENTATION, "status": str(status)}, status
        )


@dataclass(slots=True)
class Caps:
    """Limits GitHub keeps, settable so that a test reaches them with few files."""

    tree_entries: int = 100_000
    blob_bytes: int = 100 << 20
    graphql_objects: int = 100
    graphql_text_bytes: int = 512_000
    content_bytes: int = 1 << 20


class ArchiveService(Protocol):
    """See `tests.wire.github_archives`."""

    def address(self, call: Call, hosted: HostedRepository, kind: str, ref: str) -> str: ...


@dataclass(slots=True)
class Call:
    """One authenticated request on its way to an endpoint."""

    request: Request
    world: World
    caps: Caps
    token: Token | None
    parameters: dict[str, str]
    codeload: ArchiveService
    app: HostedApp | None = None
    """The GitHub App whose JWT came with the request."""

    @property
    def base(self) -> str:
        return self.request.base

    @property
    def accept(self) -> str:
        return self.request.headers.get("Accept", "*/*")

    @property
    def hosted(self) -> HostedRepository:
        """The repository the path names. Hidden is the same as missing."""
        found = self.world.find(f"{self.parameters['owner']}/{self.parameters['repo']}")
        if found is None or not found.seen_by(self.token):
            raise Refused(404, "Not Found")
        return found

    @property
    def readable(self) -> HostedRepository:
        """The same where its files are to be read."""
        found = self.hosted
        if not found.readable_by(self.token):
            raise Refused(403, "Resource not accessible by personal access token")
        return found

    @property
    def filled(self) -> HostedRepository:
        """The same where commits are needed: an empty one is a conflict."""
        found = self.readable
        if found.git.empty:
            raise Refused(409, "Git Repository is empty.")
        return found

    def signed_in(self) -> Token:
        """A person's token."""
        if self.token is None:
            raise Refused(401, "Requires authentication")
        if self.token.kind == "installation":
            raise Refused(403, "Resource not accessible by integration")
        return self.token

    def as_app(self) -> HostedApp:
        """The App itself, by its JWT."""
        if self.app is None:
            raise Refused(401, "A JSON web token could not be decoded")
        return self.app

    def allowed(self, permission: str, *, role: str = "write", scopes: Iterable[str] = ("repo",)) -> HostedRepository:
        """The repository, where the caller may do what takes this role and this permission or any of these scopes.

        https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
        """
        found = self.hosted
        if self.token is None:
            raise Refused(401, "Requires authentication")
        if ROLES.index(found.role(self.token.account.login) or "read") < ROLES.index(role):
            raise Refused(404, "Not Found")
        if self.token.scopes is not None and not self.token.scopes & set(scopes):
            raise Refused(404, "Not Found")
        if self.token.scopes is None and not self.token.may(permission, write=self.request.method not in READING):
            by = "integration" if self.token.kind == "installation" else "personal access token"
            refused = Refused(403, f"Resource not accessible by {by}")
            needed = f"{permission}={'read' if self.request.method in READING else 'write'}"
            refused.reply.headers["X-Accepted-GitHub-Permissions"] = needed
            raise refused
        if found.archived and self.request.method not in READING:
            raise Refused(403, "Repository was archived so is read-only.")
        return found

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; empty where nothing was."""
        try:
            read = self.request.json() if self.request.body else {}
        except ValueError:
            raise Refused(400, "Problems parsing JSON") from None
        if not isinstance(read, dict):
            raise Refused(400, "Body should be a JSON object")
        return read

    def page(self, items: Sequence[Any]) -> tuple[list[Any], str]:
        """This page's items, and the Link header (empty where one page is all).

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        query = self.request.query
        size = min(max(int(query.get("per_page", "30")), 1), 100)
        number = max(int(query.get("page", "1")), 1)
        last = max(1, -(-len(items) // size))
        links = []
        if number > 1:
            links += [("prev", min(number - 1, last)), ("first", 1)]
        if number < last:
            links += [("next", number + 1), ("last", last)]
        header = ", ".join(f'<{self._page_address(page)}>; rel="{name}"' for name, page in links)
        return list(items[(number - 1) * size : number * size]), header

    def _page_address(self, page: int) -> str:
        path = self.request.path
        if "repo" in self.parameters:
            # GitHub's links name a repository by its id: whoever expects its name there goes wrong.
            path = f"/repositories/{self.hosted.id}{rest_of(path)}"
        return f"{self.base}{path}?{urlencode({**self.request.query, 'page': page})}"

    def paged(self, items: Sequence[Any], shape: Callable[[Any], Any], *, named: str = "", **beside: Any) -> Reply:
        """One page of items: a list, or an object with them as `named`, their number, and what is `beside`."""
        chosen, link = self.page(items)
        shapes = [shape(item) for item in chosen]
        reply = json_reply({"total_count": len(items), **beside, named: shapes} if named else shapes)
        if link:
            reply.headers["Link"] = link
        return reply


def rest_of(path: str) -> str:
    """What stands after `/repos/{owner}/{repo}`, with its slash."""
    return "".join(f"/{part}" for part in path.split("/")[4:])


Endpoint = Callable[[Call], Reply]

LAST_WITH_SLASHES = {"ref", "branch", "path", "basehead", "tree_sha", "name", "revision", "spec"}
"""Parameters that may hold slashes when they end a path."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    """As the contract writes it."""
    query: frozenset[str]
    endpoint: Endpoint
    pattern: re.Pattern[str]


def compile_template(template: str) -> re.Pattern[str]:
    """A pattern for a path template such as `/repos/{owner}/{repo}/contents/{path}`."""

    def group(found: re.Match[str]) -> str:
        name = found[1]
        last = found.end() == len(template)
        any_length = ".*" if name == "path" else ".+"
        return f"(?P<{name}>{any_length if last and name in LAST_WITH_SLASHES else '[^/]+'})"

    pattern = re.sub(r"\{(\w+)\}", group, template)
    return re.compile(pattern, re.DOTALL)


class Routes:
    def __init__(self) -> None:
        self.all: list[Route] = []

    def get(self, template: str, *query: str) -> Callable[[Endpoint], Endpoint]:
        """Register an endpoint with the query parameters it takes."""
        return self.on("GET", template, *query)

    def on(self, method: str, template: str, *query: str) -> Callable[[Endpoint], Endpoint]:
        """The same for any method."""

        def register(endpoint: Endpoint) -> Endpoint:
            self.all.append(Route(method, template, frozenset(query), endpoint, compile_template(template)))
            return endpoint

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        asked = "GET" if method == "HEAD" else method
        for route in self.all:
            if route.method == asked and (found := route.pattern.fullmatch(path)):
                return route, found.groupdict()
        return None


routes = Routes()
