"""What the tests of calls share: an upstream, a provider of it, and tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.calls import CallResult, call_tool
from catalog.models import Provider, Server, Tool
from tests import factories
from tests.catalog.upstream import Upstream, upstream

SECRET = "s3cret-v@lue/1"


@pytest.fixture
def api() -> Iterator[Upstream]:
    with upstream() as running:
        yield running


@pytest.fixture
def weather(docs: Server, api: Upstream) -> Provider:
    return factories.provider(docs, "Weather", base_url=api.base_url)


def call(of: Provider, path: str, arguments: Any = None, *, seconds: float | None = None, **fields: Any) -> CallResult:
    return call_tool(tool(of, path, **fields), arguments, seconds=seconds)


def tool(of: Provider, path: str, **fields: Any) -> Tool:
    fields.setdefault("query_schema", {"type": "object"})
    return factories.tool(of, path=path, **fields)


def secret(of: Provider, *hosts: str, name: str = "TOKEN", value: str = SECRET) -> dict[str, str]:
    """A secret variable for these hosts, and the headers that hold it."""
    factories.variable(of.server, name, secret=value, hosts=list(hosts))
    return {"X-Api-Key": f"${{{name}}}"}
