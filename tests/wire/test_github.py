"""GitHub's REST API as the forge speaks it: who may see what, what it costs, and how it refuses."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import github
import pytest
import requests

from tests.wire import samples
from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository

SHA = {"Accept": "application/vnd.github.sha"}


def pygithub(base_url: str, token: str) -> github.Github:
    return github.Github(
        base_url=base_url, auth=github.Auth.Token(token), seconds_between_requests=None, retry=None, timeout=10
    )


# -- who ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enterprise", [False, True], ids=["root", "api-v3"])
def test_pygithub_reads_a_repository(forge: Forge, github_repo: HostedRepository, enterprise: bool) -> None:
    for number in range(35):
        github_repo.git.branch(f"feature/{number}")
    client = pygithub(forge.enterprise_url if enterprise else forge.url, forge.token("acme"))
    assert client.get_user().login == "acme"
    assert [found.full_name for found in client.get_user().get_repos()] == ["acme/docs"]
    repository = client.get_repo("acme/docs")
    assert len(list(repository.get_branches())) == 36
    assert repository.get_branch("feature/7").commit.sha == github_repo.git.tip("main")
    tree = repository.get_git_tree("main", recursive=True)
    read = {entry.path: entry.sha for entry in tree.tree if entry.type == "blob"}
    assert read == github_repo.git.files()
    assert base64.b64decode(repository.get_git_blob(read["README.md"]).content) == samples.markdown("Read me")
    contents = repository.get_contents("docs/naïve ünïcode.md")
    assert not isinstance(contents, list)
    assert contents.decoded_content == samples.markdown("Unicode")


def test_a_classic_token_tells_its_scopes(forge: Forge, get: Get) -> None:
    answer = get("/user", token=forge.token("alice", scopes=["repo", "user:email"]))
    assert answer.json()["login"] == "alice"
    assert answer.headers["X-OAuth-Scopes"] == "repo, user:email"


def test_a_fine_grained_token_has_no_scopes_but_an_end(forge: Forge, get: Get) -> None:
    end = datetime.now(UTC) + timedelta(days=30)
    token = forge.token("alice", fine_grained=True, expires_at=end)
    answer = get("/user", token=token)
    assert token.startswith("github_pat_")
    assert "X-OAuth-Scopes" not in answer.headers
    assert answer.headers["GitHub-Authentication-Token-Expiration"] == end.strftime("%Y-%m-%d %H:%M:%S UTC")


def test_a_token_that_is_wrong_revoked_or_over_is_refused_everywhere(
    forge: Forge, github_repo: HostedRepository, get: Get
) -> None:
    revoked = forge.token("acme")
    forge.world.revoke(revoked)
    over = forge.token("acme", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    for token in ("ghp_wrong", revoked, over):
        for path in ("/user", "/repos/acme/docs"):
            answer = get(path, token=token)
            assert answer.status_code == 401
            assert answer.json()["message"] == "Bad credentials"


def test_nobody_has_no_account_but_sees_what_is_public(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    assert get("/user").status_code == 401
    assert get("/repos/acme/docs").status_code == 200


def test_a_private_repository_is_missing_to_who_may_not_see_it(
    forge: Forge, private_repo: HostedRepository, get: Get
) -> None:
    private_repo.collaborators.add("bob")
    sees = {
        "": 404,
        forge.token("mallory"): 404,
        forge.token("acme", scopes=["read:user"]): 404,
        forge.token("acme", fine_grained=True, repositories=[]): 404,
        forge.token("acme"): 200,
        forge.token("bob"): 200,
        forge.token("acme", fine_grained=True, repositories=["acme/secret"]): 200,
    }
    for path in ("/repos/acme/secret", "/repos/acme/secret/git/trees/main", "/repos/acme/secret/commits/main"):
        assert {token: get(path, token=token).status_code for token in sees} == sees


def test_a_token_without_contents_sees_the_repository_but_not_its_files(
    forge: Forge, private_repo: HostedRepository, get: Get
) -> None:
    token = forge.token("acme", fine_grained=True, permissions=["metadata"])
    assert get("/repos/acme/secret", token=token).status_code == 200
    answer = get("/repos/acme/secret/git/trees/main", token=token)
    assert answer.status_code == 403
    assert answer.headers["X-RateLimit-Remaining"] != "0"


# -- repositories and branches -----------------------------------------------------------------------------------------


def test_repositories_come_in_pages_that_link_to_each_other(forge: Forge, get: Get) -> None:
    for number in range(7):
        forge.repository(f"acme/r{number}")
    forge.repository("other/unseen")
    token, names, page = forge.token("acme"), [], "/user/repos?per_page=3&sort=pushed"
    links = {}
    while page:
        answer = get(page, token=token)
        names += [found["name"] for found in answer.json()]
        links = answer.links
        page = links.get("next", {}).get("url", "")
    assert names == [f"r{number}" for number in reversed(range(7))]
    assert set(links) == {"prev", "first"}


def test_repositories_are_chosen_by_how_one_came_to_them(forge: Forge, get: Get) -> None:
    forge.repository("alice/own", private=True)
    forge.repository("bob/shared", collaborators=["alice"])
    forge.repository("guild/joint", owner_kind="Organization", collaborators=["alice"])
    token = forge.token("alice")

    def listed(query: str) -> list[str]:
        return [found["full_name"] for found in get(f"/user/repos{query}", token=token).json()]

    assert listed("") == ["alice/own", "bob/shared", "guild/joint"]
    assert listed("?affiliation=owner,organization_member") == ["alice/own", "guild/joint"]
    assert listed("?type=owner") == ["alice/own"]
    assert listed("?visibility=public&direction=desc") == ["guild/joint", "bob/shared"]
    assert listed("?since=2030-01-01T00:00:00Z") == []
    assert get("/user/repos?type=owner&visibility=all", token=token).status_code == 422


def test_a_branchs_page_links_by_the_repositorys_id(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    github_repo.git.branch("other")
    answer = get("/api/v3/repos/acme/docs/branches?per_page=1")
    following = answer.links["next"]["url"]
    assert following.startswith(f"{forge.url}/api/v3/repositories/{github_repo.id}/branches?")
    assert [found["name"] for found in get(following).json()] == ["other"]


def test_a_renamed_repository_redirects_to_its_id(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    forge.world.rename("acme/docs", "acme/handbook")
    answer = get("/repos/acme/docs/git/trees/main")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{forge.url}/repositories/{github_repo.id}/git/trees/main"
    assert get(answer.headers["Location"]).status_code == 200
    assert get("/repos/acme/handbook").json()["id"] == github_repo.id


def test_a_deleted_repository_is_missing(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    forge.world.delete("acme/docs")
    assert get("/repos/acme/docs").status_code == 404


@pytest.mark.parametrize("written", ["feature/a%20b", "release%2F1.0", "release/1.0"])
def test_a_branch_may_hold_slashes(forge: Forge, github_repo: HostedRepository, get: Get, written: str) -> None:
    github_repo.git.branch("release/1.0")
    expected = 404 if "a%20b" in written else 200
    assert get(f"/repos/acme/docs/branches/{written}").status_code == expected


# -- commits, trees, blobs ---------------------------------------------------------------------------------------------


def test_the_head_is_one_bare_id(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    answer = get("/repos/acme/docs/commits/main", headers=SHA)
    assert answer.text == github_repo.git.tip("main")
    assert answer.headers["Content-Type"].startswith("application/vnd.github.sha")


def test_the_same_head_again_is_304_and_costs_nothing(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    token = forge.token("acme")
    path = "/repos/acme/docs/commits/main"
    first = get(path, token=token, headers=SHA)
    again = get(path, token=token, headers={**SHA, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Used"] == first.headers["X-RateLimit-Used"] == "1"
    github_repo.git.commit({"new.md": "new"})
    changed = get(path, token=token, headers={**SHA, "If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_a_tag_made_for_one_token_does_not_serve_another(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    path = "/repos/acme/docs/commits/main"
    tag = get(path, token=forge.token("acme"), headers=SHA).headers["ETag"]
    assert get(path, token=forge.token("acme"), headers={**SHA, "If-None-Match": tag}).status_code == 200


def test_an_empty_repository_is_a_conflict(forge: Forge, get: Get) -> None:
    forge.repository("acme/empty")
    for path in ("commits/main", "git/trees/main", "git/ref/heads/main", "commits"):
        answer = get(f"/repos/acme/empty/{path}")
        assert answer.status_code == 409, path
        assert answer.json()["message"] == "Git Repository is empty."
    assert get("/repos/acme/empty/branches").json() == []
    assert get("/repos/acme/empty/tarball/main").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("commits/no-such", 422),
        ("branches/no-such", 404),
        ("git/ref/heads/no-such", 404),
        (f"git/trees/{'1' * 40}", 404),
        (f"git/blobs/{'1' * 40}", 404),
        ("git/blobs/short", 422),
        ("tarball/no-such", 404),
        ("contents/no-such", 404),
        ("compare/main...no-such", 404),
    ],
)
def test_what_is_missing_is_refused_as_github_does(
    forge: Forge, github_repo: HostedRepository, get: Get, path: str, status: int
) -> None:
    assert get(f"/repos/acme/docs/{path}").status_code == status


def test_a_capped_tree_says_that_it_is_truncated(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    forge.caps.tree_entries = 5
    body = get("/repos/acme/docs/git/trees/main?recursive=1").json()
    assert (len(body["tree"]), body["truncated"]) == (5, True)


def test_a_tree_asked_for_by_its_commit_says_the_commit(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    head = github_repo.git.tip("main")
    assert head
    assert get(f"/repos/acme/docs/git/trees/{head}").json()["sha"] == head
    tree = github_repo.git.tree_of(head)
    assert get(f"/repos/acme/docs/git/trees/{tree}").json()["sha"] == tree


def test_a_tree_tells_submodules_links_and_sizes(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    tree = get("/repos/acme/docs/git/trees/main?recursive=1").json()["tree"]
    entries = {entry["path"]: entry for entry in tree}
    assert entries["vendor/library"] == {
        "path": "vendor/library",
        "mode": "160000",
        "type": "commit",
        "sha": "1" * 40,
    }
    assert entries["link.md"]["mode"] == "120000"
    assert entries["logo.png"]["size"] == len(samples.PNG)
    assert entries["docs"]["type"] == "tree"


@pytest.mark.parametrize("name", ["logo.png", "latin1.txt", "empty.txt", "crlf.txt", "bom.txt"])
def test_a_blob_comes_as_base64_and_raw_with_the_same_bytes(
    forge: Forge, github_repo: HostedRepository, get: Get, name: str
) -> None:
    oid = github_repo.git.files()[name]
    path = f"/repos/acme/docs/git/blobs/{oid}"
    content = get(path).json()["content"]
    assert blob_id(base64.b64decode(content)) == oid
    assert max(map(len, content.split("\n"))) <= 60
    assert blob_id(get(path, headers={"Accept": "application/vnd.github.raw+json"}).content) == oid


def test_contents_differ_by_what_stands_at_the_path(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    base = "/repos/acme/docs/contents"
    assert {found["name"]: found["type"] for found in get(f"{base}/docs").json()} == {
        "deep": "dir",
        "guide.md": "file",
        "naïve ünïcode.md": "file",
    }
    assert get(f"{base}/vendor/library").json()["type"] == "submodule"
    assert get(f"{base}/link.md").json()["sha"] == github_repo.git.files()["README.md"]
    raw = get(f"{base}/latin1.txt?ref=main", headers={"Accept": "application/vnd.github.raw"})
    assert raw.content == samples.LATIN_1
    whole = get(base, headers={"Accept": "application/vnd.github.object+json"})
    assert (whole.json()["type"], len(whole.json()["entries"])) == ("dir", 10)


def test_commits_are_listed_by_who_when_and_where(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    first = github_repo.git.tip("main")
    second = github_repo.git.commit({"docs/new.md": "new"}, author=("Bob", "bob@example.org"))

    def listed(query: str) -> list[str]:
        return [found["sha"] for found in get(f"/repos/acme/docs/commits{query}").json()]

    assert listed("") == [second, first]
    assert listed("?author=bob@example.org") == [second]
    assert listed("?since=2026-01-01T00:00:30Z") == [second]
    assert listed("?until=2026-01-01T00:00:30Z") == [first]
    assert listed("?path=README.md") == [first]
    assert listed(f"?sha={first}") == [first]


def test_comparing_tells_how_far_two_ends_are_apart(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    github_repo.git.branch("next")
    github_repo.git.move("docs/guide.md", "docs/manual.md", branch="next")
    github_repo.git.commit({"empty.txt": None}, branch="next")
    github_repo.git.commit({"main.md": "main"})
    body = get("/repos/acme/docs/compare/main...next").json()
    assert (body["status"], body["ahead_by"], body["behind_by"]) == ("diverged", 2, 1)
    assert {(file["status"], file["filename"]) for file in body["files"]} == {
        ("renamed", "docs/manual.md"),
        ("removed", "empty.txt"),
    }


# -- what it costs and what it refuses ---------------------------------------------------------------------------------


def test_a_spent_hour_is_403_with_nothing_remaining(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    token = forge.token("acme")
    forge.world.leave(1, token=token, reset_in=60)
    assert get("/repos/acme/docs", token=token).headers["X-RateLimit-Remaining"] == "0"
    refused = get("/repos/acme/docs", token=token)
    assert refused.status_code == 403
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < int(refused.headers["X-RateLimit-Reset"]) - datetime.now(UTC).timestamp() <= 60
    assert get("/rate_limit", token=token).json()["rate"]["remaining"] == 0
    assert get("/repos/acme/docs", token=forge.token("acme")).status_code == 200


def test_without_a_token_there_are_sixty_requests(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    assert get("/repos/acme/docs").headers["X-RateLimit-Limit"] == "60"


def test_a_request_without_a_user_agent_is_refused(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    assert get("/repos/acme/docs", headers={"User-Agent": ""}).status_code == 403


def test_an_unknown_version_is_refused(forge: Forge, github_repo: HostedRepository, get: Get) -> None:
    assert get("/repos/acme/docs", headers={"X-GitHub-Api-Version": "2026-03-10"}).status_code == 200
    assert get("/repos/acme/docs", headers={"X-GitHub-Api-Version": "1999-01-01"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/repos/acme/docs/branches?perpage=5", b"", 422),
        ("/repos/acme/docs/git/trees/main", b"{}", 422),
        ("/repos/acme/docs/no-such-endpoint", b"", 404),
    ],
)
def test_what_the_description_does_not_know_is_refused_and_recorded(
    forge: Forge, github_repo: HostedRepository, get: Get, path: str, body: bytes, status: int
) -> None:
    assert get(path, data=body).status_code == status
    (violation,) = forge.violations
    assert violation.by == "client"
    forge.violations.clear()


def test_it_is_as_strict_where_the_description_is_not_at_hand(tmp_path: Path) -> None:
    with Forge(tmp_path) as forge:
        forge.repository("acme/docs").git.commit({"a.md": "one"})
        for path, status in (("?page=1", 422), ("/branches?perpage=5", 422), ("/no-such", 404), ("/branches", 200)):
            assert requests.get(f"{forge.url}/repos/acme/docs{path}", timeout=10).status_code == status
        assert [found.by for found in forge.violations] == ["client"] * 3
