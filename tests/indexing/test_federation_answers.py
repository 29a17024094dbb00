"""What other MCP servers offer and answer, whatever shape it has and however hostile it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indexing.federation.answers import LONGEST, MOST, found_in
from indexing.federation.model import Answer, Block, Found, NoAnswer, Offered
from indexing.federation.tools import search_tool
from indexing.reasons import Reason

URL = "https://docs.example.com/a"
ONE = Found("One", "The first.", URL)


def found(structured: Any = None, *texts: str, limit: int = 10) -> tuple[Found, ...]:
    return found_in(Answer(structured, tuple(Block(text) for text in texts)), limit=limit)


@pytest.mark.parametrize(
    "value",
    [
        {"results": [{"title": "One", "url": URL, "text": "The first."}]},
        {"items": [{"name": "One", "link": URL, "snippet": "The first."}]},
        {"result": [{"heading": "One", "href": URL, "content": "The first."}]},
        {"data": {"hits": [{"title": "One", "url": URL, "content": [{"type": "text", "text": "The first."}]}]}},
        {
            "total": 1,
            "answer": {"results": [{"metadata": {"title": "One", "source": URL}, "page_content": "The first."}]},
        },
        {"title": "One", "url": URL, "text": "The first."},
        [{"title": "One", "url": URL, "description": "The first."}],
    ],
)
def test_common_shapes_are_understood_as_values_and_as_json(value: Any) -> None:
    assert found(value) == (ONE,)
    assert found(None, json.dumps(value)) == (ONE,)
    assert found(value, json.dumps(value)) == (ONE,), "the same, said twice"


def test_markdown_is_cut_as_the_index_would_cut_it() -> None:
    text = f"### [One]({URL})\n\nThe first.\n\n----------\n\nTITLE: Two\nURL: {URL}/two\n\nThe second.\n"
    one, two = found(None, text)
    assert (one.title, one.url, two.title, two.url) == ("One", URL, "Two", f"{URL}/two")
    assert "The second." in two.text


def test_plain_texts_and_links_to_resources_are_taken_as_they_are() -> None:
    assert found(None, "Cats purr.")[0] == Found("Cats purr.", "Cats purr.")
    linked = Answer(None, (Block("About cats", "Cats", URL), Block("A file", "Notes", "file:///etc/passwd")))
    assert [(each.title, each.url) for each in found_in(linked, limit=5)] == [("Cats", URL), ("Notes", "")]


def test_the_order_is_the_servers_and_the_number_is_ours() -> None:
    many = {"results": [{"title": str(n), "text": f"Text {n}"} for n in range(1000)]}
    assert [each.title for each in found(many, limit=3)] == ["0", "1", "2"]
    assert len(found(many, limit=10_000)) == MOST


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<b>",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        'https://example.com/"onmouseover="x',
        "https://example.com/\u202ea",
        "//example.com/",
        "https://" + "x" * 5000,
        "https://[::1",
        7,
    ],
)
def test_only_sound_addresses_of_the_web_are_linked(url: Any) -> None:
    assert found([{"title": "x", "text": "y", "url": url}])[0].url == ""


def test_no_html_and_no_control_characters_come_through() -> None:
    (hit,) = found(
        [{"title": "<b>Cats</b>\x00\n\u202e!", "text": "<script>evil()</script><p>Cats\x07 purr</p> `Vec<String>`"}]
    )
    assert hit.title == "Cats !"
    assert hit.text == "evil()  Cats purr  `Vec<String>`"


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        {},
        [],
        {"results": None},
        {"results": [None, 7, [], {}, {"title": "no text"}, {"text": {"text": 7}}]},
        [[[[[[]]]]]],
        {"results": {"results": {"results": {"results": {"results": []}}}}},
    ],
)
def test_what_has_no_text_is_nothing(value: Any) -> None:
    assert found(value) == ()
    assert found(None, json.dumps(value)) in ((), (Found(*[json.dumps(value)] * 2),))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "<a " * 200_000,
        "<script>" * 100_000,
        "<!--" * 200_000,
        "# " * 200_000,
        "[x](" * 100_000,
        "title:" * 100_000,
        "\n---\n" * 100_000,
        "x" * 2_000_000,
        "*" * 500_000,
    ],
)
def test_huge_and_twisted_answers_are_cut_short(text: str) -> None:
    for each in found({"results": [{"text": text, "title": text, "url": text}] * 5}, text):
        assert len(each.text) <= LONGEST
        assert len(each.title) <= 300
    for each in found(None, text):
        assert len(each.text) <= LONGEST


# -- tools -------------------------------------------------------------------------------------------------------------


def tool(name: str, *texts: str, required: Any = None, description: str = "", **more: Any) -> Offered:
    properties = {each: {"type": "string"} for each in texts} | more
    schema = {"type": "object", "properties": properties, "required": list(texts) if required is None else required}
    return Offered(name, description, schema)


def chosen(*tools: Offered, wanted: str = "") -> tuple[str, str]:
    found = search_tool(tools, wanted=wanted)
    return found.name, found.argument


def test_the_tool_that_says_it_searches_and_needs_one_text_is_taken() -> None:
    others = tool("fetch", "url"), tool("write", "path", "text")
    assert chosen(*others, tool("search_docs", "query")) == ("search_docs", "query")
    assert chosen(*others, tool("docs", "q", description="Search the handbook")) == ("docs", "q")
    assert chosen(*others, tool("ask_question", "question")) == ("ask_question", "question")
    assert chosen(tool("search", "query", limit={"type": "integer"}, required=["query"])) == ("search", "query")
    assert chosen(tool("search", "query", "lang", required=[])) == ("search", "query")


def test_of_several_the_name_counts_before_the_description_and_the_usual_argument_first() -> None:
    described = tool("aaa", "query", description="search")
    assert chosen(described, tool("search_by_id", "ident"), tool("search_all", "query")) == ("search_all", "query")


def test_what_needs_more_than_a_text_or_destroys_is_not_taken() -> None:
    for each in (
        tool("search", "query", "library"),
        tool("search", mode={"type": "string", "enum": ["a"]}, required=["mode"]),
        tool("search", count={"type": "integer"}, required=["count"]),
        Offered("search_and_delete", "", tool("x", "query").schema, destructive=True),
        Offered("search", "", {"properties": [], "required": {}}),
        Offered("search", "", {"properties": {"query": None, 7: {}}, "required": [7]}),
    ):
        with pytest.raises(NoAnswer) as refused:
            search_tool([each])
        assert refused.value.reason == Reason.EMPTY


def test_without_any_its_tools_are_named_fit_to_be_shown() -> None:
    with pytest.raises(NoAnswer, match="It offers fetch, a…b…/b…, t0t0") as refused:
        search_tool(
            [tool("fetch", "url"), tool("a<b>\n\u202e</b>", "x"), *[tool(f"t{n}" * 100, "x") for n in range(99)]]
        )
    assert "<" not in str(refused.value)
    assert len(str(refused.value)) < 1000
    with pytest.raises(NoAnswer, match="no tools"):
        search_tool([])


def test_the_one_that_somebody_chose_is_taken_or_missed() -> None:
    tools = tool("search", "query"), tool("lookup_entry", "entry"), tool("run", "a", "b")
    assert chosen(*tools, wanted="lookup_entry") == ("lookup_entry", "entry")
    for wanted in ("gone", "run"):
        with pytest.raises(NoAnswer, match=wanted):
            search_tool(tools, wanted=wanted)
