"""Archives made to harm who unpacks them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tests.wire.faults.arming import Fault, instead
from tests.wire.messages import Headers, Reply


def archive_bomb(*, megabytes: int | None = None, path: str = "bomb-0000000/big.md") -> Fault:
    """A tar.gz of one file of zeros that unpacks to so many megabytes (None: no end) at a thousandth of that sent."""

    def zeros() -> Iterator[bytes]:
        packer = zlib.compressobj(9, wbits=31)
        size = (megabytes or 7_000) << 20
        head = packer.compress(_tar_header(path, size))
        yield head
        block = bytes(1 << 20)
        sent = 0
        while megabytes is None or sent < megabytes:
            if piece := packer.compress(block):
                yield piece
            sent += 1
        yield packer.compress(bytes(1024)) + packer.flush()

    return instead(lambda: Reply(200, zeros(), Headers([("Content-Type", "application/x-gzip")])))


def hostile_archive(*names: str, prefix: str = "hostile-0000000/") -> Fault:
    """A tar.gz whose members have exactly these names (after the prefix), with the text `hostile`."""

    def members() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31)
        for name in names:
            yield packer.compress(_tar_header(prefix + name, 8) + b"hostile\n".ljust(512, b"\0"))
        yield packer.compress(bytes(1024)) + packer.flush()

    return instead(lambda: Reply(200, members(), Headers([("Content-Type", "application/x-gzip")])))


def _tar_header(path: str, size: int) -> bytes:
    name = path.encode("utf-8", "surrogateescape")[:100]
    fields = [
        name.ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0" * 2,
        b"%011o\0" % size,
        b"%011o\0" % 1_767_225_600,
        b" " * 8,
        b"0",
        bytes(100),
        b"ustar\x0000",
        bytes(247),
    ]
    header = b"".join(fields)[:512].ljust(512, b"\0")
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]
