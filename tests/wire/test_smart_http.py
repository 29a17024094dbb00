"""git's own client and dulwich read from the forge."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import dulwich.client
import pytest
from dulwich.errors import NotGitRepository
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo

from tests.wire import faults, listener, samples
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


@pytest.fixture
def clone(forge: Forge, github_repo: HostedRepository, tmp_path: Path) -> str:
    """A working copy of acme/docs with one more commit."""
    target = str(tmp_path / "clone")
    run_git("clone", "-q", forge.clone_url("acme/docs"), target)
    (tmp_path / "clone" / "new.md").write_text("new")
    run_git("-C", target, "add", "new.md")
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    assert run_git("-C", target, *who, "commit", "-qm", "Say something new").returncode == 0
    return target


def push(forge: Forge, clone: str, token: str, branch: str = "main") -> subprocess.CompletedProcess[bytes]:
    return run_git("-C", clone, "push", "-q", with_password(forge, "acme/docs", token), f"HEAD:refs/heads/{branch}")


def test_a_push_moves_the_branch_and_is_told_to_who_listens(
    forge: Forge, github_repo: HostedRepository, clone: str
) -> None:
    before = github_repo.git.tip("main")
    with listener.listening() as heard:
        forge.world.hooks.add("github", github_repo, heard.url, secret="s", events=["push"], content_type="json")
        assert push(forge, clone, forge.token("acme")).returncode == 0
        payload = forge.world.hooks.last().payload
    assert github_repo.git.tip("main") == payload["after"] != before
    assert (payload["ref"], payload["before"]) == ("refs/heads/main", before)
    assert payload["pusher"]["name"] == "acme"


@pytest.mark.parametrize("kind", ["reader", "classic", "fine-grained", "gitlab", "bitbucket", "archived", "nobody"])
def test_who_may_only_read_pushes_nothing(forge: Forge, github_repo: HostedRepository, clone: str, kind: str) -> None:
    before = github_repo.git.tip("main")
    github_repo.roles["vera"] = "read"
    github_repo.archived = kind == "archived"
    tokens: Mapping[str, Callable[[], str]] = {
        "reader": lambda: forge.token("vera"),
        "classic": lambda: forge.token("acme", scopes=["read:user"]),
        "fine-grained": lambda: forge.token("acme", fine_grained=True, permissions=["contents"]),
        "gitlab": lambda: forge.gitlab_token("acme", scopes=["read_repository"]),
        "bitbucket": lambda: forge.bitbucket_token("acme", scopes=["read:repository:bitbucket"]),
        "archived": lambda: forge.token("acme"),
        "nobody": lambda: "ghp_wrong",
    }
    done = push(forge, clone, tokens[kind]())
    assert (b"Authentication failed" if kind == "nobody" else b"403") in done.stderr
    assert github_repo.git.tip("main") == before


def test_a_protected_branch_is_kept_by_a_hook(forge: Forge, github_repo: HostedRepository, clone: str) -> None:
    github_repo.protected_branches.add("main")
    before = github_repo.git.tip("main")
    done = push(forge, clone, forge.token("acme"))
    assert b"GH006" in done.stderr
    assert b"hook declined" in done.stderr
    assert github_repo.git.tip("main") == before
    assert push(forge, clone, forge.token("acme"), "other").returncode == 0
    assert github_repo.git.tip("other") != before


def test_a_push_goes_wrong_on_demand(forge: Forge, github_repo: HostedRepository, clone: str) -> None:
    before, on = github_repo.git.tip("main"), "POST */git-receive-pack"
    for fault, moved in ((faults.cut_request(200), False), (faults.fail_after_work(), True)):
        with forge.fault(fault, on=on):
            assert push(forge, clone, forge.token("acme")).returncode != 0
        assert (github_repo.git.tip("main") != before) is moved


def test_a_body_in_chunks_is_not_taken(forge: Forge, github_repo: HostedRepository, clone: str) -> None:
    (Path(clone) / "noise").write_bytes(os.urandom(2 << 20))
    run_git("-C", clone, "add", "noise")
    run_git("-C", clone, "-c", "user.name=Ann", "-c", "user.email=a@example.org", "commit", "-qm", "Make noise")
    assert b"411" in push(forge, clone, forge.token("acme")).stderr


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
