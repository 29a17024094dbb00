"""Uploads: the good files are kept, each other one is refused with its own reason."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Origin, Server
from catalog.uploads import Uploaded, upload_contents
from orgs.models import AuditEvent, User
from tests import factories


def upload(server: Server, by: User, *files: tuple[str, bytes], folder: str = "", replace: bool = False) -> Uploaded:
    return upload_contents(server=server, files=files, folder=folder, replace=replace, by=by)


def test_uploaded_files_become_content_of_their_folder(docs: Server, bob: User) -> None:
    uploaded = upload(docs, bob, ("a.md", b"# A"), ("b.md", "ü".encode()), folder="guides/")
    assert uploaded.added == ["guides/a.md", "guides/b.md"]
    assert list(docs.contents.values_list("path", "origin", "blob__text")) == [
        ("guides/a.md", Origin.UPLOADED, "# A"),
        ("guides/b.md", Origin.UPLOADED, "ü"),
    ]
    docs.refresh_from_db()
    assert docs.content_revision == 1
    assert AuditEvent.objects.get().action == "content.uploaded"


def test_each_bad_file_is_refused_with_its_reason_and_the_good_ones_are_kept(
    docs: Server, bob: User, settings: Any
) -> None:
    settings.CONTENT_MAX_FILE_BYTES = 100
    uploaded = upload(
        docs,
        bob,
        ("logo.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("latin.txt", b"caf\xe9"),
        ("large.txt", b"x" * 101),
        ("..", b"x"),
        ("good.md", b"good"),
        ("good.md", b"again"),
    )
    assert uploaded.added == ["good.md"]
    assert docs.contents.get().blob.text == "good"
    assert "binary" in uploaded.refused["logo.png"]
    assert "not UTF-8: byte 4" in uploaded.refused["latin.txt"]
    assert "at most" in uploaded.refused["large.txt"]
    assert "folder" in uploaded.refused[".."]
    assert "same path" in uploaded.refused["good.md"]


def test_a_file_that_exists_is_replaced_only_when_asked(docs: Server, bob: User) -> None:
    factories.content(docs, "a.md", "old")
    assert "Replace files" in upload(docs, bob, ("a.md", b"new")).refused["a.md"]
    assert upload(docs, bob, ("a.md", b"new"), replace=True).replaced == ["a.md"]
    assert docs.contents.get().blob.text == "new"


def test_an_imported_file_is_never_replaced(docs: Server, bob: User) -> None:
    factories.content(docs, "a.md", "theirs", origin=Origin.IMPORTED)
    assert "read-only" in upload(docs, bob, ("a.md", b"mine"), replace=True).refused["a.md"]
    assert docs.contents.get().blob.text == "theirs"


def test_the_same_file_again_changes_nothing(docs: Server, bob: User) -> None:
    factories.content(docs, "a.md", "same")
    assert upload(docs, bob, ("a.md", b"same")).unchanged == ["a.md"]
    docs.refresh_from_db()
    assert docs.content_revision == 0


@pytest.mark.parametrize("files", [[("a", b"1"), ("a/b", b"2")], [("a/b", b"2"), ("a", b"1")]])
def test_of_two_uploads_that_clash_the_first_is_kept(docs: Server, bob: User, files: list[tuple[str, bytes]]) -> None:
    uploaded = upload(docs, bob, *files)
    assert uploaded.added == [files[0][0]]
    assert list(uploaded.refused) == [files[1][0]]


def test_a_mark_of_the_byte_order_is_kept_as_it_came(docs: Server, bob: User) -> None:
    upload(docs, bob, ("a.md", b"\xef\xbb\xbfx"))
    assert docs.contents.get().blob.text == "\ufeffx"
