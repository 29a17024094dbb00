"""Each fault does what it says, to a client that is not ours."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.wire import faults, samples
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository

TREE = "/repos/acme/docs/git/trees/main?recursive=1"


@pytest.fixture(autouse=True)
def _docs(github_repo: HostedRepository) -> None:
    """Every fault here happens to `acme/docs`."""


# -- when --------------------------------------------------------------------------------------------------------------


def test_a_fault_hits_only_what_it_is_meant_for(forge: Forge, get: Get) -> None:
    with forge.fault(faults.status(500), on="GET */git/trees/*") as armed:
        assert get(TREE).status_code == 500
        assert get("/repos/acme/docs").status_code == 200
        assert get(f"/api/v3{TREE}").status_code == 500
    assert get(TREE).status_code == 200
    assert armed.hits == 2


def test_a_fault_can_wait_and_can_end(forge: Forge, get: Get) -> None:
    with forge.fault(faults.status(502), on="GET *", skip=1, times=2):
        assert [get("/repos/acme/docs").status_code for _ in range(5)] == [200, 502, 502, 200, 200]


def test_of_two_faults_the_first_has_the_last_word(forge: Forge, get: Get) -> None:
    truncated, added = faults.truncated_tree(4), faults.inject_entries(faults.entry("more.md"))
    with forge.fault(truncated), forge.fault(added):
        assert len(get(TREE).json()["tree"]) == 4
    with forge.fault(added), forge.fault(truncated):
        assert [entry["path"] for entry in get(TREE).json()["tree"]][4:] == ["more.md"]


def test_a_fault_is_no_violation_but_an_unknown_request_under_it_is(forge: Forge, get: Get) -> None:
    with forge.fault(faults.web_page()):
        assert get("/repos/acme/docs").headers["Content-Type"].startswith("text/html")
        assert not forge.violations
        assert get("/repos/acme/docs?no_such=1").status_code == 422
    forge.violations.clear()


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "remaining", "retry_after"),
    [
        (faults.unauthorized(), 401, None, None),
        (faults.not_found(), 404, None, None),
        (faults.missing_scope(), 403, "4000", None),
        (faults.rate_limited(), 403, "0", None),
        (faults.secondary_limited(), 429, "4000", "60"),
        (faults.secondary_limited(code=403, retry_after=5), 403, "4000", "5"),
        (faults.secondary_limited(code=403, retry_after=None), 403, "4000", None),
        (faults.status(503, Retry_After="7"), 503, None, "7"),
    ],
    ids=["401", "404", "scope", "rate", "secondary-429", "secondary-403", "secondary-silent", "503"],
)
def test_a_refusal_has_the_headers_that_tell_it_apart(
    forge: Forge, get: Get, fault: faults.Fault, status: int, remaining: str | None, retry_after: str | None
) -> None:
    with forge.fault(fault):
        answer = get(TREE)
    assert answer.status_code == status
    assert answer.headers.get("X-RateLimit-Remaining") == remaining
    assert answer.headers.get("Retry-After") == retry_after


def test_a_spent_rate_says_when_it_resets(forge: Forge, get: Get) -> None:
    with forge.fault(faults.rate_limited(reset_in=90)):
        assert 85 <= int(get(TREE).headers["X-RateLimit-Reset"]) - time.time() <= 90


# -- the line ----------------------------------------------------------------------------------------------------------


def test_a_slow_forge_answers_late(forge: Forge, get: Get) -> None:
    started = time.monotonic()
    with forge.fault(faults.slow(0.2)):
        assert get(TREE).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_trickling_body_takes_its_time(forge: Forge) -> None:
    with forge.fault(faults.slow_body(pause=0.02, piece=200)):
        answer = requests.get(forge.url + TREE, stream=True, timeout=1)
        pieces = list(answer.iter_content(None))
    assert len(pieces) >= 5
    assert "tree" in json.loads(b"".join(pieces))


def test_a_cut_before_the_reply_is_no_reply(forge: Forge, get: Get) -> None:
    with forge.fault(faults.cut_before_reply(), times=1), pytest.raises(requests.ConnectionError):
        get("/repos/acme/docs")
    assert forge.requests[-1].status == 0


def test_a_cut_after_the_work_was_done_is_no_reply_either(forge: Forge, get: Get) -> None:
    done = []
    with (
        forge.fault(faults.cut_after_work(), times=1),
        forge.fault(faults.afterwards(lambda: done.append("work"))),
        pytest.raises(requests.ConnectionError),
    ):
        get("/repos/acme/docs")
    assert done == ["work"]


@pytest.mark.parametrize("path", ["/repos/acme/docs", "/_codeload/acme/docs/legacy.tar.gz/refs/heads/main"])
def test_a_cut_body_ends_too_early(forge: Forge, path: str) -> None:
    with forge.fault(faults.cut_body(after=300)):
        answer = requests.get(forge.url + path, stream=True, timeout=10)
        assert answer.status_code == 200
        pieces = answer.iter_content(50)
        received = b"".join(itertools.islice(pieces, 6))
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            next(pieces)
    assert len(received) == 300


# -- moments -----------------------------------------------------------------------------------------------------------


def test_a_force_push_happens_between_listing_and_fetching(
    forge: Forge, github_repo: HostedRepository, get: Get
) -> None:
    push = faults.first(lambda: github_repo.git.force_push({"other.md": "other"}))
    with forge.fault(push, on="GET */tarball/*", times=1):
        listed = get(TREE).json()
        archive = get(get("/repos/acme/docs/tarball/main").headers["Location"]).content
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert any(name.endswith("/other.md") for name in opened.getnames())
    assert "other.md" not in {entry["path"] for entry in listed["tree"]}


def test_a_push_right_after_the_head_was_read_does_not_change_the_reply(
    forge: Forge, github_repo: HostedRepository, get: Get
) -> None:
    before = github_repo.git.tip("main")
    with forge.fault(faults.afterwards(lambda: github_repo.git.commit({"late.md": "late"})), times=1):
        head = get("/repos/acme/docs/commits/main", headers={"Accept": "application/vnd.github.sha"}).text
    assert head == before != github_repo.git.tip("main")


# -- lies --------------------------------------------------------------------------------------------------------------


def test_a_truncated_tree_is_whole_folder_by_folder(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    with forge.fault(faults.truncated_tree(2), on="GET */git/trees/*"):
        body = get(TREE).json()
        assert (len(body["tree"]), body["truncated"]) == (2, True)
        found: set[str] = set()

        def walk(tree: str, folder: str) -> None:
            listed = get(f"/repos/acme/docs/git/trees/{tree}").json()
            assert not listed["truncated"]
            for entry in listed["tree"]:
                if entry["type"] == "tree":
                    walk(entry["sha"], f"{folder}{entry['path']}/")
                elif entry["type"] == "blob":
                    found.add(folder + entry["path"])

        walk("main", "")
    assert found == set(github_repo.git.files())


def test_a_folder_can_fail_alone(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    folders = {entry["path"]: entry["sha"] for entry in get(TREE).json()["tree"] if entry["type"] == "tree"}
    with (
        forge.fault(faults.truncated_tree()),
        forge.fault(faults.status(502), on=f"GET */git/trees/{folders['docs/deep']}"),
    ):
        assert get("/repos/acme/docs/git/trees/main").status_code == 200
        assert get(f"/repos/acme/docs/git/trees/{folders['docs']}").status_code == 200
        assert get(f"/repos/acme/docs/git/trees/{folders['docs/deep']}").status_code == 502


def test_hostile_paths_arrive_as_they_are(forge: Forge, get: Get) -> None:
    with forge.fault(faults.inject_entries(*map(faults.entry, faults.HOSTILE_PATHS))):
        paths = [entry["path"] for entry in get(TREE).json()["tree"]]
    assert set(faults.HOSTILE_PATHS) <= set(paths)
    assert any("\0" in path for path in paths)
    assert any(len(path) > 4000 for path in paths)


def test_paths_that_git_itself_can_hold_need_no_lie(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    github_repo.git.commit_raw_tree({b"../outside.md": b"1", **{p.encode(): b"2" for p in (samples.NFC, samples.NFD)}})
    paths = {entry["path"] for entry in get(TREE).json()["tree"]}
    assert paths == {"../outside.md", samples.NFC, samples.NFD}


def test_a_wrong_blob_does_not_match_its_id(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    oid = github_repo.git.files()["README.md"]
    query = f'{{ repository(owner: "acme", name: "docs") {{ b0: object(oid: "{oid}") {{ ... on Blob {{ text }} }} }} }}'
    token = {"Authorization": f"Bearer {forge.token('acme')}"}
    with forge.fault(faults.wrong_blob("lie\n")):
        assert get(f"/repos/acme/docs/git/blobs/{oid}").json()["content"] == "lie\n"
        raw = get(f"/repos/acme/docs/git/blobs/{oid}", headers={"Accept": "application/vnd.github.raw"})
        assert blob_id(raw.content) != oid
        asked = requests.post(f"{forge.url}/graphql", json={"query": query}, headers=token, timeout=10)
    assert asked.json()["data"]["repository"]["b0"]["text"] == "lie\n"


def test_malformed_json_looks_right_until_it_is_read(forge: Forge, get: Get) -> None:
    with forge.fault(faults.malformed_json()):
        answer = get(TREE)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"."):
        answer.json()


def test_a_web_page_stands_where_json_was_asked_for(forge: Forge, get: Get) -> None:
    with forge.fault(faults.web_page()):
        assert get(TREE).text.startswith("<!doctype html>")


def test_a_redirect_leads_to_another_host(forge: Forge, get: Get) -> None:
    other = forge.listen_also("127.0.0.2")
    with forge.fault(faults.redirect(f"{other}/stolen"), on="GET */git/trees/*"):
        answer = get(TREE, token=forge.token("acme"))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{other}/stolen")


# -- paging that lies --------------------------------------------------------------------------------------------------

BRANCHES = "/repos/acme/docs/branches?per_page=2"


def follow(get: Get, most: int) -> list[requests.Response]:
    answers: list[requests.Response] = []
    page = BRANCHES
    while page and len(answers) < most:
        answers.append(get(page))
        page = answers[-1].links.get("next", {}).get("url", "")
    return answers


@pytest.mark.parametrize("fault", [faults.pages_without_end, faults.page_that_is_its_own_next])
def test_pages_never_end(
    forge: Forge, github_repo: HostedRepository, get: Get, fault: Callable[[], faults.Fault]
) -> None:
    with forge.fault(fault()):
        answers = follow(get, most=20)
    assert len(answers) == 20
    assert {json.dumps(answer.json()) for answer in answers} == {json.dumps(get(BRANCHES).json())}


def test_endless_pages_have_ever_new_addresses(forge: Forge, get: Get) -> None:
    with forge.fault(faults.pages_without_end()):
        assert len({answer.url for answer in follow(get, most=5)}) == 5
    with forge.fault(faults.page_that_is_its_own_next()):
        assert len({answer.url for answer in follow(get, most=5)}) == 1


def test_the_next_page_is_on_another_host(forge: Forge, get: Get) -> None:
    other = forge.listen_also("127.0.0.2")
    with forge.fault(faults.next_page_on(other)):
        assert get(BRANCHES).links["next"]["url"].startswith(other)


def test_pages_have_holes(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    for number in range(5):
        github_repo.git.branch(f"b{number}")
    with forge.fault(faults.pages_with_holes()):
        names = [branch["name"] for answer in follow(get, most=20) for branch in answer.json()]
    assert len(names) == 3


# -- archives ----------------------------------------------------------------------------------------------------------

ARCHIVE = "/_codeload/acme/docs/legacy.tar.gz/refs/heads/main"


def test_a_bomb_is_small_on_the_line_and_large_unpacked(forge: Forge, get: Get) -> None:
    with forge.fault(faults.archive_bomb(megabytes=50), on="GET /_codeload/*"):
        packed = get(ARCHIVE).content
    assert len(packed) < 200_000
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        (member,) = archive.getmembers()
        assert member.size == 50 << 20


def test_a_bomb_without_end_goes_on_until_the_client_hangs_up(forge: Forge) -> None:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = 0
    with (
        forge.fault(faults.archive_bomb(), on="GET /_codeload/*"),
        requests.get(forge.url + ARCHIVE, stream=True, timeout=10) as answer,
    ):
        for piece in answer.iter_content(1 << 14):
            unpacked += len(unpacker.decompress(piece))
            if unpacked > 64 << 20:
                break
    assert unpacked > 64 << 20


def test_an_archive_can_hold_any_name(forge: Forge, get: Get) -> None:
    names = ("../../outside.md", "a/../../b.md")
    with forge.fault(faults.hostile_archive(*names, prefix="x/"), on="GET /_codeload/*"):
        content = get(ARCHIVE).content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == [f"x/{name}" for name in names]
        first: Any = archive.extractfile(archive.getmembers()[0])
        assert first.read() == b"hostile\n"
