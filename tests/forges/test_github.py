"""GitHub: who a token is, what it sees, trees that are cut short, batches, and every way in which it says no."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forges.clients import open_client
from forges.clients.base import (
    AuthFailed,
    Credential,
    Forbidden,
    ForgeError,
    NotFound,
    OutOfTime,
    RateLimited,
    TooLarge,
    Unavailable,
    blob_id,
)
from forges.clients.github_trees import TreeReader
from tests.forges.conftest import LIMITS, POLICY, OpenGitHub
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository

# -- accounts and repositories -----------------------------------------------------------------------------------------


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


# -- trees that are cut short ------------------------------------------------------------------------------------------


@pytest.fixture
def deep(forge: Forge) -> HostedRepository:
    """30 files: 3 at the top, 9 in each of three folders, one of which has them two levels down."""
    hosted = forge.repository("acme/deep")
    files = {f"top-{n}.md": f"{n}" for n in range(3)}
    files |= {f"{folder}/{n}.md": f"{folder}{n}" for folder in ("a", "b", "c/d/e") for n in range(9)}
    hosted.git.commit(dict(files))
    return hosted


def listed(client_files: tuple) -> dict[str, str]:  # type: ignore[type-arg]
    return {entry.path: entry.oid for entry in client_files}


def test_a_tree_that_is_cut_short_is_read_folder_by_folder(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    client = open_github()
    listing = client.tree("acme/deep", deep.git.tip("main") or "")
    assert listing.complete
    assert listed(listing.entries) == deep.git.files()
    assert client.usage.requests == len(forge.requests) < 12


def test_a_tree_is_incomplete_when_the_requests_for_it_are_used_up(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    client = open_github(max_tree_requests=2)
    listing = client.tree("acme/deep", deep.git.tip("main") or "")
    assert not listing.complete
    assert "more than the 2 requests" in listing.reason
    assert client.usage.requests == 3
    assert listed(listing.entries).items() < deep.git.files().items()
    assert len(listing.entries) >= 10


def test_a_tree_is_incomplete_when_a_folder_of_it_cannot_be_read(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    for fault in (faults.status(502), faults.rate_limited(), faults.cut_body(after=20), faults.not_found()):
        with forge.fault(fault, on="GET */git/trees/*", skip=2):
            listing = open_github().tree("acme/deep", deep.git.tip("main") or "")
        assert not listing.complete
        assert "could not be read" in listing.reason
        assert listed(listing.entries).items() < deep.git.files().items()


def test_a_tree_that_takes_too_long_folder_by_folder_is_left_to_those_who_have_the_time(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    forge.caps.tree_entries = 10
    commit = deep.git.tip("main") or ""
    with forge.fault(faults.slow(0.3), on="GET */git/trees/*"):
        began = time.monotonic()
        with pytest.raises(OutOfTime, match="in time"):
            open_github(deadline=0.8).tree("acme/deep", commit)
        assert time.monotonic() - began < 1.5
        assert open_github().tree("acme/deep", commit).complete


def test_a_folder_larger_than_github_lists_leaves_the_tree_incomplete(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/flat")
    commit = hosted.git.commit({f"f/{n}.md": f"{n}" for n in range(30)})
    forge.caps.tree_entries = 10
    listing = open_github().tree("acme/flat", commit)
    assert not listing.complete
    assert "a single folder" in listing.reason or "larger than it lists" in listing.reason


def test_a_folder_with_an_unprintable_name_is_named_in_a_way_that_can_be_stored() -> None:
    def ask(_oid: str, recursive: bool) -> dict[str, Any]:
        folder = {"path": "a\0" + "b" * 1000, "type": "tree", "sha": "1" * 40, "mode": "040000"}
        return {"tree": [] if recursive else [folder], "truncated": recursive or _oid == "1" * 40}

    reason = TreeReader(ask, LIMITS).read("0" * 40)
    assert "larger than it lists" in reason
    assert "\0" not in reason
    assert len(reason) < 400


def test_a_tree_that_fails_at_once_is_an_error_and_not_an_empty_listing(
    forge: Forge, open_github: OpenGitHub, deep: HostedRepository
) -> None:
    with forge.fault(faults.status(502)), pytest.raises(Unavailable):
        open_github().tree("acme/deep", deep.git.tip("main") or "")


# -- blobs -------------------------------------------------------------------------------------------------------------


def test_texts_come_a_hundred_a_request(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/many")
    hosted.git.commit(samples.many(250))
    oids = list(hosted.git.files().values())
    client = open_github(forge.token("acme"))
    assert sorted(oid for oid, _ in client.blobs("acme/many", oids)) == sorted(oids)
    assert client.usage.requests == forge.requests.count("POST /graphql") == 3


def test_what_graphql_cannot_give_exactly_is_asked_for_by_itself(forge: Forge, open_github: OpenGitHub) -> None:
    hosted = forge.repository("acme/odd")
    odd = {"a.bin": b"\0\1\2", "latin.txt": samples.LATIN_1, "long.txt": b"long\n" * 200_000, "plain.md": b"plain\n"}
    hosted.git.commit(dict(odd))
    client = open_github(forge.token("acme"))
    wanted = {blob_id(data): data for data in odd.values()}
    assert dict(client.blobs("acme/odd", wanted)) == wanted
    assert forge.requests.count("GET */git/blobs/*") == 3


def test_many_that_must_be_asked_for_by_themselves_are_left_to_the_archive(
    forge: Forge, open_github: OpenGitHub
) -> None:
    hosted = forge.repository("acme/pictures")
    hosted.git.commit({f"{n}.png": samples.PNG + bytes([n]) for n in range(30)})
    client = open_github(forge.token("acme"))
    assert dict(client.blobs("acme/pictures", hosted.git.files().values())) == {}
    assert client.usage.requests == 1


def test_without_a_token_few_blobs_are_asked_for_and_many_are_left_to_the_archive(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oids = list(github_repo.git.files().values())
    client = open_github()
    assert len(dict(client.blobs("acme/docs", oids[:3]))) == 3
    assert dict(client.blobs("acme/docs", oids)) == {}
    assert forge.requests.count("POST /graphql") == 0
    assert client.usage.requests == 3


def test_graphql_says_no_with_a_good_status(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oid = github_repo.git.files()["README.md"]

    def answer(kind: str) -> faults.Fault:
        return faults.alter_json(
            lambda _true: {"data": {"repository": None}, "errors": [{"type": kind, "message": "x"}]}
        )

    with forge.fault(answer("RATE_LIMITED"), on="POST /graphql"), pytest.raises(RateLimited) as caught:
        list(open_github(forge.token("acme")).blobs("acme/docs", [oid]))
    assert caught.value.reset_at is not None
    for kind in ("FORBIDDEN", "NOT_FOUND"):
        with forge.fault(answer(kind), on="POST /graphql"):
            assert set(dict(open_github(forge.token("acme")).blobs("acme/docs", [oid]))) == {oid}


def test_where_graphql_is_closed_few_blobs_come_one_by_one(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oids = list(github_repo.git.files().values())
    for fault in (faults.not_found(), faults.missing_scope()):
        with forge.fault(fault, on="POST /graphql"):
            assert set(dict(open_github(forge.token("acme")).blobs("acme/docs", oids))) == set(oids)


def test_text_that_is_not_the_blob_is_not_taken_for_it(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    oid = github_repo.git.files()["README.md"]
    with forge.fault(faults.wrong_blob(), on="POST /graphql"):
        found = dict(open_github(forge.token("acme")).blobs("acme/docs", [oid]))
    assert found == {oid: samples.markdown("Read me")}


# -- every way to say no -----------------------------------------------------------------------------------------------


def ask_each(forge: Forge, open_github: OpenGitHub, hosted: HostedRepository, fault: faults.Fault) -> list[ForgeError]:
    """What each kind of request says under a fault: by PyGithub, by REST, by GraphQL, as an archive."""
    client = open_github(forge.token("acme"))
    commit = hosted.git.tip("main") or ""
    errors = []
    with forge.fault(fault):
        for ask in (
            client.account,
            client.repositories,
            lambda: client.repository("acme/docs"),
            lambda: client.branches("acme/docs"),
            lambda: client.head("acme/docs", "main"),
            lambda: client.tree("acme/docs", commit),
            lambda: list(client.archive("acme/docs", commit).__enter__()),
            lambda: list(client.blobs("acme/docs", ["1" * 40])),
        ):
            try:
                ask()
            except ForgeError as error:
                errors.append(error)
    assert len(errors) == 8 or (
        len(errors) == 7 and isinstance(errors[0], NotFound)
    )  # blobs that are not there are left out
    return errors


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (faults.rate_limited(reset_in=600), 600),
        (faults.secondary_limited(retry_after=90), 90),
        (faults.secondary_limited(retry_after=30, code=403), 30),
        (faults.secondary_limited(retry_after=None), 60),
        (faults.secondary_limited(retry_after=None, code=403), 60),
        (faults.status(429, "Too many"), 60),
        (faults.secondary_limited(retry_after=10**9), 24 * 3600),
    ],
)
def test_too_many_requests_say_when_to_go_on_and_never_that_the_token_is_wrong(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, fault: faults.Fault, seconds: int
) -> None:
    for error in ask_each(forge, open_github, github_repo, fault):
        assert isinstance(error, RateLimited)
        assert error.retryable
        assert error.reset_at is not None
        assert abs(error.reset_at - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=5)


def test_nobody_waits_in_the_process_for_a_limit_to_reset(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    start = time.monotonic()
    ask_each(forge, open_github, github_repo, faults.rate_limited(reset_in=3600))
    ask_each(forge, open_github, github_repo, faults.status(202, "Later"))
    ask_each(forge, open_github, github_repo, faults.status(500))
    assert time.monotonic() - start < 5
    assert forge.requests.count() == 24


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.unauthorized(), AuthFailed),
        (faults.missing_scope(), Forbidden),
        (faults.status(403, "Forbidden"), Forbidden),
        (faults.status(451, "Blocked"), NotFound),
        (faults.status(500), Unavailable),
        (faults.status(202, "Later"), Unavailable),
    ],
)
def test_each_refusal_is_told_as_what_it_is(
    forge: Forge,
    open_github: OpenGitHub,
    github_repo: HostedRepository,
    fault: faults.Fault,
    error: type[ForgeError],
) -> None:
    for found in ask_each(forge, open_github, github_repo, fault):
        assert type(found) is error
        assert found.advice
        assert str(found).startswith("127.0.0.1 ")


def test_a_github_for_members_alone_asks_for_a_token_where_there_is_none(forge: Forge, open_github: OpenGitHub) -> None:
    with forge.fault(faults.unauthorized()), pytest.raises(AuthFailed, match="asks for a token for"):
        open_github().head("acme/docs", "main")
    with forge.fault(faults.unauthorized()), pytest.raises(AuthFailed, match="wrong, expired or revoked"):
        open_github(forge.token("acme")).head("acme/docs", "main")


def test_single_sign_on_is_named_as_the_next_step(forge: Forge, open_github: OpenGitHub) -> None:
    fault = faults.status(403, "Resource protected", X_GitHub_SSO="required; url=https://secret.example")
    with forge.fault(fault), pytest.raises(Forbidden, match="single sign-on") as caught:
        open_github(forge.token("acme")).head("acme/docs", "main")
    assert "secret.example" not in str(caught.value)


def test_what_the_server_says_is_never_repeated(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    for code in (400, 401, 403, 404, 409, 422, 500):
        for error in ask_each(forge, open_github, github_repo, faults.status(code, "https://unblock.example/42")):
            assert "unblock" not in str(error)


def test_the_rate_that_is_left_is_recorded(forge: Forge, open_github: OpenGitHub) -> None:
    token = forge.token("acme")
    forge.world.leave(100, token=token, reset_in=900)
    client = open_github(token)
    client.account()
    assert client.usage.rate_remaining in (99, 100)
    assert client.usage.rate_limit
    assert client.usage.rate_reset_at is not None
    assert abs(client.usage.rate_reset_at - datetime.now(UTC) - timedelta(seconds=900)) < timedelta(seconds=5)


def test_a_token_whose_hour_is_spent_says_when_it_goes_on(forge: Forge, open_github: OpenGitHub) -> None:
    token = forge.token("acme")
    forge.world.leave(0, token=token, reset_in=120)
    with pytest.raises(RateLimited) as caught:
        open_github(token).account()
    assert caught.value.reset_at is not None


# -- archives ----------------------------------------------------------------------------------------------------------


def test_an_archive_from_another_host_is_read_and_the_token_stays_behind(
    forge: Forge, open_github: OpenGitHub, private_repo: HostedRepository
) -> None:
    elsewhere = forge.send_archives_elsewhere()
    token = forge.token("acme")
    client = open_github(token)
    with client.archive("acme/secret", private_repo.git.tip("main") or "") as files:
        assert {path for path, _ in files} == {"README.md", "docs/plan.md"}
    there = [request for request in forge.requests if request.origin == elsewhere]
    assert len(there) == 1
    assert "Authorization" not in there[0].headers
    assert token not in there[0].target
    assert client.usage.requests == 2


@pytest.mark.parametrize("after", [0, 10, 500, 2000])
def test_an_archive_that_is_cut_in_the_middle_is_an_error(forge: Forge, open_github: OpenGitHub, after: int) -> None:
    hosted = forge.repository("acme/many")
    commit = hosted.git.commit(samples.many(100))
    with (
        forge.fault(faults.cut_body(after=after), on="GET /_codeload/*"),
        pytest.raises(Unavailable) as caught,
        open_github().archive("acme/many", commit) as files,
    ):
        list(files)
    assert caught.value.retryable


@pytest.mark.parametrize("megabytes", [2, 60, None])
def test_a_bomb_is_stopped_on_the_way(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, megabytes: int | None
) -> None:
    client = open_github(max_archive_bytes=1 << 20, max_blob_bytes=100_000)
    with (
        forge.fault(faults.archive_bomb(megabytes=megabytes), on="GET /_codeload/*"),
        pytest.raises(TooLarge),
        client.archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        list(files)


def test_an_archive_that_is_none_is_an_error(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    with (
        forge.fault(faults.web_page(), on="GET /_codeload/*"),
        pytest.raises(Unavailable, match="damaged"),
        open_github().archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        list(files)


def test_names_in_an_archive_are_only_names(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    names = ["../../etc/passwd", "/etc/passwd", "a/../b", "x" * 80]
    with (
        forge.fault(faults.hostile_archive(*names), on="GET /_codeload/*"),
        open_github().archive("acme/docs", github_repo.git.tip("main") or "") as files,
    ):
        assert [data for _, data in files] == [b"hostile\n"] * 4
