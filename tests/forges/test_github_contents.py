"""GitHub: blobs in batches and one by one, and archives."""

from __future__ import annotations

import pytest

from forges.clients.base import blob_id
from forges.clients.errors import RateLimited, TooLarge, Unavailable
from tests.forges.conftest import OpenGitHub
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def test_texts_come_a_hundred_a_request(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/many")
    hosted.git.commit(samples.many(250))
    oids = list(hosted.git.files().values())
    client = open_github(forge.token("acme"))
    assert sorted(oid for oid, _ in client.blobs("acme/many", oids)) == sorted(oids)
    assert client.usage.requests == forge.requests.count("POST /graphql") == 3


def test_what_graphql_cannot_give_exactly_is_asked_for_by_itself(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/odd")
    odd = {"a.bin": b"\0\1\2", "latin.txt": samples.LATIN_1, "long.txt": b"long\n" * 200_000, "plain.md": b"plain\n"}
    hosted.git.commit(dict(odd))
    client = open_github(forge.token("acme"))
    wanted = {blob_id(data): data for data in odd.values()}
    assert dict(client.blobs("acme/odd", wanted)) == wanted
    assert forge.requests.count("GET */git/blobs/*") == 3


def test_many_that_must_be_asked_for_by_themselves_are_left_to_the_archive(
    forge: Forge, open_github: OpenGitHub
) -> None:
    hosted = forge.repository("acme/pictures")
    hosted.git.commit({f"{n}.png": samples.PNG + bytes([n]) for n in range(30)})
    client = open_github(forge.token("acme"))
    assert dict(client.blobs("acme/pictures", hosted.git.files().values())) == {}
    assert client.usage.requests == 1


def test_without_a_token_few_blobs_are_asked_for_and_many_are_left_to_the_archive(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oids = list(github_repo.git.files().values())
    client = open_github()
    assert len(dict(client.blobs("acme/docs", oids[:3]))) == 3
    assert dict(client.blobs("acme/docs", oids)) == {}
    assert forge.requests.count("POST /graphql") == 0
    assert client.usage.requests == 3


def test_graphql_says_no_with_a_good_status(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oid = github_repo.git.files()["README.md"]

    def answer(kind: str) -> faults.Fault:
        return faults.alter_json(
            lambda _true: {"data": {"repository": None}, "errors": [{"type": kind, "message": "x"}]}
        )

    with forge.fault(answer("RATE_LIMITED"), on="POST /graphql"), pytest.raises(RateLimited) as caught:
        list(open_github(forge.token("acme")).blobs("acme/docs", [oid]))
    assert caught.value.reset_at is not None
    for kind in ("FORBIDDEN", "NOT_FOUND"):
        with forge.fault(answer(kind), on="POST /graphql"):
            assert set(dict(open_github(forge.token("acme")).blobs("acme/docs", [oid]))) == {oid}


def test_where_graphql_is_closed_few_blobs_come_one_by_one(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oids = list(github_repo.git.files().values())
    for fault in (faults.not_found(), faults.missing_scope()):
        with forge.fault(fault, on="POST /graphql"):
            assert set(dict(open_github(forge.token("acme")).blobs("acme/docs", oids))) == set(oids)


def test_text_that_is_not_the_blob_is_not_taken_for_it(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oid = github_repo.git.files()["README.md"]
    with forge.fault(faults.wrong_blob(), on="POST /graphql"):
        found = dict(open_github(forge.token("acme")).blobs("acme/docs", [oid]))
    assert found == {oid: samples.markdown("Read me")}


def test_an_archive_from_another_host_is_read_and_the_token_stays_behind(
    forge: Forge, open_github: OpenGitHub, private_repo: HostedRepository
) -> None:
    elsewhere = forge.send_archives_elsewhere()
    token = forge.token("acme")
    client = open_github(token)
    with client.archive("acme/secret", private_repo.git.tip("main") or "") as files:
        assert {path for path, _ in files} == {"README.md", "docs/plan.md"}
    there = [request for request in forge.requests if request.origin == elsewhere]
    assert len(there) == 1
    assert "Authorization" not in there[0].headers
    assert token not in there[0].target
    assert client.usage.requests == 2


@pytest.mark.parametrize("after", [0, 10, 500, 2000])
def test_an_archive_that_is_cut_in_the_middle_is_an_error(forge: Forge, open_github: OpenGitHub, after: int) -> None:
    hosted = forge.repository("acme/many")
    commit = hosted.git.commit(samples.many(100))
    with (
        forge.fault(faults.cut_body(after=after), on="GET /_codeload/*"),
        pytest.raises(Unavailable) as caught,
        open_github().archive("acme/many", commit) as files,
    ):
        list(files)
    assert caught.value.retryable


@pytest.mark.parametrize("megabytes", [2, 60, None])
def test_a_bomb_is_stopped_on_the_way(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, megabytes: int | None
) -> None:
    client = open_github(max_archive_bytes=1 << 20, max_blob_bytes=100_000)
    with (
        forge.fault(faults.archive_bomb(megabytes=megabytes), on="GET /_codeload/*"),
        pytest.raises(TooLarge),
        client.archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        list(files)


def test_an_archive_that_is_none_is_an_error(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    with (
        forge.fault(faults.web_page(), on="GET /_codeload/*"),
        pytest.raises(Unavailable, match="damaged"),
        open_github().archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        list(files)


def test_names_in_an_archive_are_only_names(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    names = ["../../etc/passwd", "/etc/passwd", "a/../b", "x" * 80]
    with (
        forge.fault(faults.hostile_archive(*names), on="GET /_codeload/*"),
        open_github().archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        assert [data for _, data in files] == [b"hostile\n"] * 4
