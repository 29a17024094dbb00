"""What another MCP server offers and answers, and why it does not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexing.reasons import Reason


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool, as its server lists it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments; hostile, as everything here."""
    destructive: bool = False
    """It says of itself that it destroys something."""


@dataclass(frozen=True, slots=True)
class SearchTool:
    """The one that is called, and what it calls the query."""

    name: str
    argument: str
    protocol: str = ""
    """The version that was spoken when it was found, so that nobody has to ask again; "" to find out."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a tool's answer that can be read."""

    text: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answered: as values, as blocks, or both, which then say the same."""

    structured: Any = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One of the things that a tool found, fit to be shown: plain text, and a web address or none."""

    title: str
    text: str
    url: str = ""


class NoAnswer(Exception):
    """It could not be asked, or answered nothing that can be used. The text is a sentence, without what it sent."""

    def __init__(self, reason: Reason, text: str, *, wait: float | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.wait = wait
        """Seconds after which it wants to be asked again, with RATE_LIMITED; None where it does not say."""
