"""Both revisions of the protocol on one address."""

from __future__ import annotations

import pytest
from mcp.client import Client

from orgs.models import Organization
from tests import factories
from tests.endpoint.live import HANDSHAKE, MODERN, Live

ERAS = pytest.mark.parametrize("era", [HANDSHAKE, MODERN])


@pytest.fixture
def docs(transactional_db: None) -> Organization:
    org = factories.organization("Acme", slug="acme")
    factories.server(org, "Weather Docs", slug="docs", visibility="public", instructions="Ask about the weather.")
    return org


@ERAS
def test_the_sdks_client_connects_and_lists_what_there_is(live: Live, docs: Organization, era: str) -> None:
    async def conversation(client: Client) -> tuple[str, str, str, str]:
        await client.list_tools()
        await client.list_resources()
        await client.list_resource_templates()
        await client.list_prompts()
        info = client.server_info
        assert info is not None
        return client.protocol_version, info.name, info.title or "", client.instructions or ""

    assert live.talk("/mcp/acme/docs", conversation, era=era) == (
        era,
        "docs",
        "Weather Docs",
        "Ask about the weather.",
    )
