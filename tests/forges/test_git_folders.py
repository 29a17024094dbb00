"""Plain git in folders of this machine: those that the operator allows, and nothing beyond them."""

from __future__ import annotations

from pathlib import Path

import pytest

from forges.clients import normalise_repository
from forges.clients.errors import InvalidName, NotFound, OutOfTime, Unavailable
from tests.forges.conftest import OpenGitHub
from tests.wire.objects import git


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    """A repository with a working copy, as people have them."""
    folder = tmp_path / "allowed" / "work"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--initial-branch=main")
    (folder / "a.md").write_text("a\n")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "First")
    return folder


def test_a_folder_with_a_working_copy_is_read_as_it_was_committed(open_git: OpenGitHub, work_tree: Path) -> None:
    client = open_git(local_roots=(work_tree.parent,))
    name = normalise_repository("git", "", f"{work_tree}/.git", local_roots=(work_tree.parent,))
    assert name == f"file://{work_tree}"
    (work_tree / "a.md").write_text("not committed\n")
    assert client.repository(name).default_branch == "main"
    commit = client.head(name, "main")
    with client.archive(name, commit) as files:
        assert dict(files) == {"a.md": b"a\n"}
    assert client.usage.requests == 0


def test_a_folder_is_not_read_unless_the_operator_allows_it(open_git: OpenGitHub, work_tree: Path) -> None:
    for roots in ((), (work_tree / "elsewhere",), (work_tree.parent / "allowed",)):
        with pytest.raises(InvalidName):
            open_git(local_roots=roots).head(f"file://{work_tree}", "main")


def test_a_folder_that_is_no_repository_is_not_found(open_git: OpenGitHub, work_tree: Path) -> None:
    plain = work_tree.parent / "plain"
    plain.mkdir()
    with pytest.raises(NotFound):
        open_git(local_roots=(work_tree.parent,)).head(f"file://{plain}", "main")


def test_a_folder_that_points_out_of_the_allowed_one_is_refused(
    open_git: OpenGitHub, work_tree: Path, tmp_path: Path
) -> None:
    allowed = tmp_path / "narrow"
    for trick in ("gitfile", "link", "alternates", "objects"):
        folder = allowed / trick
        folder.mkdir(parents=True)
        if trick == "gitfile":
            (folder / ".git").write_text(f"gitdir: {work_tree}/.git\n")
        elif trick == "link":
            (folder / ".git").symlink_to(work_tree / ".git")
        else:
            git(folder, "init", "-q", "--initial-branch=main")
            objects = folder / ".git" / "objects"
            if trick == "alternates":
                (objects / "info" / "alternates").write_text(f"{work_tree}/.git/objects\n")
            else:
                (objects / "info").rmdir()
                (objects / "pack").rmdir()
                objects.rmdir()
                objects.symlink_to(work_tree / ".git" / "objects")
        with pytest.raises(InvalidName, match="outside"):
            open_git(local_roots=(allowed,)).head(f"file://{folder}", "main")


@pytest.fixture
def narrow(tmp_path: Path, work_tree: Path) -> Path:
    """A repository like `work_tree`, in the only folder that is allowed; its objects are loose."""
    folder = tmp_path / "narrow" / "copy"
    git(tmp_path, "clone", "-q", "--no-hardlinks", str(work_tree), str(folder))
    return folder


@pytest.mark.parametrize("what", ["objects/pack/pack-1.pack", "objects/00", "refs/heads/other", "packed-refs", "HEAD"])
def test_a_repository_whose_parts_are_links_out_of_the_allowed_folder_is_refused(
    open_git: OpenGitHub, narrow: Path, work_tree: Path, what: str
) -> None:
    link = narrow / ".git" / what
    link.unlink(missing_ok=True)
    link.symlink_to(work_tree / ".git" / "refs" / "heads" / "main")
    with pytest.raises(InvalidName, match="outside"):
        open_git(local_roots=(narrow.parent,)).head(f"file://{narrow}", "main")


def test_an_alternate_of_an_alternate_is_judged_too(open_git: OpenGitHub, narrow: Path, work_tree: Path) -> None:
    between = narrow.parent / "between"
    git(narrow.parent, "clone", "-q", "--no-hardlinks", str(narrow), str(between))
    info = Path(".git", "objects", "info", "alternates")
    (narrow / info).write_text(f"{between}/.git/objects\n")
    assert open_git(local_roots=(narrow.parent,)).head(f"file://{narrow}", "main")
    (between / info).write_text(f"{work_tree}/.git/objects\n")
    with pytest.raises(InvalidName, match="outside"):
        open_git(local_roots=(narrow.parent,)).head(f"file://{narrow}", "main")
    (between / info).write_text(f"{narrow}/.git/objects\n")
    with pytest.raises(InvalidName, match="too many"):
        open_git(local_roots=(narrow.parent,)).head(f"file://{narrow}", "main")


def test_links_inside_the_allowed_folder_and_in_the_working_copy_do_no_harm(
    open_git: OpenGitHub, narrow: Path, work_tree: Path
) -> None:
    (narrow / "notes").symlink_to(work_tree)
    moved = narrow.parent / "objects"
    (narrow / ".git" / "objects").rename(moved)
    (narrow / ".git" / "objects").symlink_to(moved)
    client = open_git(local_roots=(narrow.parent,))
    commit = client.head(f"file://{narrow}", "main")
    assert [entry.path for entry in client.tree(f"file://{narrow}", commit).entries] == ["a.md"]


def test_a_link_that_leads_to_itself_is_an_error_that_says_so(open_git: OpenGitHub, narrow: Path) -> None:
    loop = narrow / ".git" / "refs" / "heads" / "loop"
    loop.symlink_to(loop)
    with pytest.raises(Unavailable, match="cannot be read"):
        open_git(local_roots=(narrow.parent,)).head(f"file://{narrow}", "main")


def test_reading_a_folder_takes_no_longer_than_the_client_has(open_git: OpenGitHub, work_tree: Path) -> None:
    commit = git(work_tree, "rev-parse", "HEAD").decode().strip()
    client = open_git(local_roots=(work_tree.parent,), deadline=0.0)
    for ask in (
        lambda: client.tree(f"file://{work_tree}", commit),
        lambda: list(client.archive(f"file://{work_tree}", commit).__enter__()),
        lambda: list(client.blobs(f"file://{work_tree}", ["1" * 40])),
    ):
        with pytest.raises(OutOfTime, match="in time"):
            ask()


def test_a_damaged_repository_is_an_error_that_says_so(open_git: OpenGitHub, work_tree: Path) -> None:
    commit = git(work_tree, "rev-parse", "HEAD").decode().strip()
    blob = git(work_tree, "rev-parse", "HEAD:a.md").decode().strip()
    client = open_git(local_roots=(work_tree.parent,))
    stored = work_tree / ".git" / "objects" / blob[:2] / blob[2:]
    stored.chmod(0o644)
    stored.write_bytes(b"not zlib")
    with pytest.raises(Unavailable):
        client.tree(f"file://{work_tree}", commit)
