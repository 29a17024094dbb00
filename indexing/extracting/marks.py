"""Markdown's marks: what of a text would be taken for one, and marks around a text. Pure.

Escaped is what would make a line another kind of block, or vanish as a tag; emphasis by chance is left alone, so that
`__init__` and `*args` are found and read as they stand.
"""

from __future__ import annotations

import re

from indexing.extracting import code

_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])|<(?=[A-Za-z/!?])|&(?=#?\w{1,31};)|`")
_LINE_START = re.compile(
    r"^(?:(?P<mark>#{1,6}(?=[ \n]|$)|[-+*](?=[ \n]|$)|>|~{3,}|=+ *$|-{2,} *$|\*{3,} *$|_{3,} *$|"
    r"\[(?=[^\]\n]{1,999}\]:))|(?P<number>\d{1,9})(?P<dot>[.)](?=[ \n]|$)))",
    re.MULTILINE,
)
_IN_HEADING = re.compile(r"[*\[\]]|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_IN_LINK = re.compile(r"[\[\]]")
_WHITE = re.compile(r"[ \t\r\n\f]+")
_TABBED = re.compile(r"^ *\t", re.MULTILINE)


def escaped(text: str) -> str:
    """A paragraph of plain text as Markdown that reads the same."""
    return at_line_starts(_ESCAPED.sub(r"\\\g<0>", text))


def at_line_starts(text: str) -> str:
    """What is escaped as a part of a line, made a paragraph: none of its lines begins another kind of block."""
    return _LINE_START.sub(_line_start, text)


def _line_start(found: re.Match[str]) -> str:
    return f"\\{found['mark']}" if found["mark"] else f"{found['number']}\\{found['dot']}"


def part_of_line(text: str, *, in_heading: bool = False, in_link: bool = False) -> str:
    """Plain text within a paragraph, escaped, its white space single blanks."""
    text = _ESCAPED.sub(r"\\\g<0>", _WHITE.sub(" ", text))
    if in_heading:
        return _IN_HEADING.sub(r"\\\g<0>", text)
    return in_brackets(text) if in_link else text


def in_brackets(text: str) -> str:
    return _IN_LINK.sub(r"\\\g<0>", text)


def wrapped(text: str, before: str, after: str) -> str:
    """With spaces at its ends left outside, as marks do not work beside them."""
    inner = text.strip()
    start = text[: len(text) - len(text.lstrip())]
    return f"{start}{before}{inner}{after}{text[len(text.rstrip()) :]}"


def bold(text: str) -> str:
    return text if text.startswith("**") and text.endswith("**") else f"**{text.replace('**', '')}**"


def item(content: str, marker: str) -> str:
    """An item of a list, its lines after the first indented under it."""
    # In an item that begins at a fourth column a tab in code stays a tab; elsewhere a reader splits it.
    width = -(-(len(marker) + 1) // 4) * 4 if _TABBED.search(content) else len(marker) + 1
    indent = " " * width
    return marker.ljust(width) + content.replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")


def lines_of(blocks: list[str]) -> list[str]:
    return "\n\n".join(blocks).split("\n")


def unfenced(block: str) -> list[str]:
    """Its lines; those of a fenced code block each as code in a line, as tables take it."""
    lines = block.split("\n")
    if (
        len(lines) >= 3
        and lines[0].startswith("```")
        and lines[-1] == lines[0].rstrip("abcdefghijklmnopqrstuvwxyz0123456789+#._-")
    ):
        return [code.in_line(line) for line in lines[1:-1]]
    return lines
