"""Whatever a text is, its pieces are all of it, in order, none too long, and no code block is left open."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from indexing.chunking.cutting import READERS, cut
from indexing.chunking.model import CAP, Cut

FORMATS = sorted(READERS)

words = st.lists(
    st.sampled_from(["tide", "harbour", "high water.", "`pilot()`", "ü", "海。", "a_b"]), min_size=1, max_size=9
)
lines = words.map(" ".join)


@st.composite
def paragraphs(draw: st.DrawFn) -> str:
    return "\n".join([draw(lines)] * draw(st.sampled_from([1, 2, 30, 90])))


@st.composite
def fences(draw: st.DrawFn) -> str:
    mark = draw(st.sampled_from(["```", "````", "~~~"]))
    rows = [f"let {draw(lines)}"] * draw(st.sampled_from([1, 3, 60, 250]))
    rows += draw(st.sampled_from([[], ["# no heading"], ["", ""], ["``"], [f"let {'x' * 5_000}"]]))
    return "\n".join([f"{mark}{draw(st.sampled_from(['', 'python', 'c++ title=a']))}", *rows, mark])


@st.composite
def tables(draw: st.DrawFn) -> str:
    return "\n".join(["| a | b |", "|---|---|", *["| 1 | two |"] * draw(st.sampled_from([1, 5, 300]))])


@st.composite
def lists(draw: st.DrawFn) -> str:
    item = draw(st.one_of(paragraphs(), fences()))
    return "\n".join([f"- {item}".replace("\n", "\n  ")] * draw(st.sampled_from([1, 4, 20])))


headings = st.builds(lambda level, name: f"{'#' * level} {name}", st.integers(1, 4), lines)
others = st.sampled_from(
    ["---", "> quoted\n> more", "<div>\n\n</div>", "    indented", "[a]: http://a", "Term\n===", "=="]
)
blocks = st.one_of(headings, paragraphs(), fences(), tables(), lists(), others)
documents = st.lists(blocks, max_size=12).map("\n\n".join)
ADORNED = [
    "Tides\n=====",
    "Ports\n-----",
    ".. code-block:: c\n\n   int a;\n",
    "::\n\n   literal",
    "- item\n\n  more",
    "+-+\n|a|\n+-+",
]
SIGNED = [
    "= Tides",
    "== Ports",
    "----\ncode\n----",
    "|===\n|a |b\n\n|c |d\n|===",
    "* item\n+\n----\nx\n----",
    "[source]\n----",
]
sprinkled = st.lists(
    st.one_of(lines, st.sampled_from([*ADORNED, *SIGNED, "\r\n", "\t", "", "\x0c", "\u2028"])), max_size=20
)


def check(text: str, made: Cut) -> None:
    assert "".join(text[piece.start : piece.end] for piece in made.pieces) == (text if text.strip() else "")
    position, line = 0, 1
    for piece in made.pieces:
        assert (piece.start, piece.body.strip() != "") == (position, True)
        assert len(piece.body) <= CAP
        assert line <= piece.start_line <= piece.end_line
        position, line = piece.end, piece.end_line
    assert not made.pieces or position == len(text)


@given(documents)
@settings(max_examples=30)
def test_all_of_a_markdown_text_is_in_its_pieces_and_no_fence_is_left_open(text: str) -> None:
    made = cut(text, "markdown")
    check(text, made)
    inside = [row for piece in made.pieces for row in code_lines(piece.body)]
    prose = [row for row in inside if not re.fullmatch(r"\s*(let .*|x+|# no heading|``)", row)]
    assert not prose, "a fence was left open"
    code = [row for row in code_lines(text) if len(row) < CAP]
    assert not Counter(code) - Counter(inside), "what was code is so no more"


@given(st.sampled_from(FORMATS), sprinkled.map("\n\n".join))
@settings(max_examples=50)
def test_all_of_a_text_of_any_format_is_in_its_pieces(format_: str, text: str) -> None:
    check(text, cut(text, format_))


@given(st.sampled_from(FORMATS), st.text(max_size=300), st.sampled_from([1, 40]))
@settings(max_examples=100)
def test_whatever_characters_there_are_they_are_in_the_pieces(format_: str, text: str, times: int) -> None:
    text *= times
    made = cut(text, format_)
    check(text, made)
    assert made == cut(text, format_)


def code_lines(text: str) -> list[str]:
    """The lines within fences at the outermost level, as CommonMark has it."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [row for token in tokens if token.type == "fence" for row in token.content.split("\n") if row.strip()]
