"""Bitbucket's REST API as the forge speaks it: repositories, branches, commits, files and archives."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.wire import samples
from tests.wire.forge import Forge
from tests.wire.repos import Executable, Submodule, Symlink
from tests.wire.world import HostedRepository, uuid_of

Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(forge: Forge, session: requests.Session) -> Ask:
    """`ask("/user")`: one request as acme's API token, redirects not followed."""
    token = forge.bitbucket_token("acme")

    def send(path: str, *, auth: Any = ("acme@example.org", token), **more: Any) -> requests.Response:
        address = path if path.startswith("http") else forge.bitbucket_url + path
        return session.get(address, auth=auth, allow_redirects=False, timeout=10, **more)

    return send


def everything(ask: Ask, path: str) -> list[dict[str, Any]]:
    """All values of a list, by its own links."""
    found, address = [], path
    while address:
        body = ask(address).json()
        found += body["values"]
        address = body.get("next", "")
    return found


# -- repositories ------------------------------------------------------------------------------------------------------


def test_a_repository_is_found_by_its_name_and_by_its_uuid(
    forge: Forge, private_repo: HostedRepository, ask: Ask
) -> None:
    uuid, workspace = uuid_of(private_repo.id), uuid_of(private_repo.owner.id)
    found = ask("/repositories/acme/secret").json()
    assert (found["uuid"], found["full_name"], found["is_private"]) == (uuid, "acme/secret", True)
    assert found["mainbranch"] == {"type": "branch", "name": "main"}
    for name in (f"{{}}/{quote(uuid)}", f"acme/{quote(uuid)}", f"{quote(workspace)}/{quote(uuid)}"):
        assert ask(f"/repositories/{name}").json() == found
    assert ask(f"/repositories/other/{quote(uuid)}").status_code == 404


def test_an_empty_repository_has_no_main_branch(forge: Forge, ask: Ask) -> None:
    forge.repository("acme/empty")
    assert ask("/repositories/acme/empty").json()["mainbranch"] is None
    assert ask("/repositories/acme/empty/refs/branches").json()["values"] == []
    assert ask("/repositories/acme/empty/refs/branches/main").status_code == 404


def test_a_former_name_leads_to_the_new_one(forge: Forge, private_repo: HostedRepository, ask: Ask) -> None:
    forge.world.rename("acme/secret", "acme/book")
    answer = ask("/repositories/acme/secret/refs/branches?pagelen=5")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{forge.bitbucket_url}/repositories/acme/book/refs/branches?pagelen=5"
    stranger = ("mallory@example.org", forge.bitbucket_token("mallory"))
    assert ask("/repositories/acme/secret", auth=stranger).status_code == 404


def test_repositories_of_a_workspace_come_in_pages_chosen_and_sorted(forge: Forge, ask: Ask) -> None:
    for number in (1, 2, 10):
        forge.repository(f"acme/docs-{number}", private=True)
    forge.repository("acme/other")
    first = ask('/repositories/acme?q=name ~ "DOCS"&sort=-name&pagelen=2').json()
    assert [found["name"] for found in first["values"]] == ["docs-10", "docs-2"]
    assert (first["size"], first["page"], first["pagelen"]) == (3, 1, 2)
    second = ask(first["next"]).json()
    assert [found["name"] for found in second["values"]] == ["docs-1"]
    assert "next" not in second
    exact = ask('/repositories/acme?q=full_name = "acme/other" OR name = "docs-1"').json()
    assert [found["name"] for found in exact["values"]] == ["docs-1", "other"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("pagelen=101", 400), ("pagelen=0", 400), ("page=9", 404), ("q=name ~ docs", 400), ("q=nonsense = 1", 400)],
)
def test_what_a_list_cannot_do_is_refused(
    forge: Forge, github_repo: HostedRepository, ask: Ask, query: str, status: int
) -> None:
    assert ask(f"/repositories/acme?{query}").status_code == status


def test_a_role_narrows_the_list(forge: Forge, ask: Ask) -> None:
    mine = forge.repository("acme/mine")
    for name, role in (("read", "read"), ("write", "write"), ("admin", "admin")):
        forge.repository(f"team/{name}", private=True).roles["acme"] = role
    forge.repository("team/public")
    listed = {
        role: [found["name"] for found in ask(f"/repositories/team?role={role}").json()["values"]]
        for role in ("member", "contributor", "admin", "owner")
    }
    assert listed == {
        "member": ["read", "write", "admin"],
        "contributor": ["write", "admin"],
        "admin": ["admin"],
        "owner": [],
    }
    assert len(ask("/repositories/team").json()["values"]) == 4
    assert [found["uuid"] for found in ask("/repositories/acme?role=owner").json()["values"]] == [uuid_of(mine.id)]
    assert ask("/repositories/nobody").status_code == 404


def test_only_the_fields_that_were_asked_for_come(forge: Forge, ask: Ask) -> None:
    for number in range(3):
        forge.repository(f"acme/r{number}")
    body = ask("/repositories/acme?pagelen=2&fields=values.slug,values.links.html").json()
    assert set(body) == {"values"}  # `next` has to be asked for as well
    assert set(body["values"][0]) == {"slug", "links"}
    assert set(body["values"][0]["links"]) == {"html"}
    assert "next" in ask("/repositories/acme?pagelen=2&fields=next,values.slug").json()
    assert "links" not in ask("/repositories/acme/r0?fields=-links").json()


# -- branches and commits ----------------------------------------------------------------------------------------------


def test_branches_are_listed_chosen_and_found(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    for number in range(12):
        github_repo.git.branch(f"feature/{number}")
    assert len(everything(ask, "/repositories/acme/docs/refs/branches")) == 13
    chosen = ask('/repositories/acme/docs/refs/branches?q=name ~ "feature/1"&sort=-name').json()["values"]
    assert [found["name"] for found in chosen] == ["feature/11", "feature/10", "feature/1"]
    found = ask("/repositories/acme/docs/refs/branches/feature/7").json()
    assert found["target"]["hash"] == github_repo.git.tip("main")
    assert ask("/repositories/acme/docs/refs/branches/feature").status_code == 404


def test_a_commit_is_found_by_its_id_the_beginning_of_it_and_its_branch(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    second = github_repo.git.commit({"b.md": "b"}, "Second")
    for name in (second, second[:8], "main"):
        found = ask(f"/repositories/acme/docs/commit/{name}").json()
        assert (found["hash"], found["message"]) == (second, "Second")
    assert found["author"]["raw"] == "Alice <alice@example.org>"
    assert ask(f"/repositories/acme/docs/commit/{'0' * 40}").json()["error"]["message"] == "Commit not found"


def test_history_is_followed_by_links_that_cannot_be_guessed(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    ids = [github_repo.git.commit({"n.md": str(number)}, str(number)) for number in range(5)]
    first = ask("/repositories/acme/docs/commits/main?pagelen=2").json()
    assert set(first) == {"values", "pagelen", "next"}
    listed = everything(ask, "/repositories/acme/docs/commits/main?pagelen=2")
    assert [found["hash"] for found in listed][:5] == ids[::-1]
    since = everything(ask, f"/repositories/acme/docs/commits/main?exclude={ids[2]}")
    assert [found["hash"] for found in since] == [ids[4], ids[3]]
    assert ask("/repositories/acme/docs/commits/main?pagelen=2&page=2").status_code == 400


# -- what changed ------------------------------------------------------------------------------------------------------


def changes(ask: Ask, spec: str, query: str = "") -> dict[str, tuple[str | None, str | None]]:
    """Path before (else after) -> (status, path after)."""
    listed = everything(ask, f"/repositories/acme/docs/diffstat/{spec}{query}")
    return {
        (change["old"] or change["new"])["path"]: (change["status"], (change["new"] or {}).get("path"))
        for change in listed
    }


def test_the_first_commit_of_a_comparison_is_the_newer_one(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    git = github_repo.git
    old = git.tip("main")
    new = git.commit({"README.md": "other", "new.md": "new", "logo.png": None, "empty.txt": Executable(b"")})
    new = git.move("docs/guide.md", "docs/moved.md")
    expected = {
        "README.md": ("modified", "README.md"),
        "new.md": ("added", "new.md"),
        "logo.png": ("removed", None),
        "empty.txt": ("modified", "empty.txt"),
        "docs/guide.md": ("renamed", "docs/moved.md"),
    }
    assert changes(ask, f"{new}..{old}", "?topic=false&pagelen=2") == expected
    assert changes(ask, f"{old}..{new}", "?topic=false")["new.md"] == ("removed", None)
    assert changes(ask, f"{new}..{old}", "?topic=false&path=new.md&path=README.md").keys() == {"README.md", "new.md"}
    apart = changes(ask, f"{new}..{old}", "?topic=false&renames=false")
    assert apart["docs/guide.md"] == ("removed", None)
    assert changes(ask, new) == {"docs/guide.md": ("renamed", "docs/moved.md")}


def test_without_topic_a_comparison_begins_where_the_branches_parted(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    git = github_repo.git
    git.branch("side")
    main, side = git.commit({"main.md": "m"}), git.commit({"side.md": "s"}, branch="side")
    assert changes(ask, f"{side}..{main}") == {"side.md": ("added", "side.md")}
    assert changes(ask, f"{side}..{main}", "?topic=false") == {
        "side.md": ("added", "side.md"),
        "main.md": ("removed", None),
    }
    assert ask(f"/repositories/acme/docs/diffstat/{side}..{main}?topic=true&merge=true").status_code == 400


# -- files and folders -------------------------------------------------------------------------------------------------


def test_a_listing_has_paths_sizes_and_attributes_and_no_blob_ids(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    github_repo.git.commit({"run.sh": Executable(b"#!/bin/sh\n"), "link.md": Symlink("README.md")})
    head = github_repo.git.tip("main")
    listed = {entry["path"]: entry for entry in everything(ask, f"/repositories/acme/docs/src/{head}/?pagelen=5")}
    assert listed["docs"]["type"] == "commit_directory"
    assert listed["README.md"]["size"] == len(samples.markdown("Read me"))
    assert {path: entry["attributes"] for path, entry in listed.items() if entry.get("attributes")} == {
        "run.sh": ["executable"],
        "link.md": ["link"],
    }
    assert "docs/guide.md" not in listed
    assert not any("oid" in entry or "sha" in entry for entry in listed.values())
    inside = everything(ask, f"/repositories/acme/docs/src/{head}/vendor")
    assert [(entry["path"], entry["attributes"]) for entry in inside] == [("vendor/library", ["subrepository"])]


def test_a_deep_listing_is_breadth_first_and_ends_at_its_depth(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    address = "/repositories/acme/docs/src/main/?max_depth="
    two = [entry["path"] for entry in everything(ask, f"{address}2&pagelen=3")]
    assert two.index("video.mp4") < two.index("docs/deep")
    assert "docs/deep/er" not in two
    all_of_it = everything(ask, f"{address}9&pagelen=100")
    files = {entry["path"] for entry in all_of_it if entry["type"] == "commit_file"}
    assert files == set(github_repo.git.files()) | {"vendor/library"}


def test_a_listing_that_takes_too_long_is_given_up(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    forge.bitbucket_caps.walked_folders = 3
    assert ask("/repositories/acme/docs/src/main/?max_depth=9").status_code == 555
    assert ask("/repositories/acme/docs/src/main/?max_depth=1").status_code == 200


def test_a_file_is_its_bytes(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    answer = ask(f"/repositories/acme/docs/src/main/{quote('docs/naïve ünïcode.md')}")
    assert answer.content == samples.markdown("Unicode")
    assert ask("/repositories/acme/docs/src/main/logo.png").content == samples.PNG
    assert ask("/repositories/acme/docs/src/main/link.md").content == b"README.md"
    assert ask("/repositories/acme/docs/src/main/vendor/library").content == b"1" * 40
    meta = ask("/repositories/acme/docs/src/main/logo.png?format=meta").json()
    assert (meta["path"], meta["attributes"], meta["size"]) == ("logo.png", ["binary"], len(samples.PNG))
    assert ask("/repositories/acme/docs/src/main/docs?format=meta").json()["type"] == "commit_directory"
    for missing in ("nothing.md", "README.md/below", "docs/nothing"):
        assert ask(f"/repositories/acme/docs/src/main/{missing}").status_code == 404
    assert ask("/repositories/acme/docs/src/nobranch/README.md").status_code == 404


def test_a_file_of_json_is_not_taken_for_a_listing(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    github_repo.git.commit({"data.json": "[1]"})
    assert ask("/repositories/acme/docs/src/main/data.json").json() == [1]


def test_the_source_without_a_commit_leads_to_the_main_branch(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    answer = ask("/repositories/acme/docs/src")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/src/{github_repo.git.tip('main')}/")


def test_an_archive_leaves_out_what_git_is_told_to(forge: Forge, ask: Ask) -> None:
    hosted = forge.repository("Acme/Docs", private=True)
    head = hosted.git.commit(samples.archive_altered() | {"sub": Submodule("1" * 40)})
    answer = ask(f"{forge.url}/acme/docs/get/{head}.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        names = {member.name for member in archive if member.isfile()}
    folder = f"acme-docs-{head[:12]}"
    assert names == {f"{folder}/.gitattributes", f"{folder}/README.md", f"{folder}/version.txt"}
    assert ask(f"{forge.url}/acme/docs/get/main.tar.gz").status_code == 200
    assert ask(f"{forge.url}/acme/docs/get/{head}.tar.gz", auth=None).status_code == 404
    assert ask(f"{forge.url}/acme/docs/get/{'0' * 40}.tar.gz").status_code == 404
    wrong = ("acme@example.org", "ATATTwrong")
    assert ask(f"{forge.url}/acme/docs/get/{head}.tar.gz", auth=wrong).status_code == 401
    forge.world.rename("Acme/Docs", "Acme/Book")
    moved = ask(f"{forge.url}/acme/docs/get/{head}.tar.gz")
    assert moved.headers["Location"] == f"{forge.url}/acme/book/get/{head}.tar.gz"
