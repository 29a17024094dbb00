"""Calls of tools that are done in the turn that admits: what they give and note, and which wait."""

from __future__ import annotations

import json

import pytest
from mcp.shared.exceptions import MCPError

from catalog.models import Server
from endpoint.admission import admit_member
from endpoint.admitted import Admitted, Trace
from endpoint.protocol.dispatch import Ahead, call_ahead
from endpoint.protocol.messages import read
from orgs.models import Membership, User
from tests import factories


@pytest.fixture
def admitted(alice: User, docs: Server) -> Admitted:
    factories.content(docs, "a.md", "The tide.")
    return admit_member(Membership.objects.get(user=alice), docs, version=None)


def _ahead(admitted: Admitted, name: str, arguments: object, **more: object) -> Ahead | None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    return call_ahead(admitted, read(json.dumps({**message, **more}).encode()))


def test_what_is_quick_is_there_at_once_and_noted_when_it_is_told(admitted: Admitted) -> None:
    ahead = _ahead(admitted, "search", {"query": "tide"})
    assert ahead is not None
    assert admitted.trace == Trace(), "the SDK may find the message wrong: then nobody searched"
    assert not ahead.told(admitted.trace).is_error
    assert admitted.trace.query == "tide"
    assert admitted.trace.found is not None


def test_what_goes_wrong_is_raised_when_it_is_told(admitted: Admitted) -> None:
    ahead = _ahead(admitted, "nothing", {"a": 1})
    assert ahead is not None
    with pytest.raises(MCPError, match="There is no tool"):
        ahead.told(admitted.trace)


def test_what_may_wait_for_others_and_what_wants_no_answer_is_not_done(admitted: Admitted, docs: Server) -> None:
    factories.tool(factories.provider(docs, "API"), "getTide")
    assert _ahead(admitted, "getTide", {"query": {"a": 1}}) is None
    assert _ahead(admitted, "fetch", {"path": "a.md"}, method="tools/list") is None
    assert _ahead(admitted, "fetch", {"path": "a.md"}, method="prompts/get") is None
    call = {"name": "fetch", "arguments": {"path": "a.md"}}
    notification = {"jsonrpc": "2.0", "method": "tools/call", "params": call}
    assert call_ahead(admitted, read(json.dumps(notification).encode())) is None
