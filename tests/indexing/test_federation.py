"""Other MCP servers are asked, of either era, in events or as JSON, through the guard, and whatever they do."""

from __future__ import annotations

import json
import time
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from django.core.cache import cache

from indexing.federation import asking, calling
from indexing.federation.calling import Place
from indexing.federation.guarded import GuardedTransport, session_of
from indexing.federation.model import NoAnswer, SearchTool
from indexing.models import Source
from indexing.reasons import Reason
from indexing.requesting import request_index
from jobs.execution import execute
from jobs.models import Run, Status
from lib.egress import Policy
from orgs.models import User
from tests.indexing.mcp_sources import URL, Add, answer, asked, handbook, mcp_server
from tests.mcp_server import McpServer, Tool

__all__ = ["asked", "mcp_server"]

POLICY = Policy.parse([], ["127.0.0.1/32"])


def place(server: McpServer, token: str = "") -> Place:
    return Place(server.url, token, POLICY)


def ask(server: McpServer, query: str = "cats", *, known: SearchTool | None = None, seconds: float = 20.0) -> Any:
    found, tool = calling.ask(place(server), query, known=known, wanted="", seconds=seconds)
    return (found.structured or {}).get("results", [{}])[0].get("text") or found.blocks[0].text, tool


# -- the conversation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ["", "2025"])
@pytest.mark.parametrize("sse", [False, True], ids=["json", "events"])
def test_servers_of_both_eras_are_asked(sse: bool, era: str) -> None:
    with McpServer({"search_handbook": Tool(handbook)}, sse=sse, era=era) as server:
        text, tool = ask(server)
        assert text.startswith("All about cats")
        assert (tool.name, tool.argument, tool.protocol[:4]) == ("search_handbook", "query", era or "2026")
        assert ("initialize" in server.methods) == (era == "2025")
        server.reset()
        assert ask(server, "dogs", known=tool)[0].startswith("All about dogs")
        greeting = ["initialize", "notifications/initialized"] if era else []
        leaving = ["DELETE"] if era else []
        assert server.methods == [*greeting, "tools/call", *leaving], "what is known is not asked for again"


def test_a_tool_that_has_another_name_by_now_is_found_again() -> None:
    with McpServer({"search_handbook": Tool(handbook)}) as server:
        old = SearchTool("search_old", "query", "2026-07-28")
        assert ask(server, known=old)[1].name == "search_handbook"


def test_a_schema_of_the_servers_own_is_not_run_over_its_answer() -> None:
    endless = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}, "required": ["y"]}
    tool = Tool(lambda _: answer({"x": "a" * 64 + "!", "results": [{"text": "Cats"}]}), output=endless)
    with McpServer({"search": tool}) as server:
        assert ask(server)[0] == "Cats"


def test_the_token_goes_to_its_own_server_and_nowhere_else() -> None:
    with McpServer({"search": Tool(handbook)}) as server, McpServer({"search": Tool(handbook)}) as other:
        server.token = "s3cret"
        with pytest.raises(NoAnswer) as refused:
            calling.find_tool(place(server, "wrong"), wanted="", seconds=20)
        assert refused.value.reason == Reason.AUTH_REQUIRED
        assert calling.find_tool(place(server, "s3cret"), wanted="", seconds=20).name == "search"
        server.redirect = other.url
        with pytest.raises(NoAnswer) as refused:
            calling.find_tool(place(server, "s3cret"), wanted="", seconds=20)
        assert refused.value.reason == Reason.NOT_FOUND
        assert other.requests == []


def test_whatever_the_sdk_asks_elsewhere_goes_without_the_token() -> None:
    with McpServer({}) as server, McpServer({}) as other:
        with session_of(POLICY, end=time.monotonic() + 20, user_agent="x") as session:
            transport = GuardedTransport(session, url=server.url, token="s3cret", max_bytes=1000)

            async def ask_both() -> None:
                async with httpx2.AsyncClient(transport=transport) as http:
                    for url in (server.url, other.url):
                        await http.post(url, headers={"Authorization": "of the SDK"})
                    assert (await http.get(other.url)).status_code == 405, "nobody listens"

            anyio.run(ask_both)
        assert [seen.headers.get("authorization") for seen in server.requests] == ["Bearer s3cret"]
        assert [seen.headers.get("authorization") for seen in other.requests] == [None]


def test_inward_addresses_are_refused_also_behind_a_redirect() -> None:
    with pytest.raises(NoAnswer) as refused:
        calling.find_tool(Place("http://127.0.0.2:9/mcp", "", POLICY), wanted="", seconds=20)
    assert refused.value.reason == Reason.BLOCKED_ADDRESS
    with McpServer({"search": Tool(handbook)}) as server:
        server.redirect = "http://169.254.169.254/latest/meta-data"
        with pytest.raises(NoAnswer) as refused:
            calling.find_tool(place(server), wanted="", seconds=20)
    assert refused.value.reason == Reason.NOT_FOUND


def test_a_server_that_redirects_in_a_circle_is_given_up() -> None:
    with McpServer({"search": Tool(handbook)}) as server:
        server.redirect = server.url
        with pytest.raises(NoAnswer):
            calling.find_tool(place(server), wanted="", seconds=20)
        assert len(server.requests) < 20


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.AUTH_REQUIRED),
        (403, Reason.AUTH_REQUIRED),
        (404, Reason.NOT_FOUND),
        (405, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (429, Reason.RATE_LIMITED),
        (500, Reason.NETWORK),
        (503, Reason.NETWORK),
    ],
)
def test_what_it_refuses_with_is_told(status: int, reason: Reason) -> None:
    with McpServer({}) as server:
        server.status = status
        with pytest.raises(NoAnswer) as refused:
            calling.find_tool(place(server), wanted="", seconds=20)
    assert refused.value.reason == reason


def test_a_slow_one_costs_its_deadline_and_a_dead_one_nothing() -> None:
    with McpServer({"search": Tool(handbook)}) as server:
        server.delay = 60
        with pytest.raises(NoAnswer) as late:
            calling.find_tool(place(server), wanted="", seconds=0.3)
        assert late.value.reason == Reason.NETWORK
        gone = place(server)
    with pytest.raises(NoAnswer) as dead:
        calling.find_tool(gone, wanted="", seconds=20)
    assert dead.value.reason == Reason.NETWORK


def test_an_answer_counts_also_where_the_leave_taking_fails() -> None:
    with McpServer({"search": Tool(handbook)}, era="2025") as server:
        tool = calling.find_tool(place(server), wanted="", seconds=20)
        server.delay, server.slow_method = 60, "DELETE"
        assert ask(server, known=tool, seconds=1)[0].startswith("All about")


JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
DEEP = b'{"jsonrpc":"2.0","id":2,"result":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b""),
        (JSON, b"null"),
        (JSON, b'{"jsonrpc":"2.0"'),
        (JSON, b'{"jsonrpc":"2.0","id":99,"result":{}}'),
        (JSON, b'{"jsonrpc":"2.0","id":2,"result":{"tools":"none"}}'),
        (JSON, DEEP),
        (JSON, b" " * (3 << 20)),
        (EVENTS, b""),
        (EVENTS, b"data: {\n\n"),
        (EVENTS, b": nothing\n" * 300_000),
        (EVENTS, b"data: " + b"x" * (3 << 20)),
        ({"content-type": "text/html"}, b"<h1>Hello</h1>"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, b"\x1f\x8b\x08" + b"\0" * 100),
        ({}, b"\xff\xfe"),
    ],
)
def test_nonsense_is_no_answer(headers: dict[str, str], body: bytes) -> None:
    with McpServer({"search": Tool(handbook)}) as server:
        server.reply = (200, headers, body)
        with pytest.raises(NoAnswer) as nothing:
            calling.find_tool(place(server), wanted="", seconds=1)
    assert len(str(nothing.value)) < 200, "and nothing of it is in the sentence"
    assert (nothing.value.reason == Reason.TOO_LARGE) == (
        len(body) > calling.MAX_BYTES or "content-encoding" in headers
    )


def test_an_error_of_the_tool_is_no_answer() -> None:
    tool = Tool(lambda _: answer(None, "No such thing.", error=True))
    with McpServer({"search": tool}) as server, pytest.raises(NoAnswer, match="error"):
        ask(server)


# -- the Run -----------------------------------------------------------------------------------------------------------


def run_of(source: Source, by: User) -> Run:
    run = request_index(source, by=by)
    execute(str(run.pk))
    run.refresh_from_db()
    source.refresh_from_db()
    return run


@pytest.mark.django_db
def test_a_run_finds_the_tool_and_says_which(asked: Add, mcp_server: McpServer, bob: User) -> None:
    mcp_server.tools["fetch_page"] = Tool(handbook, schema={"type": "object", "properties": {"id": {"type": "string"}}})
    source = asked()
    run = run_of(source, bob)
    assert (run.status, run.error_text) == (Status.SUCCEEDED, "")
    assert source.indexed_at is not None
    assert (source.pages, source.chunks, source.error_code) == (0, 0, "")
    assert source.notice == "Searches ask its tool “search_handbook”."


@pytest.mark.django_db
def test_a_run_ends_with_the_reason(asked: Add, mcp_server: McpServer, bob: User) -> None:
    source = asked()
    mcp_server.token = "s3cret"
    assert run_of(source, bob).error_code == Reason.AUTH_REQUIRED
    source.token = "s3cret"
    source.save()
    assert run_of(source, bob).status == Status.SUCCEEDED
    assert source.error_code == ""

    mcp_server.tools = {"fetch": Tool(handbook, schema={"type": "object", "properties": {}}, description="Fetches.")}
    assert run_of(source, bob).error_code == Reason.EMPTY
    assert "It offers fetch." in source.error_text
    mcp_server.status = 404
    assert run_of(source, bob).error_code == Reason.NOT_FOUND
    mcp_server.status = 500
    assert run_of(source, bob).error_code == Reason.NETWORK
    mcp_server.status = 429
    assert run_of(source, bob).status == Status.WAITING
    source.url = "http://127.0.0.2:9/mcp"
    source.save()
    assert "s3cret" not in json.dumps([run.error_text + json.dumps(run.result) for run in Run.objects.all()])


@pytest.mark.django_db
def test_an_address_that_may_not_be_asked_is_told_as_that(asked: Add, bob: User) -> None:
    assert run_of(asked(url="http://127.0.0.2:9/mcp"), bob).error_code == Reason.BLOCKED_ADDRESS


@pytest.mark.django_db
def test_the_tool_that_somebody_chose_is_asked(asked: Add, mcp_server: McpServer) -> None:
    mcp_server.tools["lookup"] = Tool(
        lambda a: answer(None, f"Looked up {a['term']}"),
        schema={"type": "object", "properties": {"term": {"type": "string"}}, "required": ["term"]},
    )
    (hit,) = asking(asked(search_tool="lookup"), "cats", 5, 20.0)
    assert hit.title == "Looked up cats"


# -- hits --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_answers_are_hits_with_marks_and_their_source(asked: Add) -> None:
    source = asked()
    (hit,) = asking(source, "cats purr", 5, 20.0)
    assert (hit.title, hit.url, hit.kind, hit.federated, hit.live) == ("Cats", URL, "mcp", True, False)
    assert (hit.source_id, hit.source_name, hit.server_id) == (source.pk, "Handbook", source.server_id)
    assert {part.text for part in hit.snippet if part.marked} == {"cats", "purr"}
    assert (hit.chunk_id, hit.blob) == (None, "")


@pytest.mark.django_db
def test_what_is_remembered_of_a_tool_is_forgotten_when_it_fails(asked: Add, mcp_server: McpServer) -> None:
    source = asked()
    asking(source, "cats", 5, 20.0)
    mcp_server.reset()
    asking(source, "dogs", 5, 20.0)
    assert mcp_server.methods == ["tools/call"]
    mcp_server.status = 500
    with pytest.raises(NoAnswer):
        asking(source, "cats", 5, 20.0)
    mcp_server.status = 0
    mcp_server.reset()
    asking(source, "cats", 5, 20.0)
    assert "tools/list" in mcp_server.methods


@pytest.fixture(autouse=True)
def forgetful() -> None:
    cache.clear()


def test_types_of_the_sdk_are_those_that_are_read() -> None:
    shown: list[Any] = [
        types.ResourceLink(uri="https://example.com/", name="cats", description="About cats"),
        types.EmbeddedResource(resource=types.TextResourceContents(uri="https://example.com/c", text="Cats purr.")),
        types.ImageContent(data="", mime_type="image/png"),
    ]
    with McpServer({"search": Tool(lambda _: types.CallToolResult(content=shown))}) as server:
        found, _ = calling.ask(place(server), "cats", known=None, wanted="", seconds=20)
    assert [(block.title, block.text, block.url) for block in found.blocks] == [
        ("cats", "About cats", "https://example.com/"),
        ("", "Cats purr.", "https://example.com/c"),
    ]
