"""GitHub's REST and GraphQL APIs, at the root and under `/api/v3` as GitHub Enterprise has them.

Stricter than GitHub: a query parameter, body or path that the API's description does not know is refused (422) and
recorded among the violations, and so is a reply of ours that is not as described.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import re

from tests.wire import (  # noqa: F401 - they fill the table of routes
    github_apps,
    github_contents,
    github_endpoints,
    github_hooks,
    github_pulls,
    github_writes,
)
from tests.wire.contract import Contract, Violation
from tests.wire.github_archives import Codeload
from tests.wire.github_documented import DOCUMENTED
from tests.wire.github_graphql import graphql
from tests.wire.github_routes import READING, Call, Caps, Refused, rest_of, routes
from tests.wire.installations import NoSuchApp
from tests.wire.messages import Headers, Reply, Request, json_reply, text_reply
from tests.wire.world import HostedApp, HostedRepository, Token, World

ENTERPRISE_PREFIX = "/api/v3"
VERSIONS = {"2022-11-28", "2026-03-10"}
API_ROOTS = {
    *("user", "repos", "repositories", "rate_limit", "graphql", "orgs"),
    *("app", "applications", "installation"),
}


class GitHub:
    def __init__(
        self, world: World, codeload: Codeload, contract: Contract | None, violations: list[Violation]
    ) -> None:
        self.world = world
        self.codeload = codeload
        self.contract = contract
        self.caps = Caps()
        self.violations = violations
        self._request_ids = itertools.count(1)

    # -- what is ours --------------------------------------------------------------------------------------------------

    def knows(self, request: Request) -> bool:
        path = request.path
        if path == "/api/graphql":
            request.prefix, request.path = "/api", "/graphql"
            return True
        if path.startswith(ENTERPRISE_PREFIX + "/"):
            request.prefix, request.path = ENTERPRISE_PREFIX, path.removeprefix(ENTERPRISE_PREFIX)
        elif path.split("/")[1] not in API_ROOTS:
            return False
        if found := re.fullmatch(r"/repositories/(\d+)(/.*)?", request.path, re.DOTALL):
            hosted = self.world.find_id(int(found[1]))
            request.path = f"/repos/{hosted.full_name if hosted else 'unknown/unknown'}{found[2] or ''}"
        if re.fullmatch(r"/repos/[^/]+/[^/]+/contents", request.path):
            request.path += "/"
        return True

    def check(self, request: Request) -> Reply | None:
        if not request.headers.get("User-Agent"):
            return text_reply("Request forbidden by administrative rules. Send a User-Agent header.", 403, "text/html")
        version = request.headers.get("X-GitHub-Api-Version", "2022-11-28")
        if version not in VERSIONS:
            return json_reply({"message": f'"{version}" is not a supported version.', "status": "400"}, 400)
        if request.path == "/graphql":
            return None if request.method == "POST" else self._refuse(request, "only POST is taken here")
        for complaint in self._complaints(request):
            return self._refuse(request, complaint)
        return None

    def _complaints(self, request: Request) -> list[str]:
        found = routes.find(request.method, request.path)
        contract = self._contract_of(request)
        if contract is not None and (complaints := contract.check_request(request)):
            return complaints
        if found is None:
            return ["no such endpoint is served here"]
        if unknown := request.query.keys() - found[0].query:
            return [f"unknown query parameter {name!r}" for name in sorted(unknown)]
        return ["a GET takes no body"] if request.body and request.method in READING else []

    def _contract_of(self, request: Request) -> Contract | None:
        return DOCUMENTED if DOCUMENTED.find(request.method, request.path) else self.contract

    def _refuse(self, request: Request, complaint: str) -> Reply:
        self.violations.append(Violation("client", request.line, complaint))
        code = 404 if "no such" in complaint else 422
        return json_reply({"message": f"Not in the contract: {complaint}", "status": str(code)}, code)

    # -- answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        token: Token | None = None
        try:
            app = self._app(request)
            token = None if app else self._token(request)
            reply = self._spend_and_answer(request, token, app)
        except Refused as refused:
            reply = refused.reply
        contract = self._contract_of(request)
        if request.path != "/graphql" and contract is not None:
            for complaint in contract.check_reply(request, reply):
                self.violations.append(Violation("server", request.line, complaint))
        reply = self._unless_unchanged(request, reply, token)
        self._add_headers(request, reply, token)
        return reply

    def _spend_and_answer(self, request: Request, token: Token | None, app: HostedApp | None) -> Reply:
        resource = "graphql" if request.path == "/graphql" else "core"
        free = app is not None or request.path == "/rate_limit" or request.path.startswith("/applications/")
        if not free and not self.world.spend(self.world.budget(token, resource)):
            who = f"user ID {token.account.id}" if token else "127.0.0.1"
            raise Refused(403, f"API rate limit exceeded for {who}.")
        if request.path == "/graphql":
            return graphql(Call(request, self.world, self.caps, token, {}, self.codeload))
        found = routes.find(request.method, request.path)
        assert found, "check() lets only known paths through"
        route, parameters = found
        if moved := self._moved(parameters):
            location = f"{request.base}/repositories/{moved.id}{rest_of(request.path)}"
            message = {"message": "Moved Permanently", "url": location, "documentation_url": "https://docs.github.com"}
            return json_reply(message, 301 if request.method in READING else 307, Location=location)
        return route.endpoint(Call(request, self.world, self.caps, token, parameters, self.codeload, app))

    def _moved(self, parameters: dict[str, str]) -> HostedRepository | None:
        if "repo" not in parameters:
            return None
        name = f"{parameters['owner']}/{parameters['repo']}".lower()
        number = None if self.world.find(name) else self.world.moved.get(name)
        return self.world.find_id(number) if number else None

    def _token(self, request: Request) -> Token | None:
        """https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api"""
        header = request.headers.get("Authorization", "")
        if not header or request.path.startswith("/applications/"):
            return None
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().rpartition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                value = ""
        found = (
            self.world.find_token(value.strip(), "github") if scheme.lower() in {"bearer", "token", "basic"} else None
        )
        if found is None:
            raise Refused(401, "Bad credentials")
        if self.world.apps.suspended(found):
            raise Refused(403, "This installation has been suspended")
        return found

    def _app(self, request: Request) -> HostedApp | None:
        """The App whose JWT came, which opens `/app` alone."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or value.count(".") != 2:
            return None
        try:
            app = self.world.apps.speaking(value.strip())
        except NoSuchApp as refused:
            raise Refused(401, str(refused)) from None
        if request.path.split("/")[1] != "app":
            raise Refused(401, "Requires authentication")
        return app

    def _unless_unchanged(self, request: Request, reply: Reply, token: Token | None) -> Reply:
        """304 where the client has this very reply. The tag varies with the token; a hit with a token costs nothing."""
        if reply.status != 200 or request.method not in {"GET", "HEAD"} or not isinstance(reply.body, bytes):
            return reply
        varies = f"{token.value if token else ''}\n{request.headers.get('Accept', '')}\n".encode()
        tag = f'W/"{hashlib.sha256(varies + reply.body).hexdigest()}"'
        if request.headers.get("If-None-Match") != tag:
            reply.headers["ETag"] = tag
            return reply
        if token:
            self.world.budget(token).used -= 1
        return Reply(304, b"", Headers([("ETag", tag)]))

    def _add_headers(self, request: Request, reply: Reply, token: Token | None) -> None:
        resource = "graphql" if request.path == "/graphql" else "core"
        budget = self.world.budget(token, resource)
        fields = {
            "X-GitHub-Request-Id": f"{next(self._request_ids):04X}:WIRE",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": request.headers.get("X-GitHub-Api-Version", "2022-11-28"),
            "X-RateLimit-Limit": str(budget.limit),
            "X-RateLimit-Remaining": str(budget.remaining),
            "X-RateLimit-Reset": str(budget.reset_at),
            "X-RateLimit-Used": str(budget.used),
            "X-RateLimit-Resource": resource,
            "Cache-Control": "private, max-age=60, s-maxage=60" if token else "public, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
        }
        if token and token.scopes is not None:
            fields["X-OAuth-Scopes"] = ", ".join(sorted(token.scopes))
            fields["X-Accepted-OAuth-Scopes"] = "" if request.path == "/user" else "repo"
        if token and token.expires_at and token.kind == "personal":
            fields["GitHub-Authentication-Token-Expiration"] = token.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        for name, value in fields.items():
            reply.headers[name] = value
