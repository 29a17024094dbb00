"""Markdown is cut by its headings, and nothing is cut that belongs together."""

from __future__ import annotations

import pytest

from indexing.chunking.cutting import cut
from indexing.chunking.model import CAP, LONG, SHORT, Piece

LONG_WORDS = "The tide rises slowly over the harbour. " * 40
"""1,600 characters: two of them are never one piece."""


def pieces(text: str) -> tuple[Piece, ...]:
    made = cut(text, "markdown").pieces
    assert "".join(text[piece.start : piece.end] for piece in made) == text
    return made


def test_each_section_is_a_piece_under_its_headings() -> None:
    text = "".join(
        f"{heading}\n\n{LONG_WORDS}\n\n" for heading in ("# Tides", "## High", "### Spring", "## Low", "# End")
    )
    made = cut(text, "markdown")
    assert made.title == "Tides"
    assert [piece.heading for piece in made.pieces] == [(), ("High",), ("High", "Spring"), ("Low",), ("End",)]
    assert [piece.anchor for piece in made.pieces] == ["tides", "high", "spring", "low", "end"]
    assert made.pieces[1].body.startswith("## High\n\nThe tide")
    assert [(piece.start_line, piece.end_line) for piece in made.pieces[:2]] == [(1, 3), (5, 7)]


def test_small_sections_under_one_parent_are_one_piece_that_names_them_all() -> None:
    text = f"# Guide\n\n{LONG_WORDS}\n\n## Install\n\nRun it.\n\n## Upgrade\n\nRun it again.\n\n### Notes\n\nNone.\n"
    _, second = pieces(text)
    assert second.heading == ("Install · Upgrade · Notes",)
    assert second.anchor == "install"


def test_sections_under_different_parents_stay_apart() -> None:
    text = f"# A\n\n{LONG_WORDS}\n\n## B\n\n{LONG_WORDS}\n\n### C\n\nShort.\n\n## D\n\n### E\n\nShort.\n"
    assert [piece.heading for piece in pieces(text)] == [(), ("B",), ("B", "C"), ("D", "E")]


def test_a_short_text_is_one_piece() -> None:
    text = "# Tides\n\nIntro.\n\n## High\n\nWater.\n\n## Low\n\nNo water.\n"
    (piece,) = pieces(text)
    assert (piece.heading, piece.anchor, piece.body) == (("High · Low",), "tides", text.strip())


def test_sections_of_a_thousand_characters_are_not_joined() -> None:
    half = "word " * (SHORT // 5)
    assert len(pieces(f"# A\n\n## B\n\n{half}\n\n## C\n\n{half}\n")) == 2


def test_a_heading_with_nothing_below_it_goes_with_the_one_that_follows() -> None:
    made = pieces(f"# A\n\n## B\n\n### C\n\n{LONG_WORDS}\n\n## D\n\n{LONG_WORDS}\n")
    assert [(piece.heading, piece.anchor, piece.start_line) for piece in made] == [
        (("B", "C"), "c", 1),
        (("D",), "d", 9),
    ]


def test_a_long_section_is_cut_between_its_blocks_into_parts_of_about_the_same_length() -> None:
    text = "# A\n\n" + "\n\n".join(["The tide rises over the harbour. " * 9] * 10)
    made = pieces(text)
    sizes = [len(piece.body) for piece in made]
    assert len(sizes) == 2
    assert all(SHORT <= size <= LONG for size in sizes)
    assert all(piece.body.endswith("harbour.") for piece in made)


def test_a_code_block_that_fits_is_never_cut() -> None:
    code = "```python\n" + "run(1)\n\n" * 220 + "```"
    text = f"# A\n\n{LONG_WORDS}\n\nLike this:\n\n{code}\n\n{LONG_WORDS}"
    holding = [piece for piece in pieces(text) if "run(1)" in piece.body]
    assert len(holding) == 1
    assert code in holding[0].body
    assert holding[0].body.startswith("Like this:"), "what announces it stays with it"


def test_a_long_code_block_is_cut_at_line_ends_and_fenced_again_in_its_language() -> None:
    rows = [f"step_{number}()" for number in range(600)]
    text = "\n".join(["# A", "", "Do:", "", "~~~~python title='x'", *rows, "~~~~", "", "After."])
    made = [piece for piece in pieces(text) if "step_" in piece.body]
    assert len(made) > 3
    assert made[0].body.startswith("# A\n\nDo:\n\n~~~~python")
    assert all(piece.body.startswith("~~~~python title='x'\nstep_") for piece in made[1:])
    assert all(piece.body.endswith("\n~~~~") for piece in made)
    assert all(len(piece.body) <= CAP for piece in made)
    kept = [row for piece in made for row in piece.body.splitlines() if row.startswith("step_")]
    assert kept == rows


def test_a_long_table_has_its_head_in_each_part() -> None:
    head = "| Port | Depth |\n|---|---:|"
    text = f"# Ports\n\n{head}\n" + "".join(f"| Port {number} | {number} |\n" for number in range(300))
    made = pieces(text)
    assert len(made) > 2
    assert all(piece.body.startswith(f"{head}\n| Port ") for piece in made[1:])


def test_an_indented_fence_in_a_list_is_closed_where_it_was_opened() -> None:
    rows = "".join(f"  line {number}\n" for number in range(400))
    made = pieces(f"- Do this:\n\n  ```sh\n{rows}  ```\n- Then that.\n")
    parts = [piece.body for piece in made if "line" in piece.body]
    assert all(part.rstrip().endswith("  ```") for part in parts)
    assert all(part.startswith("  ```sh\n") for part in parts[1:])


def test_a_list_is_cut_between_its_items() -> None:
    item = "- The harbour\n  opens when the tide is high enough, and closes\n  when it is not.\n\n  Ask the pilot.\n"
    made = pieces(item * 60)
    assert len(made) > 2
    assert all(piece.body.startswith("- The harbour") and piece.body.endswith("pilot.") for piece in made)


def test_an_item_that_is_too_long_is_cut_between_its_blocks() -> None:
    text = f"- {LONG_WORDS}\n\n  {LONG_WORDS}\n\n  - {LONG_WORDS}\n"
    assert [piece.body[:12] for piece in pieces(text)] == ["- The tide r", "  The tide r", "  - The tide"]


def test_a_paragraph_that_is_too_long_is_cut_after_a_sentence() -> None:
    made = pieces("# A\n\n" + "The tide rises, and falls. " * 300)
    assert all(piece.body.endswith("falls.") for piece in made)
    assert all(len(piece.body) <= LONG for piece in made)


def test_one_line_without_an_end_is_cut_at_white_space_and_otherwise_anywhere() -> None:
    assert all(piece.body.endswith("word") for piece in pieces("word " * 2_000))
    assert {len(piece.body) for piece in pieces("x" * 8_000)} == {LONG}
    assert all(piece.body.endswith("。") for piece in pieces("海は広い。" * 1_000))


def test_headings_in_code_quotations_and_comments_are_none() -> None:
    text = "# A\n\n```\n# no\n```\n\n    # no\n\n> # no\n\n<!--\n# no\n-->\n\n## Yes\n"
    (piece,) = pieces(text)
    assert piece.heading == ("Yes",)


def test_a_fence_that_is_never_closed_is_code_to_the_end() -> None:
    made = pieces("# A\n\n```sh\n" + "# no heading\n" * 500)
    assert {piece.heading for piece in made} == {()}
    assert all(piece.body.startswith("```sh\n# no heading") for piece in made[1:])


def test_anchors_are_those_of_github() -> None:
    section = f"\n\n{LONG_WORDS}\n\n"
    names = [
        "Set `up` *it*, [now](x)!",
        "Same",
        "Same",
        "same-1",
        "Same",
        "Über ¿Qué?",
        "C++ & C#",
        "Own {#my-id}",
        "![i](u)",
    ]
    anchors = [piece.anchor for piece in pieces("".join(f"## {name}{section}" for name in names))]
    assert anchors == [
        *("set-up-it-now", "same", "same-1", "same-1-1", "same-2", "über-qué", "c--c", "my-id", ""),
    ]


def test_setext_headings_and_those_in_html_are_headings() -> None:
    text = f'<h1 align="center"><img src="x"> Harbour</h1>\n\n{LONG_WORDS}\n\nTides\n-----\n\n{LONG_WORDS}\n'
    made = cut(text, "markdown")
    assert made.title == "Harbour"
    assert [piece.heading for piece in made.pieces] == [(), ("Tides",)]


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ("---\ntitle: Tides\nsidebar_position: 2\n---\n", "Tides"),
        ('---\r\ntitle: "Tides: high"\r\n---\r\n', "Tides: high"),
        ("+++\ntitle = 'Tides'\n+++\n", "Tides"),
        ("---\nslug: /tides\n---\n", "Other"),
        ("---\n", "Other"),
    ],
)
def test_front_matter_gives_the_title(front: str, title: str) -> None:
    made = cut(f"{front}\n# Other\n\nWords.\n", "markdown")
    assert made.title == title
    assert made.pieces[0].heading == (() if title == "Other" else ("Other",))


def test_the_heading_that_repeats_the_title_of_the_front_matter_is_not_told_twice() -> None:
    (piece,) = pieces("---\ntitle: Tides\n---\n# tides\n\nWords.\n")
    assert piece.heading == ()


def test_a_text_that_begins_further_in_has_no_title() -> None:
    made = cut("## Install\n\nRun it.\n", "markdown")
    assert (made.title, made.pieces[0].heading) == ("", ("Install",))


@pytest.mark.parametrize("text", ["", " \n\t\n", "\r\n" * 5_000])
def test_a_blank_text_has_no_pieces(text: str) -> None:
    assert cut(text, "markdown").pieces == ()


def test_empty_space_goes_with_what_is_before_it_however_much_it_is() -> None:
    for space in (" " * 9_000, "\n" * 9_000, "\t\n" * 9_000):
        made = pieces(f"{space}# A\n\n{LONG_WORDS}\n\n{space}\n{space}x\n\n```\na\n{space}b\n```\n{space}")
        assert all(piece.body.strip() for piece in made)
        assert all(len(piece.body) <= CAP for piece in made)


def test_line_ends_of_all_kinds_are_counted_once() -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["# A", "", LONG_WORDS, "", "## B", "", LONG_WORDS])
        assert [(piece.start_line, piece.end_line) for piece in pieces(text)] == [(1, 3), (5, 7)]


def test_what_is_made_to_be_slow_is_read_for_its_headings_and_fences() -> None:
    text = "- a\n" * 40_000 + "# Heading\n\n```\n# no\n```\n" + f"{LONG_WORDS}\n\n## Another\n\n{LONG_WORDS}\n"
    made = cut(text, "markdown")
    assert [piece.heading for piece in made.pieces[-2:]] == [(), ("Another",)]
    assert made.title == "Heading"
