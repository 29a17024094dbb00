"""GitHub: accounts, repositories, branches, and answers that are not what they should be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from forges.clients import open_client
from forges.clients.base import Credential
from forges.clients.errors import AuthFailed, Unavailable
from tests.forges.conftest import LIMITS, POLICY, OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository


def test_a_classic_token_tells_its_scopes(forge: Forge, open_github: OpenGitHub) -> None:
    client = open_github(forge.token("alice", scopes=["repo", "read:org"]))
    account = client.account()
    assert account.login == "alice"
    assert account.scopes == frozenset({"repo", "read:org"})
    assert account.avatar_url
    assert account.expires_at is None
    assert client.usage.requests == 1


def test_a_fine_grained_token_tells_when_it_ends(forge: Forge, open_github: OpenGitHub) -> None:
    end = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
    account = open_github(forge.token("alice", fine_grained=True, expires_at=end)).account()
    assert account.scopes is None
    assert account.expires_at == end


@pytest.mark.parametrize("token", ["", "ghp_wrong", "ghp_ü", "ghp two", "ghp_x\r\nX-Injected: 1", "ghp\x00"])
def test_a_token_that_does_not_work_is_told_at_once(open_github: OpenGitHub, token: str) -> None:
    with pytest.raises(AuthFailed) as caught:
        open_github(token).account()
    assert not caught.value.retryable
    assert caught.value.__context__ is None or "ghp" not in str(caught.value.__context__)


def test_repositories_come_recently_pushed_first_and_can_be_searched(forge: Forge, open_github: OpenGitHub) -> None:
    for name in ("acme/handbook", "acme/website", "acme/DocBook"):
        forge.repository(name, private=True)
    forge.repository("other/secret-book", private=True)
    client = open_github(forge.token("acme"))
    assert {found.full_name for found in client.repositories()} == {"acme/handbook", "acme/website", "acme/DocBook"}
    assert {found.full_name for found in client.repositories(query="BOOK")} == {"acme/handbook", "acme/DocBook"}
    assert len(client.repositories(limit=1)) == 1
    assert client.usage.requests == 3


def test_repositories_are_read_page_by_page(forge: Forge, open_github: OpenGitHub) -> None:
    for n in range(120):
        forge.repository(f"acme/r{n}")
    client = open_github(forge.token("acme"))
    assert len(client.repositories(limit=500)) == 120
    assert client.usage.requests == 2
    assert [found.full_name for found in client.repositories(query="acme/r7", limit=500)]


def test_a_repository_has_an_id_that_outlives_its_name(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/docs", private=True)
    hosted.git.commit({"a.md": "a"})
    client = open_github(forge.token("acme"))
    before = client.repository("acme/docs")
    forge.world.rename("acme/docs", "acme/book")
    after = client.repository("acme/docs")
    assert before.id == after.id == str(hosted.id)
    assert (after.full_name, after.private, after.default_branch) == ("acme/book", True, "main")
    assert client.head("acme/docs", "main") == hosted.git.tip("main")


@pytest.mark.parametrize("lie", [faults.pages_without_end(), faults.page_that_is_its_own_next()])
def test_a_list_that_never_ends_is_left(forge: Forge, open_github: OpenGitHub, lie: faults.Fault) -> None:
    hosted = forge.repository("acme/docs")
    hosted.git.commit({"a.md": "a"})
    hosted.git.branch("next")
    client = open_github(forge.token("acme"))
    with forge.fault(lie):
        assert [found.full_name for found in client.repositories()] == ["acme/docs"]
        assert {branch.name for branch in client.branches("acme/docs")} == {"main", "next"}
    assert client.usage.requests <= 4


def test_a_list_is_read_to_the_most_pages_allowed(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/docs")
    commit = hosted.git.commit({"a.md": "a"})
    names = {f"branch-{n:03d}" for n in range(250)}
    for name in names:
        hosted.git.branch(name, at=commit)
    assert len(open_github(max_pages=2).branches("acme/docs")) == 200
    assert {branch.name for branch in open_github().branches("acme/docs")} == names | {"main"}


def test_a_next_page_at_another_host_is_not_asked_for(forge: Forge, open_github: OpenGitHub) -> None:
    forge.repository("acme/docs")
    elsewhere = forge.listen_also()
    for host in (elsewhere, "https://uploads.127.0.0.1:9", "http://evil.example"):
        with forge.fault(faults.next_page_on(host)), pytest.raises(Unavailable):
            open_github(forge.token("acme")).repositories()
    assert not [request for request in forge.requests if request.origin == elsewhere]


@pytest.mark.parametrize("body", [[], {}, {"login": None}, [1], {"tree": 1}, "text", None, {"object": []}])
def test_an_answer_of_another_shape_is_the_servers_failure(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, body: object
) -> None:
    client = open_github(forge.token("acme"))
    commit = github_repo.git.tip("main") or ""
    with forge.fault(faults.alter_json(lambda _true: body)):
        for ask in (
            client.account,
            lambda: client.repository("acme/docs"),
            lambda: client.head("acme/docs", "main"),
            lambda: client.tree("acme/docs", commit),
            lambda: list(client.blobs("acme/docs", ["1" * 40])),
        ):
            with pytest.raises(Unavailable, match="not GitHub's"):
                ask()


def test_a_page_that_is_a_script_is_no_page(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    script = faults.alter_json(lambda repository: {**repository, "html_url": "javascript:alert(1)"})
    with forge.fault(script, on="GET /repos/*"), open_github() as client:
        assert client.repository("acme/docs").web_url == ""


@pytest.mark.parametrize("missing", ["id", "default_branch", "html_url"])
def test_a_repository_that_lacks_what_counts_is_not_taken(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, missing: str
) -> None:
    without = faults.alter_json(lambda true: {name: value for name, value in true.items() if name != missing})
    with forge.fault(without), pytest.raises(Unavailable, match="not GitHub's"):
        open_github(forge.token("acme")).repository("acme/docs")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 10**600),
        ("id", -1),
        ("id", True),
        ("full_name", "acme/" + "d" * 600),
        ("full_name", "acme/do\0cs"),
        ("full_name", "acme/\ud800"),
        ("default_branch", "m" * 300),
        ("html_url", "https://forge.example/" + "d" * 1100),
        ("html_url", "https://forge.example/\x1b[2J"),
    ],
)
def test_what_no_column_takes_is_not_taken_for_a_repository(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, name: str, value: object
) -> None:
    def altered(true: Any) -> Any:
        return [altered(each) for each in true] if isinstance(true, list) else {**true, name: value}

    odd = faults.alter_json(altered)
    client = open_github(forge.token("acme"))
    for ask in (lambda: client.repository("acme/docs"), client.repositories):
        with forge.fault(odd), pytest.raises(Unavailable, match="not GitHub's"):
            ask()


@pytest.mark.parametrize("login", ["a" * 300, "a\0", "a\r\nb", "\udfff"])
def test_what_no_column_takes_is_no_login(forge: Forge, open_github: OpenGitHub, login: str) -> None:
    odd = faults.alter_json(lambda true: {**true, "login": login})
    with forge.fault(odd), pytest.raises(Unavailable, match="not GitHub's"):
        open_github(forge.token("alice")).account()


@pytest.mark.parametrize("told", ["0001-01-01 00:00:00 +2300", "9999-12-31 23:59:59 UTC", "soon"])
def test_a_token_whose_end_no_calendar_has_ends_at_no_known_time(
    forge: Forge, open_github: OpenGitHub, told: str
) -> None:
    def fault(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.headers["GitHub-Authentication-Token-Expiration"] = told
        return reply

    with forge.fault(fault):
        assert open_github(forge.token("alice")).account().expires_at is None


@pytest.mark.parametrize(
    "wrong", [{"size": "5"}, {"size": -5}, {"size": 10**30}, {"size": 1.5}, {"sha": "../../user"}, {"sha": "0" * 70}]
)
def test_an_entry_that_no_tree_holds_makes_the_answer_none_of_githubs(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, wrong: dict[str, object]
) -> None:
    odd = faults.inject_entries({**faults.entry("odd.md"), **wrong})
    with forge.fault(odd), pytest.raises(Unavailable, match="not GitHub's"):
        open_github().tree("acme/docs", github_repo.git.tip("main") or "")


def test_a_branch_that_cannot_be_stored_is_not_offered(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    odd = faults.alter_json(lambda true: [*true, {**true[0], "name": "b" * 300}])
    with forge.fault(odd):
        assert [branch.name for branch in open_github().branches("acme/docs")] == ["main"]


def test_json_that_ends_too_early_is_the_servers_failure(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    with forge.fault(faults.malformed_json()), pytest.raises(Unavailable):
        open_github(forge.token("acme")).tree("acme/docs", github_repo.git.tip("main") or "")


def test_two_clients_do_not_share_a_token_or_a_count(forge: Forge, open_github: OpenGitHub) -> None:
    alice, nobody = open_github(forge.token("alice")), open_github()
    assert alice.account().login == "alice"
    with pytest.raises(AuthFailed):
        nobody.account()
    assert alice.account().login == "alice"
    assert (alice.usage.requests, nobody.usage.requests) == (2, 1)


def test_an_enterprise_server_is_asked_below_its_own_paths(forge: Forge, github_repo: HostedRepository) -> None:
    token = forge.token("acme")
    with open_client(
        "github", base_url=forge.enterprise_url, credential=Credential(token), policy=POLICY, limits=LIMITS
    ) as client:
        commit = client.head("acme/docs", "main")
        entries = client.tree("acme/docs", commit).entries
        assert dict(client.blobs("acme/docs", [entries[0].oid]))
    assert [request.target.partition("?")[0] for request in forge.requests] == [
        "/api/v3/repos/acme/docs/git/ref/heads/main",
        f"/api/v3/repos/acme/docs/git/trees/{commit}",
        "/api/graphql",
    ]
