"""reStructuredText, AsciiDoc and plain text are cut by their own structure."""

from __future__ import annotations

import sys

import pytest

from indexing.chunking.cutting import cut
from indexing.chunking.model import CAP, Cut

LONG = "The tide rises slowly over the harbour. " * 40


def made(text: str, format_: str) -> Cut:
    found = cut(text, format_)
    assert "".join(text[piece.start : piece.end] for piece in found.pieces) == text
    assert all(len(piece.body) <= CAP for piece in found.pieces)
    return found


def headings(found: Cut) -> list[tuple[str, ...]]:
    return [piece.heading for piece in found.pieces]


def test_sections_of_restructuredtext_are_told_by_their_adornments_in_the_order_of_the_text() -> None:
    text = f"======\nTides\n======\n\n{LONG}\n\nHigh\n~~~~\n\n{LONG}\n\nSpring\n++++++\n\n{LONG}\n\nLow\n~~~~\n{LONG}\n"
    found = made(text, "rst")
    assert found.title == "Tides"
    assert headings(found) == [(), ("High",), ("High", "Spring"), ("Low",)]
    assert [piece.anchor for piece in found.pieces] == ["tides", "high", "spring", "low"]


def test_roles_and_marks_of_a_restructuredtext_heading_are_its_words_alone() -> None:
    heading = "Use :class:`~os.Path` and ``run`` with `a link <http://a>`_"
    found = made(f"A\n=\n\n{LONG}\n\n{heading}\n{'-' * len(heading)}\n\n{LONG}\n", "rst")
    assert found.pieces[1].heading == ("Use ~os.Path and run with a link",)


@pytest.mark.parametrize(
    "block",
    [
        "::\n\n  Title\n  =====\n\n  more",
        ".. code-block:: rst\n   :linenos:\n\n   Title\n   =====\n",
        "=====  =====\nA      B\n=====  =====\n1      2\n\n3      4\n=====  =====",
        "+-----+-----+\n| A   | B   |\n+=====+=====+\n| 1   | 2   |\n+-----+-----+",
        "Words before.\n\n-----\n\nWords after.",
        ".. Title\n   =====",
    ],
    ids=["literal", "code", "simple table", "grid table", "transition", "comment"],
)
def test_what_looks_like_a_section_of_restructuredtext_and_is_none(block: str) -> None:
    found = made(f"Top\n===\n\n{LONG}\n\nPart\n----\n\nBefore.\n\n{block}\n\nAfter.\n", "rst")
    assert headings(found) == [(), ("Part",)]
    assert block.rstrip() in found.pieces[1].body


def test_a_directive_stays_whole_with_what_is_indented_below_it() -> None:
    note = ".. note::\n\n   One.\n\n   Two.\n\n" + "   The tide rises. It falls.\n" * 40
    found = made(f"{LONG}\n\n{note}\n{LONG}\n", "rst")
    (holding,) = [piece for piece in found.pieces if ".. note::" in piece.body]
    assert note.rstrip() in holding.body


def test_a_long_code_block_of_restructuredtext_begins_anew_in_each_part() -> None:
    rows = "".join(f"   step_{number}()\n" for number in range(400))
    found = made(f"Top\n===\n\n.. code-block:: python\n   :caption: x\n\n{rows}\nAfter.\n", "rst")
    parts = [piece.body for piece in found.pieces if "step_" in piece.body]
    assert len(parts) > 2
    assert all(part.startswith(".. code-block:: python\n   :caption: x\n\n   step_") for part in parts[1:])


def test_nothing_is_included_or_run() -> None:
    text = ".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\n.. csv-table::\n   :url: http://127.0.0.1/\n"
    (piece,) = made(text, "rst").pieces
    assert piece.body == text.strip()


def test_items_of_restructuredtext_are_not_cut() -> None:
    item = "* The harbour opens when the tide is\n  high enough.\n\n  Ask the pilot.\n\n"
    found = made(item * 70, "rst")
    assert len(found.pieces) > 2
    assert all(piece.body.startswith("* The") and piece.body.endswith("pilot.") for piece in found.pieces)


def test_sections_of_asciidoc() -> None:
    titles = ["= Tides\n:toc:", "== High _water_", "[[own]]\n=== Spring", "[#low-1]\n== Low"]
    found = made("".join(f"{title}\n\n{LONG}\n\n" for title in titles), "asciidoc")
    assert found.title == "Tides"
    assert headings(found) == [(), ("High water",), ("High water", "Spring"), ("Low",)]
    assert [piece.anchor for piece in found.pieces] == ["tides", "high-water", "own", "low-1"]


def test_underlined_titles_of_asciidoc_are_sections_too() -> None:
    found = made(f"Tides\n=====\n\n{LONG}\n\nHigh water\n----------\n\n{LONG}\n", "asciidoc")
    assert found.title == "Tides"
    assert headings(found) == [(), ("High water",)]


@pytest.mark.parametrize("mark", ["----", "....", "====", "++++", "////", "____", "****", "--", "```"])
def test_what_is_in_a_delimited_block_is_no_section(mark: str) -> None:
    block = f".A title\n[source,ruby]\n{mark}\n== No section\n\nmore\n{mark}"
    found = made(f"= A\n\n{LONG}\n\n== B\n\n{block}\n\nAfter.\n", "asciidoc")
    assert headings(found) == [(), ("B",)]
    assert block in found.pieces[1].body


def test_a_long_listing_and_a_long_table_of_asciidoc_begin_anew_in_each_part() -> None:
    listing = "[source,ruby]\n----\n" + "".join(f"step_{number}\n" for number in range(500)) + "----\n"
    table = '[cols="1,1"]\n|===\n|Port |Depth\n\n' + "".join(f"|Port {n} |{n}\n" for n in range(400)) + "|===\n"
    found = made(f"= A\n\n{listing}\n{table}\n", "asciidoc")
    code = [piece.body for piece in found.pieces if "step_" in piece.body]
    rows = [piece.body for piece in found.pieces if "|Port 3" in piece.body]
    assert all(part.startswith("[source,ruby]\n----\nstep_") for part in code[1:])
    assert all(part.endswith("\n----") for part in code)
    assert all(part.startswith('[cols="1,1"]\n|===\n|Port |Depth\n') and part.endswith("\n|===") for part in rows[1:])


def test_a_block_of_asciidoc_that_is_never_closed_goes_to_the_end() -> None:
    found = made(f"= A\n\n{LONG}\n\n----\n== No section\n\n{LONG}\n", "asciidoc")
    assert set(headings(found)) == {()}


def test_plain_text_is_cut_between_paragraphs() -> None:
    paragraph = "The tide rises over the harbour.\nAnd falls.\n\n"
    found = made(paragraph * 100, "plain")
    assert found.title == ""
    assert all(piece.body.endswith("And falls.") for piece in found.pieces)
    assert all(1_000 <= len(piece.body) <= 2_000 for piece in found.pieces)
    assert {piece.heading for piece in found.pieces} == {()}


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        cut("text", "docx")


@pytest.mark.parametrize("format_", ["markdown", "rst", "asciidoc", "plain"])
@pytest.mark.parametrize(
    "part",
    [
        "a " * 50,
        "x" * 100,
        " " * 100,
        "\n" * 100,
        "- a\n",
        "# a\n\nb\n\n",
        "```\na\n",
        "|a|b|\n",
        "a\n=\n\n",
        "> " * 50,
        "[a]\n",
    ],
)
def test_ten_times_the_text_takes_about_ten_times_the_work(format_: str, part: str) -> None:
    """Counted, not timed: how often functions of ours and of the parser are called."""
    small, large = (calls(part * (size // len(part)), format_) for size in (2_500, 25_000))
    assert large < 30 * small


def calls(text: str, format_: str) -> int:
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        cut(text, format_)
    finally:
        sys.setprofile(None)
    return count
