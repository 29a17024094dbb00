"""The lines of a file around what is wrong in it, for its page. Pure.

They are somebody's text: bounded, without characters that a terminal, a database or a reading direction trips over, and
never of a file in which a secret was found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

AROUND = 2
"""Lines before and after."""
LONGEST = 200
"""Characters of a line."""
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def excerpt(data: bytes, line: int, column: int) -> dict[str, Any]:
    """{first: the number of the first line, lines: [text], line, mark: characters before the place in the text of its
    line, -1 for none}, each line at most `LONGEST` long and “…” where it is cut; {} where there is no such line.
    Numbers as a Problem has them: from 1, 0 for none."""
    lines = data.decode("utf-8-sig", "replace").split("\n")
    if not 1 <= line <= len(lines):
        return {}
    first = max(line - AROUND, 1)
    at = min(column - 1, len(lines[line - 1].removesuffix("\r")))
    # Of a long line those before the place, and as many after it.
    start = at - LONGEST // 2 if at >= LONGEST else 0
    return {
        "first": first,
        "lines": [
            _cut(text, start if number == line else 0)
            for number, text in enumerate(lines[first - 1 : line + AROUND], start=first)
        ],
        "line": line,
        "mark": at - start + bool(start) if at >= 0 else -1,
    }


def shown(found: Mapping[str, Any]) -> str:
    """As a text with line numbers, and a ^ under the place."""
    if not found:
        return ""
    last = found["first"] + len(found["lines"]) - 1
    width = len(str(last))
    rows = []
    for number, text in enumerate(found["lines"], start=found["first"]):
        here = number == found["line"]
        rows.append(f"{'>' if here else ' '} {number:>{width}} | {text}".rstrip())
        if here and found["mark"] >= 0:
            rows.append(f"  {'':>{width}} | {''.join(map(_blank, text[: found['mark']]))}^")
    return "\n".join(rows)


def _cut(text: str, start: int) -> str:
    text = text.removesuffix("\r")
    kept = _UNFIT.sub("\ufffd", text[start : start + LONGEST])
    return f"{'…' if start else ''}{kept}{'…' if len(text) > start + LONGEST else ''}"


def _blank(character: str) -> str:
    """As wide as the character."""
    if character == "\t":
        return character
    if unicodedata.combining(character):
        return ""
    return "\u3000" if unicodedata.east_asian_width(character) in "WF" else " "
