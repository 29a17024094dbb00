"""Which files can be taken as they are: what the listing tells first, then what the bytes tell."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from forges.clients.base import Entry, EntryKind
from forges.reading.filters import EVERYTHING, PathFilter

MAX_PATH_BYTES = 1024
"""Longer paths are skipped: no database index and no address bar holds them."""


class SkipReason(enum.StrEnum):
    BINARY = "binary"
    NOT_UTF8 = "not_utf8"
    TOO_LARGE = "too_large"
    LFS_POINTER = "lfs_pointer"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    PATH_CLASH = "path_clash"
    BAD_PATH = "bad_path"
    DETACHED = "detached"
    UNREADABLE = "unreadable"


SKIP_WORDS: dict[str, str] = {
    SkipReason.BINARY: "Binary",
    SkipReason.NOT_UTF8: "Not UTF-8",
    SkipReason.TOO_LARGE: "Too large",
    SkipReason.LFS_POINTER: "Git LFS pointer",
    SkipReason.SYMLINK: "Symbolic link",
    SkipReason.SUBMODULE: "Submodule",
    SkipReason.PATH_CLASH: "Path clash",
    SkipReason.BAD_PATH: "Unusable path",
    SkipReason.DETACHED: "Detached",
    SkipReason.UNREADABLE: "Could not be read",
}
"""What people read for each reason that a file is left out."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that is left out, and why. `path` is fit to be stored and shown, which the file's own may not be."""

    path: str
    reason: SkipReason
    detail: str
    oid: str = ""
    """The blob that was judged: while a path keeps it, the file need not be fetched again to be skipped again."""


# C0, DEL and C1; line and paragraph separators; and the marks that make a path read as another (Trojan Source).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_path(path: str, *, max_bytes: int = MAX_PATH_BYTES) -> Skip | None:
    """Why a path cannot be taken as it is, or None. Nothing is repaired: a repaired path is another file's."""
    problem = _path_problem(path, max_bytes)
    return Skip(presentable(path), SkipReason.BAD_PATH, problem) if problem else None


def _path_problem(path: str, max_bytes: int) -> str:
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "The path is not UTF-8."
    if not path:
        return "The path is empty."
    if length > max_bytes:
        return f"The path is {length:,} bytes long; at most {max_bytes:,} are allowed."
    if _CONTROL.search(path):
        return "The path holds a control character."
    if "\\" in path:
        return "The path holds a backslash, which some systems read as a folder separator."
    if path.startswith("/"):
        return "The path is absolute."
    segments = path.split("/")
    if "" in segments:
        return "The path has an empty part."
    if "." in segments or ".." in segments:
        return "The path leads through “.” or “..”."
    if any(segment.casefold() == ".git" for segment in segments):
        return "The path leads into a .git folder."
    return ""


def presentable(path: str) -> str:
    """A path as it can be stored and shown: control characters escaped, cut to `MAX_PATH_BYTES`."""
    safe = _UNSTORABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", path)
    encoded = safe.encode("utf-8")
    if len(encoded) <= MAX_PATH_BYTES:
        return safe
    return encoded[: MAX_PATH_BYTES - len("…".encode())].decode("utf-8", "ignore") + "…"


def check_entries(
    entries: Iterable[Entry],
    *,
    max_bytes: int,
    only: PathFilter = EVERYTHING,
    max_path_bytes: int = MAX_PATH_BYTES,
) -> tuple[list[Entry], list[Skip]]:
    """Those of a tree's entries to go on with, sorted by path, and the skips among those that `only` matches.

    Of paths that are the same under Unicode NFC and case folding the first in code point order stays, whatever the
    order they came in: many file systems and people cannot tell them apart.
    """
    kept: list[Entry] = []
    skips: list[Skip] = []
    first: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        bad_path = check_path(entry.path, max_bytes=max_path_bytes)
        if bad_path is not None:
            skips.append(bad_path)  # Not asked of the filter: patterns are made for paths that are sound.
            continue
        if not only.matches(entry.path):
            continue
        if skip := _check_entry(entry, max_bytes):
            skips.append(skip)
            continue
        folded = _fold(entry.path)
        if (twin := first.get(folded)) is not None:
            detail = f"The path differs from {twin} only in upper and lower case or in Unicode form."
            skips.append(Skip(entry.path, SkipReason.PATH_CLASH, detail, entry.oid))
            continue
        first[folded] = entry.path
        kept.append(entry)
    return kept, skips


def _fold(path: str) -> str:
    if path.isascii():
        return path.lower()
    # Folding can undo the normal form, so both are applied twice (Unicode 3.13, D145).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()).casefold()


def _check_entry(entry: Entry, max_bytes: int) -> Skip | None:
    if entry.kind is EntryKind.SYMLINK:
        return Skip(entry.path, SkipReason.SYMLINK, "It is a symbolic link; links are not followed.", entry.oid)
    if entry.kind is EntryKind.SUBMODULE:
        detail = "It is a submodule. Connect the other repository by itself to import its files."
        return Skip(entry.path, SkipReason.SUBMODULE, detail, entry.oid)
    if entry.size is not None and entry.size > max_bytes:
        return _too_large(entry, max_bytes)
    return None


def _too_large(entry: Entry, max_bytes: int) -> Skip:
    return Skip(entry.path, SkipReason.TOO_LARGE, f"It is larger than {max_bytes:,} bytes.", entry.oid)


# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: `version` first, other keys in order, under 1,024 bytes.
_LFS_POINTER = re.compile(
    rb"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v\d\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:[0-9a-f]{64}\nsize \d+\n?\Z"
)


def check_bytes(entry: Entry, data: bytes, *, max_bytes: int) -> str | Skip:
    """A file's text, or why it is none.

    The text is the bytes and nothing else: `text.encode() == data`. A byte order mark stays (U+FEFF) and so do line
    ends, because the blob id that the next diff compares is that of the bytes.

    git calls a file binary that has a NUL among its first 8,000 bytes; here a NUL anywhere counts, for PostgreSQL's
    text holds none.
    """
    if len(data) > max_bytes:
        return _too_large(entry, max_bytes)
    if len(data) < 1024 and _LFS_POINTER.match(data):
        detail = "It is a Git LFS pointer; the file itself is stored outside the repository."
        return Skip(entry.path, SkipReason.LFS_POINTER, detail, entry.oid)
    if b"\0" in data:
        return Skip(entry.path, SkipReason.BINARY, "It is a binary file: it holds a NUL byte.", entry.oid)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"Byte {error.start + 1:,} is not UTF-8. Save the file as UTF-8 to import it."
        return Skip(entry.path, SkipReason.NOT_UTF8, detail, entry.oid)
