"""Refresh: what comes in, what is left alone, and what it costs."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from catalog.models import Content, Origin, Server
from integrations.models import FileChange
from integrations.refreshing import request_refresh
from jobs.models import Status
from orgs.models import Membership, User
from tests.integrations.conftest import Connect, changes
from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import GitRepo
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


def test_the_first_refresh_brings_every_text_and_tells_why_the_rest_was_left_out(
    connect: Connect, github_repo: HostedRepository
) -> None:
    github_repo.git.commit({"huge.csv": b"1,2,3\n" * 200_000})
    connection = connect(github_repo)

    run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert {path: text.encode() for path, text in connection.texts().items()} == {
        path: github_repo.git.blob(oid)
        for path, oid in github_repo.git.files().items()
        if path in ("README.md", "empty.txt", "crlf.txt", "bom.txt") or path.startswith("docs/")
    }
    assert dict(connection.track.skipped_files.values_list("path", "reason")) == {
        "huge.csv": "too_large",
        "latin1.txt": "not_utf8",
        "link.md": "symlink",
        "logo.png": "binary",
        "vendor/library": "submodule",
        "video.mp4": "lfs_pointer",
    }
    assert (run.counts["added"], run.counts["skipped"]) == (7, 6)


def test_an_imported_file_tells_where_it_came_from(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()

    content = Content.objects.get(path="chapters/01.md")

    assert content.origin == Origin.IMPORTED
    assert content.provenance["repository"] == "acme/book"
    assert content.provenance["branch"] == "main"
    assert content.provenance["commit"] == book.git.tip("main")
    assert content.provenance["oid"] == book.git.files()["chapters/01.md"]
    assert content.provenance["url"].endswith(f"/acme/book/blob/{book.git.tip('main')}/chapters/01.md")


def test_an_unchanged_repository_costs_one_request_and_writes_nothing(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    before = list(Content.objects.order_by("pk").values())
    revision = connection.server.content_revision
    connection.forge.requests.clear()

    run = connection.refresh()

    assert connection.forge.requests.count() == 1
    assert run.counts == {"unchanged": 12, "skipped": 0}
    assert list(Content.objects.order_by("pk").values()) == before
    assert connection.server.content_revision == revision


def test_the_first_import_costs_the_same_number_of_requests_however_many_files_there_are(
    connect: Connect, forge: Forge
) -> None:
    spent = []
    for count in (200, 1000):
        repository = forge.repository(f"acme/files-{count}")
        repository.git.commit(samples.many(count))
        connection = connect(repository, mount_path=str(count))
        forge.requests.clear()
        assert connection.refresh().counts["added"] == count
        spent.append(forge.requests.count())
    assert spent[0] == spent[1] <= 4


def test_a_few_changed_files_come_in_one_batch_and_not_as_an_archive(connect: Connect, forge: Forge) -> None:
    repository = forge.repository("acme/many")
    repository.git.commit(samples.many(300))
    connection = connect(repository)
    connection.refresh()
    some = dict(list(samples.many(300).items())[:3])
    repository.git.commit({path: f"{path} anew\n" for path in some})
    forge.requests.clear()

    run = connection.refresh()

    assert run.counts["changed"] == 3
    assert forge.requests.count() == 3, "head, tree, one batch"
    assert forge.requests.count("GET */tarball/*") == 0
    assert {connection.texts()[path] for path in some} == {f"{path} anew\n" for path in some}


def test_what_was_added_changed_moved_and_removed_is_told_apart(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    moved = Content.objects.get(path="chapters/02.md")
    book.git.commit(
        {
            "chapters/01.md": "# Chapter 1, revised\n",
            "chapters/03.md": None,
            "chapters/13.md": "# Chapter 13\n",
        }
    )
    book.git.move("chapters/02.md", "appendix/two.md")

    run = connection.refresh()

    assert changes(run) == {
        ("changed", "chapters/01.md"),
        ("moved", "appendix/two.md"),
        ("removed", "chapters/03.md"),
        ("added", "chapters/13.md"),
    }
    assert set(connection.paths()) == set(book.git.files())
    assert connection.texts()["chapters/01.md"] == "# Chapter 1, revised\n"
    moved.refresh_from_db()
    assert moved.path == "appendix/two.md", "a move keeps the row, and so whatever points to it"
    change = FileChange.objects.get(run=run, action="changed")
    assert (change.before.text, change.after.text) == ("# Chapter 1\n", "# Chapter 1, revised\n")  # type: ignore[union-attr]


def test_two_files_that_changed_places_are_both_moved(connect: Connect, book: HostedRepository) -> None:
    connection = connect(book)
    connection.refresh()
    # A ring of three, so that no order of single renames could do it.
    texts = {n: f"# Chapter {n}\n" for n in (1, 2, 3)}
    book.git.commit({"chapters/01.md": texts[2], "chapters/02.md": texts[3], "chapters/03.md": texts[1]})
    book.git.commit({"chapters/04.md": None, "chapters/x4.md": "# Chapter 4\n"})
    connection.refresh()

    assert connection.texts()["chapters/01.md"] == texts[2]
    assert connection.texts()["chapters/03.md"] == texts[1]
    assert set(connection.paths()) == set(book.git.files())


def test_a_binary_file_is_not_fetched_again_while_it_stays_the_same(
    connect: Connect, book: HostedRepository, forge: Forge
) -> None:
    book.git.commit({"picture.png": b"\x89PNG\0\0"})
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/01.md": None})
    forge.requests.clear()

    connection.refresh()

    assert forge.requests.count() == 2, "head and tree: nothing is to be fetched"
    assert connection.track.skipped_files.get().path == "picture.png"


def test_twenty_files_are_refreshed_within_the_request_and_more_are_queued(
    connect: Connect, forge: Forge, alice: User
) -> None:
    membership = Membership.objects.get(user=alice)
    repository = forge.repository("acme/growing")
    repository.git.commit(samples.many(20))
    connection = connect(repository)

    small = request_refresh(connection.integration, prune=True, membership=membership)

    assert small.status == Status.SUCCEEDED
    assert len(connection.paths()) == 20

    repository.git.commit({f"new/{n}.md": f"{n}\n" for n in range(21)})
    large = request_refresh(connection.integration, prune=True, membership=membership)

    assert large.status == Status.QUEUED
    assert large.enqueued_at is not None
    assert len(connection.paths()) == 20


def test_pruning_needs_the_right_to_delete(connect: Connect, book: HostedRepository, bob: User) -> None:
    connection = connect(book)
    membership = Membership.objects.get(user=bob)

    with pytest.raises(PermissionDenied, match=r"contents\.can_delete"):
        request_refresh(connection.integration, prune=True, membership=membership)
    assert request_refresh(connection.integration, prune=False, membership=membership).status == Status.SUCCEEDED


def test_the_right_to_delete_is_asked_again_when_the_run_runs(
    connect: Connect, book: HostedRepository, adam: User
) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"chapters/01.md": None})
    Membership.objects.filter(user=adam).update(denied=["contents.can_delete"])

    run = connection.refresh(prune=True, by=adam)

    assert (run.status, run.error_code) == (Status.FAILED, "not_allowed")
    assert "chapters/01.md" in connection.paths()


def test_a_copy_of_a_file_that_is_here_is_not_fetched(connect: Connect, book: HostedRepository, forge: Forge) -> None:
    connection = connect(book)
    connection.refresh()
    book.git.commit({"copy.md": "# Chapter 1\n"})
    forge.requests.clear()

    connection.refresh()

    assert connection.texts()["copy.md"] == "# Chapter 1\n"
    assert forge.requests.count() == 2


def test_a_plain_git_folder_refreshes_like_any_other(
    git_repo: GitRepo, docs: Server, alice: User, settings: Settings
) -> None:
    from integrations import connecting, probing
    from integrations.probing import Entered
    from tests.integrations.conftest import Connection

    settings.FORGE_LOCAL_ROOTS = [str(git_repo.path.parent)]
    git_repo.commit({"a.md": "a\n", "b.md": "b\n"})
    form = Entered(forge="git", repository=str(git_repo.path))
    made = connecting.connect(docs, form, probing.probe(form), by=alice)
    connection = Connection(None, None, made.integration, alice)  # type: ignore[arg-type]
    connection.refresh()
    git_repo.commit({"a.md": "A\n", "b.md": None, "c.md": "c\n"})

    run = connection.refresh()

    assert changes(run) == {("changed", "a.md"), ("removed", "b.md"), ("added", "c.md")}
    assert connection.texts() == {"a.md": "A\n", "c.md": "c\n"}
