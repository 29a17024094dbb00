"""Documentation that nobody wrote: Markdown files of made words, distributed as words of a language are.

Pure, and the same for the same number each time. Each file is about something (its own words, and its server's), has a
title, sections of about a chunk's length, identifiers and code; function words are the English ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

_FUNCTION_WORDS = (
    "the of to and a in is for that it with as on are be this by or an from you can not if at which when all has use "
    "will one your have other any into but more its only than then also each there been may such these after must no "
    "so does how what where why who do was were out up about should before between through while during because"
)
FUNCTION_WORDS = _FUNCTION_WORDS.split()
_ONSETS = "b c d f g h j k l m n p r s t v w br cl dr fl gr pl pr sc sh st th tr"
_VOWELS = "a e i o u ai ea io ou"
SECTIONS = (3, 8)
CHARACTERS = (800, 1_400)
"""Of a section."""


@dataclass(frozen=True, slots=True)
class File:
    path: str
    title: str
    text: str
    sections: int


class Corpus:
    """`Corpus(servers=50)`, then `files(server, sections)`."""

    def __init__(self, *, servers: int, words: int = 40_000, seed: int = 1) -> None:
        self.servers = servers
        self._seed = seed
        chance = random.Random(seed)
        self._words = _made_words(words, chance)
        self._weights = list(accumulate(1 / (rank + 30) ** 1.05 for rank in range(words)))
        self._function_weights = list(accumulate(1 / (rank + 2) for rank in range(len(FUNCTION_WORDS))))
        self._topics = [chance.sample(self._words, 300) for _ in range(servers)]

    def files(self, server: int, sections: int) -> Iterator[File]:
        """Files of one server with so many sections together."""
        chance = random.Random(f"{self._seed} {server}")
        number = 0
        while sections > 0:
            number += 1
            count = min(sections, chance.randint(*SECTIONS))
            sections -= count
            yield self._file(server, number, count, chance)

    def _file(self, server: int, number: int, count: int, chance: random.Random) -> File:
        subject = self._subject(server, chance)
        title = " ".join(chance.sample(subject, 3)).capitalize()
        lines = [f"# {title}", ""]
        for _ in range(count):
            heading = " ".join([*chance.sample(subject, 2), *chance.choices(self._words, cum_weights=self._weights)])
            lines += [f"## {heading.capitalize()}", "", *self._section(server, subject, chance), ""]
        return File(f"{subject[0]}/{number:05}-{subject[1]}.md", title, "\n".join(lines), count)

    def _section(self, server: int, subject: list[str], chance: random.Random) -> Iterator[str]:
        left = chance.randint(*CHARACTERS)
        while left > 0:
            words = self._sentence(server, subject, chance.randint(25, 60), chance)
            if chance.random() < 0.4:
                words.append(f"`{'_'.join(chance.sample(subject, 2))}`")
            paragraph = " ".join(words).capitalize() + "."
            left -= len(paragraph)
            yield paragraph
            yield ""
            if chance.random() < 0.2:
                first, second = chance.sample(subject, 2)
                code = (
                    f"```python\n{first}.{first}{second.capitalize()}({second}_{first}={chance.randint(0, 999)})\n```"
                )
                left -= len(code)
                yield code
                yield ""

    def _subject(self, server: int, chance: random.Random) -> list[str]:
        return chance.sample(self._topics[server], 12)

    def _sentence(self, server: int, subject: list[str], length: int, chance: random.Random) -> list[str]:
        words = []
        for draw in (chance.random() for _ in range(length)):
            if draw < 0.42:
                words += chance.choices(FUNCTION_WORDS, cum_weights=self._function_weights)
            elif draw < 0.82:
                words += chance.choices(self._words, cum_weights=self._weights)
            else:
                words.append(chance.choice(subject if draw < 0.92 else self._topics[server]))
        return words


def _made_words(count: int, chance: random.Random) -> list[str]:
    onsets, vowels = _ONSETS.split(), _VOWELS.split()
    ends = ["", "", "", "n", "r", "s", "t", "l", "m", "nd", "ck"]
    endings = ["", "", "", "", "s", "ed", "ing", "er", "ation", "ly", "able"]
    made: dict[str, None] = {}
    while len(made) < count:
        syllables = [
            chance.choice(onsets) + chance.choice(vowels) + chance.choice(ends) for _ in range(chance.randint(1, 3))
        ]
        made["".join(syllables) + chance.choice(endings)] = None
    # The words that are used most are the short ones.
    return sorted(made, key=lambda word: len(word) + chance.random() * 6)
