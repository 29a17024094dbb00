"""Both revisions of the protocol on one address: the SDK's own client connects, lists and calls in each."""

from __future__ import annotations

import pytest
from mcp.client import Client
from mcp_types import PromptReference, TextContent, TextResourceContents

from tests import factories
from tests.endpoint.live import HANDSHAKE, MODERN, Live

ERAS = pytest.mark.parametrize("era", [HANDSHAKE, MODERN])
EARLIER = ("2024-11-05", "2025-03-26", "2025-06-18")
PATH = "/mcp/acme/docs"


@pytest.fixture(scope="module")
def docs(standing: Live) -> Live:
    org = factories.organization("Acme", slug="acme")
    server = factories.server(
        org, "Weather Docs", slug="docs", visibility="public", instructions="Ask about the weather."
    )
    factories.content(server, "rain.md", "# Rain\n\nBring an umbrella.\n")
    factories.prompt(factories.provider(server), "greet")
    return standing


@ERAS
def test_the_sdks_client_connects_and_is_told_where_it_is(docs: Live, era: str) -> None:
    async def conversation(client: Client) -> tuple[str, str, str, str]:
        info = client.server_info
        assert info is not None
        return client.protocol_version, info.name, info.title or "", client.instructions or ""

    told = docs.talk(PATH, conversation, era=era)
    assert told == (era, "docs", "Weather Docs", "Ask about the weather.")


@ERAS
def test_it_lists_calls_and_reads(docs: Live, era: str) -> None:
    async def conversation(client: Client) -> None:
        tools = await client.list_tools()
        assert {"search", "fetch", "list"} <= {tool.name for tool in tools.tools}
        listed = await client.list_resources()
        assert [each.uri for each in listed.resources] == ["millrace://docs/rain.md"]
        read = await client.read_resource("millrace://docs/rain.md")
        (contents,) = read.contents
        assert isinstance(contents, TextResourceContents)
        assert "umbrella" in contents.text
        templates = await client.list_resource_templates()
        assert templates.resource_templates
        prompts = await client.list_prompts()
        assert [each.name for each in prompts.prompts] == ["greet"]
        got = await client.get_prompt("greet")
        assert got.messages
        called = await client.call_tool("fetch", {"path": "rain.md"})
        assert not called.is_error
        assert isinstance(called.content[0], TextContent)
        assert "umbrella" in called.content[0].text
        completed = await client.complete(PromptReference(type="ref/prompt", name="greet"), {"name": "a", "value": ""})
        assert completed.completion.values == []

    docs.talk(PATH, conversation, era=era)


def test_each_earlier_revision_is_answered_in_its_own(docs: Live) -> None:
    for version in EARLIER:
        client = {"name": "old", "version": "1"}
        asked = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
        reply = docs.ask(PATH, "initialize", asked, headers={"MCP-Protocol-Version": version})
        assert reply.result["protocolVersion"] == version
        called = docs.ask(
            PATH,
            "tools/call",
            {"name": "fetch", "arguments": {"path": "rain.md"}},
            headers={"MCP-Protocol-Version": version},
        )
        assert "umbrella" in called.result["content"][0]["text"]


def test_a_client_without_a_revision_in_its_header_is_answered_too(docs: Live) -> None:
    """As curl is, and clients of the first revision of this transport."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    reply = docs.send(PATH, body, headers={"Content-Type": "application/json", "Accept": "*/*"})
    assert reply.result["tools"]


def test_the_stateless_revision_holds_no_handshake_and_the_handshakes_no_discovery(docs: Live) -> None:
    client = {"name": "new", "version": "1"}
    asked = {"protocolVersion": MODERN, "capabilities": {}, "clientInfo": client}
    assert docs.ask(PATH, "initialize", asked, era=MODERN).error["code"] == -32601
    assert MODERN in docs.ask(PATH, "server/discover", era=MODERN).result["supportedVersions"]
    assert docs.ask(PATH, "server/discover").error["code"] == -32601
