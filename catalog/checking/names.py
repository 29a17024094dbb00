"""Names and texts for people."""

from __future__ import annotations

LONGEST_NAME = 120
LONGEST_DESCRIPTION = 20_000


class BadText(ValueError):
    """The text is a sentence for a person."""


def check_line(text: str, *, longest: int = LONGEST_NAME) -> str:
    """One line without invisible characters, its spaces made single; can be empty. Raises BadText."""
    text = " ".join(text.split())
    if len(text) > longest:
        raise BadText(f"This has {len(text):,} characters; {longest:,} is the most.")
    if not text.isprintable():
        raise BadText("This holds an invisible character. Type it anew instead of pasting it.")
    return text


def check_text(text: str, *, longest: int = LONGEST_DESCRIPTION) -> str:
    """Lines with the line ends of Unix, without NUL, which PostgreSQL cannot keep. Raises BadText."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise BadText(f"This has {len(text):,} characters; {longest:,} is the most.")
    if "\0" in text:
        raise BadText("This holds an invisible character (NUL). Type it anew instead of pasting it.")
    return text
