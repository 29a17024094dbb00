"""GitHub Apps and where they are installed, without HTTP: keys, JWTs, installations and their tokens of an hour."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.wire.hooks import Change
from tests.wire.oauth import OAuthApp
from tests.wire.tokens import Account, Token

if TYPE_CHECKING:
    from tests.wire.world import HostedRepository, World

PERMISSIONS = {"metadata": "read", "contents": "write", "pull_requests": "write", "repository_hooks": "write"}
EVENTS = ("push", "delete", "repository")
LONGEST_JWT = 600
"""Seconds from now until the latest end of a JWT that GitHub takes."""


class NoSuchApp(Exception):
    """The JWT proves nothing; what is said is GitHub's own sentence."""


@dataclass(slots=True)
class HostedApp:
    """A GitHub App that somebody registered. A test may change it at any time."""

    app_id: int
    slug: str
    name: str
    owner: Account
    oauth: OAuthApp
    """Its client id and secret, for users' tokens; codes go to its callback address."""
    key: rsa.RSAPrivateKey = field(repr=False)
    setup_url: str = ""
    """Where people go after installing; empty: to the callback address, where one is asked for authorisation too."""
    authorise_on_install: bool = True
    """Whether installing also brings a `code`, which proves who did it."""
    webhook_secret: str = ""
    permissions: dict[str, str] = field(default_factory=dict)
    """Permission -> read or write, as installations get them."""
    events: tuple[str, ...] = EVENTS
    token_ttl: float = 3600.0
    """Seconds that installation tokens live."""

    @property
    def client_id(self) -> str:
        return self.oauth.client_id

    @property
    def client_secret(self) -> str:
        return self.oauth.client_secret

    @property
    def private_key_pem(self) -> str:
        """As GitHub lets it be downloaded: PKCS#1."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()


@dataclass(slots=True)
class Installation:
    id: int
    app: HostedApp
    account: Account
    repositories: set[int] | None = None
    """Ids that were chosen; None for all of the account's."""
    suspended: bool = False
    permissions: dict[str, str] = field(default_factory=dict)
    created_at: int = field(default_factory=lambda: int(time.time()))

    def covers(self, hosted: HostedRepository) -> bool:
        mine = hosted.owner.login.lower() == self.account.login.lower()
        return mine and (self.repositories is None or hosted.id in self.repositories)


class Apps:
    """`world.apps`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[int, HostedApp] = {}
        self.installations: dict[int, Installation] = {}

    def register(
        self,
        *,
        slug: str = "millrace",
        callback_url: str = "",
        setup_url: str = "",
        webhook_url: str = "",
        webhook_secret: str = "",
        owner: str = "millrace-makers",
        permissions: Mapping[str, str] = PERMISSIONS,
        events: Iterable[str] = EVENTS,
        authorise_on_install: bool = True,
        user_token_ttl: float | None = 28_800.0,
    ) -> HostedApp:
        """Make an App; its hook delivers from then on what happens where it is installed."""
        number = self.world.new_id()
        oauth = self.world.oauth.app(
            "github",
            redirect_uri=callback_url,
            ttl=user_token_ttl,
            name=slug.title(),
            app_id=number,
            permissions={f"{name}:write" if level == "write" else name for name, level in permissions.items()},
        )
        made = self.all[number] = HostedApp(
            app_id=number,
            slug=slug,
            name=slug.title(),
            owner=self.world.account(owner, "Organization"),
            oauth=oauth,
            key=_key(len(self.all)),
            setup_url=setup_url,
            authorise_on_install=authorise_on_install,
            webhook_secret=webhook_secret,
            permissions=dict(permissions),
            events=tuple(events),
        )
        if webhook_url:
            self.world.hooks.add(
                "github", None, webhook_url, secret=webhook_secret, events=events, app_id=number, content_type="json"
            )
        return made

    def install(self, app: HostedApp, account: str, repositories: Iterable[str] | None = None) -> Installation:
        """Install an App for an account, on all its repositories or on those named; again: choose others."""
        owner = self.world.account(account)
        chosen = None if repositories is None else {self.world.repositories[name.lower()].id for name in repositories}
        found = self.of(app, account)
        if found is None:
            number = self.world.new_id()
            found = Installation(number, app, owner, chosen, permissions=dict(app.permissions))
            self.installations[number] = found
            self._tell("installed", found)
            return found
        before = self.covered(found)
        found.repositories = chosen
        after = self.covered(found)
        if before != after:
            added = tuple(hosted for hosted in after if hosted not in before)
            self._tell("repositories_changed", found, added, tuple(hosted for hosted in before if hosted not in after))
        return found

    def of(self, app: HostedApp, account: str) -> Installation | None:
        return next(
            (i for i in self.installations.values() if i.app is app and i.account.login.lower() == account.lower()),
            None,
        )

    def by_slug(self, slug: str) -> HostedApp | None:
        return next((app for app in self.all.values() if app.slug == slug), None)

    def choose(self, number: int, repositories: Iterable[str] | None) -> None:
        """Choose an installation's repositories anew, by full name; None: all of its account."""
        found = self.installations[number]
        self.install(found.app, found.account.login, repositories)

    def uninstall(self, number: int) -> None:
        """Its tokens end at once."""
        self._tell("uninstalled", self.installations.pop(number))

    def suspend(self, number: int, suspended: bool = True) -> None:
        self.installations[number].suspended = suspended
        self._tell("suspended" if suspended else "unsuspended", self.installations[number])

    def _tell(
        self,
        kind: str,
        installation: Installation,
        added: tuple[HostedRepository, ...] = (),
        removed: tuple[HostedRepository, ...] = (),
    ) -> None:
        change = Change(kind, None, installation=installation, added=added, removed=removed)
        self.world.hooks.happened(change)

    # -- who asks ------------------------------------------------------------------------------------------------------

    def speaking(self, jwt: str) -> HostedApp:
        """The App whose key signed this; NoSuchApp.

        https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
        """
        head, claims, signed, signature = _parts(jwt)
        issuer = str(claims.get("iss", ""))
        app = next((a for a in self.all.values() if issuer in {str(a.app_id), a.client_id}), None)
        if app is None:
            raise NoSuchApp("'Issuer' claim ('iss') must be the App's ID or client ID")
        if head.get("alg") != "RS256":
            raise NoSuchApp("A JSON web token could not be decoded")
        try:
            app.key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise NoSuchApp("A JSON web token could not be decoded") from None
        issued, ends, now = claims.get("iat"), claims.get("exp"), time.time()
        if not isinstance(issued, int) or issued > now:
            raise NoSuchApp("'Issued at' claim ('iat') must be an Integer representing a time in the past")
        if not isinstance(ends, int) or ends <= now:
            raise NoSuchApp("'Expiration time' claim ('exp') must be a numeric value representing a future time")
        if ends > now + LONGEST_JWT:
            raise NoSuchApp("'Expiration time' claim ('exp') is too far in the future")
        return app

    def narrow(self, token: Token) -> Token | None:
        """The token with the repositories that its App covers now; None where its installation is gone."""
        if token.installation_id is not None:
            found = self.installations.get(token.installation_id)
            if found is None:
                return None
            covered = {hosted.id for hosted in self.covered(found)}
            return replace(token, repositories=frozenset(covered & (token.repositories or covered)))
        seen = (i for i in list(self.installations.values()) if i.app.app_id == token.app_id and not i.suspended)
        return replace(token, repositories=frozenset(hosted.id for i in seen for hosted in self.covered(i)))

    def suspended(self, token: Token) -> bool:
        return token.installation_id is not None and self.installations[token.installation_id].suspended

    def covered(self, installation: Installation) -> list[HostedRepository]:
        return [hosted for hosted in list(self.world.repositories.values()) if installation.covers(hosted)]

    def seen_by(self, token: Token) -> list[Installation]:
        """The installations of the token's App that its person can see: their own, their organisations', and where
        they are let into a repository."""
        who = token.account.login.lower()
        return [
            found
            for found in list(self.installations.values())
            if found.app.app_id == token.app_id
            and (
                found.account.login.lower() == who
                or who in self.world.members.get(found.account.login.lower(), {})
                or any(hosted.role(who) for hosted in self.covered(found))
            )
        ]

    def token(
        self, installation: Installation, repositories: frozenset[int] | None, permissions: Mapping[str, str]
    ) -> Token:
        """Make an installation's token: https://docs.github.com/en/rest/apps/apps."""
        made = Token(
            f"ghs_{secrets.token_hex(18)}",
            installation.account,
            permissions=frozenset(f"{n}:write" if level == "write" else n for n, level in permissions.items()),
            repositories=repositories,
            expires_at=datetime.fromtimestamp(time.time() + installation.app.token_ttl, UTC),
            kind="installation",
            app_id=installation.app.app_id,
            installation_id=installation.id,
        )
        self.world.add_token(made)
        return made


@functools.cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """A key for the so-manieth App of a world: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def _parts(jwt: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, what is signed, and the signature."""
    try:
        head, claims, signature = jwt.split(".")
        read = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, claims, signature)]
        return json.loads(read[0]), json.loads(read[1]), f"{head}.{claims}".encode(), read[2]
    except (ValueError, binascii.Error):
        raise NoSuchApp("A JSON web token could not be decoded") from None
