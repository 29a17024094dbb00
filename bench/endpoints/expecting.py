"""What was expected, and whether it held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expectation:
    sentence: str
    held: bool
    seen: str

    def __str__(self) -> str:
        return f"- {self.sentence}: {'held' if self.held else '**failed**'} ({self.seen})."
