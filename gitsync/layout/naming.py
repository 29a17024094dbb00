"""File names that every file system takes, made of nothing but the name that they stand for.

A file's name must not depend on its siblings: else a tool that is added or deleted would rename the file of another.
So of all names that a disk takes for one (`getWeather` and `getweather` where case is ignored), at most one can have
the plain file name, and it has to be the same one whether or not the others exist. Hence:

- names of tools and prompts become words: `getWeather` is `get-weather`, `getweather` is `getweather`. A name that its
  words do not tell, such as `getHTTPStatus`, gets a suffix: `get-http-status-7b40c9e9`;
- other names stay as they are if they are fine: small letters and digits of any script, spaces, `-`, `_` and `.`. Where
  names are unique ignoring case, capitals of ASCII are fine as well;
- the rest is what is readable of a name with a suffix, the beginning of the SHA-256 of the real name. A name that
  looks as if it had a suffix gets another.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from collections.abc import Collection

MAX_BYTES = 100
"""Of a name without its extension: far below the 255 of file systems, for there are limits to paths as well."""

_SUFFIX_DIGITS = 8
_SUFFIXED = re.compile(rf"-[0-9a-f]{{{_SUFFIX_DIGITS}}}\Z", re.IGNORECASE)
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDENTIFIER = re.compile(r"[a-z][a-zA-Z0-9]*")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: also with any extension behind.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z", re.IGNORECASE)
_PUNCTUATION = frozenset(" -_.")
_LETTERS = frozenset({"Ll", "Lu", "Lo", "Nd"})
"""Unicode's categories. No marks: file systems disagree about which of them count."""
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def for_identifier(name: str, reserved: Collection[str] = ()) -> str:
    """A file name without extension for a camel-case name. `reserved` are those, in small letters, that are taken."""
    words = _BOUNDARY.sub("-", name).lower()
    first, *others = words.split("-")
    told = first + "".join(word[:1].upper() + word[1:] for word in others)
    if _IDENTIFIER.fullmatch(name) and told == name and _is_fine(words, reserved):
        return words
    return _suffixed(words, name)


def for_text(name: str, reserved: Collection[str] = ()) -> str:
    """A file name without extension, or a directory's, for any name."""
    return name if _is_fine(name, reserved) else _suffixed(name, name)


def for_text_unique_ignoring_case(name: str, reserved: Collection[str] = ()) -> str:
    """The same, for names of which no two differ only in the case of ASCII letters: capitals are kept."""
    return name if _is_fine(name.translate(_SMALL), reserved) else _suffixed(name, name)


def _is_fine(name: str, reserved: Collection[str]) -> bool:
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= MAX_BYTES
        and all(character in _PUNCTUATION or unicodedata.category(character) in _LETTERS for character in name)
        and name[0] not in _PUNCTUATION
        and name[-1] not in _PUNCTUATION
        and name == unicodedata.normalize("NFKC", name.casefold())
        and name == name.upper().lower()
        and name not in reserved
        and not _DEVICES.match(name.split(".", 1)[0].rstrip())
        and not _SUFFIXED.search(name)
    )


def _suffixed(readable: str, name: str) -> str:
    plain = unicodedata.normalize("NFKD", readable).encode("ascii", "ignore").decode().lower()
    kept = re.sub(r"[^a-z0-9]+", "-", plain)[: MAX_BYTES - _SUFFIX_DIGITS - 1].strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kept or 'unnamed'}-{digest[:_SUFFIX_DIGITS]}"
