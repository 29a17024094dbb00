"""GitHub: one commit of many files in few requests, nothing written over somebody else's, and pull requests."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from forges.clients.base import Author, Client
from forges.clients.errors import (
    Conflict,
    Forbidden,
    ForgeError,
    InvalidName,
    Moved,
    NotFound,
    Protected,
    RateLimited,
    Unavailable,
)
from tests.forges.conftest import OpenGitHub
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.messages import json_reply
from tests.wire.world import HostedRepository, PullRequest

ANN = Author("Ann Érable", "ann@example.org")
Changes = Mapping[str, bytes | None]


@pytest.fixture
def client(forge: Forge, open_github: OpenGitHub) -> Client:
    return open_github(forge.token("acme"))


def commit(
    client: Client, hosted: HostedRepository, changes: Changes, *, branch: str = "main", parent: str | None = None
) -> str:
    return client.commit(
        hosted.full_name,
        branch=branch,
        parent=(hosted.git.tip("main") or "") if parent is None else parent,
        changes=changes,
        message="Say what changed\n\nand why",
        author=ANN,
    )


def blob(hosted: HostedRepository, path: str, branch: str = "main") -> bytes | None:
    return hosted.git.blob(hosted.git.files(branch)[path])


def test_a_commit_holds_all_changes_and_its_author(client: Client, github_repo: HostedRepository) -> None:
    parent, before = github_repo.git.tip("main"), github_repo.git.files()
    changes = {"docs/guide.md": b"# New\n", "new/ü b?#.md": "ünïcode\r\n".encode(), "README.md": None}
    made = commit(client, github_repo, changes)
    assert github_repo.git.tip("main") == made
    found = github_repo.git.read_commit(made)
    assert found is not None
    assert found.parents == (parent,)
    assert (found.author.name, found.author.email) == (ANN.name, ANN.email)
    assert found.message == "Say what changed\n\nand why"
    after = github_repo.git.files()
    assert after.keys() == before.keys() - {"README.md"} | {"new/ü b?#.md"}
    assert blob(github_repo, "docs/guide.md") == b"# New\n"
    assert blob(github_repo, "new/ü b?#.md") == "ünïcode\r\n".encode()
    assert {path: after[path] for path in after.keys() - changes.keys()} == {
        path: before[path] for path in after.keys() - changes.keys()
    }


def test_what_a_commit_costs_does_not_grow_with_its_files(client: Client, github_repo: HostedRepository) -> None:
    costs = []
    for count in (1, 300):
        spent = client.usage.requests
        commit(client, github_repo, {f"docs/{n}.md": samples.markdown(f"Page {n}") for n in range(count)})
        costs.append(client.usage.requests - spent)
    assert costs == [4, 4]


@pytest.mark.parametrize(
    "data", [b"", b"\0", samples.PNG, samples.LATIN_1, b"text\0", b"\xef\xbb\xbfmark", b"\xed\xa0\x80"]
)
def test_bytes_of_any_kind_arrive_as_they_are(
    forge: Forge, client: Client, github_repo: HostedRepository, data: bytes
) -> None:
    commit(client, github_repo, {"file.bin": data, "text.md": b"text"})
    assert blob(github_repo, "file.bin") == data
    # What a text in JSON may not hold goes as a blob.
    trees = [request for request in forge.requests if request.path.endswith("/git/trees")]
    assert not [tree for tree in trees if b"\\u0000" in tree.body or b'"content": ""' in tree.body]
    assert blob(github_repo, "text.md") == b"text"


def test_large_texts_go_by_themselves(
    client: Client, github_repo: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forges.clients.github_writing._MAX_INLINE_BYTES", 100)
    commit(client, github_repo, {"a.md": b"a" * 60, "b.md": b"b" * 60, "c.md": b"c" * 40})
    assert {path: blob(github_repo, path) for path in ("a.md", "b.md", "c.md")} == {
        "a.md": b"a" * 60,
        "b.md": b"b" * 60,
        "c.md": b"c" * 40,
    }
    assert client.usage.requests == 5


def test_a_branch_that_does_not_exist_is_made(client: Client, github_repo: HostedRepository) -> None:
    parent = github_repo.git.tip("main")
    made = commit(client, github_repo, {"a.md": b"a"}, branch="millrace/ünï")
    assert github_repo.git.tip("millrace/ünï") == made
    assert github_repo.git.tip("main") == parent
    found = github_repo.git.read_commit(made)
    assert found is not None
    assert found.parents == (parent,)


def test_nothing_is_written_over_what_somebody_else_committed(client: Client, github_repo: HostedRepository) -> None:
    old = github_repo.git.tip("main") or ""
    theirs = github_repo.git.commit({"theirs.md": "t"})
    spent = client.usage.requests
    with pytest.raises(Moved) as caught:
        commit(client, github_repo, {"ours.md": b"o"}, parent=old)
    assert caught.value.retryable
    assert client.usage.requests - spent == 1
    assert github_repo.git.tip("main") == theirs


@pytest.mark.parametrize("on", ["PATCH /repos/*", "POST /repos/acme/docs/git/commits"])
def test_a_branch_that_moves_in_between_is_left(
    forge: Forge, client: Client, github_repo: HostedRepository, on: str
) -> None:
    theirs: list[str] = []

    def move() -> None:
        theirs.append(github_repo.git.commit({"theirs.md": "t"}))

    with forge.fault(faults.first(move), on=on), pytest.raises(Moved):
        commit(client, github_repo, {"ours.md": b"o"})
    assert github_repo.git.tip("main") == theirs[0]


def test_a_branch_that_was_rewound_is_not_moved_on(client: Client, github_repo: HostedRepository) -> None:
    first = github_repo.git.tip("main") or ""
    second = github_repo.git.commit({"b.md": "b"})
    github_repo.git.reset("main", first)
    with pytest.raises(Moved):
        commit(client, github_repo, {"ours.md": b"o"}, parent=second)
    assert github_repo.git.tip("main") == first


def test_a_branch_that_is_made_or_deleted_in_between_is_left(
    forge: Forge, client: Client, github_repo: HostedRepository
) -> None:
    with (
        forge.fault(faults.first(lambda: github_repo.git.branch("next")), on="POST /repos/acme/docs/git/refs"),
        pytest.raises(Moved),
    ):
        commit(client, github_repo, {"a.md": b"a"}, branch="next")
    assert github_repo.git.tip("next") == github_repo.git.tip("main")
    with (
        forge.fault(faults.first(lambda: github_repo.git.delete_branch("next")), on="PATCH /repos/*"),
        pytest.raises(Moved),
    ):
        commit(client, github_repo, {"a.md": b"a"}, branch="next")
    assert github_repo.git.tip("next") is None


def test_a_parent_that_is_gone_is_told_from_a_repository_that_is(client: Client, github_repo: HostedRepository) -> None:
    with pytest.raises(Moved):
        commit(client, github_repo, {"a.md": b"a"}, branch="next", parent="1" * 40)
    with pytest.raises(NotFound):
        client.commit("acme/none", branch="main", parent="1" * 40, changes={"a": b"a"}, message="m", author=ANN)
    with pytest.raises(NotFound):
        client.commit("acme/none", branch="main", parent="", changes={"a": b"a"}, message="m", author=ANN)


def test_an_empty_repository_gets_its_first_commit(forge: Forge, client: Client) -> None:
    for number, changes in enumerate(({"only ü.md": samples.PNG}, {"a.md": b"a", "b/c.md": b"c", "d.md": b""})):
        hosted = forge.repository(f"acme/empty{number}")
        made = commit(client, hosted, changes)
        assert hosted.git.tip("main") == made
        assert {path: blob(hosted, path) for path in changes} == changes
        found = hosted.git.read_commit(made)
        assert found is not None
        assert (found.author.name, found.message) == (ANN.name, "Say what changed\n\nand why")


def test_a_first_commit_is_made_in_an_empty_repository_only(
    forge: Forge, client: Client, github_repo: HostedRepository
) -> None:
    before = github_repo.git.tip("main")
    for branch in ("main", "next"):
        with pytest.raises(Moved):
            commit(client, github_repo, {"a.md": b"a"}, parent="", branch=branch)
    assert github_repo.git.tip("main") == before
    empty = forge.repository("acme/empty")
    with pytest.raises(Moved):
        commit(client, empty, {"a.md": b"a"}, parent="1" * 40)
    with pytest.raises(Conflict, match="default branch"):
        commit(client, empty, {"a.md": b"a"}, parent="", branch="other")
    with pytest.raises(Conflict, match="nothing to commit"):
        commit(client, empty, {"a.md": None}, parent="")
    assert empty.git.empty


@pytest.mark.parametrize(("branch", "parent"), [("-f", "1" * 40), ("a..b", ""), ("main", "HEAD"), ("main", "../x")])
def test_what_is_no_branch_or_commit_asks_nothing(
    client: Client, github_repo: HostedRepository, branch: str, parent: str
) -> None:
    with pytest.raises(InvalidName):
        commit(client, github_repo, {"a.md": b"a"}, branch=branch, parent=parent)
    assert client.usage.requests == 0


# -- refused ----------------------------------------------------------------------------------------------------------


def test_a_protected_branch_says_how_else(client: Client, github_repo: HostedRepository) -> None:
    github_repo.protected_branches.add("main")
    before = github_repo.git.tip("main")
    with pytest.raises(Forbidden, match=r"protects the branch main of acme/docs: .* by a pull request"):
        commit(client, github_repo, {"a.md": b"a"})
    assert github_repo.git.tip("main") == before
    assert commit(client, github_repo, {"a.md": b"a"}, branch="next")


def test_a_credential_that_cannot_write_is_told_what_it_lacks(
    forge: Forge, open_github: OpenGitHub, private_repo: HostedRepository
) -> None:
    reading = forge.token("acme", fine_grained=True, permissions=("metadata", "contents", "pull_requests"))
    with pytest.raises(Forbidden, match="permission to write its contents"):
        commit(open_github(reading), private_repo, {"a.md": b"a"})
    public = forge.repository("acme/public")
    public.git.commit({"a.md": "a"})
    with pytest.raises(Forbidden, match="permission to write its contents"):
        commit(open_github(forge.token("mallory")), public, {"a.md": b"a"})


def test_an_archived_repository_says_so(client: Client, github_repo: HostedRepository) -> None:
    github_repo.archived = True
    with pytest.raises(Forbidden, match="is archived"):
        commit(client, github_repo, {"a.md": b"a"})


@pytest.mark.parametrize(
    ("status", "message", "error", "sentence"),
    [
        (
            422,
            "Repository rule violations found\n\nGH013: Push cannot contain secrets. "
            "https://github.com/acme/docs/security/secret-scanning/unblock-secret/2x",
            Forbidden,
            "found a secret",
        ),
        (409, "Secret detected in content", Forbidden, "found a secret"),
        (422, "Repository rule violations found", Protected, "by a pull request"),
        (403, "remote: error: GH006: Protected branch update failed", Protected, "by a pull request"),
        (409, "GH013: Changes must be made through a pull request.", Protected, "by a pull request"),
        (403, "Resource not accessible by integration", Forbidden, "permission to write"),
        (409, "Reference cannot be updated", Moved, "moved meanwhile"),
        (422, "Object does not exist", Moved, "moved meanwhile"),
        (422, "something new", Conflict, "in the state that it is in"),
        (403, "You have exceeded a secondary rate limit", RateLimited, "no more requests"),
        (429, "Slow down", RateLimited, "no more requests"),
        (500, "protected", Unavailable, "status 500"),
    ],
)
def test_a_refusal_is_told_as_what_it_is_and_never_repeated(
    forge: Forge,
    client: Client,
    github_repo: HostedRepository,
    status: int,
    message: str,
    error: type[ForgeError],
    sentence: str,
) -> None:
    refused = faults.instead(lambda: json_reply({"message": message, "status": str(status)}, status))
    with forge.fault(refused, on="PATCH /repos/*"), pytest.raises(error, match=sentence) as caught:
        commit(client, github_repo, {"a.md": b"a"})
    assert type(caught.value) is error
    assert "unblock" not in str(caught.value)
    assert message not in str(caught.value)


@pytest.mark.parametrize("body", [{}, [], None, {"sha": None}, {"sha": "short"}, {"sha": 5}, {"commit": {}}])
def test_an_answer_of_another_shape_is_the_servers_failure(
    forge: Forge, client: Client, github_repo: HostedRepository, body: object
) -> None:
    for on in (
        "POST /repos/acme/docs/git/trees",
        "POST /repos/acme/docs/git/commits",
        "GET /repos/acme/docs/branches/main",
    ):
        with (
            forge.fault(faults.alter_json(lambda _true: body), on=on),
            pytest.raises(Unavailable, match="not GitHub's"),
        ):
            commit(client, github_repo, {"a.md": b"a"})
    with (
        forge.fault(faults.alter_json(lambda _true: body), on="GET /repos/acme/docs/git/commits/*"),
        pytest.raises(Unavailable, match="not GitHub's"),
    ):
        commit(client, github_repo, {"a.md": b"a"}, branch="next")


def test_a_secret_or_text_is_never_in_an_address(forge: Forge, client: Client, github_repo: HostedRepository) -> None:
    commit(client, github_repo, {"a.md": b"the text"})
    assert not [request for request in forge.requests if "text" in request.target or "ghp_" in request.target]


# -- pull requests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def side_branch(client: Client, github_repo: HostedRepository) -> HostedRepository:
    commit(client, github_repo, {"a.md": b"a"}, branch="millrace/main")
    return github_repo


def ask(client: Client, title: str = "Change", body: str = "What changed") -> tuple[str, str]:
    found = client.pull_request("acme/docs", source="millrace/main", target="main", title=title, body=body)
    return found.number, found.url


@pytest.mark.parametrize("fork", [None, {"id": 1}], ids=["deleted", "there"])
def test_a_pull_request_of_a_fork_is_not_ours(
    forge: Forge, client: Client, side_branch: HostedRepository, fork: dict[str, int] | None
) -> None:
    ours = ask(client)
    theirs = faults.alter_json(lambda found: [{**one, "head": {**one["head"], "repo": fork}} for one in found])
    facts = {"source": "millrace/main", "target": "main"}
    opened = client.find_pull_request("acme/docs", **facts)
    assert opened
    assert (opened.number, opened.url) == ours
    with forge.fault(theirs, on="GET /repos/acme/docs/pulls"):
        assert client.find_pull_request("acme/docs", **facts) is None


def test_a_pull_request_is_opened_once_and_then_updated(
    forge: Forge, client: Client, side_branch: HostedRepository
) -> None:
    first = ask(client)
    assert first[1] == f"{forge.url}/acme/docs/pull/{first[0]}"
    assert ask(client, "Change more", "More changed") == first
    (made,) = side_branch.pulls
    assert (made.title, made.body, made.head, made.base) == ("Change more", "More changed", "millrace/main", "main")


def test_one_that_was_closed_stays_closed(client: Client, side_branch: HostedRepository) -> None:
    first = ask(client)
    side_branch.pulls[0].state = "closed"
    assert ask(client) != first
    assert [pull.state for pull in side_branch.pulls] == ["closed", "open"]


def test_another_branchs_pull_request_is_left_alone(client: Client, side_branch: HostedRepository) -> None:
    commit(client, side_branch, {"b.md": b"b"}, branch="other")
    other = client.pull_request("acme/docs", source="other", target="main", title="Other", body="")
    assert ask(client)[0] != other.number
    assert {pull.title for pull in side_branch.pulls} == {"Other", "Change"}


def test_one_that_somebody_opens_in_between_is_updated(
    forge: Forge, client: Client, side_branch: HostedRepository
) -> None:
    theirs = PullRequest(1, "github", forge.world.account("acme"), "Theirs", "millrace/main", "main")
    with forge.fault(faults.first(lambda: side_branch.pulls.append(theirs)), on="POST /repos/acme/docs/pulls"):
        assert ask(client, "Ours")[0] == "1"
    assert [pull.title for pull in side_branch.pulls] == ["Ours"]


def test_a_pull_request_without_a_difference_is_none(client: Client, github_repo: HostedRepository) -> None:
    github_repo.git.branch("same")
    with pytest.raises(Conflict, match="both branches are the same"):
        client.pull_request("acme/docs", source="same", target="main", title="t", body="b")
    with pytest.raises(Conflict):
        client.pull_request("acme/docs", source="none", target="main", title="t", body="b")
    with pytest.raises(InvalidName):
        client.pull_request("acme/docs", source="a..b", target="main", title="t", body="b")


def test_the_page_of_a_pull_request_is_no_script(forge: Forge, client: Client, side_branch: HostedRepository) -> None:
    script = faults.alter_json(lambda true: {**true, "html_url": "javascript:alert(1)"})
    with forge.fault(script, on="POST /repos/acme/docs/pulls"):
        assert ask(client)[1] == ""
    for odd in ({"number": "1"}, {"number": -1}, {"html_url": "https://x/" + "y" * 2000}):
        change = faults.alter_json(lambda true, odd=odd: {**true, **odd})  # type: ignore[misc]  # bound now
        with forge.fault(change, on="PATCH /repos/*"), pytest.raises(Unavailable):
            ask(client)


def test_what_is_said_is_json_that_github_knows(forge: Forge, client: Client, side_branch: HostedRepository) -> None:
    ask(client, "Title with “quotes” & <tags>", "")
    sent = [request for request in forge.requests if request.method == "POST" and request.path.endswith("/pulls")]
    assert json.loads(sent[-1].body)["title"] == "Title with “quotes” & <tags>"
    assert not forge.violations
