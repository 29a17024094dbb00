"""What people say of things in their own words: names, titles, descriptions."""

from __future__ import annotations

LONGEST_LINE = 120
LONGEST_DESCRIPTION = 4_000


class BadText(ValueError):
    """The text is a sentence for a person."""


def check_line(text: str, what: str, most: int = LONGEST_LINE) -> str:
    """One line without spaces around it; `what` is “A name”. Raises BadText."""
    text = text.strip()
    if len(text) > most or not text.isprintable():
        raise BadText(f"{what} is one line of {most:,} characters at most, none of them invisible.")
    return text


def check_description(text: str, what: str = "A description", most: int = LONGEST_DESCRIPTION) -> str:
    """Any number of lines, without spaces around them. Raises BadText."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise BadText(f"{what} can have {most:,} characters at most.")
    if any(not character.isprintable() and character not in "\n\t" for character in text if ord(character) < 160):
        raise BadText(f"{what} holds an invisible character. Type it anew instead of pasting it.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadText(f"{what} holds half of a character. Type it anew instead of pasting it.")
    return text
