"""Which files of a repository are meant: include and exclude patterns as in a .gitignore file."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from functools import cached_property

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError

from forges.clients.errors import TooLarge

MAX_PATTERNS = 200
MAX_PATTERN_LENGTH = 500
# A pattern becomes a regular expression that tries every way to share a path out among its stars: with a few it is
# quick, with many a crafted path keeps a processor busy for hours.
MAX_STARS_IN_PART = 3
MAX_DOUBLE_STARS = 3
# What is left takes a second for the worst pattern and path, and a repository can have many of both.
MATCH_SECONDS = 5.0
MATCH_SECONDS_PER_PATH = 0.000_5
"""Some ten times what two hundred ordinary patterns take."""


class InvalidPattern(ValueError):
    """A line that is not a pattern, or one that asks too much. `str(error)` is a sentence for a person."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        """Counted from 1."""
        self.reason = reason


@dataclass(slots=True)
class _Spent:
    seconds: float = 0.0
    """Of this processor, not of the clock on the wall."""
    paths: int = 0


@dataclass(frozen=True)
class PathFilter:
    """Lines in gitignore's language (https://git-scm.com/docs/gitignore#_pattern_format), comments and blanks dropped.

    A path is meant when the include lines match it (or there are none) and the exclude lines do not. In either list
    a later line starting with `!` takes back what an earlier one said.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    _spent: _Spent = field(default_factory=_Spent, init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, include: str, exclude: str = "") -> PathFilter:
        """From two text fields, one pattern a line. Raises InvalidPattern for the first line that is none."""
        return cls(_parse(include), _parse(exclude))

    def matches(self, path: str) -> bool:
        """Whether a repository-relative path (no leading slash) is meant.

        TooLarge when the patterns have taken far longer than patterns do for the paths asked so far.
        """
        before = time.thread_time()
        found = self._matches(path)
        self._spent.seconds += time.thread_time() - before
        self._spent.paths += 1
        if self._spent.seconds > MATCH_SECONDS + MATCH_SECONDS_PER_PATH * self._spent.paths:
            raise TooLarge("The path filter takes too long for the paths of this repository. Use fewer “*” and “**”.")
        return found

    def _matches(self, path: str) -> bool:
        if self._including is not None and not self._including.match_file(path):
            return False
        return self._excluding is None or not self._excluding.match_file(path)

    @property
    def fingerprint(self) -> str:
        """The same for filters that read the same; another one means that a refresh must look again."""
        lines = "\n".join([*self.include, "", *self.exclude])
        return hashlib.sha256(lines.encode()).hexdigest()

    @cached_property
    def _including(self) -> GitIgnoreSpec | None:
        return GitIgnoreSpec.from_lines(self.include) if self.include else None

    @cached_property
    def _excluding(self) -> GitIgnoreSpec | None:
        return GitIgnoreSpec.from_lines(self.exclude) if self.exclude else None


EVERYTHING = PathFilter()


def _parse(text: str) -> tuple[str, ...]:
    patterns: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        # Trailing blanks mean nothing to git unless a backslash stands before them.
        line = raw if raw.endswith("\\ ") else raw.rstrip()
        if not line or line.startswith("#"):
            continue
        if problem := _problem(line):
            raise InvalidPattern(number, problem)
        patterns.append(line)
        if len(patterns) > MAX_PATTERNS:
            raise InvalidPattern(number, f"At most {MAX_PATTERNS} patterns are allowed.")
    if patterns and all(line.startswith("!") for line in patterns):
        raise InvalidPattern(1, "Every line starts with “!”, which takes back an earlier line, and there is none.")
    return tuple(patterns)


def _problem(line: str) -> str:
    if len(line) > MAX_PATTERN_LENGTH:
        return f"The pattern is longer than {MAX_PATTERN_LENGTH} characters."
    parts = line.removeprefix("!").split("/")
    if parts.count("**") > MAX_DOUBLE_STARS:
        return f"The pattern has more than {MAX_DOUBLE_STARS} “**”."
    if any(part != "**" and part.count("*") > MAX_STARS_IN_PART for part in parts):
        return f"The pattern has more than {MAX_STARS_IN_PART} “*” between two slashes."
    try:
        (pattern,) = GitIgnoreSpec.from_lines([line]).patterns
    except (GitIgnorePatternError, re.error):
        return "This is not a pattern. Check its brackets and backslashes."
    if pattern.include is None:
        return "This pattern can match nothing. Check its brackets and slashes."
    return ""
