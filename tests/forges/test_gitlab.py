"""GitLab: accounts, projects, branches, several servers, and answers that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from forges.clients.base import Credential
from forges.clients.errors import (
    AuthFailed,
    EmptyRepository,
    Forbidden,
    InvalidName,
    NotFound,
    RateLimited,
    Unavailable,
)
from tests.forges.conftest import OpenGitLab
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Proceed, Reply, Request
from tests.wire.world import HostedRepository


def test_a_personal_token_tells_its_scopes_and_its_end(forge: Forge, open_gitlab: OpenGitLab) -> None:
    end = datetime(2027, 3, 4, tzinfo=UTC)
    client = open_gitlab(forge.gitlab_token("alice", scopes=["read_api", "read_user"], expires_at=end))
    account = client.account()
    assert (account.login, account.id) == ("alice", str(forge.world.account("alice").id))
    assert account.scopes == frozenset({"read_api", "read_user"})
    assert account.expires_at == end
    assert client.usage.requests == 2


def test_a_token_that_may_not_see_its_own_account_tells_its_scopes_all_the_same(
    forge: Forge, open_gitlab: OpenGitLab
) -> None:
    account = open_gitlab(forge.gitlab_token("alice", scopes=["read_repository"])).account()
    assert (account.login, account.id) == (None, str(forge.world.account("alice").id))
    assert account.scopes == frozenset({"read_repository"})


def test_a_project_token_is_a_bot_and_its_login_says_so(
    forge: Forge, open_gitlab: OpenGitLab, private_repo: HostedRepository
) -> None:
    token = forge.gitlab_token("", scopes=["read_api"], kind="project", repositories=["acme/secret"])
    client = open_gitlab(token)
    assert (client.account().login or "").startswith(f"project_{private_repo.id}_bot_")
    assert client.head("acme/secret", "main")


def test_an_oauth_token_goes_as_bearer_and_tells_its_scopes_and_its_end(forge: Forge, open_gitlab: OpenGitLab) -> None:
    oauth = forge.world.oauth
    app = oauth.app("gitlab", redirect_uri="https://millrace.example/back")
    code = oauth.authorise(app.client_id, scope="read_api read_user", account="alice")
    token = oauth.exchange(app.client_id, app.client_secret, code, "https://millrace.example/back", "").access_token
    account = open_gitlab(source=Credential(token, oauth=True)).account()
    assert (account.login, account.scopes) == ("alice", frozenset({"read_api", "read_user"}))
    assert account.expires_at is not None
    assert 7000 < (account.expires_at - datetime.now(UTC)).total_seconds() <= 7200
    assert all(request.headers["Authorization"] == f"Bearer {token}" for request in forge.requests)
    assert all("PRIVATE-TOKEN" not in request.headers for request in forge.requests)


def test_a_personal_token_goes_in_a_header_of_its_own_and_never_in_an_address(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    token = forge.gitlab_token("acme")
    client = open_gitlab(token)
    client.account()
    client.repositories()
    client.head("acme/docs", "main")
    assert all(request.headers["PRIVATE-TOKEN"] == token for request in forge.requests)
    assert all("Authorization" not in request.headers and token not in request.target for request in forge.requests)


@pytest.mark.parametrize("token", ["", "glpat-wrong", "glpat-ü", "glpat two", "glpat-x\r\nX-Injected: 1", "glpat\x00"])
def test_a_token_that_does_not_work_is_told_at_once(open_gitlab: OpenGitLab, token: str) -> None:
    with pytest.raises(AuthFailed) as caught:
        open_gitlab(token).account()
    assert not caught.value.retryable
    assert caught.value.__context__ is None or "glpat" not in str(caught.value.__context__)


class Renewing:
    """A connection whose token is refreshed once it is refused."""

    def __init__(self, first: str, then: str) -> None:
        self.token, self.then = first, then
        self.asked = 0

    def __bool__(self) -> bool:
        return True

    def current(self) -> Credential:
        return Credential(self.token, oauth=True)

    def renewed(self, refused: Credential) -> Credential | None:
        self.asked += 1
        if refused.token == self.then:
            return None
        self.token = self.then
        return self.current()


def test_a_token_that_ends_in_mid_run_is_renewed_once_and_nobody_notices(
    forge: Forge, open_gitlab: OpenGitLab, private_repo: HostedRepository
) -> None:
    old, new = (forge.gitlab_token("acme", scopes=["read_api"], kind="oauth") for _ in range(2))
    source = Renewing(old, new)
    client = open_gitlab(source=source)
    commit = client.head("acme/secret", "main")
    forge.world.revoke(old)
    assert client.tree("acme/secret", commit).complete
    assert client.repositories()
    assert source.asked == 1
    forge.world.revoke(new)
    with pytest.raises(AuthFailed):
        client.head("acme/secret", "main")


def test_projects_come_recently_active_first_and_can_be_searched(forge: Forge, open_gitlab: OpenGitLab) -> None:
    for name in ("acme/handbook", "acme/docs/Website", "acme/DocBook"):
        forge.repository(name, private=True, collaborators=["alice"])
    forge.repository("other/secret-book", private=True)
    client = open_gitlab(forge.gitlab_token("alice"))
    names = ["acme/docbook", "acme/docs/website", "acme/handbook"]
    assert [found.full_name for found in client.repositories()] == names
    assert {found.full_name for found in client.repositories(query="BOOK")} == {"acme/handbook", "acme/docbook"}
    assert {found.full_name for found in client.repositories(query="docs/W")} == {"acme/docs/website"}
    assert {found.full_name for found in client.repositories(query="bs")} == {"acme/docs/website"}
    assert len(client.repositories(limit=1)) == 1


def test_projects_are_read_page_by_page_within_the_cap(forge: Forge, open_gitlab: OpenGitLab) -> None:
    for n in range(220):
        forge.repository(f"acme/r{n}")
    client = open_gitlab(forge.gitlab_token("acme"))
    assert len(client.repositories(limit=500)) == 220
    assert client.usage.requests == 3
    assert len(open_gitlab(forge.gitlab_token("acme"), max_pages=2).repositories(limit=500)) == 200


def test_a_project_has_a_number_that_outlives_its_name(forge: Forge, open_gitlab: OpenGitLab) -> None:
    hosted = forge.repository("acme/team/docs", private=True)
    hosted.git.commit({"a.md": "a"})
    client = open_gitlab(forge.gitlab_token("acme/team"))
    before = client.repository("acme/team/docs")
    forge.world.rename("acme/team/docs", "acme/team/Book")
    after = client.repository("acme/team/docs")
    assert before.id == after.id == str(hosted.id)
    assert (after.full_name, after.private, after.default_branch) == ("acme/team/book", True, "main")
    assert after.web_url == f"{forge.url}/acme/team/Book"
    assert client.head("acme/team/docs", "main") == hosted.git.tip("main")
    assert client.find(str(hosted.id)) == after


def test_a_project_that_is_gone_or_is_no_number_is_told(forge: Forge, open_gitlab: OpenGitLab) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    with pytest.raises(NotFound):
        client.find("424242")
    for odd in ("", "acme/docs", "-1", "1/hooks", "1" * 30):
        with pytest.raises(InvalidName):
            client.find(odd)


def test_an_empty_project_is_told_from_a_missing_one_with_and_without_a_token(
    forge: Forge, open_gitlab: OpenGitLab
) -> None:
    forge.repository("acme/empty")
    for token in ("", forge.gitlab_token("acme")):
        client = open_gitlab(token)
        with pytest.raises(EmptyRepository):
            client.head("acme/empty", "main")
        with pytest.raises(EmptyRepository):
            client.tree("acme/empty", "1" * 40)
        with pytest.raises(NotFound):
            client.tree("acme/missing", "1" * 40)


def test_a_server_of_ones_own_can_lie_in_a_folder(
    forge: Forge, open_gitlab: OpenGitLab, private_repo: HostedRepository
) -> None:
    base = f"{forge.url}/gitlab/api/v4"
    client = open_gitlab(forge.gitlab_token("acme"), base_url=base)
    commit = client.head("acme/secret", "main")
    assert client.repository(f"{forge.url}/gitlab/acme/secret/-/tree/main").id == str(private_repo.id)
    assert [found.full_name for found in client.repositories()] == ["acme/secret"]
    assert client.commit_url("acme/secret", commit) == f"{forge.url}/gitlab/acme/secret/-/commit/{commit}"
    assert client.account().login == "acme"


def test_what_remains_of_the_limit_is_counted(forge: Forge, open_gitlab: OpenGitLab) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    client.account()
    assert client.usage.rate_limit == forge.world.hourly_limit
    assert client.usage.rate_remaining == forge.world.hourly_limit - 2
    assert client.usage.rate_reset_at is not None


def test_a_limit_that_is_used_up_says_when_to_come_again_and_is_not_waited_for(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    token = forge.gitlab_token("acme")
    forge.world.leave(0, token=token, reset_in=120, resource="gitlab")
    client = open_gitlab(token)
    for ask in (lambda: client.head("acme/docs", "main"), client.repositories):
        with pytest.raises(RateLimited) as caught:
            ask()
        assert caught.value.reset_at is not None
        assert 60 < (caught.value.reset_at - datetime.now(UTC)).total_seconds() <= 121
    assert client.usage.requests == 2


def test_a_missing_scope_is_named(forge: Forge, open_gitlab: OpenGitLab, private_repo: HostedRepository) -> None:
    client = open_gitlab(forge.gitlab_token("acme", scopes=["read_repository", "read_user"]))
    with pytest.raises(Forbidden, match="“api” or “read_api”") as caught:
        client.head("acme/secret", "main")
    assert "scope" in caught.value.advice


def test_a_next_page_at_another_server_is_asked_for_at_ours_alone(forge: Forge, open_gitlab: OpenGitLab) -> None:
    for n in range(120):
        forge.repository(f"acme/r{n}")
    elsewhere = forge.listen_also()
    client = open_gitlab(forge.gitlab_token("acme"))
    with forge.fault(faults.next_page_on(elsewhere), on="GET /projects", times=1):
        assert client.repositories(limit=500)

    def anywhere(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        reply.headers["Link"] = f'<{elsewhere}/stolen?page=2>; rel="next"'
        return reply

    with forge.fault(anywhere, on="GET /projects"), pytest.raises(Unavailable, match="another server"):
        client.repositories(limit=500)
    assert all(request.origin != elsewhere for request in forge.requests)


def test_a_list_without_end_ends(forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository) -> None:
    client = open_gitlab(forge.gitlab_token("acme"), max_pages=5)
    with forge.fault(faults.pages_without_end()):
        assert [found.full_name for found in client.repositories(limit=500)] == ["acme/docs"]
    with forge.fault(faults.page_that_is_its_own_next()):
        assert [found.full_name for found in client.repositories(limit=500)] == ["acme/docs"]
        assert [branch.name for branch in client.branches("acme/docs")] == ["main"]
    assert client.usage.requests == 6


@pytest.mark.parametrize(
    "lie", [[], {}, [{}], "text", None, 1, {"id": "1"}, {"id": True}, {"message": {"a": ["b"]}}, [[1]]]
)
def test_an_answer_of_another_shape_is_the_servers_failure(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository, lie: object
) -> None:
    client = open_gitlab(forge.gitlab_token("acme"))
    commit = github_repo.git.tip("main") or ""
    asked: list[Callable[[], object]] = [
        client.account,
        lambda: client.repository("acme/docs"),
        lambda: client.find(str(github_repo.id)),
        lambda: client.head("acme/docs", "main"),
    ]
    if lie != []:
        asked += [client.repositories, lambda: client.branches("acme/docs"), lambda: client.tree("acme/docs", commit)]
    for ask in asked:
        with forge.fault(faults.alter_json(lambda _true: lie)), pytest.raises(Unavailable) as caught:
            ask()
        assert "GitLab" in str(caught.value)


def test_an_address_of_a_script_is_not_linked_to(
    forge: Forge, open_gitlab: OpenGitLab, github_repo: HostedRepository
) -> None:
    lie = faults.alter_json(lambda true: {**true, "web_url": "javascript:alert(1)", "visibility": None})
    with forge.fault(lie, on="GET /projects/*"):
        found = open_gitlab(forge.gitlab_token("acme")).repository("acme/docs")
    assert (found.web_url, found.private) == ("", True)
