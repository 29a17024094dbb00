"""Regular expressions of JSON Schemas: those that can be matched within a bounded time and memory.

The library (`regex`) stops a search at a time limit, but nothing stops it while it compiles, where a repeat with a
least count becomes that many nodes: `a{999999999}` takes all the memory that there is. Recursion does so in a search.
"""

from __future__ import annotations

import re
from functools import lru_cache

import regex

LONGEST = 1_000
"""Characters."""
MOST_NODES = 2_000
"""Of a compiled pattern, each of about half a kilobyte."""
_KEPT = 64

_ESCAPE = re.compile(r"\\(?:[pPN]\{\^?[A-Za-z][A-Za-z0-9_=: -]*\}|.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
# Of what may follow a `(?`: groups, looking around, names, and flags that change no syntax. The rest is the library's
# own: calls of groups, recursion, conditions, other syntax.
_GROUP = re.compile(r"\((?:\?(?::|=|!|>|<=|<!|P?<[A-Za-z_][A-Za-z0-9_]*>|[ims]*(?:-[ims]+)?[:)]))?")
_COUNT = re.compile(r"\{(?P<least>[0-9]*)(?:,[0-9]*)?\}[?+]?")
_FUZZY = re.compile(r"\{[^{}]*[eids][^{}]*\}")


class BadPattern(ValueError):
    """The text is a sentence for a person."""


@lru_cache(maxsize=_KEPT)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Raises BadPattern for what is no regular expression, and for one that is not supported."""
    if len(pattern) > LONGEST:
        raise BadPattern(f"A pattern can have {LONGEST:,} characters at most.")
    if _nodes(pattern) > MOST_NODES:
        raise BadPattern(
            f"“{pattern[:60]}” repeats more than {MOST_NODES:,} parts of it. Use “minLength” or “minItems” for long "
            "values, and smaller counts here."
        )
    try:
        return regex.compile(pattern, cache_pattern=False)
    except (regex.error, RecursionError, OverflowError, MemoryError):
        raise BadPattern(f"“{pattern[:60]}” is no regular expression.") from None


def _nodes(pattern: str) -> int:
    """How many nodes it is compiled to, about; too many rather than too few where it is no regular expression."""
    before: list[int] = []
    """Of the groups around, what comes before the one that is open."""
    done = last = at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "{" and (count := _COUNT.match(pattern, at)) and count.group() not in ("{}", "{,}"):
            last *= max(1, int(count["least"][:9] or 0))
            at = count.end()
            continue
        if character == "{" and (fuzzy := _FUZZY.match(pattern, at)):
            raise BadPattern(f"“{fuzzy.group()[:60]}” is not supported in a pattern. Write a brace itself as \\{{.")
        done, last = done + last, 1
        if character == "(":
            at = _opened(pattern, at)
            if pattern[at - 1] != ")":  # flags alone open nothing
                before.append(done)
                done = last = 0
            continue
        if character == ")" and before:
            done, last = before.pop(), done + 1
        token = (_ESCAPE if character == "\\" else _CLASS).match(pattern, at) if character in "\\[" else None
        at = token.end() if token else at + 1
    return sum(before) + done + last


def _opened(pattern: str, at: int) -> int:
    """Where what begins a group ends."""
    found = _GROUP.match(pattern, at)
    if found is None or (found.group() == "(" and pattern.startswith("(?", at)):
        raise BadPattern(
            f"“{pattern[at : at + 20]}” is not supported in a pattern: no recursion, conditions, comments or flags but "
            "i, m and s."
        )
    return found.end()
