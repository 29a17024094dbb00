"""Bitbucket: blob ids that no answer has, from walks through directories and archives that are not what git holds."""

from __future__ import annotations

import tracemalloc
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forges.clients.base import EntryKind, Listing, blob_id
from forges.clients.bitbucket_answers import File
from forges.clients.bitbucket_contents import altered, restored
from forges.clients.errors import RateLimited, Unavailable
from tests.forges.conftest import OpenGitHub
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.messages import json_reply
from tests.wire.repos import Executable
from tests.wire.world import HostedRepository

SUBST = "$Format:%an$"
"""What an archive replaces with the author's name."""


@pytest.fixture
def deep(forge: Forge) -> HostedRepository:
    """30 files: 3 at the top, 9 in each of three folders, one of which has them two levels down."""
    hosted = forge.repository("acme/deep")
    files = {f"top-{n}.md": f"{n}" for n in range(3)}
    files |= {f"{folder}/{n}.md": f"{folder}{n}" for folder in ("a", "b", "c/d/e") for n in range(9)}
    hosted.git.commit(dict(files))
    return hosted


def ids(listing: Listing) -> dict[str, str]:
    return {entry.path: entry.oid for entry in listing.entries}


def tip_of(hosted: HostedRepository) -> str:
    commit = hosted.git.tip("main")
    assert commit
    return commit


def asked_alone(forge: Forge) -> list[str]:
    """Paths of the files that were asked for by themselves."""
    found = [request.path.partition("/src/")[2].partition("/")[2] for request in forge.requests]
    return [path for path in found if path and not path.endswith("/")]


def test_a_listing_costs_its_pages_and_one_archive_and_the_bytes_cost_nothing_more(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    hosted = forge.repository("acme/many")
    commit = hosted.git.commit(samples.many(250))
    client = open_bitbucket()
    listing = client.tree("acme/many", commit)
    assert listing.complete
    assert ids(listing) == hosted.git.files()
    pages = -(-(250 + _folders(hosted)) // 100)
    assert client.usage.requests == pages + 1
    with client.archive("acme/many", commit) as files:
        assert {path: blob_id(data) for path, data in files} == hosted.git.files()
    some = list(hosted.git.files().values())[:7]
    assert {blob_id(data) for _, data in client.blobs("acme/many", some)} == set(some)
    assert client.usage.requests == pages + 1


def _folders(hosted: HostedRepository) -> int:
    return len({path.rpartition("/")[0] for path in hosted.git.files()} - {""})


def test_another_commit_is_not_read_from_what_was_kept_of_the_last(
    open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    old = tip_of(deep)
    new = deep.git.commit({"new.md": "new"})
    client = open_bitbucket()
    client.tree("acme/deep", old)
    with client.archive("acme/deep", new) as files:
        assert "new.md" in dict(files)
    client.tree("acme/deep", new)
    with client.archive("acme/deep", old) as files:
        assert "new.md" not in dict(files)


def test_what_an_archive_leaves_out_or_alters_is_asked_for_by_itself(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    hosted = forge.repository("acme/odd")
    attributes = "secret.md export-ignore\nversion.txt export-subst\n*.stamp export-subst\n*.id ident\n*.bat eol=crlf\n"
    commit = hosted.git.commit(
        {
            ".gitattributes": attributes,
            "plain.md": "plain",
            "secret.md": "left out",
            "version.txt": "$Format:%H$",
            "same-length.stamp": SUBST,
            "key.id": "$Id$",
            "run.bat": "one\ntwo\n",
            "mixed.bat": "one\r\ntwo\n",
        },
        "Odd files",
    )
    client = open_bitbucket()
    listing = client.tree("acme/odd", commit)
    assert listing.complete
    assert ids(listing) == hosted.git.files()
    assert set(asked_alone(forge)) == {"secret.md", "version.txt", "same-length.stamp", "key.id", "mixed.bat"}
    with client.archive("acme/odd", commit) as files:
        assert dict(files)["version.txt"] == b"$Format:%H$"
    (data,) = (data for _, data in client.blobs("acme/odd", [blob_id(b"one\ntwo\n")]))
    assert data == b"one\ntwo\n"


def test_a_file_of_the_length_that_it_had_is_not_believed_where_an_attribute_may_have_altered_it(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    hosted = forge.repository("acme/stamped")
    files = {".gitattributes": "by.txt export-subst\n", "by.txt": SUBST}
    commit = hosted.git.commit(files, author=("A" * len(SUBST), "a@example.org"))
    client = open_bitbucket()
    with client.archive("acme/stamped", commit) as archived:
        assert dict(archived)["by.txt"] == b"A" * len(SUBST)
    assert ids(client.tree("acme/stamped", commit)) == hosted.git.files()
    assert asked_alone(forge) == ["by.txt"]


def test_more_altered_files_than_may_be_asked_for_make_the_listing_incomplete(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    hosted = forge.repository("acme/private-docs")
    files = {f"internal/{n:02}.md": f"{n}" for n in range(12)} | {"public.md": "public"}
    commit = hosted.git.commit({".gitattributes": "internal export-ignore\n", **files})
    client = open_bitbucket(max_tree_requests=6)
    listing = client.tree("acme/private-docs", commit)
    assert not listing.complete
    assert "more than 6 requests" in listing.reason
    assert "7 more files" in listing.reason
    assert ids(listing).items() <= hosted.git.files().items()
    assert len(listing.entries) == 7
    assert client.usage.requests == 7


def test_a_walk_that_is_too_deep_for_one_request_goes_folder_by_folder(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    forge.bitbucket_caps.walked_folders = 2
    client = open_bitbucket()
    listing = client.tree("acme/deep", tip_of(deep))
    assert listing.complete
    assert ids(listing) == deep.git.files()


def test_folders_below_the_depth_of_a_request_are_walked_through_too(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    hosted = forge.repository("acme/abyss")
    bottom = "/".join(f"level-{n}" for n in range(45))
    commit = hosted.git.commit({f"{bottom}/deepest.md": "deep", "top.md": "top", "level-0/high.md": "high"})
    listing = open_bitbucket().tree("acme/abyss", commit)
    assert listing.complete
    assert ids(listing) == hosted.git.files()


def test_a_listing_ends_at_the_requests_that_it_may_spend_and_imports_what_it_has(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    hosted = forge.repository("acme/many")
    commit = hosted.git.commit(samples.many(400))
    client = open_bitbucket(max_tree_requests=2)
    listing = client.tree("acme/many", commit)
    assert not listing.complete
    assert listing.reason == "The tree takes more than 2 requests, as FORGE_MAX_TREE_REQUESTS allows."
    assert 150 <= len(listing.entries) <= 200
    assert ids(listing).items() < hosted.git.files().items()
    assert client.usage.requests == 3


def test_a_listing_ends_at_the_time_that_it_may_take(open_bitbucket: OpenGitHub, deep: HostedRepository) -> None:
    listing = open_bitbucket(listing_seconds=0.0).tree("acme/deep", tip_of(deep))
    assert not listing.complete
    assert "FORGE_LISTING_SECONDS" in listing.reason


def test_a_folder_that_cannot_be_listed_makes_the_listing_incomplete(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    forge.bitbucket_caps.walked_folders = 2
    client = open_bitbucket()
    with forge.fault(faults.status(502), on="GET */src/*/a/*"):
        listing = client.tree("acme/deep", tip_of(deep))
    assert not listing.complete
    assert "“a/”" in listing.reason
    assert "top-1.md" in ids(listing)


def test_an_archive_that_a_credential_may_not_have_is_made_up_for_file_by_file(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme", kind="workspace"))
    for refusal in (faults.status(403), faults.status(404), faults.web_page()):
        with forge.fault(refusal, on="GET *.tar.gz"):
            listing = client.tree("acme/deep", tip_of(deep))
        assert listing.complete
        assert ids(listing) == deep.git.files()


def test_a_limit_that_trips_on_the_way_leaves_what_there_is(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    client = open_bitbucket()
    with forge.fault(faults.status(403), on="GET *.tar.gz"), forge.fault(faults.status(429), on="GET *.md", skip=5):
        listing = client.tree("acme/deep", tip_of(deep))
    assert not listing.complete
    assert "no more requests for now" in listing.reason
    assert len(listing.entries) == 5


@pytest.mark.parametrize(
    ("fault", "error"),
    [(faults.status(502), Unavailable), (faults.cut_body(after=100), Unavailable), (faults.status(429), RateLimited)],
)
def test_an_archive_that_fails_is_tried_again_later(
    forge: Forge,
    open_bitbucket: OpenGitHub,
    deep: HostedRepository,
    fault: faults.Fault,
    error: type[Exception],
) -> None:
    client = open_bitbucket()
    with forge.fault(fault, on="GET *.tar.gz"), pytest.raises(error):
        client.tree("acme/deep", tip_of(deep))
    assert dict(client.blobs("acme/deep", deep.git.files().values())) == {}, "half an archive is none"
    listing = client.tree("acme/deep", tip_of(deep))
    assert listing.complete


def test_links_executables_submodules_and_large_files_are_told_apart(
    open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    commit = github_repo.git.commit({"run.sh": Executable(b"#!/bin/sh\n"), "large.bin": bytes(5_000)})
    listing = open_bitbucket(max_blob_bytes=4_000).tree("acme/docs", commit)
    found = {entry.path: entry for entry in listing.entries}
    assert listing.complete
    assert found["run.sh"].kind is EntryKind.EXECUTABLE
    assert found["link.md"].kind is EntryKind.SYMLINK
    assert found["link.md"].oid == github_repo.git.files()["link.md"]
    assert (found["vendor/library"].kind, found["vendor/library"].oid) == (EntryKind.SUBMODULE, "")
    assert (found["large.bin"].size, found["large.bin"].oid) == (5_000, "")


def test_a_file_of_git_lfs_is_the_pointer_that_git_has(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    def in_lfs(true: dict[str, Any]) -> dict[str, Any]:
        for item in true["values"]:
            if item["path"] in ("video.mp4", "README.md"):
                item |= {"attributes": ["lfs"], "size": 5_000_000}
        return true

    with forge.fault(faults.alter_json(in_lfs), on="GET */src/*"):
        listing = open_bitbucket(max_blob_bytes=4_000).tree("acme/docs", tip_of(github_repo))
    found = {entry.path: entry for entry in listing.entries}
    assert listing.complete
    assert found["video.mp4"].oid == github_repo.git.files()["video.mp4"]
    assert found["video.mp4"].size is None
    assert found["README.md"].oid == "", "an archive with the file itself tells nothing of the pointer"
    assert "README.md" not in asked_alone(forge)


def test_a_path_that_is_not_utf8_is_listed_and_not_handed_out_under_another_name(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    hosted = forge.repository("acme/old")
    commit = hosted.git.commit({"latin-\udcfc.md": "x", "plain.md": "y"})
    with forge.fault(faults.status(404), on="GET */latin*"):
        listing = open_bitbucket().tree("acme/old", commit)
    assert listing.complete
    assert sorted(entry.oid for entry in listing.entries) == ["", hosted.git.files()["plain.md"]]


def test_a_path_that_would_lead_elsewhere_is_not_asked_for(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    odd = ["a/../../../user", "a//b", "\ud800.md", "line\nbreak.md", "./c.md"]
    items = [{"type": "commit_file", "path": path, "size": 1, "attributes": []} for path in odd]
    fault = faults.alter_json(lambda true: {**true, "values": [*true["values"], *items]})
    with forge.fault(fault, on="GET */src/*"):
        listing = open_bitbucket().tree("acme/deep", tip_of(deep))
    assert listing.complete
    assert {path: oid for path, oid in ids(listing).items() if oid} == deep.git.files()
    assert sorted(path for path, oid in ids(listing).items() if not oid) == sorted(odd)
    assert asked_alone(forge) == []


def test_an_answer_that_is_no_directory_is_the_forges_failure(
    forge: Forge, open_bitbucket: OpenGitHub, deep: HostedRepository
) -> None:
    client = open_bitbucket()
    answers: list[Any] = [
        {"values": [{"type": "commit_file", "path": "a.md", "size": -1, "attributes": []}]},
        {"values": [{"type": "commit_file", "path": 7, "size": 1, "attributes": []}]},
        {"values": [{"type": "commit_file", "path": "a.md", "size": 1, "attributes": 3}]},
        {"values": 3},
        [],
    ]
    for answer in answers:
        fault = faults.instead(partial(json_reply, answer))
        with forge.fault(fault, on="GET */src/*"), pytest.raises(Unavailable):
            client.tree("acme/deep", tip_of(deep))


def test_memory_does_not_grow_with_what_is_in_the_files(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    hosted = forge.repository("acme/large")
    commit = hosted.git.commit({f"{n}.md": bytes([65 + n]) * (2 << 20) for n in range(12)})
    client = open_bitbucket()
    tracemalloc.start()
    client.tree("acme/large", commit)
    with client.archive("acme/large", commit) as files:
        assert sum(len(data) for _, data in files) == 24 << 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


TEXTS = st.lists(st.sampled_from([b"a", b"\r\n", b"\n", b"\r", b"$Id$"]), max_size=12).map(b"".join)


@given(TEXTS)
@example(b"a\r\n\n")
def test_line_ends_are_taken_back_to_gits_own_or_not_at_all(data: bytes) -> None:
    lone = data.replace(b"\r\n", b"\0").replace(b"\n", b"\r\n").replace(b"\0", b"\r\n")
    assert restored(lone, File(len(data), EntryKind.FILE)) in (data, None)


@pytest.mark.parametrize(
    ("texts", "path", "may_be"),
    [
        ({"": b"*.txt export-subst"}, "a/b.txt", True),
        ({"": b"*.txt export-subst"}, "a/b.md", False),
        ({"": b"VERSION export-subst"}, "deep/VERSION", True),
        ({"": b"/VERSION ident"}, "deep/VERSION", False),
        ({"": b"docs/VERSION ident"}, "docs/VERSION", True),
        ({"docs/": b"* working-tree-encoding=UTF-16"}, "docs/a.md", True),
        ({"docs/": b"* working-tree-encoding=UTF-16"}, "other/a.md", False),
        ({"": b"*.txt -export-subst\n*.md text eol=crlf\n# *.md export-subst"}, "a.md", False),
        ({"": b"[attr]stamped export-subst\n*.md stamped", "docs/": b"*.rst stamped"}, "docs/a.rst", True),
        ({"": b"a[bc]*d?/**/x export-subst"}, "anything", True),
        ({"": b'"with blank.md" export-subst'}, "anything", True),
        ({"docs/": None}, "docs/a.md", True),
        ({"docs/": None}, "a.md", False),
    ],
)
def test_an_attribute_that_may_alter_a_file_is_found(texts: dict[str, bytes | None], path: str, may_be: bool) -> None:
    assert altered(texts)(path) is may_be
