"""Bitbucket: credentials and what they are told, repositories, heads, and addresses of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from forges.clients import FORGES, normalise_repository, open_client
from forges.clients.base import Credential
from forges.clients.bitbucket_requests import NO_APP_PASSWORDS, headers_of, token_problem
from forges.clients.errors import (
    AuthFailed,
    EmptyRepository,
    Forbidden,
    InvalidName,
    NotFound,
    RateLimited,
    Unavailable,
)
from forges.clients.signed import SignedSession
from lib import egress
from tests.forges.conftest import LIMITS, POLICY, OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import json_reply
from tests.wire.world import HostedRepository, uuid_of

EMAIL = "acme@example.org"


@dataclass
class Renewing:
    """A credential that another takes the place of, when it is refused."""

    now: Credential
    spare: list[Credential] = field(default_factory=list)

    def __bool__(self) -> bool:
        return True

    def current(self) -> Credential:
        return self.now

    def renewed(self, refused: Credential) -> Credential | None:
        if refused == self.now and self.spare:
            self.now = self.spare.pop()
            return self.now
        return None


def answering(body: Any, status: int = 200) -> faults.Fault:
    return faults.instead(lambda: json_reply(body, status))


# -- credentials -------------------------------------------------------------------------------------------------------


def test_an_api_token_speaks_for_its_person(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    account = open_bitbucket(forge.bitbucket_token("acme"), email=EMAIL).account()
    assert account.login == "acme"
    assert account.id == uuid_of(forge.world.account("acme").id)
    assert account.scopes == frozenset({"read:user:bitbucket", "read:workspace:bitbucket", "read:repository:bitbucket"})


@pytest.mark.parametrize("scopes", [("repository",), ("account", "repository")])
def test_an_access_token_speaks_for_nobody_and_is_proven_all_the_same(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository, scopes: tuple[str, ...]
) -> None:
    token = forge.bitbucket_token("acme", kind="repository", repository="acme/docs", scopes=scopes)
    account = open_bitbucket(token).account()
    assert (account.login, account.scopes) == (None, frozenset(scopes))


def test_an_access_token_that_may_not_ask_who_it_is_is_proven_by_another_request(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme", kind="workspace", scopes=["repository"]))
    for refusal in (faults.status(401), faults.status(403)):
        with forge.fault(refusal, on="GET */user"):
            account = client.account()
        assert (account.login, account.scopes) == (None, frozenset({"repository"}))


@pytest.mark.parametrize("email", ["", EMAIL])
def test_a_token_that_nobody_made_is_refused(open_bitbucket: OpenGitHub, email: str) -> None:
    with pytest.raises(AuthFailed):
        open_bitbucket("ATATT-wrong", email=email).account()


def test_an_app_password_is_refused_before_anything_is_sent(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    assert token_problem(" ATBBabc") == NO_APP_PASSWORDS
    assert token_problem("ATATT3xabc") == token_problem("") == ""
    client = open_bitbucket("ATBBsecret", email=EMAIL)
    for ask in (client.account, lambda: client.head("acme/docs", "main"), client.repositories):
        with pytest.raises(AuthFailed, match="28 July 2026") as caught:
            ask()
        assert "ATBBsecret" not in str(caught.value)
    assert forge.requests.count() == 0


def test_a_token_that_ends_in_the_middle_is_renewed_once(forge: Forge, github_repo: HostedRepository) -> None:
    old, new = (Credential(forge.bitbucket_token("acme", kind="workspace"), oauth=True) for _ in range(2))
    source = Renewing(old, [new])
    with open_client(
        "bitbucket", base_url=forge.bitbucket_url, credential=source, policy=POLICY, limits=LIMITS
    ) as client:
        commit = client.head("acme/docs", "main")
        forge.world.revoke(old.token)
        assert client.tree("acme/docs", commit).complete
        assert source.now == new
        forge.world.revoke(new.token)
        with pytest.raises(AuthFailed):
            client.head("acme/docs", "main")


def test_a_grants_token_goes_alone_whatever_its_account_is_called(forge: Forge, github_repo: HostedRepository) -> None:
    token = forge.world.issue("grant", "acme", forge="bitbucket", kind="oauth", scopes=frozenset({"repository"}))
    credential = Credential(token, username=EMAIL, oauth=True)
    with open_client(
        "bitbucket", base_url=forge.bitbucket_url, credential=credential, policy=POLICY, limits=LIMITS
    ) as client:
        assert client.head("acme/docs", "main")


def test_the_credential_goes_to_the_api_and_to_the_archives_and_nowhere_else(forge: Forge) -> None:
    archives, elsewhere = forge.listen_also(), forge.url.replace("127.0.0.1", "localhost")
    policy = egress.Policy.parse(["localhost"], ["127.0.0.0/8", "::1/128"])
    credential = Credential(forge.bitbucket_token("acme"), username=EMAIL)
    forge.requests.clear()
    with SignedSession(
        policy, base_url=forge.bitbucket_url, also=[archives], source=credential, sign=headers_of
    ) as session:
        for origin in (forge.url, archives, elsewhere):
            session.get(f"{origin}/2.0/hook_events")
    assert ["Authorization" in request.headers for request in forge.requests] == [True, True, False]


def test_a_scope_that_is_missing_is_named(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme", scopes=["read:user:bitbucket"]), email=EMAIL)
    with pytest.raises(Forbidden, match="“read:repository:bitbucket”"):
        client.head("acme/docs", "main")
    client = open_bitbucket(forge.bitbucket_token("acme", kind="workspace", scopes=["pullrequest:write"]))
    with pytest.raises(Forbidden, match="scope “webhook” for the webhooks of acme/docs"):
        client.hooks("acme/docs")


def test_nothing_that_a_refusal_says_is_repeated_but_scopes(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    client = open_bitbucket()
    said = {"message": "secret words", "detail": {"required": ["<script>", "repository", 7], "granted": "secret"}}
    with forge.fault(answering({"type": "error", "error": said}, 403)), pytest.raises(Forbidden) as caught:
        client.head("acme/docs", "main")
    assert "“repository”" in str(caught.value)
    assert "script" not in str(caught.value)
    assert "secret" not in str(caught.value)
    bodies: list[Any] = ["[]", {"error": 3}, {"error": {"detail": {"required": 3}}}, {"error": {"message": ["x"]}}]
    for body in bodies:
        with forge.fault(answering(body, 403)), pytest.raises(Forbidden):
            client.head("acme/docs", "main")


def test_too_many_requests_are_told_with_a_time_to_go_on(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    client = open_bitbucket()
    with forge.fault(faults.status(429)), pytest.raises(RateLimited) as caught:
        client.head("acme/docs", "main")
    assert caught.value.reset_at is not None


# -- repositories ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelves(forge: Forge) -> list[HostedRepository]:
    """Repositories of two workspaces, each pushed to after the one before, and one that nobody here sees."""
    made = [forge.repository(name, private=True) for name in ("acme/One", "books/Two", "acme/three", "other/four")]
    for number, hosted in enumerate(made):
        hosted.git.commit({"a.md": "a"})
        hosted.pushed_at = 1_800_000_000 + number
    forge.world.join("books", "acme", role="write")
    return made


def test_repositories_of_all_workspaces_come_with_the_last_pushed_first(
    forge: Forge, open_bitbucket: OpenGitHub, shelves: list[HostedRepository]
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme"), email=EMAIL)
    assert [found.full_name for found in client.repositories()] == ["acme/three", "books/two", "acme/one"]
    assert [found.full_name for found in client.repositories(limit=1)] == ["acme/three"]
    assert [found.full_name for found in client.repositories(query="TW")] == ["books/two"]
    assert client.repositories(query='"\\') == ()
    found = client.repositories(query="acme/o")[0]
    assert (found.id, found.full_name, found.private, found.default_branch) == (
        uuid_of(shelves[0].id),
        "acme/one",
        True,
        "main",
    )
    assert all("permissions" not in request.path for request in forge.requests)


def test_a_workspace_that_is_named_is_the_only_one_that_is_asked(
    forge: Forge, open_bitbucket: OpenGitHub, shelves: list[HostedRepository]
) -> None:
    client = open_bitbucket(forge.bitbucket_token("books", kind="workspace", scopes=["repository"]))
    assert client.repositories() == (), "nobody told this token which workspace it is for"
    forge.requests.clear()
    assert [found.full_name for found in client.repositories(query="books/")] == ["books/two"]
    assert forge.requests.count() == 1
    assert client.repositories(query="../user/") == ()
    assert open_bitbucket().repositories() == ()


def test_lists_end_at_the_pages_that_are_allowed(forge: Forge, open_bitbucket: OpenGitHub) -> None:
    hosted = forge.repository("acme/branchy")
    hosted.git.commit({"a.md": "a"})
    for number in range(120):
        hosted.git.branch(f"b-{number:03}")
    assert len(open_bitbucket().branches("acme/branchy")) == 121
    assert len(open_bitbucket(max_pages=1).branches("acme/branchy")) == 100
    client = open_bitbucket(max_pages=3)
    elsewhere = faults.alter_json(lambda true: {**true, "next": "https://elsewhere.example/next"})
    with forge.fault(elsewhere), pytest.raises(Unavailable, match="another server"):
        client.branches("acme/branchy")
    with forge.fault(faults.status(500), skip=1), pytest.raises(Unavailable):
        client.branches("acme/branchy")


def test_a_repository_is_found_by_its_id_whatever_it_is_called_now(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme"), email=EMAIL)
    known = client.repository("acme/docs")
    assert known.id == uuid_of(github_repo.id)
    forge.world.rename("acme/docs", "acme/handbook")
    assert client.find(known.id).full_name == "acme/handbook"
    assert client.repository("acme/docs").id == known.id, "the old name leads there"
    with pytest.raises(NotFound):
        client.find(uuid_of(999_999))
    for wrong in ("1001", "{}", "../user", known.id.upper()):
        with pytest.raises(InvalidName):
            client.find(wrong)


def test_a_repository_without_a_commit_has_a_branch_that_its_first_would_make(
    forge: Forge, open_bitbucket: OpenGitHub
) -> None:
    forge.repository("acme/empty")
    client = open_bitbucket()
    assert client.repository("acme/empty").default_branch == "main"
    with pytest.raises(EmptyRepository):
        client.head("acme/empty", "main")


def test_answers_of_another_shape_are_the_forges_failure(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    client = open_bitbucket(forge.bitbucket_token("acme"), email=EMAIL)
    asks: list[Callable[[], object]] = [
        client.account,
        lambda: client.repository("acme/docs"),
        lambda: client.head("acme/docs", "main"),
    ]
    answers: list[Any] = [[], {}, {"uuid": "x"}, {"uuid": 3, "full_name": "\0"}]
    for answer in [*answers, {"name": "main", "target": {"hash": 7}}]:
        for ask in asks:
            with forge.fault(answering(answer)), pytest.raises(Unavailable, match="not Bitbucket's"):
                ask()


def test_a_link_that_is_a_script_is_no_page(
    forge: Forge, open_bitbucket: OpenGitHub, github_repo: HostedRepository
) -> None:
    def scripted(true: dict) -> dict:  # type: ignore[type-arg]
        return {**true, "links": {**true["links"], "html": {"href": "javascript:alert(1)"}}}

    with forge.fault(faults.alter_json(scripted)):
        assert open_bitbucket().repository("acme/docs").web_url == ""


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "acme/docs",
        " Acme/Docs ",
        "https://bitbucket.org/acme/docs",
        "https://bitbucket.org/acme/docs.git",
        "https://bitbucket.org/Acme/Docs/src/main/a%20b/README.md?at=main#lines-3",
        "https://jane_doe-1@bitbucket.org/acme/docs.git",
        "https://www.bitbucket.org/acme/docs/",
        "bitbucket.org/acme/docs",
        "git@bitbucket.org:acme/docs.git",
        "ssh://git@bitbucket.org/acme/docs.git",
        "ssh://git@altssh.bitbucket.org:443/acme/docs.git",
    ],
)
def test_every_spelling_of_a_repository_leads_to_one(text: str) -> None:
    assert normalise_repository("bitbucket", "", text) == "acme/docs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docs",
        "acme/docs/src",
        "acme/..",
        "../docs",
        "{}/docs",
        "acme/do cs",
        "acme/docs?x",
        "https://github.com/acme/docs",
        "https://bitbucket.org.example/acme/docs",
        "https://bitbucket.org",
        "https://bitbucket.org/acme",
        "https://jane:ATATTsecret@bitbucket.org/acme/docs",
        "https://ATATTsecret@bitbucket.org/acme/docs",
        "https://ATBBsecret@bitbucket.org/acme/docs",
        "https://x-token-auth:secret@bitbucket.org/acme/docs",
        "https://jane@github.com/acme/docs",
        "git@github.com:acme/docs.git",
    ],
)
def test_what_is_no_repository_of_bitbucket_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidName) as caught:
        normalise_repository("bitbucket", "", text)
    assert "secret" not in str(caught.value)
    assert len(text) < 12 or text not in str(caught.value)


def test_the_api_and_the_pages_are_known_from_each_other() -> None:
    known = FORGES["bitbucket"]
    for web, api in (
        ("https://bitbucket.org", "https://api.bitbucket.org/2.0"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/2.0"),
    ):
        assert (known.api_url(web), known.web_url(api)) == (api, web)


def test_pages_of_the_real_bitbucket_are_not_on_the_apis_host() -> None:
    client = open_client("bitbucket", credential=Credential(), policy=POLICY, limits=LIMITS)
    page = client.file_url("acme/docs", "1" * 40, "a b.md")
    assert page == f"https://bitbucket.org/acme/docs/src/{'1' * 40}/a%20b.md"
    assert client.commit_url("acme/docs", "1" * 40) == f"https://bitbucket.org/acme/docs/commits/{'1' * 40}"
