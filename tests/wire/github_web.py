"""GitHub's pages for people and the token address of its web flow: at the root, at Enterprise too.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps and, for Apps,
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlencode

from tests.wire.consent import consent, form, leave, page
from tests.wire.contract import Violation
from tests.wire.installations import HostedApp
from tests.wire.messages import Headers, Reply, Request, json_reply, text_reply
from tests.wire.oauth import Issued, OAuthRefused
from tests.wire.world import World

AUTHORISE, TOKEN = "/login/oauth/authorize", "/login/oauth/access_token"
INSTALL = re.compile(r"/apps/(?P<slug>[^/]+)/installations/new")
ALSO = frozenset({"login", "allow_signup", "prompt"})
SENT = {"client_id", "client_secret", "code", "redirect_uri", "code_verifier", "grant_type", "refresh_token"}
"""What the documentation knows of for the token address, without the device flow."""
REFRESH_LIFETIME = 15_897_600
"""Seconds: six months."""

ERRORS = {
    "client": ("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."),
    "redirect_uri": ("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL."),
    "code": ("bad_verification_code", "The code passed is incorrect or expired."),
    "verifier": ("bad_verification_code", "The code passed is incorrect or expired."),
    "refresh_token": ("bad_refresh_token", "The refresh token passed is incorrect or expired."),
    "grant_type": ("unsupported_grant_type", "The grant type is not supported."),
}
"""What was wrong -> GitHub's word and sentence, all of them with status 200.

https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
"""


class GitHubWeb:
    def __init__(self, world: World, violations: list[Violation]) -> None:
        self.world = world
        self.violations = violations

    def knows(self, request: Request) -> bool:
        return request.path in {AUTHORISE, TOKEN} or INSTALL.fullmatch(request.path) is not None

    def check(self, request: Request) -> Reply | None:
        methods = {"POST"} if request.path == TOKEN else {"GET", "POST"}
        if request.method not in methods:
            return self._refuse(request, f"{request.method} is not taken here")
        if request.path != TOKEN:
            return None
        if request.query:
            return self._refuse(request, "secrets and codes belong in the body, not in the address")
        if unknown := self._sent(request).keys() - SENT:
            return self._refuse(request, f"unknown parameters: {', '.join(sorted(unknown))}")
        return None

    def _refuse(self, request: Request, complaint: str) -> Reply:
        self.violations.append(Violation("client", request.line, complaint))
        return text_reply(complaint, 422)

    def answer(self, request: Request) -> Reply:
        if request.path == AUTHORISE:
            return consent(self.world, request, forge="github", name="GitHub", also=ALSO)
        if request.path == TOKEN:
            return self._token(request)
        return self._install(request)

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _sent(self, request: Request) -> dict[str, str]:
        if request.headers.get("Content-Type", "").startswith("application/json"):
            return {name: str(value) for name, value in request.json().items()}
        return request.form()

    def _token(self, request: Request) -> Reply:
        sent = self._sent(request)
        client = sent.get("client_id", ""), sent.get("client_secret", "")
        try:
            if (known := self.world.oauth.apps.get(client[0])) and known.forge != "github":
                raise OAuthRefused("invalid_client", "client", "it is another forge's")
            match sent.get("grant_type", "authorization_code"):
                case "refresh_token":
                    issued = self.world.oauth.refresh(*client, sent.get("refresh_token", ""))
                case "authorization_code":
                    code, address = sent.get("code", ""), sent.get("redirect_uri", "")
                    issued = self.world.oauth.exchange(*client, code, address, sent.get("code_verifier", ""))
                case other:
                    raise OAuthRefused("unsupported_grant_type", "grant_type", other)
        except OAuthRefused as refused:
            error, description = ERRORS[refused.about]
            about = f"https://docs.github.com/apps/troubleshooting#{error.replace('_', '-')}"
            return _said(request, {"error": error, "error_description": description, "error_uri": about})
        return _said(request, _fields(issued))

    # -- installing ----------------------------------------------------------------------------------------------------

    def _install(self, request: Request) -> Reply:
        """https://docs.github.com/en/apps/sharing-github-apps/sharing-your-github-app and
        https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/about-the-setup-url
        """
        found = INSTALL.fullmatch(request.path)
        app = self.world.apps.by_slug(found["slug"]) if found else None
        if app is None:
            return page("GitHub: not found", "<p>There is no such App.</p>", status=404)
        sent = request.form() if request.method == "POST" else request.query
        if sent.get("decision") == "install":
            return self._installed(app, sent)
        if sent.get("decision") == "cancel":
            return page("GitHub", "<p>Nothing was installed.</p>")
        person = self.world.oauth.person
        theirs = [
            person,
            *(org for org, members in self.world.members.items() if members.get(person.lower()) == "admin"),
        ]
        forms = "".join(
            f"<section><h2>{escape(account)}</h2>"
            f"{form(request.path, {'state': sent.get('state', ''), 'account': account}, install='Install')}</section>"
            for account in theirs
        )
        asked = "".join(f"<li>{escape(name)}: {escape(level)}</li>" for name, level in app.permissions.items())
        return page(
            f"GitHub: install {app.name}", f"<p>As {escape(person)}, on all repositories:</p><ul>{asked}</ul>{forms}"
        )

    def _installed(self, app: HostedApp, sent: dict[str, str]) -> Reply:
        account, known = sent["account"], self.world.apps.of(app, sent["account"])
        number = known.id if known else self.world.install(app, account)
        fields = {"installation_id": str(number), "setup_action": "update" if known else "install"}
        callback = next(iter(sorted(app.oauth.redirect_uris)), "")
        if app.authorise_on_install and callback:
            fields["code"] = self.world.oauth.authorise(app.client_id, callback)
        address = callback if app.authorise_on_install else app.setup_url
        if not address:
            return page("GitHub", f"<p>{escape(app.name)} is installed for {escape(account)}.</p>")
        return leave(address, {**fields, **({"state": sent["state"]} if sent.get("state") else {})})


def _fields(issued: Issued) -> dict[str, str | int]:
    fields: dict[str, str | int] = {
        "access_token": issued.access_token,
        "scope": ",".join(sorted(issued.scopes)),
        "token_type": "bearer",
    }
    if issued.expires_in is None:
        return fields
    renewal: dict[str, str | int] = {
        "refresh_token": issued.refresh_token,
        "refresh_token_expires_in": REFRESH_LIFETIME,
    }
    return {**fields, "expires_in": issued.expires_in, **renewal}


def _said(request: Request, fields: dict[str, str | int]) -> Reply:
    """As JSON for those who accept that, else form-encoded."""
    if "application/json" in request.headers.get("Accept", ""):
        return json_reply(fields)
    form_type = "application/x-www-form-urlencoded; charset=utf-8"
    return Reply(200, urlencode(fields).encode(), Headers([("Content-Type", form_type)]))
