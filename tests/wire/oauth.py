"""OAuth as every forge has it (RFC 6749 with PKCE, RFC 7636), without HTTP: apps, codes, tokens, and their renewal.

Stricter than forges are: a code is good for one exchange, by the client and for the address that it was made for; a
challenge has to be S256; a refresh token that was rotated is refused for good. One lock makes each step whole, so of
two workers that refresh the same token at the same moment one wins and the other is told invalid_grant.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.wire.oauth_apps import OAuthApp, OAuthRefused, mint

if TYPE_CHECKING:
    from tests.wire.world import World

__all__ = ["Issued", "OAuthApp", "OAuthRefused", "OAuthServer"]

CODE_LIFETIME = 600.0


@dataclass(frozen=True, slots=True)
class Issued:
    access_token: str
    refresh_token: str
    """Empty where the token lives for ever, and for client credentials."""
    expires_in: int | None
    scopes: frozenset[str]
    account: str
    created_at: int


@dataclass(slots=True)
class _Code:
    app: OAuthApp
    account: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str
    until: float
    used: bool = False


@dataclass(slots=True)
class _Grant:
    """What one person allowed one app once: a line of access and refresh tokens, of which the last is good."""

    app: OAuthApp
    account: str
    scopes: frozenset[str]
    kind: str = "oauth"
    access: set[str] = field(default_factory=set)
    refresh: str = ""
    refresh_until: float | None = None
    spent: set[str] = field(default_factory=set)
    """Refresh tokens that were good once."""


class OAuthServer:
    """`world.oauth`. Access tokens are tokens of the world: every speaker of their forge understands them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.person = "acme"
        """Login of whoever sits at the forge's pages in a browser."""
        self.apps: dict[str, OAuthApp] = {}
        self._codes: dict[str, _Code] = {}
        self._grants: list[_Grant] = []
        self._lock = threading.RLock()

    def app(
        self,
        forge: str,
        *,
        redirect_uri: str = "",
        ttl: float | None = 7200.0,
        scopes: Iterable[str] = (),
        pkce: bool = False,
        rotate: bool | None = None,
        owner: str = "",
        name: str = "Millrace",
        app_id: int | None = None,
        permissions: Iterable[str] = (),
    ) -> OAuthApp:
        """Register an application. `scopes` limits what may be asked for (none named: anything).

        Refresh tokens rotate at GitHub and GitLab and stay the same at Bitbucket, unless `rotate` says otherwise.
        """
        made = OAuthApp(
            forge=forge,
            client_id=f"Iv23li{secrets.token_hex(7)}" if app_id else secrets.token_hex(10),
            client_secret=secrets.token_hex(20),
            name=name,
            redirect_uris={redirect_uri} if redirect_uri else set(),
            scopes=frozenset(scopes),
            ttl=ttl,
            pkce=pkce,
            rotate=forge != "bitbucket" if rotate is None else rotate,
            owner=owner,
            app_id=app_id,
            permissions=frozenset(permissions),
        )
        self.apps[made.client_id] = made
        return made

    # -- the browser's half --------------------------------------------------------------------------------------------

    def asked(self, forge: str, client_id: str, redirect_uri: str, scope: str) -> tuple[OAuthApp, str, frozenset[str]]:
        """The app, the address to return to and the scopes of what a browser asks for; OAuthRefused."""
        app = self.apps.get(client_id)
        if app is None or app.forge != forge:
            raise OAuthRefused("invalid_client", "client", "there is no such application")
        address = redirect_uri or (next(iter(app.redirect_uris)) if len(app.redirect_uris) == 1 else "")
        if not address or not app.takes(address):
            raise OAuthRefused("invalid_request", "redirect_uri", "the redirect_uri is not registered")
        wanted = frozenset(re.split(r"[\s,]+", scope.strip())) - {""}
        if app.scopes and not wanted <= app.scopes:
            raise OAuthRefused("invalid_scope", "scope", f"not for this application: {sorted(wanted - app.scopes)}")
        if forge == "bitbucket" and not wanted:
            wanted = app.scopes  # a consumer's scopes are chosen where it is made
        return app, address, wanted

    def check_challenge(self, app: OAuthApp, challenge: str, method: str) -> None:
        """OAuthRefused where a challenge is required and missing, or is not of S256."""
        if app.pkce and not challenge:
            raise OAuthRefused("invalid_request", "verifier", "a code_challenge is required")
        if challenge and (method != "S256" or not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge)):
            raise OAuthRefused("invalid_request", "verifier", "the code_challenge has to be S256")

    def authorise(
        self,
        client_id: str,
        redirect_uri: str = "",
        scope: str = "",
        challenge: str = "",
        method: str = "",
        *,
        account: str = "",
    ) -> str:
        """What pressing Authorise does: a code for one exchange. `account` defaults to `person`; OAuthRefused."""
        with self._lock:
            known = self.apps.get(client_id)
            app, address, scopes = self.asked(known.forge if known else "", client_id, redirect_uri, scope)
            self.check_challenge(app, challenge, method)
            code = secrets.token_hex(10)
            who = self.world.account(account or self.person).login
            self._codes[code] = _Code(
                app, who, redirect_uri and address, scopes, challenge, time.time() + CODE_LIFETIME
            )
            return code

    # -- the application's half ----------------------------------------------------------------------------------------

    def exchange(self, client_id: str, client_secret: str, code: str, redirect_uri: str, verifier: str) -> Issued:
        """Tokens for a code; OAuthRefused."""
        with self._lock:
            app = self.client(client_id, client_secret)
            found = self._codes.get(code)
            if found is None or found.app is not app or found.used or found.until <= time.time():
                raise OAuthRefused("invalid_grant", "code", "the code is unknown, used, expired or another client's")
            if found.redirect_uri and redirect_uri != found.redirect_uri:
                raise OAuthRefused("invalid_grant", "redirect_uri", "the redirect_uri is not the one of the request")
            if found.challenge != (_s256(verifier) if verifier else ""):
                raise OAuthRefused("invalid_grant", "verifier", "the code_verifier does not fit the challenge")
            found.used = True
            grant = _Grant(app, found.account, found.scopes)
            self._grants.append(grant)
            return self._issue(grant)

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Issued:
        """New tokens for a refresh token; OAuthRefused. GitLab ends the whole grant when a rotated one comes again."""
        with self._lock:
            app = self.client(client_id, client_secret)
            for grant in list(self._grants):
                if grant.app is app and refresh_token in grant.spent and app.forge == "gitlab":
                    self._end(grant)
            found = next((g for g in self._grants if g.app is app and g.refresh == refresh_token != ""), None)
            if found is None or (found.refresh_until is not None and found.refresh_until <= time.time()):
                raise OAuthRefused("invalid_grant", "refresh_token", "the refresh token is unknown, used or expired")
            if app.rotate:
                found.spent.add(refresh_token)
                self._end_access(found)
            return self._issue(found)

    def client_credentials(self, client_id: str, client_secret: str) -> Issued:
        """A token that speaks for the account that owns the app; OAuthRefused."""
        with self._lock:
            app = self.client(client_id, client_secret)
            if not app.owner:
                raise OAuthRefused("unauthorized_client", "client", "this application has no client credentials")
            grant = _Grant(app, self.world.account(app.owner).login, app.scopes, kind="consumer")
            self._grants.append(grant)
            return self._issue(grant)

    def client(self, client_id: str, client_secret: str) -> OAuthApp:
        """The app with that secret; OAuthRefused."""
        app = self.apps.get(client_id)
        if app is None or not secrets.compare_digest(app.client_secret, client_secret):
            raise OAuthRefused("invalid_client", "client", "the client is unknown or its secret is wrong")
        return app

    # -- ending --------------------------------------------------------------------------------------------------------

    def revoke(self, token: str, *, whole: bool = False) -> bool:
        """End an access or a refresh token and what renews it; `whole` ends all that the person gave the app.

        False where the token was not known.
        """
        with self._lock:
            grant = next((g for g in self._grants if token and (token in g.access or token == g.refresh)), None)
            if grant is None:
                return False
            for other in list(self._grants):
                if other is grant or (whole and other.app is grant.app and other.account == grant.account):
                    self._end(other)
            return True

    def owner_of(self, token: str) -> OAuthApp | None:
        """The app that an access or a refresh token was issued to; None where the token is not good."""
        with self._lock:
            return next((g.app for g in self._grants if token and (token in g.access or token == g.refresh)), None)

    def expire(self, access_token: str) -> None:
        """End an access token now, as its time does: its refresh token stays good."""
        if found := self.world.find_token(access_token):
            self.world.add_token(replace(found, expires_at=datetime.fromtimestamp(0, UTC)))

    def _issue(self, grant: _Grant) -> Issued:
        app, now = grant.app, time.time()
        value = mint(app, "access", grant.kind)
        self.world.issue(
            value,
            grant.account,
            scopes=None if app.app_id else grant.scopes,
            permissions=app.permissions,
            expires_at=None if app.ttl is None else datetime.fromtimestamp(now + app.ttl, UTC),
            forge=app.forge,
            kind=grant.kind,
            app_id=app.app_id,
        )
        grant.access.add(value)
        if app.ttl is not None and grant.kind == "oauth" and (app.rotate or not grant.refresh):
            grant.refresh = mint(app, "refresh", grant.kind)
            grant.refresh_until = None if app.refresh_ttl is None else now + app.refresh_ttl
        return Issued(
            access_token=value,
            refresh_token=grant.refresh,
            expires_in=None if app.ttl is None else int(app.ttl),
            scopes=frozenset() if app.app_id else grant.scopes,
            account=grant.account,
            created_at=int(now),
        )

    def _end(self, grant: _Grant) -> None:
        self._end_access(grant)
        self._grants.remove(grant)

    def _end_access(self, grant: _Grant) -> None:
        for value in grant.access:
            self.world.revoke(value)
        grant.access.clear()


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
