"""Slugs of what an organisation keeps: also the names of files and folders in git. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from catalog.checking.names import BadText

LONGEST = 63
PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"
RULE = "small letters, digits and single hyphens between them: pdf-forms"
"""What the pattern says, for people."""
OF_PAGES = frozenset({"import", "new"})
"""What no server can be called: the addresses of pages beside the servers'."""
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: also with any extension behind.
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def check_slug(text: str) -> str:
    """A slug that each disk takes as a file's name. Raises BadText."""
    if not re.fullmatch(PATTERN, text):
        raise BadText(f"A slug has {RULE}.")
    if len(text) > LONGEST:
        raise BadText(f"A slug has {LONGEST} characters at most; this has {len(text):,}.")
    if _DEVICES.fullmatch(text):
        raise BadText(f"“{text}” is a device on Windows, where no file can be called so. Choose another slug.")
    return text


def slug_of(name: str, otherwise: str, taken: Collection[str] = ()) -> str:
    """A slug made of a name, with a number behind it where it is taken; of `otherwise` where the name has nothing of
    which one can be made."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain)[: LONGEST - 7].strip("-") or otherwise
    slug, number = base, 2
    while slug in taken or _DEVICES.fullmatch(slug):
        slug, number = f"{base}-{number}", number + 1
    return slug
