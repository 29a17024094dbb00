"""The table of Bitbucket's endpoints: path, method, query parameters and privilege scopes, and what a call knows."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_queries import BadQuery, ordered, parse_filter
from tests.wire.github_routes import compile_template
from tests.wire.messages import Reply, Request, json_reply
from tests.wire.objects import git
from tests.wire.repos import Commit
from tests.wire.world import HostedRepository, Token, World, uuid_of

HIDDEN = (
    "You may not have access to this repository or it no longer exists in this workspace. "
    "If you think this repository exists and you have access, make sure you are authenticated."
)
PAGES = ("page", "pagelen")


class Refused(Exception):
    """An endpoint's way to answer with an error.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses
    """

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.reply = json_reply({"type": "error", "error": {"message": message, **more}}, status)


@dataclass(slots=True)
class Caps:
    """Limits Bitbucket keeps, settable so that a test reaches them with few files."""

    walked_folders: int = 20_000
    """Folders that one listing may open; a deeper one takes too long and is answered with 555."""
    hidden_status: int = 404
    """What a repository is answered with that the caller may not see; the documentation also says 403."""


@dataclass(slots=True)
class Bench:
    """What Bitbucket keeps beside the world: one for each forge."""

    world: World
    caps: Caps = field(default_factory=Caps)
    writing: threading.Lock = field(default_factory=threading.Lock)
    """Held while a branch is compared and moved."""


@dataclass(slots=True)
class Call:
    """One authenticated request on its way to an endpoint."""

    request: Request
    bench: Bench
    token: Token | None
    parameters: dict[str, str]

    @property
    def world(self) -> World:
        return self.bench.world

    @property
    def base(self) -> str:
        return self.request.base

    @property
    def query(self) -> dict[str, str]:
        return self.request.query

    def listed(self, name: str) -> list[str]:
        """All values of a query parameter that may be repeated."""
        pairs = parse_qsl(urlsplit(self.request.target).query, keep_blank_values=True)
        return [value for key, value in pairs if key == name]

    def flag(self, name: str, default: bool) -> bool:
        return self.query.get(name, "true" if default else "false") == "true"

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; Refused (400) where it is none."""
        try:
            sent = self.request.json()
        except ValueError:
            sent = None
        if not isinstance(sent, dict):
            raise Refused(400, "Bad request", detail="The body has to be a JSON object.")
        return sent

    # -- who and what --------------------------------------------------------------------------------------------------

    def signed_in(self) -> Token:
        if self.token is None:
            raise Refused(401, "Authentication is required for this resource.")
        return self.token

    def person(self) -> Token:
        """A token that speaks for an account: access tokens cannot ask about permissions.

        https://developer.atlassian.com/cloud/bitbucket/rest/intro/#considerations-for-using-access-tokens
        """
        token = self.signed_in()
        if token.kind == "access":
            raise Refused(403, "This resource is not available to access tokens.")
        return token

    def sees(self, hosted: HostedRepository) -> bool:
        if not hosted.private:
            return True
        return self.role(hosted) is not None

    def role(self, hosted: HostedRepository) -> str | None:
        """What the token's account may do in a repository: read, write or admin; None where it was not let in."""
        token = self.token
        if token is None or (token.repositories is not None and hosted.id not in token.repositories):
            return None
        if token.kind == "access" and hosted.owner != token.account:
            return None
        return hosted.role(token.account.login)

    @property
    def hosted(self) -> HostedRepository:
        """The repository the path names. Hidden is the same as missing."""
        name = f"{self.parameters['workspace']}/{self.parameters['repo_slug']}"
        found = self.world.find(name)
        if found is None:
            raise Refused(404, HIDDEN)
        if not self.sees(found):
            raise Refused(self.bench.caps.hidden_status, HIDDEN)
        return found

    @property
    def moved(self) -> HostedRepository | None:
        """The repository that had the path's name before, where nothing has it now."""
        name = f"{self.parameters.get('workspace')}/{self.parameters.get('repo_slug')}".lower()
        number = None if self.world.find(name) else self.world.moved.get(name)
        found = self.world.find_id(number) if number else None
        return found if found and self.sees(found) else None

    @property
    def writable(self) -> HostedRepository:
        return self._with_role({"write", "admin"}, "write or admin")

    @property
    def administered(self) -> HostedRepository:
        return self._with_role({"admin"}, "admin")

    def _with_role(self, roles: set[str], named: str) -> HostedRepository:
        self.signed_in()
        found = self.hosted
        if self.role(found) not in roles:
            raise Refused(403, f"Access denied. You must have {named} access.")
        return found

    def commit(self, name: str) -> Commit:
        """The commit that a branch, a tag, an id or the beginning of one names."""
        repo = self.hosted.git
        oid = repo.resolve(name)
        if oid is None and re.fullmatch(r"[0-9a-f]{7,39}", name):
            listed = git(repo.path, "rev-parse", f"--disambiguate={name}").decode().split()
            commits = [oid for oid in listed if repo.read_commit(oid)]
            oid = commits[0] if len(commits) == 1 else None
        found = repo.read_commit(oid) if oid else None
        if found is None:
            raise Refused(404, "Commit not found", data={"shas": [name]})
        return found

    # -- lists ---------------------------------------------------------------------------------------------------------

    def chosen(self, items: Iterable[Any]) -> list[Any]:
        """Those that `q` asks for, in the order of `sort`."""
        try:
            wanted = parse_filter(self.query["q"]) if "q" in self.query else None
            kept = [item for item in items if wanted is None or wanted(item)]
            return ordered(kept, self.query["sort"]) if "sort" in self.query else kept
        except BadQuery as error:
            raise Refused(400, str(error)) from None

    def length(self, default: int, largest: int) -> int:
        text = self.query.get("pagelen", str(default))
        if not text.isdigit() or not 1 <= int(text) <= largest:
            raise Refused(400, "Invalid pagelen")
        return int(text)

    def paged(self, items: Iterable[Any], *, default: int = 10, largest: int = 100) -> Reply:
        """A list in numbered pages. https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination"""
        found, size = self.chosen(items), self.length(default, largest)
        text = self.query.get("page", "1")
        last = max(1, -(-len(found) // size))
        if not text.isdigit() or not 1 <= int(text) <= last:
            raise Refused(404, "Invalid page")
        page = int(text)
        body = {"values": found[(page - 1) * size : page * size], "pagelen": size, "size": len(found), "page": page}
        if page > 1:
            body["previous"] = self._address(page=page - 1)
        if page < last:
            body["next"] = self._address(page=page + 1)
        return json_reply(body)

    def streamed(
        self, items: Sequence[Any], shape: Callable[[Any], Any], *, default: int = 10, largest: int = 100
    ) -> Reply:
        """A list that can only be followed forward: its `next` cannot be guessed, and nobody counted it."""
        size = self.length(default, largest)
        start = self._read_mark(self.query["page"]) if "page" in self.query else 0
        body: dict[str, Any] = {"values": [shape(item) for item in items[start : start + size]], "pagelen": size}
        if start + size < len(items):
            body["next"] = self._address(page=self._mark(start + size))
        return json_reply(body)

    def _address(self, **changed: object) -> str:
        path = urlsplit(self.request.target).path
        return f"{self.request.origin}{path}?{urlencode({**self.query, **changed})}"

    def _mark(self, position: int) -> str:
        return base64.urlsafe_b64encode(f"{position}:{self.request.path}".encode()).decode()

    def _read_mark(self, text: str) -> int:
        try:
            position, _, path = base64.urlsafe_b64decode(text).decode().partition(":")
        except ValueError:
            position, path = "", ""
        if not position.isdigit() or path != self.request.path:
            raise Refused(400, "Invalid page")
        return int(position)


Endpoint = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    """As the contract writes it."""
    query: frozenset[str]
    scopes: frozenset[str]
    """Of OAuth and access tokens."""
    api_scopes: frozenset[str]
    """Of API tokens, which have names of their own and imply nothing."""
    endpoint: Endpoint
    pattern: re.Pattern[str]


class Routes:
    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self, method: str, template: str, *query: str, scopes: str = "", api: str = ""
    ) -> Callable[[Endpoint], Endpoint]:
        """Register an endpoint with its query parameters (`fields` comes with all) and scopes (separated by spaces)."""

        def register(endpoint: Endpoint) -> Endpoint:
            known = frozenset({*query, "fields"})
            pattern = compile_template(template)
            self.all.append(
                Route(method, template, known, frozenset(scopes.split()), frozenset(api.split()), endpoint, pattern)
            )
            return endpoint

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        asked = "GET" if method == "HEAD" else method
        for route in self.all:
            if route.method == asked and (found := route.pattern.fullmatch(path)):
                return route, found.groupdict()
        return None


def by_name(world: World, path: str) -> str:
    """A path with the uuids of workspaces and repositories replaced by their names, as far as they are known.

    https://developer.atlassian.com/cloud/bitbucket/rest/intro/#repository-object-and-uuid: with a repository's uuid
    the workspace may be an empty pair of braces.
    """
    found = re.fullmatch(r"(/repositories/|/user/workspaces/|/)([^/]+)(?:/([^/]+))?(/.*)?", path, re.DOTALL)
    if found is None or "{" not in path:
        return path
    start, workspace, slug, rest = found[1], found[2], found[3], found[4] or ""
    hosted = next((h for h in list(world.repositories.values()) if slug and uuid_of(h.id) == slug.lower()), None)
    owner = next((a.login.lower() for a in world.accounts() if uuid_of(a.id) == workspace.lower()), workspace)
    if hosted is not None and (owner == "{}" or owner.lower() == hosted.owner.login.lower()):
        owner, slug = shapes.full_name(hosted).split("/")
    return f"{start}{owner}" + (f"/{slug}" if slug else "") + rest


routes = Routes()
REPOSITORY = "/repositories/{workspace}/{repo_slug}"
READ = {"scopes": "repository", "api": "read:repository:bitbucket"}
WRITE = {"scopes": "repository:write", "api": "write:repository:bitbucket"}
