"""Every file, its path, and what else leaves with it, looked through in one pass."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from gitsync.scanning import locating, patterns
from gitsync.scanning.findings import Finding, KnownSecret
from gitsync.scanning.known import WORD_CHARACTERS, KnownSecrets

_PATH, _TEXT = "path ", "text "
_BETWEEN = "\n\0\n"
"""Parts texts that do not belong together: no pattern goes across."""


def scan(
    files: Mapping[str, bytes],
    known: KnownSecrets | Iterable[KnownSecret],
    *,
    key: bytes,
    texts: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
) -> list[Finding]:
    """What in `files`, their paths or `texts` (by what they are, such as “commit message”) must not leave.

    `known` is made ready once where there is more than one scan. `key` is of the digests; those in `allowed` are not
    told, but for secrets that are known. Sorted by path and line; no finding twice.
    """
    named = {_PATH + path: path for path in files} | {_TEXT + name: text for name, text in (texts or {}).items()}
    contents = list(dict.fromkeys(_contents(files, named)))
    starts = list(accumulate((len(content) + len(_BETWEEN) for content in contents), initial=0))
    hits: dict[str, list[_Hit]] = defaultdict(list)
    ready = known if isinstance(known, KnownSecrets) else KnownSecrets(known)
    for value, at, kind, form, is_known in _found(_BETWEEN.join(contents), ready):
        digest = hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        if is_known or digest not in allowed:
            index = bisect_right(starts, at) - 1
            hits[contents[index]].append(_Hit(form, at - starts[index], kind, digest, not is_known))
    if not hits:
        return []
    hider = _Hider(hit.form for each in hits.values() for hit in each)
    told = {
        replace(each, path=hider.hide(each.path), field=hider.hide(each.field)) for each in _told(files, named, hits)
    }
    return sorted(told)


@dataclass(frozen=True, slots=True)
class _Hit:
    form: str = field(repr=False)
    """As it is written there."""
    at: int
    """Where in its text."""
    kind: str
    digest: str
    allowable: bool


def _contents(files: Mapping[str, bytes], named: Mapping[str, str]) -> Iterator[str]:
    """Every text, again and again: most are in export.json and in a file of their own."""
    yield from named.values()
    for path, content in files.items():
        yield from locating.texts(path, content)


def _told(files: Mapping[str, bytes], named: Mapping[str, str], hits: Mapping[str, list[_Hit]]) -> Iterator[Finding]:
    for name, text in named.items():
        for hit in hits.get(text, ()):
            if name.startswith(_PATH):
                yield Finding(text, 0, "the name of the file", hit.kind, hit.digest, hit.allowable)
            else:
                yield Finding(name.removeprefix(_TEXT), _line(text, hit), "", hit.kind, hit.digest, hit.allowable)
    for path, content in files.items():
        if hits.keys().isdisjoint(locating.texts(path, content)):
            continue
        for text, place in locating.places(path, content, hits):
            for hit in hits[text]:
                if place.steps:
                    words = locating.in_words(path, json.loads(content), place.steps)
                    yield Finding(path, place.line, words, hit.kind, hit.digest, hit.allowable)
                else:
                    yield Finding(path, _line(text, hit), "", hit.kind, hit.digest, hit.allowable)


def _line(text: str, hit: _Hit) -> int:
    return text.count("\n", 0, hit.at) + 1


def _found(text: str, known: KnownSecrets) -> Iterator[tuple[str, int, str, str, bool]]:
    """Values, where and what they are, how they are written, and whether we know them: what we know is not told as
    what it looks like too."""
    seen: set[tuple[int, str]] = set()
    starts: set[int] = set()
    for secret, at, form in known.find(text):
        if (at, secret.value) not in seen:
            seen.add((at, secret.value))
            starts.add(at)
            yield secret.value, at, secret.kind, form, True
    for value, at, kind in patterns.find(text):
        if at not in starts:
            starts.add(at)
            yield value, at, kind, value, False


class _Hider:
    """Takes secrets out of what is told: a name can hold one, and then the path does."""

    def __init__(self, forms: Iterable[str]) -> None:
        whole = sorted({"".join(form.split()) for form in forms}, key=len, reverse=True)
        self._forms = [re.compile(_pattern(form)) for form in whole if form]

    def hide(self, text: str) -> str:
        for form in self._forms:
            text = form.sub("…", text)
        return text


def _pattern(form: str) -> str:
    """Spaces may lie within; short ones are found, and so hidden, as words only."""
    pattern = r"\s*".join(map(re.escape, form))
    return pattern if len(form) >= WORD_CHARACTERS else rf"(?<![^\W_]){pattern}(?![^\W_])"
