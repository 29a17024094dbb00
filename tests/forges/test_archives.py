"""An archive is read as it comes, and what is not one does no harm."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forges.clients.archives import untar
from forges.clients.errors import ForgeError, TooLarge, Unavailable

LONG = "folder/" * 40 + "page.md"


def pack(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form, pax_headers={"comment": "1" * 40}) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"top-1234567/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read(
    packed: bytes, *, chunk: int = 1000, max_bytes: int = 10 << 20, max_blob_bytes: int = 1 << 20
) -> dict[str, bytes]:
    pieces: Iterator[bytes] = (packed[start : start + chunk] for start in range(0, len(packed), chunk))
    return dict(untar(pieces, max_bytes=10 << 20, max_blob_bytes=max_blob_bytes))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_files_come_as_they_are_without_the_top_folder(form: int, chunk: int) -> None:
    files = {"a.md": b"a", "empty": b"", LONG: b"long", "ünïcode.md": b"u" * 5000}
    assert read(pack(files, form), chunk=chunk) == files


def test_only_regular_files_come() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo(f"top/{kind.decode()}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert read(buffer.getvalue()) == {}


def test_a_file_over_the_limit_is_left_out_and_the_rest_comes() -> None:
    assert read(pack({"a": b"a" * 101, "b": b"b" * 100}), max_blob_bytes=100) == {"b": b"b" * 100}


def test_what_unpacks_to_too_much_stops_on_the_way() -> None:
    bomb = pack({"a": bytes(30 << 20)})
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


def test_a_name_that_would_fill_the_memory_is_refused_before_it_is_read() -> None:
    for header in (
        tarfile.TarInfo.create_pax_global_header({"comment": "x" * 200_000}),
        tarfile.TarInfo("x" * 200_000).tobuf(tarfile.GNU_FORMAT),
    ):
        with pytest.raises(TooLarge, match="too long"):
            read(gzip.compress(header))


def test_a_map_of_holes_that_would_fill_the_memory_is_not_read() -> None:
    member = tarfile.TarInfo("top/a")
    member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    holes = b"500000\n" + b"0\n" * 1_000_000
    member.size = len(holes)
    packed = gzip.compress(member.tobuf(tarfile.PAX_FORMAT) + holes.ljust(-(-len(holes) // 512) * 512, b"\0"))
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable, match="sparse"):
            read(packed)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_sparse_file_of_the_older_kind_is_refused_too() -> None:
    member = tarfile.TarInfo("top/a")
    member.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(Unavailable, match="sparse"):
        read(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


def test_headers_that_are_kept_for_all_files_end_somewhere() -> None:
    kept = (tarfile.TarInfo.create_pax_global_header({f"{n}.{m}": "x" for m in range(50)}) for n in range(10))
    with pytest.raises(TooLarge, match="more headers"):
        read(gzip.compress(b"".join(kept) + bytes(1024)))


def test_headers_before_headers_without_end_are_a_damaged_archive() -> None:
    named = tarfile.TarInfo("x" * 200).tobuf(tarfile.GNU_FORMAT)[:1024]
    with pytest.raises(Unavailable):
        read(gzip.compress(named * 2000 + bytes(1024)))


@given(st.data())
def test_an_archive_that_ends_early_is_never_taken_for_a_whole_one(data: st.DataObject) -> None:
    whole = pack({f"{n}.md": b"%d" % n * 50 for n in range(20)})
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Unavailable):
        read(whole[:cut])


def test_a_cut_behind_the_last_file_is_found_too() -> None:
    # As long as what is read ahead at a time, so that nobody would come across the end by reading on.
    tar = gzip.decompress(pack({"a.md": b"a"})).ljust(5 * (256 << 10), b"\0")
    whole = gzip.compress(tar)
    assert read(whole) == {"a.md": b"a"}
    with pytest.raises(Unavailable):
        read(whole[:-8])


@given(st.binary(max_size=2000))
def test_anything_else_is_an_error_of_ours(junk: bytes) -> None:
    for packed in (junk, gzip.compress(junk), gzip.compress(junk.ljust(512, b"\0") + bytes(1024))):
        try:
            read(packed)
        except ForgeError:
            continue
