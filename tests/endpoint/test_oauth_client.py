"""The SDK's own client finds out by itself how to sign in, and does, at a real server."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from django.core.cache import cache
from django.test import Client as Browser
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from endpoint.models import Grant
from orgs.models import Organization, Role
from tests import factories
from tests.endpoint import oauth_steps as steps
from tests.endpoint.live import HANDSHAKE, MODERN, Live, mode_of


@dataclass
class Kept:
    """What a client keeps between its starts."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None
    asked: list[str] = field(default_factory=list)
    """Addresses that a person was sent to."""

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@pytest.fixture
def private(transactional_db: None) -> Organization:
    cache.clear()
    org = factories.organization("Acme", slug="acme")
    factories.content(factories.server(org, "Docs", slug="docs"), "hello.md", "# Hello\n\nGood morning.\n")
    factories.membership(factories.user("bob@acme.example"), org, Role.VIEWER)
    return org


@dataclass
class Desk:
    """A person with a browser, and a client that opens addresses in it."""

    live: Live
    cookies: dict[str, str]
    kept: Kept

    @property
    def address(self) -> str:
        return f"{self.live.url}/mcp/acme/docs"

    async def _open(self, url: str) -> None:
        """The person looks at the page, and allows it."""
        self.kept.asked.append(url)
        async with httpx2.AsyncClient(cookies=self.cookies, timeout=30, trust_env=False) as browser:
            page = await browser.get(url)
            assert page.status_code == 200, page.text
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            assert found
            form = {"csrfmiddlewaretoken": unescape(found[1]), "answer": "allow", "call": "1"}
            answer = await browser.post(url, data=form)
            assert answer.status_code == 302, answer.text
            self.answer = dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def _wait(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(
            code=self.answer["code"], state=self.answer.get("state"), iss=self.answer.get("iss")
        )

    def tools(self, era: str) -> set[str]:
        """The tools that there are for the client, after it signed in if it has to."""

        async def talk() -> set[str]:
            metadata = OAuthClientMetadata(client_name="SDK", redirect_uris=[AnyUrl(steps.REDIRECT)])
            auth = OAuthClientProvider(self.address, metadata, self.kept, self._open, self._wait)
            async with httpx2.AsyncClient(auth=auth, timeout=30, trust_env=False) as http:
                transport = streamable_http_client(self.address, http_client=http)
                async with Client(transport, mode=mode_of(era)) as client:
                    await client.call_tool("search", {"query": "morning"})
                    return {each.name for each in (await client.list_tools()).tools}

        return asyncio.run(talk())

    def status(self) -> int:
        assert self.kept.tokens is not None
        return self.live.ask("/mcp/acme/docs", "tools/list", key=self.kept.tokens.access_token).status


@pytest.fixture
def desk(live: Live, private: Organization) -> Desk:
    browser = Browser()
    browser.force_login(private.memberships.get().user)
    return Desk(live, {"sessionid": browser.cookies["sessionid"].value}, Kept())


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
def test_the_sdks_client_signs_in_calls_refreshes_and_is_out_when_it_is_disconnected(desk: Desk, era: str) -> None:
    assert {"search", "fetch", "list"} <= desk.tools(era)
    assert desk.tools(era)
    assert len(desk.kept.asked) == 1  # the second time it had a token
    assert f"resource={desk.live.url}/mcp/acme/docs" in desk.kept.asked[0].replace("%3A", ":").replace("%2F", "/")

    old = desk.kept.tokens
    assert old is not None
    assert old.refresh_token
    assert desk.kept.client
    refreshed = desk.live.http.post(
        f"{desk.live.url}/oauth/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": old.refresh_token,
            "client_id": desk.kept.client.client_id,
            "client_secret": desk.kept.client.client_secret or "",
            "resource": desk.address,
        },
    )
    assert refreshed.status_code == 200, refreshed.text
    desk.kept.tokens = OAuthToken.model_validate_json(refreshed.text)
    assert desk.status() == 200

    Grant.objects.get().delete()
    assert desk.status() == 401
    reply = desk.live.ask("/mcp/acme/docs", "tools/list", key=desk.kept.tokens.access_token)
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]
    assert f'resource_metadata="{desk.live.url}/.well-known/' in reply.headers["www-authenticate"]
    assert desk.tools(era)  # it asks the person again
    assert len(desk.kept.asked) == 2


def test_a_token_for_one_server_opens_no_other(desk: Desk, private: Organization) -> None:
    factories.server(private, "Docs 2", slug="docs-2")
    desk.tools(HANDSHAKE)
    assert desk.kept.tokens is not None
    assert desk.status() == 200
    token = desk.kept.tokens.access_token
    assert desk.live.ask("/mcp/acme/docs-2", "tools/list", key=token).status == 401
    assert desk.live.ask("/mcp/acme/nope", "tools/list", key=token).status == 401
