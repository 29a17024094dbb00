"""GitLab: trees by pages within their caps, archives within their limit, and blobs."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from forges.clients.base import Credential, Entry, EntryKind, blob_id
from forges.clients.errors import Moved, OutOfTime, RateLimited, TooLarge, Unavailable
from forges.clients.gitlab_throttle import ARCHIVES, PERIOD, Turns, await_archive
from forges.reading import fetch
from tests.forges.conftest import OpenGitLab
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository


@pytest.fixture
def many(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/many")
    hosted.git.commit(samples.many(250))
    return hosted


def test_a_large_tree_is_read_by_pages(forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    listing = client.tree("acme/many", many.git.tip("main") or "")
    assert listing.complete
    assert {entry.path: entry.oid for entry in listing.entries} == many.git.files()
    assert client.usage.requests == 3  # 250 files and four folders
    assert forge.requests.count("GET */repository/tree") == 3


def test_a_server_that_counts_pages_in_place_of_keys_is_read_all_the_same(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    def by_numbers(request: Request, proceed: Proceed) -> Reply:
        query = {name: value for name, value in request.query.items() if name != "pagination"}
        return proceed(dataclasses.replace(request, query=query))

    client = open_gitlab(forge.gitlab_token("acme"))
    with forge.fault(by_numbers, on="GET */repository/tree"):
        listing = client.tree("acme/many", many.git.tip("main") or "")
    assert listing.complete
    assert {entry.path: entry.oid for entry in listing.entries} == many.git.files()


def test_each_cap_of_a_listing_names_its_setting(forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository) -> None:
    commit = many.git.tip("main") or ""
    for limits, setting, count in (
        ({"max_tree_requests": 2}, "FORGE_MAX_TREE_REQUESTS", 196),
        ({"max_entries": 20}, "FORGE_MAX_ENTRIES", 20),
        ({"listing_seconds": 0.0}, "FORGE_LISTING_SECONDS", 96),
    ):
        listing = open_gitlab(forge.gitlab_token("acme"), **limits).tree("acme/many", commit)
        assert not listing.complete
        assert setting in listing.reason
        assert len(listing.entries) == count


@pytest.mark.parametrize("fault", [faults.status(502), faults.rate_limited(), faults.cut_body(after=100)])
def test_a_page_that_fails_leaves_the_listing_incomplete(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository, fault: faults.Fault
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))

    def further(request: Request, proceed: Proceed) -> Reply:
        return fault(request, proceed) if "page_token" in request.query else proceed(request)

    with forge.fault(further, on="GET */repository/tree"):
        listing = client.tree("acme/many", many.git.tip("main") or "")
    assert not listing.complete
    assert "could not be read" in listing.reason
    assert len(listing.entries) == 96


def test_a_listing_that_runs_out_of_the_clients_time_is_a_workers(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"), deadline=0.6)
    with forge.fault(faults.slow(0.4)), pytest.raises(OutOfTime):
        client.tree("acme/many", many.git.tip("main") or "")


def test_a_tree_that_never_goes_on_is_the_servers_failure(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    def stuck(request: Request, proceed: Proceed) -> Reply:
        query = {name: value for name, value in request.query.items() if name != "page_token"}
        reply = proceed(dataclasses.replace(request, query=query))
        reply.headers["Link"] = '<http://127.0.0.1/api/v4/x?page_token=same>; rel="next"'
        return reply

    client = open_gitlab(forge.gitlab_token("acme"))
    with forge.fault(stuck, on="GET */repository/tree"), pytest.raises(Unavailable):
        client.tree("acme/many", many.git.tip("main") or "")


def test_few_blobs_come_one_by_one_and_many_are_left_to_the_archive(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    oids = list(many.git.files().values())
    assert set(dict(client.blobs("acme/many", oids[:20]))) == set(oids[:20])
    assert client.usage.requests == 20
    assert dict(client.blobs("acme/many", oids[:21])) == {}
    assert client.usage.requests == 20


def test_a_first_import_takes_a_constant_number_of_requests(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    commit = client.head("acme/many", "main")
    listing = client.tree("acme/many", commit)
    files = dict(fetch(client, "acme/many", commit, listing.entries, total=len(listing.entries)))
    assert all(data is not None and blob_id(data) == entry.oid for entry, data in files.items())
    assert len(files) == 250
    assert client.usage.requests == 5


def test_what_an_archive_alters_or_leaves_out_is_fetched_by_itself(forge: Forge, open_gitlab: OpenGitLab) -> None:
    hosted = forge.repository("acme/altered")
    commit = hosted.git.commit(samples.archive_altered())
    client = open_gitlab(forge.gitlab_token("acme"))
    entries = [Entry(path, oid, None, EntryKind.FILE) for path, oid in hosted.git.files().items()]
    files = {e.path: data for e, data in fetch(client, "acme/altered", commit, entries, archive_above=0)}
    assert files["version.txt"] == b"commit $Format:%H$\n"
    assert files["private/notes.md"] == samples.markdown("Notes")


def test_files_of_git_lfs_are_asked_for_as_git_has_them(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    with open_gitlab(forge.gitlab_token("acme")).archive("acme/docs", github_repo.git.tip("main") or "") as files:
        assert dict(files)["video.mp4"] == samples.lfs_pointer()
    assert forge.requests[-1].query["include_lfs_blobs"] == "false"


def test_an_archive_that_the_client_would_ask_for_too_soon_is_not_asked_for(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    token, commit = forge.gitlab_token("acme"), github_repo.git.tip("main") or ""
    for _ in range(ARCHIVES):
        with open_gitlab(token).archive("acme/docs", commit) as files:
            assert list(files)
    with pytest.raises(RateLimited) as caught, open_gitlab(token).archive("acme/docs", commit):
        pass
    assert caught.value.reset_at is not None
    assert 0 < (caught.value.reset_at - datetime.now(UTC)).total_seconds() <= PERIOD
    assert forge.requests.count("GET */archive.tar.gz") == ARCHIVES
    forge.gitlab_caps.archives = 6
    with open_gitlab(forge.gitlab_token("acme")).archive("acme/docs", commit) as files:
        assert list(files), "another token has turns of its own"


def test_an_archive_that_gitlab_refuses_for_now_is_asked_for_again_later(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    forge.gitlab_caps.archives = 0
    client = open_gitlab(forge.gitlab_token("acme"))
    with pytest.raises(RateLimited) as caught, client.archive("acme/docs", github_repo.git.tip("main") or ""):
        pass
    assert caught.value.reset_at is not None


def test_turns_come_back_as_they_were_taken() -> None:
    turns = Turns(2, 60.0)
    assert [turns.take("a", now) for now in (0.0, 10.0)] == [0.0, 0.0]
    assert turns.take("a", 30.0) == 30.0
    assert turns.take("b", 30.0) == 0.0
    assert turns.take("a", 60.0) == 0.0
    assert turns.take("a", 60.0) == 10.0


def test_a_short_wait_for_an_archive_is_waited_for_and_a_long_one_is_not() -> None:
    turns, now, slept = Turns(1, 60.0), [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    def ask(*, end: float = float("inf")) -> None:
        await_archive(
            "https://gitlab.com/api/v4", Credential("t"), end=end, turns=turns, clock=lambda: now[0], sleep=sleep
        )

    ask()
    now[0] = 20.0
    with pytest.raises(RateLimited):
        ask()
    now[0] = 58.0
    with pytest.raises(RateLimited):
        ask(end=59.0)
    ask()
    assert slept == [2.0]


@pytest.mark.parametrize("after", [0, 10, 500, 2000])
def test_an_archive_that_is_cut_in_the_middle_is_an_error(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository, after: int
) -> None:
    with (
        forge.fault(faults.cut_body(after=after), on="GET */archive.tar.gz"),
        pytest.raises(Unavailable) as caught,
        open_gitlab().archive("acme/many", many.git.tip("main") or "") as files,
    ):
        list(files)
    assert caught.value.retryable


def test_a_bomb_is_stopped_on_the_way(forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository) -> None:
    client = open_gitlab(max_archive_bytes=1 << 20)
    with (
        forge.fault(faults.archive_bomb(megabytes=50), on="GET */archive.tar.gz"),
        pytest.raises(TooLarge),
        client.archive("acme/many", many.git.tip("main") or "") as files,
    ):
        list(files)


def test_a_branch_rewritten_between_head_and_tree_has_moved(
    forge: Forge, open_gitlab: OpenGitLab, many: HostedRepository
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    commit = client.head("acme/many", "main")
    many.git.force_push({"only.md": "this"})
    many.git.forget_unreachable()
    with pytest.raises(Moved):
        client.tree("acme/many", commit)
