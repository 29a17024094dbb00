"""What the tests of the connections' pages share."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from forges.models import Connection, Method
from orgs.models import Organization, User
from tests.wire.forge import Forge

LIST = "/o/acme/connections/"
TOKEN, CONSUMER, ADD = f"{LIST}add/token/", f"{LIST}add/consumer/", f"{LIST}add/"
HTMX = {"HX-Request": "true"}
"""The header of a request that wants a fragment."""


def made(by: User | None, org: Organization, **facts: Any) -> Connection:
    """A connection at github.com that nobody asks anything of."""
    facts = {
        "forge": "github",
        "base_url": "https://api.github.com",
        "method": Method.TOKEN,
        "account": "octo",
        "account_id": "1",
        **facts,
    }
    return Connection.objects.create(organization=org, user=by, **facts)


def page(connection: Connection, what: str = "") -> str:
    return f"/o/{connection.organization.slug}/connections/{connection.pk}/{what}"


def text(response: Any) -> str:
    """What one reads, in one line."""
    assert response.status_code in (200, 422), response
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def enter(client: Client, at: Forge, **fields: str) -> Any:
    return client.post(TOKEN, {"forge": "gitlab", "base_url": at.url, **fields})
