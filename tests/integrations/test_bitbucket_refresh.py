"""Refreshing from Bitbucket, whose listings have no blob ids: the same comes in as from any forge, for as little."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from catalog.models import Content, Server
from integrations import connecting, probing
from integrations.models import ImportedFile
from integrations.probing import Entered
from jobs.models import Status
from orgs.models import User
from tests.integrations.conftest import Connection, changes
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository, uuid_of

pytestmark = pytest.mark.django_db

ConnectBitbucket = Callable[..., Connection]


@pytest.fixture
def connect_bitbucket(forge: Forge, docs: Server, alice: User) -> ConnectBitbucket:
    """Connect a repository of the local Bitbucket with an API token, or with `token` alone. Nothing is imported yet."""

    def connected(repository: HostedRepository, *, token: str = "") -> Connection:
        entered = Entered(
            forge="bitbucket",
            base_url=forge.bitbucket_url,
            repository=repository.full_name,
            username="" if token else "acme@example.org",
            token=token or forge.bitbucket_token("acme"),
        )
        made = connecting.connect(docs, entered, probing.probe(entered), by=alice)
        return Connection(forge, repository, made.integration, alice)

    return connected


def oids(connection: Connection) -> dict[str, str]:
    return dict(ImportedFile.objects.filter(track=connection.track).values_list("path", "oid"))


def test_the_first_refresh_brings_every_text_and_tells_why_the_rest_was_left_out(
    connect_bitbucket: ConnectBitbucket, github_repo: HostedRepository
) -> None:
    github_repo.git.commit({"huge.csv": b"1,2,3\n" * 200_000})
    connection = connect_bitbucket(github_repo)

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
    assert connection.integration.repository_id == uuid_of(github_repo.id)
    content = Content.objects.get(path="README.md")
    assert content.provenance["url"].endswith(f"/acme/docs/src/{github_repo.git.tip('main')}/README.md")


def test_an_unchanged_repository_costs_one_request_and_writes_nothing(
    connect_bitbucket: ConnectBitbucket, book: HostedRepository
) -> None:
    connection = connect_bitbucket(book)
    connection.refresh()
    before = list(Content.objects.order_by("pk").values())
    connection.forge.requests.clear()

    run = connection.refresh()

    assert connection.forge.requests.count() == 1
    assert run.counts == {"unchanged": 12, "skipped": 0}
    assert list(Content.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("count", [5, 60, 98])
def test_a_first_import_costs_the_head_a_page_for_a_hundred_entries_and_one_archive(
    connect_bitbucket: ConnectBitbucket, forge: Forge, count: int
) -> None:
    hosted = forge.repository("acme/many")
    hosted.git.commit({f"{n:03}.md": f"# {n}\n" for n in range(count)})
    connection = connect_bitbucket(hosted)
    connection.forge.requests.clear()

    run = connection.refresh()

    assert run.counts["added"] == count
    assert connection.forge.requests.count() == 3


def test_a_file_that_changed_is_the_only_one_that_is_written(
    connect_bitbucket: ConnectBitbucket, book: HostedRepository
) -> None:
    connection = connect_bitbucket(book)
    connection.refresh()
    book.git.commit({"chapters/03.md": "# Chapter 3, told anew\n", "chapters/13.md": "# The end\n"})
    connection.forge.requests.clear()

    run = connection.refresh()

    assert changes(run) == {("changed", "chapters/03.md"), ("added", "chapters/13.md")}
    assert connection.texts()["chapters/03.md"] == "# Chapter 3, told anew\n"
    assert oids(connection) == book.git.files()
    assert connection.forge.requests.count() == 3


def test_files_that_an_archive_leaves_out_or_alters_arrive_as_git_has_them(
    connect_bitbucket: ConnectBitbucket, forge: Forge
) -> None:
    hosted = forge.repository("acme/attributed")
    files = {
        ".gitattributes": "internal export-ignore\n*.txt export-subst\n*.bat text eol=crlf\n",
        "internal/notes.md": "Left out of archives\n",
        "version.txt": "$Format:%H$\n",
        "author.txt": "$Format:%an$",
        "run.bat": "one\ntwo\n",
        "plain.md": "$Format:%H$ stays here anyway\n",
    }
    # An archive's `author.txt` is as long as git's.
    hosted.git.commit(files, author=("A" * len("$Format:%an$"), "a@example.org"))
    connection = connect_bitbucket(hosted)

    run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert connection.texts() == files
    assert oids(connection) == hosted.git.files()
    hosted.git.commit({"plain.md": "Another commit\n"})
    assert changes(connection.refresh()) == {("changed", "plain.md")}


def test_what_vanished_is_pruned_and_what_moved_keeps_its_row(
    connect_bitbucket: ConnectBitbucket, book: HostedRepository
) -> None:
    connection = connect_bitbucket(book)
    connection.refresh()
    moving = Content.objects.get(path="chapters/02.md").pk
    text = connection.texts()["chapters/02.md"]
    book.git.commit({"chapters/01.md": None, "chapters/02.md": None, "appendix/02.md": text})

    run = connection.refresh()

    assert changes(run) == {("removed", "chapters/01.md"), ("moved", "appendix/02.md")}
    assert Content.objects.get(path="appendix/02.md").pk == moving
    assert len(connection.paths()) == 11


def test_a_listing_that_is_cut_short_brings_what_it_has_and_prunes_nothing(
    connect_bitbucket: ConnectBitbucket, forge: Forge, settings: Settings
) -> None:
    hosted = forge.repository("acme/many")
    hosted.git.commit(samples.many(150))
    connection = connect_bitbucket(hosted)
    connection.refresh()
    hosted.git.commit(dict.fromkeys(list(hosted.git.files())[:20]) | {"aa-new.md": "new\n"})
    settings.FORGE_MAX_TREE_REQUESTS = 1

    run = connection.refresh()

    assert run.status == Status.PARTIAL
    assert "aa-new.md" in connection.paths()
    assert len(connection.paths()) == 151
    settings.FORGE_MAX_TREE_REQUESTS = 200
    assert connection.refresh().status == Status.SUCCEEDED
    assert sorted(hosted.git.files()) == connection.paths()


def test_a_file_that_is_not_handed_out_this_time_keeps_what_it_had(
    connect_bitbucket: ConnectBitbucket, forge: Forge, book: HostedRepository
) -> None:
    book.git.commit({".gitattributes": "chapters/01.md export-ignore\n"})
    connection = connect_bitbucket(book)
    connection.refresh()
    book.git.commit({"chapters/02.md": "# Two\n"})

    with forge.fault(faults.status(404), on="GET */chapters/01.md"):
        run = connection.refresh()

    assert connection.texts()["chapters/01.md"] == "# Chapter 1\n"
    assert connection.texts()["chapters/02.md"] == "# Two\n"
    assert dict(connection.track.skipped_files.values_list("path", "reason")) == {"chapters/01.md": "unreadable"}
    assert run.counts["changed"] == 1
    connection.refresh()
    assert not connection.track.skipped_files.exists()


def test_an_access_token_of_a_repository_is_enough(
    connect_bitbucket: ConnectBitbucket, forge: Forge, private_repo: HostedRepository
) -> None:
    token = forge.bitbucket_token("acme", kind="repository", repository=private_repo.full_name)
    connection = connect_bitbucket(private_repo, token=token)

    run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert connection.paths()
    assert connection.integration.private


def test_a_branch_that_was_rewritten_is_read_at_its_new_head(
    connect_bitbucket: ConnectBitbucket, forge: Forge, book: HostedRepository
) -> None:
    connection = connect_bitbucket(book)
    connection.refresh()
    book.git.commit({"chapters/01.md": "# Gone in a moment\n"})

    def rewrite() -> None:
        book.git.force_push({f"chapters/{n:02}.md": f"# Anew {n}\n" for n in range(1, 11)})
        book.git.forget_unreachable()

    with forge.fault(faults.first(rewrite), on="GET *.tar.gz", times=1) as armed:
        run = connection.refresh()

    assert armed.hits == 1
    assert run.status == Status.SUCCEEDED
    assert connection.track.last_commit == book.git.tip("main")
    assert connection.texts()["chapters/01.md"] == "# Anew 1\n"
    assert len(connection.paths()) == 10
