"""Reading a .tar.gz as it arrives: one file in memory at a time, and a bomb is stopped on the way."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NoReturn

import requests

from forges.clients.base import Limits
from forges.clients.errors import TooLarge, Unavailable
from lib import egress

_CHUNK = 256 << 10
_MAX_HEADER = 64 << 10
"""A longer name or comment than this in an archive is no file name but an attempt to fill the memory."""
_MAX_GLOBALS = 100
"""git writes one, the commit; more than these are kept for nothing but to fill the memory."""


class _Member(tarfile.TarInfo):
    """Refuses headers that tarfile would read into memory whole, whatever length they claim, or gather without end."""

    _HEADERS = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}) | {
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in self._HEADERS and self.size > _MAX_HEADER:
            raise TooLarge("The archive holds a file name that is too long to be one.")
        if self.type == tarfile.XGLTYPE and len(archive.pax_headers) > _MAX_GLOBALS:
            raise TooLarge("The archive holds more headers than any archive of a repository.")
        return super()._proc_member(archive)  # type: ignore[misc]  # no public method sees a header before its body

    def _refuse_sparse(self, *_: Any) -> NoReturn:
        """git writes no sparse files; the map of their holes would be read whole, at some fifty bytes for each two."""
        raise Unavailable("The archive holds a sparse file, which no archive of a repository does.")

    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class _Inflated(io.RawIOBase):
    """The decompressed stream, counted: `max_bytes` is its whole length, whatever the compressed one is."""

    def __init__(self, chunks: Iterable[bytes], max_bytes: int) -> None:
        self._chunks = iter(chunks)
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._waiting = b""
        self._left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._inflate.eof:
            if not self._waiting:
                self._waiting = next(self._chunks, b"")
                if not self._waiting:
                    raise Unavailable("The archive ended before it was complete.")
            data = self._inflate.decompress(self._waiting, len(buffer))
            self._waiting = self._inflate.unconsumed_tail
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge("The archive unpacks to more than the limit for it.")
        buffer[: len(data)] = data
        return len(data)

    def drain(self) -> None:
        """To the end: its checksum is the proof that nothing was cut off."""
        while self.read(_CHUNK):
            pass


def files_in(
    response: requests.Response,
    *,
    limits: Limits,
    waiting: Callable[[], AbstractContextManager[None]],
    on_link: Callable[[str, bytes], None] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """`untar` for an archive as a forge sends it; `waiting` is the client's, around whatever the network can stop."""
    return untar(
        _each(egress.iter_body(response, max_bytes=limits.max_archive_bytes), waiting),
        max_bytes=limits.max_archive_bytes,
        max_blob_bytes=limits.max_blob_bytes,
        on_link=on_link,
    )


def _each(chunks: Iterable[bytes], waiting: Callable[[], AbstractContextManager[None]]) -> Iterator[bytes]:
    with waiting():
        yield from chunks


def untar(
    chunks: Iterable[bytes],
    *,
    max_bytes: int,
    max_blob_bytes: int,
    on_link: Callable[[str, bytes], None] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the regular files in a .tar.gz that holds everything in one top folder, which is cut off.

    Files over `max_blob_bytes` are left out; `on_link` is told of symbolic links, path and target. TooLarge as soon as
    more than `max_bytes` are unpacked; Unavailable when the archive is damaged or ends early.
    """
    stream = _Inflated(chunks, max_bytes)
    try:
        with tarfile.open(
            fileobj=io.BufferedReader(stream, _CHUNK),
            mode="r|",
            bufsize=_CHUNK,
            tarinfo=_Member,
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # else every header stays in memory
                path = member.name.partition("/")[2]
                if member.issym() and on_link is not None:
                    on_link(path, member.linkname.encode("utf-8", "surrogateescape"))
                if not member.isreg() or member.size > max_blob_bytes:
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    yield path, content.read()
        stream.drain()
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise Unavailable("The archive is damaged. It may have been cut on the way.") from error
