"""Plain git writing into folders of this machine, by the same commits and no server."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dulwich.repo import Repo

from forges.clients import normalise_repository
from forges.clients.base import Author
from forges.clients.errors import Conflict, Moved
from forges.clients.git_pushing import push_into
from forges.clients.git_sources import StoredCommit
from forges.clients.git_writing import make_push
from tests.forges.conftest import LIMITS, OpenGitHub
from tests.wire.objects import git

ANN = Author("Ann", "ann@example.org")


def folder_of(tmp_path: Path, *options: str) -> Path:
    folder = tmp_path / "allowed" / "docs"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--initial-branch=main", *options)
    return folder


def test_a_folder_gets_its_first_commit_and_what_follows(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "--bare")
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    facts: dict[str, Any] = {"branch": "main", "message": "Sync", "author": ANN}
    first = client.commit(name, parent="", changes={"a.md": b"a"}, **facts)
    second = client.commit(name, parent=first, changes={"b.md": b"b"}, **facts)
    for parent in ("", first, "1" * 40):
        with pytest.raises(Moved):
            client.commit(name, parent=parent, changes={"c.md": b"c"}, **facts)
    assert git(folder, "log", "--format=%H %an %cn", "main").decode().splitlines() == [
        f"{second} Ann Ann",
        f"{first} Ann Ann",
    ]
    assert git(folder, "show", "main:a.md") == b"a"
    git(folder, "fsck", "--strict")
    assert client.usage.requests == 0


def test_a_folder_moves_on_after_its_branches_were_packed(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "--bare")
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    facts: dict[str, Any] = {"branch": "main", "message": "Sync", "author": ANN}
    made = client.commit(name, parent="", changes={"a.md": b"a"}, **facts)
    git(folder, "pack-refs", "--all")
    git(folder, "gc", "-q")
    made = open_git(local_roots=(folder.parent,)).commit(name, parent=made, changes={"b.md": b"b"}, **facts)
    assert git(folder, "rev-parse", "main").decode().strip() == made


def test_a_branch_that_is_checked_out_is_left_alone(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    facts: dict[str, Any] = {"parent": "", "message": "Sync", "author": ANN, "changes": {"a.md": b"a"}}
    with pytest.raises(Conflict, match="checked out"):
        client.commit(name, branch="main", **facts)
    made = client.commit(name, branch="pushed", **facts)
    assert git(folder, "rev-parse", "pushed").decode().strip() == made


def test_a_folder_whose_branch_moves_in_the_very_moment_has_moved(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "--bare")
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    facts: dict[str, Any] = {"branch": "main", "message": "Sync", "author": ANN}
    first = client.commit(name, parent="", changes={"a.md": b"a"}, **facts)
    with Repo(str(folder)) as repo:
        push = make_push(
            StoredCommit(repo.object_store, first, LIMITS),
            parent=first,
            changes={"b.md": b"b"},
            committer=ANN,
            at=1,
            max_bytes=100,
            **facts,
        )
        assert push
        theirs: list[str] = []

        def objects() -> Iterator[Any]:
            theirs.append(client.commit(name, parent=first, changes={"theirs.md": b"t"}, **facts))
            return push.objects()

        with pytest.raises(Moved):
            push_into(repo, replace(push, objects=objects))
    assert git(folder, "rev-parse", "main").decode().strip() == theirs[0]


def test_a_folder_whose_branch_is_being_moved_has_moved(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "--bare")
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    facts: dict[str, Any] = {"branch": "main", "message": "Sync", "author": ANN}
    made = client.commit(name, parent="", changes={"a.md": b"a"}, **facts)
    lock = folder / "refs" / "heads" / "main.lock"
    lock.touch()
    with pytest.raises(Moved):
        client.commit(name, parent=made, changes={"b.md": b"b"}, **facts)
    lock.unlink()
    client.commit(name, parent=made, changes={"b.md": b"b"}, **facts)


def test_what_a_commit_takes_in_memory_is_not_its_files(open_git: OpenGitHub, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "--bare")
    name = normalise_repository("git", "", str(folder), local_roots=(folder.parent,))
    client = open_git(local_roots=(folder.parent,))
    changes: dict[str, bytes | None] = {f"{n % 10}/{n}.json": os.urandom(20_000) for n in range(800)}
    tracemalloc.start()
    client.commit(name, branch="main", parent="", changes=changes, message="Sync", author=ANN)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20, f"{peak:,} bytes for sixteen megabytes of files"
