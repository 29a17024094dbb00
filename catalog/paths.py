"""What a path of a server's content looks like. Plain Python, no database.

A path is relative, its segments are parted by single slashes, and it is kept in Unicode's NFC, so that what looks the
same is the same. 1,024 bytes is what git hosting services and archive formats handle without surprises, and what fits
into a database index.
"""

from __future__ import annotations

import unicodedata

MAX_BYTES = 1024
MAX_SEGMENT_BYTES = 255
"""The longest name that common file systems can hold."""


class BadPath(ValueError):
    """A path that content cannot have; the text is a sentence for a person."""


def normalise_path(typed: str) -> str:
    """What a person meant by `typed`: NFC, without spaces around. Check the result with `check_path`."""
    return unicodedata.normalize("NFC", typed.strip())


def check_path(path: str) -> str:
    """Return `path` itself, or raise BadPath with a sentence that says what is wrong and what to do."""
    if not path:
        raise BadPath("Give the file a path, such as guides/start.md.")
    plain = path.isascii() and path.isprintable()  # as most are: nothing to look up
    if not plain and any(_is_control(character) for character in path):
        raise BadPath(
            "A path cannot hold control characters, line breaks or characters that change the text's direction."
        )
    if "\\" in path:
        raise BadPath("Part folders with a slash (/), not a backslash.")
    if path.startswith("/"):
        raise BadPath("A path starts with a name, not with a slash.")
    if path.endswith("/"):
        raise BadPath("A path ends with the file's name, not with a slash.")
    if not unicodedata.is_normalized("NFC", path):
        raise BadPath("The path is not in Unicode's normal form NFC. Type it anew.")
    for segment in path.split("/"):
        _check_segment(segment)
    if len(path.encode()) > MAX_BYTES:
        raise BadPath(f"The path has more than {MAX_BYTES:,} bytes. Choose shorter names.")
    return path


def _check_segment(segment: str) -> None:
    if not segment:
        raise BadPath("There are two slashes with nothing between them.")
    if segment in (".", ".."):
        raise BadPath("A path cannot have “.” or “..” as a folder.")
    if segment != segment.strip():
        raise BadPath(f"“{segment}” begins or ends with a space.")
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise BadPath(f"A folder's or file's name cannot have more than {MAX_SEGMENT_BYTES} bytes.")


def _is_control(character: str) -> bool:
    # Cc: controls; Cs: lone surrogates, which have no UTF-8; Zl, Zp: line and paragraph separators.
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return True
    # The bidirectional controls can make `exe.md` of `md.exe` (Unicode Technical Report 36, section 2.10).
    return character in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def parents(path: str) -> list[str]:
    """The folders above a path, outermost first: `a/b/c.md` has `a` and `a/b`."""
    segments = path.split("/")[:-1]
    return ["/".join(segments[: depth + 1]) for depth in range(len(segments))]
