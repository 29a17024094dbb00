"""The OAuth applications and the GitHub App that the operator registered at the forges, from the settings.

Their secrets are used in the exchange and stored nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from forges.clients import FORGES
from forges.clients.github_app import GitHubApp
from forges.clients.oauth import App

APP_KEY = "app"
"""The GitHub App's among the applications, as its users sign in by OAuth, too. Those of OAuth applications begin with
their forge."""


@dataclass(frozen=True, slots=True)
class OAuthApplication:
    """An OAuth application at one forge's server."""

    key: str
    """Unique among them and stable: the forge and, unless it is the forge's public server, its host."""
    app: App
    base_url: str
    """Of the API at that server."""

    @property
    def label(self) -> str:
        """“GitHub”, or with the host where it is not the public one: “GitLab (git.example.com)”."""
        forge = FORGES[self.app.forge]
        host = urlsplit(self.app.web_url).netloc
        return forge.label if self.base_url == forge.base_url else f"{forge.label} ({host})"


def oauth_applications() -> tuple[OAuthApplication, ...]:
    """In the order of the settings. ImproperlyConfigured names the item that is wrong, never its secret."""
    return _parse(tuple(settings.FORGE_OAUTH_APPS))


@lru_cache(maxsize=4)
def _parse(items: Sequence[str]) -> tuple[OAuthApplication, ...]:
    found: dict[str, OAuthApplication] = {}
    for number, item in enumerate(items, start=1):
        parts = [part.strip() for part in item.split("|")]
        if len(parts) != 4 or not all(parts):
            raise ImproperlyConfigured(
                f"Item {number} of FORGE_OAUTH_APPS is not of the form forge|https://address|client id|client secret."
            )
        forge, web_url, client_id, secret = parts
        if forge not in FORGES or forge == "git":
            raise ImproperlyConfigured(f"Item {number} of FORGE_OAUTH_APPS names no forge that has OAuth.")
        web_url = web_url.rstrip("/")
        base_url = FORGES[forge].api_url(web_url)
        key = _key(forge, web_url, base_url)
        if key in found:
            raise ImproperlyConfigured(f"Item {number} of FORGE_OAUTH_APPS is there twice: {forge} at {web_url}.")
        found[key] = OAuthApplication(key, App(forge, web_url, client_id, secret), base_url)
    return tuple(found.values())


def _key(forge: str, web_url: str, base_url: str) -> str:
    if base_url == FORGES[forge].base_url:
        return forge
    parts = urlsplit(web_url)
    return f"{forge}-" + re.sub(r"[^a-z0-9]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-")


def oauth_application(forge: str, base_url: str) -> OAuthApplication | None:
    """The one for a connection's forge, None where the operator has none (any more)."""
    return next((item for item in oauth_applications() if (item.app.forge, item.base_url) == (forge, base_url)), None)


def github_app() -> GitHubApp | None:
    """The GitHub App, None where there is none. ImproperlyConfigured when it is set in part only."""
    values = {
        "GITHUB_APP_ID": settings.GITHUB_APP_ID,
        "GITHUB_APP_SLUG": settings.GITHUB_APP_SLUG,
        "GITHUB_APP_CLIENT_ID": settings.GITHUB_APP_CLIENT_ID,
        "GITHUB_APP_CLIENT_SECRET": settings.GITHUB_APP_CLIENT_SECRET,
        "GITHUB_APP_PRIVATE_KEY": settings.GITHUB_APP_PRIVATE_KEY,
        "GITHUB_APP_WEBHOOK_SECRET": settings.GITHUB_APP_WEBHOOK_SECRET,
    }
    if not any(values.values()):
        return None
    if missing := [name for name, value in values.items() if not value]:
        raise ImproperlyConfigured(f"The GitHub App is set in part only: {', '.join(missing)} missing.")
    return GitHubApp(
        web_url=settings.GITHUB_APP_URL.rstrip("/"),
        app_id=settings.GITHUB_APP_ID,
        slug=settings.GITHUB_APP_SLUG,
        client_id=settings.GITHUB_APP_CLIENT_ID,
        client_secret=settings.GITHUB_APP_CLIENT_SECRET,
        private_key=_pem(settings.GITHUB_APP_PRIVATE_KEY),
        webhook_secret=settings.GITHUB_APP_WEBHOOK_SECRET,
    )


def _pem(value: str) -> str:
    """The key itself (with \\n for line ends, as environment files have it), or the path of the file it is in."""
    if "-----BEGIN" in value:
        return value.replace("\\n", "\n")
    try:
        return Path(value).read_text()
    except OSError:
        raise ImproperlyConfigured("GITHUB_APP_PRIVATE_KEY is neither a PEM key nor a file that can be read.") from None
