"""Names and texts for people."""

from __future__ import annotations

import re
from typing import Any

LONGEST_NAME = 120
LONGEST_DESCRIPTION = 20_000
_IDENTIFIER = re.compile(r"[a-z][a-zA-Z0-9]{0,63}")


class BadText(ValueError):
    """The text is a sentence for a person."""


def check_identifier(text: str) -> str:
    """The name of a tool or prompt, as clients take it. Raises BadText."""
    if not _IDENTIFIER.fullmatch(text):
        raise BadText("A name begins with a small letter, and has up to 64 letters and digits: getWeather.")
    return text


def check_line(text: str, *, longest: int = LONGEST_NAME) -> str:
    """One line without invisible characters, its spaces made single; can be empty. Raises BadText."""
    text = " ".join(text.split())
    if len(text) > longest:
        raise BadText(f"This has {len(text):,} characters; {longest:,} is the most.")
    if not text.isprintable():
        raise BadText("This holds an invisible character. Type it anew instead of pasting it.")
    return text


def check_text(text: str, *, longest: int = LONGEST_DESCRIPTION) -> str:
    """Lines with the line ends of Unix, of characters that can be kept. Raises BadText."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise BadText(f"This has {len(text):,} characters; {longest:,} is the most.")
    check_characters(text)
    return text


def check_characters(value: Any) -> None:
    """That a text, or each text within lists and mappings, can be kept: PostgreSQL keeps no NUL, and half of a
    character (a lone surrogate, which escapes in JSON and YAML can name) has no UTF-8. Raises BadText."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadText("This holds an invisible character (NUL). Type it anew instead of pasting it.")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadText("This holds half of a character (a lone surrogate). Type it anew instead of pasting it.")
    elif isinstance(value, dict):
        for name, each in value.items():
            check_characters(name)
            check_characters(each)
    elif isinstance(value, list):
        for each in value:
            check_characters(each)
