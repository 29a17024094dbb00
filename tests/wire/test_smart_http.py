"""git's own client and dulwich read from the forge."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import dulwich.client
import pytest
from dulwich.errors import NotGitRepository
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo

from tests.wire import samples
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.objects import git_environment
from tests.wire.world import HostedRepository

MAIN = Ref(b"refs/heads/main")


def run_git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], capture_output=True, env=git_environment(), timeout=60, check=False)


def with_password(forge: Forge, full_name: str, token: str, user: str = "x-access-token") -> str:
    return forge.clone_url(full_name).replace("//", f"//{user}:{token}@")


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_git_clones_shallowly_in_each_protocol(
    forge: Forge, github_repo: HostedRepository, tmp_path: Path, version: str
) -> None:
    github_repo.git.commit({"later.md": "later"})
    target = tmp_path / "clone"
    done = run_git(
        "-c", f"protocol.version={version}", "clone", "-q", "--depth", "1", forge.clone_url("acme/docs"), str(target)
    )
    assert done.returncode == 0, done.stderr
    assert run_git("-C", str(target), "rev-list", "--count", "HEAD").stdout == b"1\n"
    assert (target / "later.md").read_text() == "later"


def test_the_protocol_is_the_one_asked_for(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    address = "/acme/docs.git/info/refs?service=git-upload-pack"
    assert b"version 2" in get(address, headers={"Git-Protocol": "version=2"}).content
    assert b"refs/heads/main" in get(address).content


def test_git_fetches_a_commit_by_its_id_after_a_force_push(
    forge: Forge, github_repo: HostedRepository, tmp_path: Path
) -> None:
    old = github_repo.git.tip("main")
    assert old
    github_repo.git.force_push({"other.md": "other"})
    run_git("init", "-q", str(tmp_path / "clone"))
    done = run_git("-C", str(tmp_path / "clone"), "fetch", "-q", "--depth", "1", forge.clone_url("acme/docs"), old)
    assert done.returncode == 0, done.stderr


def test_a_large_clone_is_whole(forge: Forge, tmp_path: Path) -> None:
    hosted = forge.repository("acme/large")
    hosted.git.commit(samples.many(3000) | {"noise.bin": os.urandom(3 << 20)})
    target = tmp_path / "clone"
    assert run_git("clone", "-q", forge.clone_url("acme/large"), str(target)).returncode == 0
    assert sum(1 for path in target.rglob("*.md")) == 3000


def test_a_private_repository_asks_for_a_password(
    forge: Forge, private_repo: HostedRepository, get: Get, tmp_path: Path
) -> None:
    asked = get("/acme/secret.git/info/refs?service=git-upload-pack")
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"] == 'Basic realm="GitHub"'
    token = forge.token("acme")
    for number, address in enumerate(
        [with_password(forge, "acme/secret", token), with_password(forge, "acme/secret", "x-oauth-basic", user=token)]
    ):
        assert run_git("clone", "-q", address, str(tmp_path / str(number))).returncode == 0


@pytest.mark.parametrize(
    ("login", "repository", "said"),
    [("mallory", "acme/secret", b"not found"), ("acme", "acme/no-such", b"not found")],
)
def test_hidden_and_missing_look_the_same(
    forge: Forge, private_repo: HostedRepository, tmp_path: Path, login: str, repository: str, said: bytes
) -> None:
    done = run_git("clone", "-q", with_password(forge, repository, forge.token(login)), str(tmp_path / "clone"))
    assert done.returncode != 0
    assert said in done.stderr


def test_a_bad_password_is_refused_even_for_a_public_repository(
    forge: Forge, github_repo: HostedRepository, private_repo: HostedRepository, get: Get, tmp_path: Path
) -> None:
    # git sends a password only when asked for one; other clients send theirs at once.
    address = "/acme/docs.git/info/refs?service=git-upload-pack"
    assert get(address).status_code == 200
    assert get(address, auth=("x-access-token", "ghp_wrong")).status_code == 401
    done = run_git("clone", "-q", with_password(forge, "acme/secret", "ghp_wrong"), str(tmp_path / "clone"))
    assert b"Authentication failed" in done.stderr


def test_pushing_is_refused(forge: Forge, github_repo: HostedRepository, get: Get, tmp_path: Path) -> None:
    token, target = forge.token("acme"), str(tmp_path / "clone")
    run_git("clone", "-q", forge.clone_url("acme/docs"), target)
    done = run_git("-C", target, "push", "-q", with_password(forge, "acme/docs", token), "HEAD:refs/heads/other")
    assert b"403" in done.stderr
    assert get("/acme/docs.git/info/refs?service=git-receive-pack", auth=("x", token)).status_code == 403
    assert set(github_repo.git.branches()) == {"main"}


def test_an_empty_repository_clones_to_nothing(forge: Forge, tmp_path: Path) -> None:
    forge.repository("acme/empty")
    assert run_git("clone", "-q", forge.clone_url("acme/empty"), str(tmp_path / "clone")).returncode == 0


def test_dulwich_fetches_one_branch_shallowly(forge: Forge, private_repo: HostedRepository) -> None:
    head = private_repo.git.commit({"later.md": "later"})
    client = dulwich.client.HttpGitClient(forge.url, username="x-access-token", password=forge.token("acme"))
    target = MemoryRepo()

    def main_alone(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        return [refs[MAIN]]

    fetched = client.fetch("acme/secret.git", target, determine_wants=main_alone, depth=1)
    assert fetched.refs[MAIN] == head.encode()
    commit = target[head.encode()]
    assert commit.id.decode() == head
    assert target.get_shallow() == {head.encode()}


def test_dulwich_is_told_that_a_repository_is_missing(forge: Forge) -> None:
    client = dulwich.client.HttpGitClient(forge.url, username="x", password=forge.token("acme"))
    with pytest.raises(NotGitRepository):
        client.get_refs(b"acme/no-such.git")
