"""Writing, editing, renaming, detaching and deleting files of the live content."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from catalog import contents
from catalog.models import Content, Origin, Server
from orgs.models import AuditEvent, User
from tests import factories
from tests.catalog.conftest import together

News = list[dict[str, Any]]


@pytest.fixture
def imported(docs: Server) -> Content:
    provenance = {"repository": "acme/handbook", "commit": "c" * 40, "stale_since": "2026-11-01T00:00:00+00:00"}
    return factories.content(docs, "guide.md", "imported", origin=Origin.IMPORTED, provenance=provenance)


def revision(server: Server) -> int:
    return Server.objects.get(pk=server.pk).content_revision


def test_a_new_file_is_typed_content_of_who_wrote_it(docs: Server, bob: User) -> None:
    file = contents.create_content(server=docs, path=" guides/start.md ", text="Hello", by=bob)
    assert (file.path, file.blob.text, file.origin, file.updated_by) == ("guides/start.md", "Hello", "typed", bob)
    assert revision(docs) == 1
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.scope) == ("content.created", bob, str(docs.pk))


def test_two_files_cannot_have_one_path(docs: Server, bob: User) -> None:
    factories.content(docs, "a.md", "first")
    with pytest.raises(contents.PathTaken, match=r"already a file at a\.md"):
        contents.create_content(server=docs, path="a.md", text="second", by=bob)
    assert docs.contents.get().blob.text == "first"
    assert revision(docs) == 0


@pytest.mark.parametrize(("there", "new"), [("a", "a/b.md"), ("a", "a/b/c.md"), ("a/b.md", "a"), ("a/b/c.md", "a/b")])
def test_a_path_is_a_file_or_a_folder_but_never_both(docs: Server, bob: User, there: str, new: str) -> None:
    factories.content(docs, there)
    with pytest.raises(contents.PathTaken, match="folder"):
        contents.create_content(server=docs, path=new, text="", by=bob)


def test_names_that_only_begin_alike_do_not_clash(docs: Server, bob: User) -> None:
    factories.content(docs, "a-b/c.md")
    factories.content(docs, "a.md")
    contents.create_content(server=docs, path="a", text="", by=bob)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_create_the_same_file_at_once_one_is_told() -> None:
    server = factories.server(factories.organization())

    def create(text: str) -> Content:
        return contents.create_content(server=server, path="a.md", text=text, by=None)

    results = together(lambda: create("one"), lambda: create("two"))
    assert sorted(type(result).__name__ for result in results) == ["Content", "PathTaken"]
    assert server.contents.count() == revision(server) == 1


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_a_text_that_no_database_holds_is_refused(docs: Server, bob: User, text: str) -> None:
    with pytest.raises(contents.BadText):
        contents.create_content(server=docs, path="a.md", text=text, by=bob)


def test_a_text_over_the_limit_is_refused_with_the_limit(docs: Server, bob: User, settings: Any) -> None:
    settings.CONTENT_MAX_FILE_BYTES = 1024
    contents.create_content(server=docs, path="fits.md", text="x" * 1024, by=bob)
    with pytest.raises(contents.BadText, match=r"too large: a file can have 1\.0\sKB at most"):
        contents.create_content(server=docs, path="large.md", text="é" * 1024, by=bob)


def test_editing_changes_the_text_and_counts_once(docs: Server, bob: User) -> None:
    file = factories.content(docs, "a.md", "old")
    contents.edit_content(content=file, text="new", by=bob)
    file.refresh_from_db()
    assert (file.blob.text, file.updated_by, revision(docs)) == ("new", bob, 1)


def test_saving_the_same_text_changes_nothing(docs: Server, bob: User) -> None:
    file = factories.content(docs, "a.md", "same")
    contents.edit_content(content=file, text="same", by=bob)
    assert revision(docs) == 0
    assert not AuditEvent.objects.exists()


def test_an_edit_that_started_from_an_older_text_is_refused(docs: Server, alice: User, bob: User) -> None:
    file = factories.content(docs, "a.md", "first")
    seen = file.blob_id
    contents.edit_content(content=file, text="alice's", by=alice, seen_blob=seen)
    with pytest.raises(contents.Stale):
        contents.edit_content(content=file, text="bob's", by=bob, seen_blob=seen)
    file.refresh_from_db()
    assert file.blob.text == "alice's"


def test_renaming_moves_the_file(docs: Server, bob: User) -> None:
    file = factories.content(docs, "a.md", "text")
    contents.rename_content(content=file, path="guides/a.md", by=bob)
    assert list(docs.contents.values_list("path", "blob__text")) == [("guides/a.md", "text")]
    assert AuditEvent.objects.get().before == {"path": "a.md"}


def test_a_file_can_become_a_file_in_a_folder_of_its_own_name(docs: Server, bob: User) -> None:
    file = factories.content(docs, "a")
    assert contents.rename_content(content=file, path="a/a", by=bob).path == "a/a"


def test_renaming_onto_another_file_is_refused(docs: Server, bob: User) -> None:
    factories.content(docs, "b.md", "b")
    with pytest.raises(contents.PathTaken):
        contents.rename_content(content=factories.content(docs, "a.md"), path="b.md", by=bob)
    assert revision(docs) == 0


def test_imported_files_are_read_only_and_the_refusal_says_what_to_do(imported: Content, bob: User) -> None:
    with pytest.raises(contents.ReadOnly, match=r"imported from acme/handbook.*Detach and edit"):
        contents.edit_content(content=imported, text="x", by=bob)
    with pytest.raises(contents.ReadOnly):
        contents.rename_content(content=imported, path="x.md", by=bob)
    imported.refresh_from_db()
    assert (imported.path, imported.blob.text) == ("guide.md", "imported")


def test_detaching_makes_an_imported_file_ones_own_and_remembers_where_it_came_from(
    imported: Content, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Content] = []
    monkeypatch.setattr(contents, "on_detach", [told.append])
    detached = contents.detach_content(content=imported, by=bob)
    assert told == [imported]
    assert detached.origin == Origin.TYPED
    assert detached.provenance["repository"] == "acme/handbook"
    assert "detached_at" in detached.provenance
    assert not detached.is_stale
    contents.edit_content(content=detached, text="mine", by=bob)


def test_a_detachment_that_an_app_refuses_is_undone_whole(
    imported: Content, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(content: Content) -> None:
        raise RuntimeError

    monkeypatch.setattr(contents, "on_detach", [refuse])
    with pytest.raises(RuntimeError):
        contents.detach_content(content=imported, by=bob)
    imported.refresh_from_db()
    assert imported.origin == Origin.IMPORTED


def test_detaching_what_is_not_imported_does_nothing(docs: Server, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "on_detach", [pytest.fail])
    assert contents.detach_content(content=factories.content(docs), by=bob).origin == Origin.TYPED
    assert not AuditEvent.objects.exists()


def test_deleting_takes_the_files_of_this_server_alone(docs: Server, adam: User) -> None:
    here, other = factories.content(docs, "a.md"), factories.content(factories.server(docs.organization), "a.md")
    assert contents.delete_contents(server=docs, ids=[here.pk, other.pk, 0], by=adam) == 1
    assert Content.objects.get() == other
    assert revision(docs) == 1


def test_deleting_nothing_counts_as_no_change(docs: Server, adam: User) -> None:
    assert contents.delete_contents(server=docs, ids=[], by=adam) == 0
    assert revision(docs) == 0


def test_news_of_a_change_is_sent_once_it_is_committed(
    docs: Server, content_news: News, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        contents.touch(docs)
        assert content_news == []
    assert content_news == [{"server_id": docs.pk, "organization_id": docs.organization_id}]


def test_no_news_of_a_change_that_was_undone(
    docs: Server, content_news: News, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        try:
            with transaction.atomic():
                contents.touch(docs)
                raise RuntimeError
        except RuntimeError:
            pass
    assert content_news == []
    assert revision(docs) == 0
