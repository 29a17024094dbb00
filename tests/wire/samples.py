"""Content for repositories: one of each kind that a forge serves and a reader must tell apart."""

from __future__ import annotations

import random

from tests.wire.repos import File, Submodule, Symlink

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)
"""A picture of one transparent pixel."""

LATIN_1 = "Grüße aus Köln\n".encode("latin-1")
"""Text that is not UTF-8."""

NFC, NFD = "caf\u00e9.md", "cafe\u0301.md"
"""One name in both of its Unicode forms: two files for git, one for macOS."""


def lfs_pointer(size: int = 12_345_678) -> bytes:
    """What git holds in place of a file kept in Large File Storage."""
    oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


SYLLABLES = [
    a + b for a in ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru") for b in ("", "l", "n", "r", "s")
]


def markdown(title: str, *, words: int = 60) -> bytes:
    """A page of `words` words that differs by its title, and packs about as well as prose does."""
    chosen = random.Random(title).choices(SYLLABLES, k=2 * words)
    prose = [first + second for first, second in zip(chosen[::2], chosen[1::2], strict=True)]
    lines = [" ".join(prose[start : start + 12]) for start in range(0, words, 12)]
    return "\n".join([f"# {title}", "", *lines, ""]).encode()


def many(count: int, *, folder: str = "docs", per_folder: int = 100, words: int = 60) -> dict[str, File]:
    """`count` distinct Markdown files, `per_folder` to a folder."""
    return {f"{folder}/{n // per_folder:04d}/page-{n:06d}.md": markdown(f"Page {n}", words=words) for n in range(count)}


def everything() -> dict[str, File]:
    """Text in several places, and one of each thing that cannot become content."""
    return {
        "README.md": markdown("Read me"),
        "docs/guide.md": markdown("Guide"),
        "docs/naïve ünïcode.md": markdown("Unicode"),
        "docs/deep/er/still.md": markdown("Still"),
        "empty.txt": b"",
        "crlf.txt": b"one\r\ntwo\r\n",
        "bom.txt": "\ufeffwith a mark\n".encode(),
        "logo.png": PNG,
        "latin1.txt": LATIN_1,
        "video.mp4": lfs_pointer(),
        "link.md": Symlink("README.md"),
        "vendor/library": Submodule("1" * 40),
    }


def archive_altered() -> dict[str, File]:
    """A repository whose archive lacks `private/notes.md` and has another text at `version.txt` than git has."""
    return {
        ".gitattributes": "private/ export-ignore\nversion.txt export-subst\n",
        "README.md": markdown("Read me"),
        "private/notes.md": markdown("Notes"),
        "version.txt": "commit $Format:%H$\n",
    }


def clashing() -> dict[str, File]:
    """Paths that differ in case or in Unicode form alone."""
    return {
        "Docs/README.md": "upper\n",
        "docs/readme.md": "lower\n",
        f"names/{NFC}": "composed\n",
        f"names/{NFD}": "decomposed\n",
    }


def long_path(length: int = 4000) -> str:
    """A path of exactly `length` characters in folders of 200."""
    folders = ("d" * 200 + "/") * (length // 201)
    return (folders + "f" * 250)[: length - 3] + ".md"
