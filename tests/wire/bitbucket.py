"""Bitbucket Cloud's REST API, version 2.0, under `/2.0`.

Stricter than Bitbucket: a query parameter, body or path that the API's description does not know is refused and
recorded among the violations, and so is a reply of ours that is not as described. What Atlassian deprecated is gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime

from tests.wire import (  # noqa: F401 - they fill the table of routes
    bitbucket_events,
    bitbucket_hooks,
    bitbucket_pulls,
    bitbucket_repositories,
    bitbucket_source,
    bitbucket_users,
    bitbucket_writes,
)
from tests.wire import bitbucket_shapes as shapes
from tests.wire.bitbucket_archives import Downloads
from tests.wire.bitbucket_auth import authenticate, check_scopes, make_token, scope_headers
from tests.wire.bitbucket_oauth import BitbucketOAuth
from tests.wire.bitbucket_queries import partial
from tests.wire.bitbucket_routes import Bench, Call, Refused, by_name, routes
from tests.wire.contract import Contract, Violation
from tests.wire.messages import Headers, Reply, Request, json_reply
from tests.wire.world import Token, World

PREFIX = "/2.0"
DEPRECATED = "/user/permissions/"
NEAR = 0.2
"""A limit is near when less than this part of it is left."""


class Bitbucket:
    def __init__(self, world: World, contract: Contract | None, violations: list[Violation]) -> None:
        self.bench = Bench(world)
        self.caps = self.bench.caps
        self.downloads = Downloads(self.bench)
        self.oauth = BitbucketOAuth(world, violations)
        bitbucket_events.register(world.hooks)
        self.contract = contract
        self.violations = violations
        self._request_ids = itertools.count(1)

    def make_token(
        self,
        login: str,
        kind: str,
        scopes: Iterable[str] | None,
        email: str,
        repository: str,
        expires_at: datetime | None,
    ) -> str:
        return make_token(self.bench.world, login, kind, scopes, email, repository, expires_at)

    def knows(self, request: Request) -> bool:
        if not request.path.startswith(PREFIX + "/"):
            return False
        request.prefix, request.path = PREFIX, by_name(self.bench.world, request.path.removeprefix(PREFIX))
        return True

    def check(self, request: Request) -> Reply | None:
        if request.path.startswith(DEPRECATED):
            return _error(410, "This resource was removed. Use /2.0/user/workspaces and what is below it.")
        for complaint in self._complaints(request):
            self.violations.append(Violation("client", request.line, complaint))
            return _error(404 if "no such" in complaint else 400, f"Not in the contract: {complaint}")
        return None

    def _complaints(self, request: Request) -> list[str]:
        found = routes.find(request.method, request.path)
        if self.contract is not None and (complaints := self.contract.check_request(request)):
            return complaints
        if found is None:
            return ["no such endpoint is served here"]
        if unknown := request.query.keys() - found[0].query:
            return [f"unknown query parameter {name!r}" for name in sorted(unknown)]
        return ["a GET takes no body"] if request.body and request.method in {"GET", "HEAD"} else []

    def answer(self, request: Request) -> Reply:
        found = routes.find(request.method, request.path)
        assert found, "check() lets only known paths through"
        route, parameters = found
        token: Token | None = None
        try:
            token = authenticate(self.bench.world, request)
            check_scopes(route, token)
            if not self.bench.world.spend(self.bench.world.budget(token)):
                raise Refused(429, "Rate limit for this resource has been exceeded")
            call = Call(request, self.bench, token, parameters)
            reply = self._redirect(call) or route.endpoint(call)
        except Refused as refused:
            reply = refused.reply
        if self.contract is not None and _is_described(reply):
            for complaint in self.contract.check_reply(request, reply):
                self.violations.append(Violation("server", request.line, complaint))
        if "fields" in request.query and reply.status == 200 and reply.media_type == "application/json":
            reply.replace_json(partial(reply.json(), request.query["fields"]))
        for name, value in {**scope_headers(route, token), **self._limits(token)}.items():
            reply.headers[name] = value
        reply.headers["X-Request-Id"] = f"{next(self._request_ids):032x}"
        return reply

    def _redirect(self, call: Call) -> Reply | None:
        """The way from a repository's former name to what it is called now."""
        if "repo_slug" not in call.parameters or (moved := call.moved) is None:
            return None
        rest = "".join(f"/{part}" for part in call.request.target.partition("?")[0].split("/")[5:])
        query = call.request.target.partition("?")[2]
        location = shapes.address(moved, call.base) + rest + (f"?{query}" if query else "")
        return Reply(301, b"", Headers([("Location", location)]))

    def _limits(self, token: Token | None) -> dict[str, str]:
        """https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/: for access tokens alone.

        They do not say when the hour is over, and neither does Retry-After: there is none.
        """
        if token is None or token.kind != "access":
            return {}
        budget = self.bench.world.budget(token)
        near = budget.remaining < NEAR * budget.limit
        return {
            "X-RateLimit-Limit": str(budget.limit),
            "X-RateLimit-Resource": "api",
            "X-RateLimit-NearLimit": "true" if near else "false",
        }


def _is_described(reply: Reply) -> bool:
    """Not a redirect, and not a file's own bytes, which can be of any type."""
    return not 300 <= reply.status < 400 and "Content-Disposition" not in reply.headers


def _error(status: int, message: str) -> Reply:
    return json_reply({"type": "error", "error": {"message": message}}, status)
