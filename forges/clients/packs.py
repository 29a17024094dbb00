"""Looking through a pack before it is unpacked, so that a bomb is found without being set off.

Whoever unpacks an object trusts the length that it claims. Here each is inflated piece by piece and thrown away, and
what it claims is counted; for a delta, what it makes of its base. https://git-scm.com/docs/gitformat-pack
"""

from __future__ import annotations

import bisect
import mmap
import struct
import zlib
from array import array
from typing import BinaryIO

from forges.clients.errors import TooLarge, Unavailable

_OFS_DELTA, _REF_DELTA = 6, 7
_FIRST, _CHUNK = 4 << 10, 64 << 10


class PackSizes:
    """The unpacked length of each object by its offset in the pack; sixteen bytes an object."""

    def __init__(self) -> None:
        self._offsets = array("Q")
        self._sizes = array("Q")

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, offset: int, size: int) -> None:
        self._offsets.append(offset)
        self._sizes.append(size)

    def at(self, offset: int) -> int:
        index = bisect.bisect_left(self._offsets, offset)
        if index == len(self._offsets) or self._offsets[index] != offset:
            raise KeyError(offset)
        return self._sizes[index]


def scan_pack(file: BinaryIO, *, max_object_bytes: int, max_bytes: int) -> PackSizes:
    """Check a pack of format version 2 from its first byte to its last object; the file's position does not matter.

    TooLarge when an object unpacks to more than `max_object_bytes` or all of them to more than `max_bytes`;
    Unavailable when the pack is damaged or ends early.
    """
    sizes = PackSizes()
    total = 0
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pack:
            magic, version, count = struct.unpack(">4sLL", pack[:12])
            if magic != b"PACK" or version not in (2, 3):
                raise Unavailable("The server sent something else than a git pack.")
            position = 12
            for _ in range(count):
                start = position
                position, size = _scan_object(pack, position, max_object_bytes)
                total += size
                if total > max_bytes:
                    raise TooLarge("The repository unpacks to more than the limit for it.")
                sizes.add(start, size)
    except (zlib.error, IndexError, ValueError, struct.error) as error:
        raise Unavailable("The pack is damaged. It may have been cut on the way.") from error
    return sizes


def _scan_object(pack: mmap.mmap, position: int, limit: int) -> tuple[int, int]:
    """(position after the object, bytes it unpacks to)."""
    byte = pack[position]
    position += 1
    kind, claimed, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte = pack[position]
        position += 1
        claimed |= (byte & 0x7F) << shift
        shift += 7
    if kind == _REF_DELTA:
        position += 20
    elif kind == _OFS_DELTA:
        while pack[position] & 0x80:
            position += 1
        position += 1
    if claimed > limit:
        raise _too_large(limit)
    position, beginning = _inflate(pack, position, claimed)
    if kind not in (_REF_DELTA, _OFS_DELTA):
        return position, claimed
    result = _delta_result(beginning)
    if result > limit:
        raise _too_large(limit)
    return position, result


def _inflate(pack: mmap.mmap, position: int, claimed: int) -> tuple[int, bytes]:
    """(position after the stream, its first bytes). ValueError if it is not as long as it claims."""
    inflate = zlib.decompressobj()
    length = 0
    beginning = b""
    step = _FIRST
    while not inflate.eof:
        chunk = pack[position : position + step]
        if not chunk:
            raise ValueError("the stream has no end")
        position += len(chunk)
        step = _CHUNK
        while True:
            data = inflate.decompress(chunk, _CHUNK)
            length += len(data)
            if length > claimed:
                raise ValueError("an object is longer than it claims")
            if len(beginning) < 20:
                beginning += data[:20]
            chunk = inflate.unconsumed_tail
            if inflate.eof or not chunk:  # at the end the tail still holds what lies behind it
                break
    if length != claimed:
        raise ValueError("an object is shorter than it claims")
    return position - len(inflate.unused_data), beginning


def _delta_result(beginning: bytes) -> int:
    """A delta begins with two lengths: that of its base, and that of what it makes."""
    position = 0
    size = 0
    for _ in range(2):
        size, shift = 0, 0
        while True:
            byte = beginning[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
    return size


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The repository holds a file of more than {limit:,} bytes, and its server cannot leave it out.")
