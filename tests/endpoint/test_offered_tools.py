"""Which tools a server and a toolkit offer, what they are called, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Provider, Server, Tool, Toolkit
from endpoint.serving import tools
from endpoint.serving.toolkits import free, joined, within
from orgs.models import Organization, User
from tests import factories
from tests.catalog.calling import secret, tool
from tests.catalog.upstream import Upstream
from tests.endpoint.configured import admitted, call, names, refusal, result

BUILT_IN = ["search", "fetch", "list"]


def test_a_tool_is_told_as_it_was_configured(docs: Server) -> None:
    told = factories.provider(docs, "Weather")
    tool(told, "/a", name="full", title="Full", description="Does it.", read_only=False, destructive=True)
    tool(told, "/b/{id}", name="bare", method="DELETE")
    offered = {each["name"]: each for each in result(admitted(docs), "tools/list")["tools"]}
    assert offered["full"]["title"] == "Full"
    assert offered["full"]["description"] == "Does it."
    assert offered["full"]["annotations"] == {"readOnlyHint": False, "destructiveHint": True}
    assert offered["bare"]["description"] == "DELETE /b/{id} of Weather."
    assert "annotations" not in offered["bare"]
    assert offered["bare"]["inputSchema"]["required"] == ["path"]


def test_the_order_and_the_schemas_are_the_same_each_time_and_by_name(docs: Server) -> None:
    for name in ("zebra", "alpha", "mid", "Beta", "off"):
        tool(factories.provider(docs), "/x", name=name, enabled=name != "off")
    first = result(admitted(docs), "tools/list")
    Tool.objects.filter(name="mid").update(description="")  # another place in the table
    assert result(admitted(docs), "tools/list") == first
    assert [each["name"] for each in first["tools"]] == [*BUILT_IN, "Beta", "alpha", "mid", "zebra"]


def test_many_tools_come_in_pages_without_gaps_or_repeats(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    of = factories.provider(docs)
    wanted = [f"tool{number}" for number in range(130)]
    Tool.objects.bulk_create(Tool(server=docs, provider=of, name=name, path="/x") for name in wanted)
    monkeypatch.setattr(tools, "PAGE", 60)
    assert names(admitted(docs), "tools") == [*BUILT_IN, *sorted(wanted)]
    monkeypatch.setattr(tools, "PAGE", 2)
    cursor = result(admitted(docs), "tools/list")["nextCursor"]
    Tool.objects.filter(name="tool0").delete()
    second = result(admitted(docs), "tools/list", {"cursor": cursor})
    assert [each["name"] for each in second["tools"]] == ["list", "tool1"]


def test_large_schemas_make_smaller_pages(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PAGE_CHARACTERS", 20_000)
    schema = {"type": "object", "properties": {"x": {"type": "string", "description": "x" * 9_000}}}
    for number in range(5):
        tool(factories.provider(docs), "/x", name=f"t{number}", query_schema=schema)
    first = result(admitted(docs), "tools/list")
    assert 0 < len(first["tools"]) < 8
    assert names(admitted(docs), "tools") == [*BUILT_IN, "t0", "t1", "t2", "t3", "t4"]


def test_a_cursor_of_another_list_is_refused(docs: Server, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PAGE", 1)
    cursor = result(admitted(docs), "tools/list")["nextCursor"]
    other = factories.server(acme, "Other")
    assert "another list" in refusal(admitted(other), "tools/list", {"cursor": cursor})
    assert "no cursor" in refusal(admitted(docs), "tools/list", {"cursor": "x" * 100_000})


@pytest.mark.parametrize(
    ("built_in", "own", "called"),
    [
        ({}, "search", "search_tool"),
        ({"search": {"enabled": False}}, "search", "search"),
        ({"search": {"name": "find"}}, "search", "search"),
        ({"search": {"name": "find"}}, "find", "find_tool"),
        ({"search": {"name": "fetch_tool"}}, "fetch", "fetch_tool_2"),
    ],
)
def test_a_name_of_a_built_in_tool_is_its_own(
    weather: Provider, built_in: dict[str, Any], own: str, called: str
) -> None:
    tool(weather, "/text", name=own)
    client = admitted(weather.server, built_in=built_in)
    offered = names(client, "tools")
    assert offered[-1] == called
    assert len(offered) == len(set(offered))
    assert call(client, called)["content"][0]["text"] == "hello"


# -- toolkits ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def kit(acme: Organization, weather: Provider, api: Upstream) -> Toolkit:
    """Two servers' tools, of which two have the same name, each with a variable of the same name."""
    other = factories.provider(factories.server(acme, "Other", slug="other"), base_url=api.base_url)
    chosen = []
    for of, value in ((weather, "value-of-docs"), (other, "value-of-other")):
        factories.variable(of.server, "PLACE", value)
        chosen.append(tool(of, "/echo", name="echo", headers={"X-Place": "${PLACE}"}))
        tool(of, "/text", name="notChosen")
    return factories.toolkit(acme, "Desk", *chosen)


def test_a_toolkit_offers_what_it_chose_by_server_and_name(kit: Toolkit, api: Upstream) -> None:
    client = admitted(kit)
    assert names(client, "tools") == ["docs__echo", "other__echo"]
    for server in ("docs", "other"):
        call(client, f"{server}__echo")
        assert api.seen[-1].headers["x-place"] == f"value-of-{server}"
    for name in ("echo", "docs__notChosen", "docs__", "__echo", "search", "docs__echo_tool"):
        assert "There is no tool" in refusal(client, "tools/call", {"name": name, "arguments": {}})
    assert len(api.seen) == 2


def test_a_toolkit_that_searches_has_the_built_in_tools_first(kit: Toolkit) -> None:
    client = admitted(kit, search_contents=True, built_in={"list": {"name": "docs__echo"}})
    assert names(client, "tools") == ["search", "fetch", "docs__echo", "docs__echo_tool", "other__echo"]
    assert call(client, "docs__echo_tool")["structuredContent"]["method"] == "GET"


def test_long_names_are_shortened_and_stay_apart(acme: Organization, api: Upstream) -> None:
    server = factories.server(acme, "Long", slug="l" * 63)
    of = factories.provider(server, base_url=api.base_url)
    chosen = [tool(of, "/text", name="n" * 63 + end) for end in "ab"]
    client = admitted(factories.toolkit(acme, "Desk", *chosen))
    offered = names(client, "tools")
    assert len(set(offered)) == 2
    assert {len(name) for name in offered} == {64}
    assert [call(client, name)["isError"] for name in offered] == [False, False]


@pytest.mark.parametrize("what", ["personal", "elsewhere", "disabled"])
def test_what_a_toolkit_may_not_have_any_more_is_gone(
    kit: Toolkit, api: Upstream, alice: User, charlie: User, what: str
) -> None:
    other = Server.objects.get(slug="other")
    if what == "personal":
        Server.objects.filter(pk=other.pk).update(owner=alice)
    elif what == "elsewhere":
        Server.objects.filter(pk=other.pk).update(organization=Organization.objects.get(slug="other"))
    else:
        Tool.objects.filter(server=other).update(enabled=False)
    client = admitted(kit)
    assert names(client, "tools") == ["docs__echo"]
    assert "There is no tool" in refusal(client, "tools/call", {"name": "other__echo", "arguments": {}})
    assert api.seen == []


def test_a_personal_toolkit_has_its_owners_server_and_nobody_elses(kit: Toolkit, alice: User, bob: User) -> None:
    Toolkit.objects.filter(pk=kit.pk).update(owner=alice)
    kit.refresh_from_db()
    for owner, offered in ((alice, ["docs__echo", "other__echo"]), (bob, ["docs__echo"])):
        Server.objects.filter(slug="other").update(owner=owner)
        assert names(admitted(kit), "tools") == offered


def test_a_secret_goes_where_its_own_server_lets_it(kit: Toolkit, api: Upstream) -> None:
    """The other server's variable of that name may go there, and this one's may not."""
    docs, other = (
        Tool.objects.get(name="echo", server__slug="docs"),
        Tool.objects.get(name="echo", server__slug="other"),
    )
    Tool.objects.filter(name="echo").update(headers=secret(docs.provider, "https://elsewhere.example"))
    secret(other.provider, api.url)
    client = admitted(kit)
    assert call(client, "docs__echo")["isError"] is True
    assert call(client, "other__echo")["isError"] is False
    assert len(api.seen) == 1


def test_names_are_free_and_fit_whatever_they_are_made_of() -> None:
    assert joined("a_b", "c") == "a_b__c"
    assert within("x" * 64) == "x" * 64
    assert len({within("x" * 70 + end) for end in "abc"}) == 3
    taken: set[str] = set()
    for _ in range(5):
        taken.add(free("y" * 64, taken, "tool"))
    assert len(taken) == 5
    assert max(map(len, taken)) == 64
