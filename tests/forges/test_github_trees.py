"""GitHub: trees that are cut short."""

from __future__ import annotations

import time
from typing import Any

import pytest

from forges.clients.errors import OutOfTime, Unavailable
from forges.clients.github_trees import TreeReader
from tests.forges.conftest import LIMITS, OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


@pytest.fixture
def deep(forge: Forge) -> HostedRepository:
    """30 files: 3 at the top, 9 in each of three folders, one of which has them two levels down."""
    hosted = forge.repository("acme/deep")
    files = {f"top-{n}.md": f"{n}" for n in range(3)}
    files |= {f"{folder}/{n}.md": f"{folder}{n}" for folder in ("a", "b", "c/d/e") for n in range(9)}
    hosted.git.commit(dict(files))
    return hosted


def listed(client_files: tuple) -> dict[str, str]:  # type: ignore[type-arg]
    return {entry.path: entry.oid for entry in client_files}


def test_a_tree_that_is_cut_short_is_read_folder_by_folder(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    client = open_github()
    listing = client.tree("acme/deep", deep.git.tip("main") or "")
    assert listing.complete
    assert listed(listing.entries) == deep.git.files()
    assert client.usage.requests == len(forge.requests) < 12


def test_a_tree_is_incomplete_when_the_requests_for_it_are_used_up(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    client = open_github(max_tree_requests=2)
    listing = client.tree("acme/deep", deep.git.tip("main") or "")
    assert not listing.complete
    assert "more than 2 requests, as FORGE_MAX_TREE_REQUESTS allows" in listing.reason
    assert client.usage.requests == 3
    assert listed(listing.entries).items() < deep.git.files().items()
    assert len(listing.entries) >= 10


def test_a_tree_is_incomplete_when_the_time_for_it_is_used_up(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    commit = deep.git.tip("main") or ""
    client = open_github(listing_seconds=0.0)
    assert client.tree("acme/deep", commit).complete  # in one request, however long that takes
    forge.caps.tree_entries = 10
    listing = client.tree("acme/deep", commit)
    assert not listing.complete
    assert "FORGE_LISTING_SECONDS" in listing.reason
    assert listed(listing.entries).items() < deep.git.files().items()


def test_a_tree_is_incomplete_when_a_folder_of_it_cannot_be_read(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    for fault in (faults.status(502), faults.rate_limited(), faults.cut_body(after=20), faults.not_found()):
        with forge.fault(fault, on="GET */git/trees/*", skip=2):
            listing = open_github().tree("acme/deep", deep.git.tip("main") or "")
        assert not listing.complete
        assert "could not be read" in listing.reason
        assert listed(listing.entries).items() < deep.git.files().items()


def test_a_tree_that_takes_too_long_folder_by_folder_is_left_to_those_who_have_the_time(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    commit = deep.git.tip("main") or ""
    with forge.fault(faults.slow(0.3), on="GET */git/trees/*"):
        began = time.monotonic()
        with pytest.raises(OutOfTime, match="in time"):
            open_github(deadline=0.8).tree("acme/deep", commit)
        assert time.monotonic() - began < 1.5
        assert open_github().tree("acme/deep", commit).complete


def test_a_folder_larger_than_github_lists_leaves_the_tree_incomplete(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/flat")
    commit = hosted.git.commit({f"f/{n}.md": f"{n}" for n in range(30)})
    forge.caps.tree_entries = 10
    listing = open_github().tree("acme/flat", commit)
    assert not listing.complete
    assert "a single folder" in listing.reason or "larger than it lists" in listing.reason


def test_a_folder_with_an_unprintable_name_is_named_in_a_way_that_can_be_stored() -> None:
    def ask(_oid: str, recursive: bool) -> dict[str, Any]:
        folder = {"path": "a\0" + "b" * 1000, "type": "tree", "sha": "1" * 40, "mode": "040000"}
        return {"tree": [] if recursive else [folder], "truncated": recursive or _oid == "1" * 40}

    reason = TreeReader(ask, LIMITS).read("0" * 40)
    assert "larger than it lists" in reason
    assert "\0" not in reason
    assert len(reason) < 400


def test_a_tree_that_fails_at_once_is_an_error_and_not_an_empty_listing(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    with forge.fault(faults.status(502)), pytest.raises(Unavailable):
        open_github().tree("acme/deep", deep.git.tip("main") or "")
