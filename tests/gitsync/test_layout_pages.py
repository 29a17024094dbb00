"""Text of people is nothing but text on the pages that are pushed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from catalog.exchange.model import (
    OAuth2Config,
    PromptArgument,
    PromptConfig,
    PromptMessage,
    ProviderConfig,
    ResourceConfig,
    ServerConfig,
    ToolConfig,
    VariableConfig,
)
from gitsync.layout import render
from gitsync.layout.markdown import address, code, inline, paragraphs, table, tool_page

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ATTACKS = [
    "# heading",
    "heading\n===",
    "heading\n---",
    "a | b | c",
    "a \\| b \\\\| c",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[x][y]\n\n[y]: https://evil.example",
    "<https://evil.example>",
    "<img src=x>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &#60;i&#62;",
    "```\ncode",
    "`code` ``x",
    "~~~\nx",
    "    indented",
    "\tindented",
    "> quote",
    "- item\n* item\n+ item\n1. item\n2) item",
    "***\n___\n---",
    "*a* __b__ ~~c~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "a\\",
    "a  \nb",
    "\x00\x0b\x0c\x1c\x85\u2028\u2029",
    ":---",
    "<!-- x",
    "]]>",
    "$x$",
]
PIECES = st.sampled_from([*"`*_[]()<>|\\!#~-+=:.&;'\"$ \n\t\r1a", "\n\n", "](", "&#124;", "http://", "<b", "\u2028"])
TEXTS = (
    st.sampled_from(ATTACKS)
    | st.lists(PIECES, max_size=12).map("".join)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
DOCUMENTATION = "https://docs.example.com/(a)_b"
NAMES = st.from_regex(r"\A[a-z][a-zA-Z0-9]{0,8}\Z")
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "enum", "const", "anyOf", "$ref", "format", "description"]
            )
            | TEXTS,
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.just("properties"), st.dictionaries(TEXTS, SCHEMAS, max_size=3), max_size=1)
TOOLS = st.builds(
    ToolConfig,
    name=NAMES,
    method=st.just("GET"),
    path=TEXTS,
    title=TEXTS,
    description=TEXTS,
    path_schema=OBJECTS,
    query_schema=st.dictionaries(TEXTS, SCHEMAS, max_size=2),
    body_schema=st.none() | OBJECTS,
    headers=st.dictionaries(TEXTS, TEXTS, max_size=2),
    scopes=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
)


def unique(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3, unique_by=lambda item: item.name.lower()).map(tuple)


PROVIDERS = st.builds(
    ProviderConfig,
    name=TEXTS.filter(bool),
    description=TEXTS,
    base_url=TEXTS,
    documentation_url=TEXTS | st.just(DOCUMENTATION),
    oauth2=st.none() | st.builds(OAuth2Config, TEXTS, scopes=st.lists(TEXTS.filter(bool), max_size=2).map(tuple)),
    tools=unique(TOOLS),
    resources=unique(st.builds(ResourceConfig, TEXTS.filter(bool), TEXTS.filter(bool), TEXTS, TEXTS, TEXTS)),
    prompts=unique(
        st.builds(
            PromptConfig,
            NAMES,
            TEXTS,
            TEXTS,
            st.lists(st.builds(PromptArgument, TEXTS.filter(bool), TEXTS), max_size=2).map(tuple),
            st.lists(st.builds(PromptMessage, st.just("user"), TEXTS), max_size=2).map(tuple),
        )
    ),
)
SERVERS = st.builds(
    ServerConfig,
    name=TEXTS.filter(bool),
    slug=st.just("weather"),
    version=st.just(1),
    description=TEXTS,
    instructions=TEXTS,
    variables=unique(st.builds(VariableConfig, st.from_regex(r"\A[A-Z]{1,4}\Z"), TEXTS)),
    providers=unique(PROVIDERS),
)
OURS = {"Instructions", "Providers", "Variables", "Files", "Tools", "Resources", "Prompts", "Path arguments"} | {
    *("Query arguments", "Body", "Headers", "OAuth2 scopes", "Hints")
}


def tokens(page: str) -> Iterator[Token]:
    for token in PARSER.parse(page):
        yield token
        yield from token.children or ()


def words(page: str) -> str:
    """The text that a reader sees."""
    return "".join(token.content for token in tokens(page) if token.type in ("text", "code_inline", "text_special"))


def squeezed(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


FOREIGN = {
    "html_block",
    "html_inline",
    "image",
    "fence",
    "code_block",
    "blockquote_open",
    "em_open",
    "hr",
    "s_open",
} | {"ordered_list_open"}


def misuse(page: str, files: set[str], directory: str) -> Iterator[str]:
    """Whatever is on a page that only people's text can have brought there."""
    parsed = PARSER.parse(page)
    for token in tokens(page):
        if token.type in FOREIGN:
            yield token.type
        if token.type == "link_open":
            target = str(token.attrGet("href"))
            if target != DOCUMENTATION and posixpath.join(directory, unquote(target)) not in files:
                yield f"link to {target}"
    titles = [parsed[at + 1].content for at, token in enumerate(parsed) if token.type == "heading_open"]
    if not set(titles[1:]) <= OURS or parsed[0].tag != "h1" or len(titles) != len(set(titles[1:])) + 1:
        yield f"headings {titles}"
    lines = [line for line in page.split("\n") if line.startswith("| ")]
    yield from (f"cells of {line}" for line in lines if line.count("|") not in (4, 5, 6))
    if sum(token.type == "tr_open" for token in parsed) != sum(not line.startswith("| --- |") for line in lines):
        yield "a row that is none"


@given(server=SERVERS)
@settings(deadline=None, max_examples=40)
def test_no_page_holds_anything_of_peoples_texts_but_text(server: ServerConfig) -> None:
    files = render(server)
    for path, content in files.items():
        if path.endswith(".md"):
            found = list(misuse(content.decode(), set(files), posixpath.dirname(path)))
            assert not found, (path, found, content.decode())


@given(text=TEXTS)
@settings(deadline=None, max_examples=150)
def test_a_reader_sees_a_line_as_it_was_typed(text: str) -> None:
    assert words(inline(text)) == squeezed(text)
    cell = table(["A", "B"], [[inline(text), code(text)]])
    cells = [token.content for token in PARSER.parse(cell) if token.type == "inline"]
    assert [squeezed(words(f"x{each}"))[1:].strip() for each in cells] == ["A", "B", squeezed(text), squeezed(text)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_lines_of_a_description_stay_lines_of_text(attack: str) -> None:
    kinds = {token.type for token in tokens(paragraphs(attack))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "hardbreak"}


def test_empty_lines_part_paragraphs_and_line_ends_are_kept() -> None:
    assert paragraphs("one\ntwo\n\n\nthree\r\nfour") == "one\\\ntwo\n\nthree\\\nfour"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "https://a b", "https://x>y", "https://x\ny", "data:text/html,x", "", "https://[::1]/"],
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert not [token for token in tokens(address(url)) if token.type == "link_open"]


def test_bare_addresses_are_not_what_github_makes_links_of() -> None:
    assert inline("see https://evil.example, www.evil.example") == r"see https\://evil.example, www\.evil.example"


@given(schema=SCHEMAS)
@settings(deadline=None, max_examples=50)
def test_a_schema_of_any_shape_has_a_page(schema: Any) -> None:
    tool = ToolConfig("a", "GET", "/", path_schema=schema, query_schema=schema, body_schema=schema)
    assert tool_page(tool).startswith(b"# a\n")
