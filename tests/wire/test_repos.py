"""The repositories that everything else stands on are what git says they are."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.wire import samples
from tests.wire.objects import git
from tests.wire.repos import Executable, GitRepo, Submodule, Symlink, blob_id


def test_each_kind_of_file_has_the_mode_git_gives_it(git_repo: GitRepo) -> None:
    commit = git_repo.commit(
        {"a.md": "text", "run": Executable(b"#!"), "link": Symlink("a.md"), "sub": Submodule("1" * 40)}
    )
    tree = git_repo.tree_of(commit)
    assert tree
    assert {entry.path: entry.mode for entry in git_repo.tree(tree)} == {
        "a.md": "100644",
        "run": "100755",
        "link": "120000",
        "sub": "160000",
    }


def test_none_deletes_and_the_rest_stays(git_repo: GitRepo) -> None:
    git_repo.commit({"a.md": "one", "b.md": "two"})
    git_repo.commit({"a.md": None})
    assert git_repo.files() == {"b.md": blob_id(b"two")}


def test_a_moved_folder_keeps_its_blobs(git_repo: GitRepo) -> None:
    git_repo.commit({"docs/a.md": "one", "docs/b/c.md": "two"})
    git_repo.move("docs", "guide")
    assert git_repo.files() == {"guide/a.md": blob_id(b"one"), "guide/b/c.md": blob_id(b"two")}


def test_the_same_steps_give_the_same_commit(tmp_path: Path) -> None:
    ids = set()
    for name in ("one.git", "two.git"):
        with GitRepo(tmp_path / name) as repo:
            repo.commit(samples.everything())
            ids.add(repo.commit({"more.md": "more"}))
    assert len(ids) == 1


@pytest.mark.parametrize(
    "path",
    ['with "quotes" and \\', "tab\tand\nnewline", samples.long_path(), "ünïcode/日本語.md", "latin-\udce9.md"],
    ids=["quotes", "control", "long", "unicode", "not-utf8"],
)
def test_any_path_that_git_can_hold_can_be_committed(git_repo: GitRepo, path: str) -> None:
    git_repo.commit({path: "here"})
    assert git_repo.files() == {path: blob_id(b"here")}


def test_a_long_path_has_exactly_the_length_asked_for() -> None:
    assert len(samples.long_path(4000)) == 4000


def test_twins_in_case_and_unicode_form_are_different_files(git_repo: GitRepo) -> None:
    git_repo.commit(samples.clashing())
    assert len(git_repo.files()) == 4


def test_a_raw_tree_holds_what_git_refuses_to_make(git_repo: GitRepo) -> None:
    git_repo.commit({"a.md": "one"})
    git_repo.commit_raw_tree({b"../outside": b"1", b"..": b"2", b".git": b"3"})
    assert set(git_repo.files()) == {"../outside", "..", ".git"}
    assert len(git(git_repo.path, "rev-list", "main").split()) == 2


def test_an_archive_leaves_out_and_alters_what_the_attributes_say(git_repo: GitRepo) -> None:
    commit = git_repo.commit(samples.archive_altered())
    with tarfile.open(fileobj=io.BytesIO(git(git_repo.path, "archive", commit))) as archive:
        assert "private/notes.md" not in archive.getnames()
        version = archive.extractfile("version.txt")
        assert version
        assert version.read() == f"commit {commit}\n".encode()
    assert git_repo.files()["version.txt"] == blob_id(b"commit $Format:%H$\n")


def test_a_force_push_leaves_the_old_commit_until_it_is_forgotten(git_repo: GitRepo) -> None:
    old = git_repo.commit({"a.md": "one"})
    new = git_repo.force_push({"b.md": "two"})
    read = git_repo.read_commit(new)
    assert read
    assert read.parents == ()
    assert git_repo.resolve(old) == old
    git_repo.forget_unreachable()
    assert git_repo.resolve(old) is None
    assert git_repo.files() == {"b.md": blob_id(b"two")}


def test_branches_come_and_go(git_repo: GitRepo) -> None:
    assert git_repo.empty
    first = git_repo.commit({"a.md": "one"})
    git_repo.branch("feature/deep", at="main")
    second = git_repo.commit({"b.md": "two"}, branch="feature/deep")
    assert git_repo.branches() == {"feature/deep": second, "main": first}
    git_repo.delete_branch("feature/deep")
    git_repo.rename_branch("main", "trunk")
    assert git_repo.branches() == {"trunk": first}
    assert git_repo.default_branch == "trunk"


@pytest.mark.parametrize("name", ["", "-x", "main:a.md", "main~1", "a..b", "main@{0}", "no such", "main\nHEAD"])
def test_only_plain_names_are_resolved(git_repo: GitRepo, name: str) -> None:
    git_repo.commit({"a.md": "one"})
    git_repo.commit({"a.md": "two"})
    assert git_repo.resolve(name) is None


def test_twenty_thousand_files_are_one_commit(git_repo: GitRepo) -> None:
    git_repo.commit(samples.many(20_000, words=5))
    assert len(git_repo.files()) == 20_000


def test_a_persons_own_git_configuration_has_no_say(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1999-01-01T00:00:00Z")
    commit = git_repo.read_commit(git_repo.commit({"a.md": "one"}))
    assert commit
    assert commit.author.at == 1_767_225_600


def test_reading_ends_with_the_repository(tmp_path: Path) -> None:
    with GitRepo(tmp_path / "a.git") as repo:
        repo.commit({"a.md": "one"})
        assert repo.tip("main")
        process = repo.objects._process
    assert isinstance(process, subprocess.Popen)
    assert process.returncode is not None
