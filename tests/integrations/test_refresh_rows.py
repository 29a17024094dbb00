"""Refresh: whose rows are whose, what is kept, what a person took over, and what an edit does to them."""

from __future__ import annotations

import pytest
from django.db import connection as database

from catalog.models import Content, Server
from integrations.models import ImportedFile
from jobs.models import Status
from tests import factories
from tests.integrations.conftest import Connect, changes
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


def test_keep_marks_what_vanished_and_a_later_prune_at_the_same_commit_removes_it(
    connect: Connect, book: HostedRepository
) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/05.md": None})

    kept = connection.refresh(prune=False)

    assert changes(kept) == {("stale", "chapters/05.md")}
    content = Content.objects.get(path="chapters/05.md")
    assert content.provenance["stale_since"]
    assert connection.track.stale_files == 1

    pruned = connection.refresh(prune=True)

    assert changes(pruned) == {("removed", "chapters/05.md")}
    assert "chapters/05.md" not in connection.paths()
    assert connection.track.stale_files == 0


def test_a_kept_file_that_comes_back_is_no_longer_stale(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/05.md": None, "chapters/06.md": None})
    connection.refresh(prune=False)
    book.git.commit({"chapters/05.md": "# Chapter 5\n", "chapters/06.md": "# Another chapter 6\n"})

    run = connection.refresh(prune=False)

    assert changes(run) == {("revived", "chapters/05.md"), ("changed", "chapters/06.md")}
    assert not ImportedFile.objects.exclude(stale_since=None).exists()
    assert not any("stale_since" in content.provenance for content in Content.objects.all())


def test_typed_content_in_the_way_is_kept_and_the_file_is_skipped_until_it_is_gone(
    connect: Connect, book: HostedRepository, docs: Server
) -> None:
    typed = factories.content(docs, "chapters/01.md", "Mine\n")
    connection = connect(book)

    run = connection.refresh()

    assert run.counts["added"] == 11
    assert connection.texts()["chapters/01.md"] == "Mine\n"
    assert connection.track.skipped_files.get().reason == "path_clash"

    typed.delete()
    connection.refresh()

    assert connection.texts()["chapters/01.md"] == "# Chapter 1\n"


def test_a_kept_file_does_not_keep_its_successors_from_being_refreshed(
    connect: Connect, book: HostedRepository
) -> None:
    book.git.commit({"plan": "one file\n"})
    connection = connect(book)
    connection.refresh()
    book.git.commit({"plan": None, "plan/a.md": "a folder now\n"})
    connection.refresh(prune=False)
    book.git.commit({"plan/a.md": "and changed\n"})

    run = connection.refresh(prune=False)

    assert run.status == Status.SUCCEEDED
    assert connection.texts()["plan/a.md"] == "and changed\n"


@pytest.mark.parametrize("typed", ["chapters", "chapters/01.md/notes.md"])
def test_a_file_is_never_put_where_a_folder_is_nor_a_folder_where_a_file_is(
    connect: Connect, book: HostedRepository, docs: Server, typed: str
) -> None:
    factories.content(docs, typed, "Mine\n")
    connection = connect(book)

    connection.refresh()

    clashing = set(connection.track.skipped_files.values_list("path", "reason"))
    assert ("chapters/01.md", "path_clash") in clashing
    assert len(clashing) == (12 if typed == "chapters" else 1)
    assert connection.texts()[typed] == "Mine\n"


def test_two_integrations_on_one_server_never_touch_each_others_rows(
    connect: Connect, book: HostedRepository, forge: Forge
) -> None:
    other = forge.repository("acme/other")
    other.git.commit({"chapters/01.md": "Theirs\n", "other.md": "Theirs too\n"})
    first, second = connect(book), connect(other)
    first.refresh()

    second.refresh()

    assert first.texts()["chapters/01.md"] == "# Chapter 1\n"
    assert second.track.skipped_files.get().path == "chapters/01.md"
    other.git.commit({"other.md": None, "chapters/01.md": None, "left.md": "x"})
    second.refresh()
    assert first.texts().keys() == {*book.git.files(), "left.md"}


def test_a_deleted_row_is_brought_back_although_the_commit_is_the_same(
    connect: Connect, book: HostedRepository
) -> None:
    connection = connect(book)
    connection.refresh()
    Content.objects.get(path="chapters/07.md").delete()

    run = connection.refresh()

    assert changes(run) == {("added", "chapters/07.md")}


def test_a_detached_file_is_passed_over_until_its_content_is_deleted(connect: Connect, book: HostedRepository) -> None:
    from catalog import contents

    connection = connect(book)
    connection.refresh()
    content = Content.objects.select_related("server__organization").get(path="chapters/07.md")
    contents.detach_content(content=content, by=connection.by)
    book.git.commit({"chapters/07.md": "# Chapter 7, upstream\n"})

    run = connection.refresh()

    assert connection.texts()["chapters/07.md"] == "# Chapter 7\n"
    assert changes(run) == set()
    assert connection.track.skipped_files.get().reason == "detached"

    Content.objects.get(path="chapters/07.md").delete()
    connection.refresh()

    assert connection.texts()["chapters/07.md"] == "# Chapter 7, upstream\n"
    assert not connection.track.skipped_files.exists()


def test_a_detached_file_that_git_deleted_does_not_make_an_unchanged_repository_cost_more(
    connect: Connect, book: HostedRepository, forge: Forge
) -> None:
    from catalog import contents

    connection = connect(book)
    connection.refresh()
    content = Content.objects.select_related("server__organization").get(path="chapters/07.md")
    contents.detach_content(content=content, by=connection.by)
    book.git.commit({"chapters/07.md": None})
    connection.refresh()
    forge.requests.clear()

    connection.refresh()

    assert forge.requests.count() == 1
    assert connection.texts()["chapters/07.md"] == "# Chapter 7\n"


def test_a_kept_file_that_comes_back_comes_to_the_new_mount_path(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/05.md": None})
    connection.refresh(prune=False)
    track = connection.track
    track.mount_path = "book"
    track.save()
    book.git.commit({"chapters/05.md": "# Chapter 5\n"})

    connection.refresh(prune=False)

    assert connection.paths() == [f"book/{path}" for path in sorted(book.git.files())]
    assert connection.track.stale_files == 0


def test_a_text_that_becomes_binary_goes_like_one_that_was_deleted(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/08.md": b"\0\1\2"})

    run = connection.refresh(prune=True)

    assert changes(run) == {("removed", "chapters/08.md")}
    assert connection.track.skipped_files.get().reason == "binary"


def test_a_newly_excluded_path_goes_with_the_next_prune(connect: Connect, book: HostedRepository) -> None:
    book.git.commit({"drafts/a.md": "a", "drafts/b.md": "b"})
    connection = connect(book)
    connection.refresh()
    track = connection.track
    track.exclude = "drafts/"
    track.save()

    run = connection.refresh(prune=True)

    assert changes(run) == {("removed", "drafts/a.md"), ("removed", "drafts/b.md")}


@pytest.mark.django_db(transaction=True)
def test_an_edit_during_a_refresh_is_what_the_refresh_ends_with(
    connect: Connect, book: HostedRepository, forge: Forge
) -> None:
    connection = connect(book)

    def edit() -> None:
        track = connection.track
        track.exclude, track.mount_path = "chapters/0*", "book"
        track.save()
        database.close()  # the forge's thread has one of its own

    with forge.fault(faults.first(edit), on="GET */git/trees/*", times=1):
        run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert connection.paths() == [f"book/chapters/{n}.md" for n in (10, 11, 12)]


def test_a_new_mount_path_moves_the_files_without_fetching_them(
    connect: Connect, book: HostedRepository, forge: Forge
) -> None:
    connection = connect(book)
    connection.refresh()
    ids = set(Content.objects.values_list("pk", flat=True))
    track = connection.track
    track.mount_path = "library/book"
    track.save()
    forge.requests.clear()

    run = connection.refresh()

    assert connection.paths() == [f"library/book/{path}" for path in sorted(book.git.files())]
    assert set(Content.objects.values_list("pk", flat=True)) == ids
    assert run.counts["moved"] == 12
    assert forge.requests.count() == 2
