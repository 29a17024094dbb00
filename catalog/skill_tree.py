"""How the files of a skill are shown: as a tree, each with what kind of file it is. Plain Python, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_RASTER = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_LONGEST_ENDING = 8


@dataclass(frozen=True)
class Leaf:
    name: str
    path: str
    size: int
    """Bytes."""


@dataclass
class Branch:
    """A folder; the top has no name."""

    name: str = ""
    path: str = ""
    branches: list[Branch] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    files: int = 0
    """In it and everywhere below."""


def tree_of(files: Iterable[tuple[str, int]]) -> Branch:
    """The folders out of `(path, bytes)`: folders before files, both by name."""
    top = Branch()
    folders = {"": top}
    for path, size in sorted(files):
        *above, name = path.split("/")
        here = top
        top.files += 1
        for depth, folder in enumerate(above):
            at = "/".join(above[: depth + 1])
            if at not in folders:
                folders[at] = Branch(folder, at)
                here.branches.append(folders[at])
            here = folders[at]
            here.files += 1
        here.leaves.append(Leaf(name, path, size))
    return top


def text_of(data: bytes) -> str | None:
    """A file as text; None for one that is none: not UTF-8, or with NUL in it."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def raster_of(data: bytes) -> str:
    """The type of an image that holds points and nothing that runs, by its first bytes and not by its name; else ""."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in _RASTER.items() if data.startswith(beginning)), "")


def type_of(path: str, data: bytes) -> str:
    """What kind of file it is, for people."""
    if raster := raster_of(data):
        return f"{raster.partition('/')[2].upper()} image"
    _, dot, ending = path.rpartition("/")[2].rpartition(".")
    known = ending.upper() if dot and ending.isalnum() and len(ending) <= _LONGEST_ENDING else ""
    if text_of(data) is not None:
        return f"{known} text" if known else "Text"
    return f"{known}, binary" if known else "Binary"


def with_line_ends_of(former: str, text: str) -> str:
    """A text that was edited in a page, where line ends are those of Unix, with those that the file had throughout."""
    windows = former.count("\r\n")
    return text.replace("\n", "\r\n") if windows and windows == former.count("\n") else text
