"""GitLab's API as a client that reads sees it."""

from __future__ import annotations

import io
import re
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gitlab
import pytest

from tests.wire import samples
from tests.wire.conftest import Ask
from tests.wire.forge import Forge
from tests.wire.objects import git
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository


@pytest.fixture
def docs(forge: Forge) -> HostedRepository:
    """The private project `acme/platform/docs` in a nested group, alice its Maintainer."""
    forge.world.join("acme/platform", "alice")
    hosted = forge.repository("acme/platform/docs", private=True)
    hosted.git.commit(samples.everything(), "First commit")
    return hosted


def test_a_token_says_who_it_is_and_what_it_may(forge: Forge, ask: Ask) -> None:
    until = datetime.now(UTC) + timedelta(days=30)
    token = forge.gitlab_token("alice", scopes=["read_api", "read_user"], expires_at=until)
    assert ask("/user", token=token).json()["username"] == "alice"
    about = ask("/personal_access_tokens/self", token=token).json()
    assert about["scopes"] == ["read_api", "read_user"]
    assert about["expires_at"] == until.date().isoformat()
    assert ask("/user", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert ask("/user").status_code == 401
    assert ask("/user", token="glpat-unknown").json() == {"message": "401 Unauthorized"}


def test_a_token_whose_time_is_over_says_so(forge: Forge, ask: Ask) -> None:
    token = forge.gitlab_token("alice", expires_at=datetime.now(UTC) - timedelta(days=1))
    refused = ask("/user", token=token)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert "Token is expired" in refused.headers["WWW-Authenticate"]


def test_a_token_of_another_forge_is_unknown(forge: Forge, ask: Ask) -> None:
    assert ask("/user", token=forge.token("alice")).status_code == 401


def test_a_scope_that_is_missing_is_named(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    token = forge.gitlab_token("alice", scopes=["read_user", "read_repository"])
    assert ask("/user", token=token).status_code == 200
    refused = ask(f"/projects/{docs.id}/repository/tree", token=token)
    assert refused.status_code == 403
    assert refused.json()["error"] == "insufficient_scope"
    assert refused.json()["scope"] == "api read_api"
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


def test_a_hidden_project_is_missing(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    path = f"/projects/{quote(docs.full_name, safe='')}"
    assert ask(path, token=forge.gitlab_token("alice")).json()["id"] == docs.id
    assert ask(path, token=forge.gitlab_token("mallory")).json() == {"message": "404 Project Not Found"}
    assert ask(path).status_code == 404


def test_a_project_token_sees_its_project_alone(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    forge.repository("acme/platform/other", private=True)
    token = forge.gitlab_token("alice", kind="project", scopes=["read_api"], repositories=[docs.full_name])
    assert [found["id"] for found in ask("/projects?membership=true", token=token).json()] == [docs.id]
    assert ask("/user", token=token).json()["bot"] is True


def test_a_former_path_leads_to_the_number(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    forge.world.rename("acme/platform/docs", "acme/platform/handbook")
    token = forge.gitlab_token("acme/platform")
    moved = ask("/projects/acme%2Fplatform%2Fdocs/repository/branches?search=ma", token=token)
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{forge.gitlab_url}/projects/{docs.id}/repository/branches?search=ma"
    assert ask(moved.headers["Location"], token=token).json()[0]["name"] == "main"


def test_projects_are_listed_by_offset_and_by_key(forge: Forge, ask: Ask) -> None:
    made = [forge.repository(f"alice/project-{n}").id for n in range(5)]
    forge.repository("bob/theirs")
    token = forge.gitlab_token("alice")
    first = ask("/projects?membership=true&per_page=2", token=token)
    assert [found["id"] for found in first.json()] == made[:-3:-1]
    assert first.headers["X-Total"] == "5"
    assert first.headers["X-Next-Page"] == "2"

    seen, address = [], "/projects?membership=true&pagination=keyset&order_by=id&sort=asc&per_page=2&simple=true"
    while address:
        page = ask(address, token=token)
        seen += [found["id"] for found in page.json()]
        assert "X-Total" not in page.headers
        address = page.links.get("next", {}).get("url", "")
    assert seen == made
    assert [found["path"] for found in ask("/projects?search=THEIRS", token=token).json()] == ["theirs"]


def test_branches_have_slashes_pages_and_protection(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    for name in ("feature/one", "feature/two", "release"):
        docs.git.branch(name)
    docs.protected_branches.add("main")
    token, base = forge.gitlab_token("alice"), f"/projects/{docs.id}/repository/branches"
    assert [found["name"] for found in ask(f"{base}?search=^feature", token=token).json()] == [
        "feature/one",
        "feature/two",
    ]
    one = ask(f"{base}/feature%2Fone", token=token).json()
    assert one["commit"]["id"] == docs.git.tip("main")
    assert one["can_push"] is True
    main = ask(f"{base}/main", token=token).json()
    assert (main["protected"], main["default"], main["can_push"]) == (True, True, False)
    assert ask(f"{base}/gone", token=token).json() == {"message": "404 Branch Not Found"}
    page = ask(f"{base}?pagination=keyset&per_page=3", token=token)
    rest = ask(page.links["next"]["url"], token=token)
    assert [found["name"] for found in (*page.json(), *rest.json())] == sorted(docs.git.branches())


def test_the_tree_is_paged_by_key_folders_first(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    docs.git.commit({"a.md": "same", "b.md": "same", "c/d.md": "same"})
    token = forge.gitlab_token("alice", scopes=["read_api"])
    seen: list[Any] = []
    address = f"/projects/{docs.id}/repository/tree?recursive=true&pagination=keyset&per_page=2&ref=main"
    while address:
        page = ask(address, token=token)
        seen += page.json()
        address = page.links.get("next", {}).get("url", "")
    tree = docs.git.tree(docs.git.tree_of(docs.git.tip("main") or "") or "", recursive=True)
    assert {(found["path"], found["id"]) for found in seen if found["type"] == "blob"} >= {("a.md", blob_id(b"same"))}
    assert len(seen) == len(tree)
    kinds = [found["type"] for found in seen]
    assert kinds.index("blob") > max(n for n, kind in enumerate(kinds) if kind == "tree")


def test_a_full_last_page_names_one_more(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("alice/two")
    hosted.git.commit({"a": "1", "b": "2"})
    page = ask(f"/projects/{hosted.id}/repository/tree?pagination=keyset&per_page=2")
    assert ask(page.links["next"]["url"]).json() == []


def test_no_tree_is_no_tree(forge: Forge, docs: HostedRepository, ask: Ask) -> None:
    empty, token = forge.repository("alice/empty"), forge.gitlab_token("alice")
    assert ask(f"/projects/{empty.id}/repository/tree", token=token).json() == {"message": "404 Tree Not Found"}
    assert ask(f"/projects/{empty.id}/repository/branches", token=token).json() == []
    assert ask(f"/projects/{empty.id}", token=token).json()["default_branch"] is None
    assert ask(f"/projects/{docs.id}/repository/tree?ref=gone", token=token).status_code == 404
    assert ask(f"/projects/{docs.id}/repository/tree?path=gone", token=token).status_code == 404


def test_a_blob_comes_raw(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("alice/docs")
    hosted.git.commit({"data.bin": b"\0\xff"})
    address = f"/projects/{hosted.id}/repository/blobs/{blob_id(bytes([0, 255]))}"
    assert ask(f"{address}/raw").content == b"\0\xff"
    assert ask(address).json()["content"] == "AP8="
    assert ask(f"/projects/{hosted.id}/repository/blobs/{'0' * 40}/raw").json() == {"message": "404 Blob Not Found"}


def test_an_archive_obeys_export_ignore_and_its_limit(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("alice/docs")
    commit = hosted.git.commit({"a.md": "a", "b.md": "b", ".gitattributes": "b.md export-ignore\n"})
    forge.gitlab_caps.archives = 2
    address = f"/projects/{hosted.id}/repository/archive.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(ask(f"{address}?sha={commit}").content)) as packed:
        names = packed.getnames()
    assert f"docs-{commit}-{commit}/a.md" in names
    assert not any("b.md" in name for name in names)
    assert re.search(r'filename="docs-main-[0-9a-f]{40}\.tar\.gz"', ask(address).headers["Content-Disposition"])
    refused = ask(address)
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert ask(address, token=forge.gitlab_token("alice")).status_code == 200


def test_too_many_requests_are_told_when_to_come_again(forge: Forge, ask: Ask) -> None:
    token = forge.gitlab_token("alice")
    forge.world.leave(1, token=token, resource="gitlab", reset_in=30)
    assert ask("/user", token=token).headers["RateLimit-Remaining"] == "0"
    refused = ask("/user", token=token)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert refused.text == "Retry later\n"


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/projects?per_page=101", "per_page is at most 100"),
        ("/projects?perpage=1", "unknown parameter 'perpage'"),
        ("/projects?membership=yes", "membership is no boolean"),
        ("/user?private_token=glpat-secret", "a token in the address"),
        ("/projects/alice/docs/repository/tree", "no such endpoint"),
        ("/projects/1/repository/compare?from=main", "to is missing"),
    ],
)
def test_what_is_not_documented_is_refused_and_kept(forge: Forge, ask: Ask, path: str, complaint: str) -> None:
    assert ask(path).status_code in {404, 422}
    assert complaint in str(forge.violations.pop())
    assert not forge.violations


def test_two_commits_are_compared(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("alice/docs")
    first = hosted.git.commit({"a.md": "one\n", "b.md": "b\n" * 20, "c.md": "c"})
    hosted.git.branch("side")
    hosted.git.commit({"side.md": "side"}, branch="side")
    hosted.git.move("b.md", "moved.md")
    second = hosted.git.commit({"a.md": "two\n", "c.md": None})
    address = f"/projects/{hosted.id}/repository/compare"
    found = ask(f"{address}?from={first}&to={second}").json()
    assert [one["id"] for one in found["commits"]][-1] == found["commit"]["id"] == second
    by_path = {one["new_path"]: one for one in found["diffs"]}
    assert by_path["moved.md"]["renamed_file"]
    assert by_path["c.md"]["deleted_file"]
    assert "+two" in by_path["a.md"]["diff"]

    apart = ask(f"{address}?from=side&to=main").json()
    assert "side.md" not in {one["old_path"] for one in apart["diffs"]}
    straight = ask(f"{address}?from=side&to=main&straight=true").json()
    assert "side.md" in {one["old_path"] for one in straight["diffs"]}
    forge.gitlab_caps.compared_files = 1
    assert len(ask(f"{address}?from={first}&to={second}").json()["diffs"]) == 1
    assert ask(f"{address}?from=gone&to=main").json() == {"message": "404 Ref Not Found"}
    assert ask(f"/projects/{hosted.id}/repository/commits/{second}").json()["stats"]["deletions"] == 2
    assert [one["id"] for one in ask(f"/projects/{hosted.id}/repository/commits?path=c.md").json()] == [second, first]


def test_a_gitlab_below_a_path_names_itself(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("alice/docs")
    found = ask(f"{forge.url}/gitlab/api/v4/projects/{hosted.id}").json()
    assert found["web_url"] == f"{forge.url}/gitlab/alice/docs"


def test_git_clones_a_project_of_a_nested_group(forge: Forge, docs: HostedRepository, tmp_path: Path) -> None:
    token = forge.gitlab_token("alice", scopes=["read_repository"])
    address = forge.clone_url(docs.full_name).replace("//", f"//oauth2:{token}@")
    git(tmp_path, "clone", "-q", address, "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD").decode().strip() == docs.git.tip("main")


def test_python_gitlab_reads_it(forge: Forge, docs: HostedRepository) -> None:
    client = gitlab.Gitlab(forge.url, private_token=forge.gitlab_token("alice"))
    client.auth()
    assert client.user
    assert client.user.username == "alice"
    project = client.projects.get("acme/platform/docs")
    assert project.branches.get("main").commit["id"] == docs.git.tip("main")
    paths = [entry["path"] for entry in project.repository_tree(recursive=True, iterator=True, per_page=5)]
    assert set(docs.git.files()) <= set(paths)
    keyed = project.repository_tree(recursive=True, iterator=True, per_page=5, pagination="keyset")
    assert sorted(entry["path"] for entry in keyed) == sorted(paths)
    assert [found.id for found in client.projects.list(membership=True, iterator=True)] == [docs.id]
