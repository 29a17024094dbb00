"""A person who goes from Millrace to the local forge's pages and back, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from forges.oauth.providers import callback_url
from orgs.models import User
from tests.conftest import Browse
from tests.forges_app.conftest import Register, Registered
from tests.wire.forge import Forge
from tests.wire.pressing import pressed


@dataclass
class Visitor:
    """Their session with Millrace, and who they are at the forge."""

    client: Client
    forge: Forge
    login: str = "octo"
    seen: list[str] = field(default_factory=list)
    """The forge's addresses that they were sent to."""

    def set_out(self, path: str, **fields: Any) -> str:
        """Press the button of a form of ours; the forge's address that it leads to."""
        return self.left(self.client.post(path, fields))

    def left(self, response: Any) -> str:
        assert response.status_code == 200, response.content
        wait, _, url = str(response["Refresh"]).partition("; url=")
        assert wait == "0"
        self.seen.append(url)
        return url

    def decides(self, url: str, button: str = "authorise", **where: str) -> str:
        """Press a button at the forge; the address that it leads back to, without our host."""
        self.forge.world.oauth.person = self.login
        page = requests.get(url, timeout=5)
        assert page.status_code == 200, page.text
        action, fields = pressed(page.text, button, **where)
        parts = urlsplit(url)
        answer = requests.post(
            f"{parts.scheme}://{parts.netloc}{action}", data=fields, allow_redirects=False, timeout=5
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def connects(self, path: str, **fields: Any) -> Any:
        """All the way, up to our answer."""
        return self.client.get(self.decides(self.set_out(path, **fields)))


def parameters(url: str) -> dict[str, str]:
    """Of an address, each once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def told(client: Client) -> list[str]:
    """The messages that the next page shows."""
    response = client.get("/profile/")
    return [str(message) for message in get_messages(response.wsgi_request)]


Visit = Callable[..., Visitor]
Registering = Callable[..., Registered]
LIST = "/o/acme/connections/"


@pytest.fixture
def at(register: Register) -> Registering:
    """An application whose callback address is ours: `at("gitlab", ttl=5.0)`."""

    def registered(kind: str, **options: Any) -> Registered:
        made = register(kind, **options)
        made.hosted.redirect_uris = {callback_url(made.application.key)}
        return made

    return registered


@pytest.fixture
def visit(forge: Forge, browse: Browse) -> Visit:
    def visiting(person: User, login: str = "octo") -> Visitor:
        return Visitor(browse(person), forge, login)

    return visiting


def start(of: Registered, org: str = "acme") -> str:
    """Where connecting an account at this application begins."""
    return reverse("forges:start", args=[org, of.application.key])
