"""GitLab's REST API (v4) under `/api/v4`, and below `/gitlab` as a GitLab at a sub-path has it.

Stricter than GitLab: a parameter, a body or a key of a reply that the documentation does not know is refused (422) and
recorded among the violations, and so are a token in an address, more than 100 on a page and a path without its
encoding. What is true of GitLab and often taken for otherwise:

- `read_repository` opens git over HTTP and the files API alone: branches, trees, blobs and archives want `read_api`
  (https://docs.gitlab.com/security/tokens/access_token_scopes/);
- the 429 of an archive names no time; the 429 of all requests comes as text, with `Retry-After`;
- a keyset page that is full names a next one, which can be empty;
- project hooks hear of pushes and tags. That a project was renamed, transferred or deleted is told to system hooks,
  which belong to the whole server: https://docs.gitlab.com/administration/system_hooks/
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.wire import (  # noqa: F401 - they fill the table of routes
    gitlab_commits,
    gitlab_comparing,
    gitlab_hooks,
    gitlab_merge_requests,
    gitlab_projects,
    gitlab_repository,
)
from tests.wire.contract import Violation
from tests.wire.gitlab_documented import ERROR_KEYS, Keys, unknown_keys
from tests.wire.gitlab_events import GitLabEvents
from tests.wire.gitlab_routes import Call, Caps, MovedProject, Refused, Route, routes
from tests.wire.messages import Headers, Reply, Request, json_reply, text_reply
from tests.wire.world import Token, World

API = re.compile(r"(?P<prefix>(/gitlab)?/api/v4)(?P<path>/.*)", re.DOTALL)
LARGEST_PAGE = 100
BUDGET = "gitlab"
"""The resource under which the world counts requests: `world.leave(0, resource="gitlab", …)`."""
TOKENS_IN_ADDRESSES = {"private_token", "access_token", "job_token"}
EXPIRED = "Token is expired. You can either do re-authorization or token refresh."
HIGHER_PRIVILEGES = "The request requires higher privileges than provided by the access token."


class GitLab:
    def __init__(self, world: World, violations: list[Violation]) -> None:
        self.world = world
        self.violations = violations
        self.caps = Caps()
        self.events = GitLabEvents(world, self.caps)
        self.merge_requests: dict[int, list[Any]] = defaultdict(list)
        """Project id -> its merge requests in the order they were made."""
        self.writing = threading.Lock()
        """Held by whoever changes a repository through the API: looking and committing are one step."""
        self._archives: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def make_token(
        self,
        login: str,
        scopes: Iterable[str] = ("api",),
        kind: str = "personal",
        expires_at: datetime | None = None,
        repositories: Iterable[str] | None = None,
    ) -> str:
        """A personal access token, or with kind "project" that of a bot which is Maintainer of `repositories` alone."""
        chosen = None if repositories is None else [self.world.repositories[name.lower()] for name in repositories]
        if kind == "project":
            assert chosen, "a project's token belongs to a project"
            login = f"project_{chosen[0].id}_bot_{secrets.token_hex(8)}"
            for hosted in chosen:
                hosted.roles[login] = "admin"
        return self.world.issue(
            f"glpat-{secrets.token_urlsafe(15)}",
            login,
            scopes=frozenset(scopes),
            kind="access" if kind == "project" else kind,
            expires_at=expires_at,
            repositories=None if chosen is None else frozenset(hosted.id for hosted in chosen),
            forge="gitlab",
        )

    # -- what is ours --------------------------------------------------------------------------------------------------

    def knows(self, request: Request) -> bool:
        if not (found := API.fullmatch(request.path)):
            return False
        request.prefix, request.path = found["prefix"], found["path"]
        return True

    def check(self, request: Request) -> Reply | None:
        """Parameters by the documentation. They are checked before who calls: a wrong one never goes unseen."""
        if asked := request.query.keys() & TOKENS_IN_ADDRESSES:
            return self._refuse(request, f"a token in the address: {', '.join(sorted(asked))}")
        found = routes.find(request.method, _sent_path(request))
        if found is None:
            return self._refuse(request, "no such endpoint is served here")
        route, path = found
        if len(request.body) > self.caps.body_bytes:
            return text_reply("Request Entity Too Large", 413)
        query = {name: value for name, value in request.query.items() if name != "id" or value != path.get("id")}
        try:
            body = _body(request)
        except ValueError as error:
            return self._refuse(request, str(error), route)
        complaints = route.documented.complaints(query, body, form=_is_form(request))
        if body and request.method not in {"POST", "PUT"}:
            complaints.append(f"a {request.method} takes no body")
        if not complaints and int(query.get("per_page", "1")) > LARGEST_PAGE:
            complaints.append(f"per_page is at most {LARGEST_PAGE}")
        if complaints:
            return self._refuse(request, "; ".join(complaints), route)
        return None

    def _refuse(self, request: Request, complaint: str, route: Route | None = None) -> Reply:
        self.complain(request, complaint + (f" ({route.documented.address})" if route else ""))
        if "no such" in complaint:
            return json_reply({"error": "404 Not Found"}, 404)
        return json_reply({"error": f"not documented: {complaint}"}, 422)

    def complain(self, request: Request, complaint: str) -> None:
        """Keep what a client said that is not documented."""
        self.violations.append(Violation("client", request.line, complaint))

    # -- answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        found = routes.find(request.method, _sent_path(request))
        assert found, "check() lets only known paths through"
        route, path = found
        token: Token | None = None
        try:
            token = self._token(request)
            if not self.world.spend(self.world.budget(token, BUDGET)):
                return self._too_many(token)
            if token is not None and token.scopes is not None and not token.scopes & route.scopes:
                raise _bearer_refusal(403, "insufficient_scope", HIGHER_PRIVILEGES, sorted(route.scopes))
            reply = route.endpoint(Call(request, self.world, self, token, path, _values(route, request)))
        except Refused as refused:
            reply = refused.reply
        except MovedProject as moved:
            reply = _elsewhere(request, path, moved)
        self._check_reply(request, reply, route.documented.reply)
        self._add_headers(reply, token)
        return reply

    def _token(self, request: Request) -> Token | None:
        """https://docs.gitlab.com/api/rest/authentication/"""
        value = request.headers.get("PRIVATE-TOKEN", "")
        private = bool(value)
        if not value:
            scheme, _, value = request.headers.get("Authorization", "").partition(" ")
            if not scheme:
                return None
            value = value.strip() if scheme.lower() == "bearer" else ""
        found = self.world.find_token(value, "gitlab") if value else None
        if found is None and self.world.expired(value):
            raise _bearer_refusal(401, "invalid_token", EXPIRED)
        if found is None or (private and found.kind == "oauth"):
            raise Refused(401, "401 Unauthorized")
        return found

    def count_archive(self, token: Token | None) -> bool:
        """Take one of the minute's archives; False where none is left."""
        with self._lock:
            times, now = self._archives[token.account.login if token else ""], time.time()
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.caps.archives:
                return False
            times.append(now)
            return True

    def _too_many(self, token: Token | None) -> Reply:
        """https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers"""
        reply = text_reply("Retry later\n", 429)
        self._add_headers(reply, token)
        reply.headers["Retry-After"] = str(max(1, self.world.budget(token, BUDGET).reset_at - int(time.time())))
        return reply

    def _check_reply(self, request: Request, reply: Reply, known: Keys | None) -> None:
        if reply.media_type != "application/json":
            return
        for key in unknown_keys(reply.json(), ERROR_KEYS if reply.status >= 400 else known or {}):
            self.violations.append(Violation("server", request.line, f"{key} is not documented in the reply"))

    def _add_headers(self, reply: Reply, token: Token | None) -> None:
        budget = self.world.budget(token, BUDGET)
        fields = {
            "RateLimit-Name": "throttle_authenticated_api" if token else "throttle_unauthenticated_api",
            "RateLimit-Limit": str(budget.limit),
            "RateLimit-Observed": str(budget.used),
            "RateLimit-Remaining": str(budget.remaining),
            "RateLimit-Reset": str(budget.reset_at),
            "Cache-Control": "max-age=0, private, must-revalidate",
            "Vary": "Origin",
        }
        for name, value in fields.items():
            reply.headers[name] = value


def _sent_path(request: Request) -> str:
    """The path below the API's base, its percent-encoding kept."""
    return urlsplit(request.target).path.removeprefix(request.prefix)


def _is_form(request: Request) -> bool:
    return request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")


def _body(request: Request) -> dict[str, Any]:
    """The parameters in a body, which may be JSON or a form; ValueError."""
    if not request.body:
        return {}
    if _is_form(request):
        return dict(request.form())
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise ValueError("a body that is neither JSON nor a form")
    value = json.loads(request.body)
    if not isinstance(value, dict):
        raise ValueError("a body that is no object")
    return value


def _values(route: Route, request: Request) -> dict[str, Any]:
    """Query and body as one."""
    body = _body(request)
    return route.documented.values(request.query) | (route.documented.values(body) if _is_form(request) else body)


def _bearer_refusal(status: int, error: str, description: str, scopes: Iterable[str] = ()) -> Refused:
    """https://datatracker.ietf.org/doc/html/rfc6750#section-3.1"""
    said = {"error": error, "error_description": description}
    said |= {"scope": " ".join(scopes)} if scopes else {}
    fields = ", ".join(f'{name}="{value}"' for name, value in said.items())
    refused = Refused(status, "", WWW_Authenticate=f'Bearer realm="Protected by OAuth 2.0", {fields}')
    refused.reply.replace_json(said)
    return refused


def _elsewhere(request: Request, path: dict[str, str], moved: MovedProject) -> Reply:
    """To the same endpoint of the project's number."""
    sent = urlsplit(request.target)
    rest = sent.path.removeprefix(f"{request.prefix}/projects/").partition("/")[2]
    location = f"{request.base}/projects/{moved.hosted.id}{f'/{rest}' if rest else ''}"
    location += f"?{sent.query}" if sent.query else ""
    text = f"This resource has been moved permanently to {location}"
    return Reply(301, text.encode(), Headers([("Content-Type", "text/plain"), ("Location", location)]))
