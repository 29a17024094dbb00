"""A skill's folder as a zip file, out and in. Plain Python, no database.

Zip files come from strangers. Nothing is unpacked to a disk: members are read one by one, each and all together no
further than the caps, whatever the file says of their sizes, and only those whose path a skill can have.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

from catalog.paths import BadPath, check_path, normalise_path
from catalog.portable.model import SKILL_FILE

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can tell: ours tell no other, so that the same skill is the same file."""
_STEP = 64 << 10
_ENCRYPTED = 0x1
_MEMBER = b"PK\x01\x02"
"""What each member's entry in the zip file's directory begins with (APPNOTE.TXT 4.3.12)."""
MOST_MEMBERS = 20_000
"""Also of those that are left out: opening a zip file takes memory for each."""
_LEFT_OUT = ("__MACOSX/", ".git/")
_LEFT_OUT_NAMES = (".DS_Store", "Thumbs.db")


class BadArchive(ValueError):
    """A zip file that no skill can be made of; the text is a sentence for a person."""


def pack(files: Mapping[str, bytes], out: IO[bytes]) -> None:
    """Write a zip file of {path: bytes}: the same files make the same one."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, date_time=_EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # Unix: the next line is heeded
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, files[path])


def unpack(packed: IO[bytes], *, max_file_bytes: int, max_bytes: int, max_files: int) -> tuple[str, dict[str, bytes]]:
    """The name of the folder that SKILL.md is in, "" for the top, and {path below that folder: bytes}.

    Raises BadArchive for what is no zip file, has no SKILL.md, or more than a skill can have; for links, encrypted
    members, and paths that lead elsewhere.
    """
    if _members_at_most(packed) > MOST_MEMBERS:
        raise BadArchive(f"It has more than {MOST_MEMBERS:,} members. Pack the skill’s folder alone.")
    try:
        with zipfile.ZipFile(packed) as archive:
            return _read(archive, max_file_bytes, max_bytes, max_files)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, UnicodeDecodeError) as error:
        raise BadArchive("This is no zip file that can be read. Pack the skill’s folder anew.") from error


def _members_at_most(packed: IO[bytes]) -> int:
    """How often an entry may begin: never fewer than there are, whatever the file says of their number."""
    packed.seek(0)
    count, tail = 0, b""
    while step := packed.read(_STEP):
        count += (tail + step).count(_MEMBER)
        tail = (tail + step)[1 - len(_MEMBER) :]
    return count


def _read(
    archive: zipfile.ZipFile, max_file_bytes: int, max_bytes: int, max_files: int
) -> tuple[str, dict[str, bytes]]:
    members = [each for each in archive.infolist() if not each.is_dir() and not _is_left_out(each.filename)]
    paths = {_path(each): each for each in members}
    if len(paths) < len(members):
        raise BadArchive("Two of its files have the same path. Pack the skill’s folder anew.")
    folder = _folder(paths)
    inside = {path.removeprefix(folder): member for path, member in paths.items() if path.startswith(folder)}
    if len(inside) > max_files:
        raise BadArchive(f"It has {len(inside):,} files; a skill can have {max_files:,}.")
    found: dict[str, bytes] = {}
    left = max_bytes
    for path, member in inside.items():
        found[path] = _bytes(archive, member, path, min(left, max_file_bytes), max_file_bytes, max_bytes)
        left -= len(found[path])
    return folder.rstrip("/").rpartition("/")[2], found


def _is_left_out(name: str) -> bool:
    """What operating systems put beside the files of a folder."""
    return name.startswith(_LEFT_OUT) or "/.git/" in name or name.rpartition("/")[2] in _LEFT_OUT_NAMES


def _path(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BadArchive(f"“{member.filename[:100]}” is a link. A skill holds files only: put the file itself there.")
    if member.flag_bits & _ENCRYPTED:
        raise BadArchive(f"“{member.filename[:100]}” is encrypted. Pack the skill’s folder without a password.")
    try:
        return check_path(normalise_path(member.filename))
    except BadPath as error:
        raise BadArchive(f"“{member.filename[:100]}” is no path of a skill’s file. {error}") from error


def _folder(paths: Mapping[str, zipfile.ZipInfo]) -> str:
    """The one folder with a SKILL.md, with a slash at its end."""
    above = [path.removesuffix(SKILL_FILE) for path in paths if path.rpartition("/")[2] == SKILL_FILE]
    outermost: list[str] = []
    for one in sorted(above):  # a folder stands right before what is in it
        if not outermost or not one.startswith(outermost[-1]):
            outermost.append(one)
    if not outermost:
        raise BadArchive("It has no SKILL.md. Pack the folder in which SKILL.md is.")
    if len(outermost) > 1:
        raise BadArchive("It has several skills. Upload one at a time.")
    return outermost[0]


def _bytes(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, most: int, max_file_bytes: int, max_bytes: int
) -> bytes:
    read = bytearray()
    with archive.open(member) as stream:
        while step := stream.read(_STEP):
            read += step
            if len(read) > max_file_bytes:
                raise BadArchive(f"“{path}” is larger than {max_file_bytes:,} bytes, the most of one file.")
            if len(read) > most:
                raise BadArchive(f"Its files have more than {max_bytes:,} bytes together, the most of a skill.")
    return bytes(read)
