"""Configured things over the network, as the SDK's own client gets them."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.client import Client

from endpoint.keys import make_key
from orgs.models import Role
from tests import factories
from tests.catalog.calling import SECRET, secret, tool
from tests.catalog.upstream import upstream
from tests.endpoint.live import HANDSHAKE, MODERN, Live


@pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
def test_a_client_calls_a_tool_and_never_sees_the_secret_that_comes_back(live: Live, era: str) -> None:
    org = factories.organization("Acme", slug="acme")
    server = factories.server(org, "Docs", slug="docs")
    owner = factories.membership(factories.user("alice@acme.example"), org, Role.OWNER)
    key = make_key(by=owner, values={"name": "Build", "everything": True, "may_call": True})[1]
    with upstream() as api:
        of = factories.provider(server, "Weather", base_url=api.base_url)
        marked = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
        tool(of, "/echo", name="echo", headers=secret(of, api.url), query_schema=marked)
        factories.prompt(of, "greet")
        factories.resource(of, uri="docs://start", text="Start.")

        async def conversation(client: Client) -> list[Any]:
            listed = await client.list_tools()
            called = await client.call_tool("echo", {"query": {"region": "eu"}})
            refused = await client.call_tool("echo", {"query": {"region": 7}})
            prompt = await client.get_prompt("greet", {})
            read = await client.read_resource("docs://start")
            return [listed, called, refused, prompt, read]

        listed, called, refused, prompt, read = live.talk("/mcp/acme/docs", conversation, era=era, key=key)
        assert [each.name for each in listed.tools] == ["search", "fetch", "list", "echo"]
        assert api.seen[0].headers["x-api-key"] == SECRET
        assert called.structured_content["headers"]["x-api-key"] == "••••••"
        assert SECRET not in called.model_dump_json()
        assert refused.is_error
        assert "“query.region” has to be of the type string." in refused.content[0].text
        assert prompt.messages[0].content.text == "Say hello."
        assert read.contents[0].text == "Start."
        assert len(api.seen) == 1
