"""Who may do what at Bitbucket: API tokens, access tokens, scopes, workspaces, limits, and the contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.wire.forge import Forge
from tests.wire.world import HostedRepository, uuid_of

Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(forge: Forge, session: requests.Session) -> Ask:
    """`ask("/user", bearer=…)` or `ask("/user", basic=(email, token))`: redirects not followed."""

    def send(
        path: str, *, bearer: str = "", basic: tuple[str, str] | None = None, method: str = "GET", **more: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        address = path if path.startswith("http") else forge.bitbucket_url + path
        return session.request(method, address, headers=headers, auth=basic, allow_redirects=False, timeout=10, **more)

    return send


def names(answer: requests.Response) -> list[str]:
    return [value["full_name"] for value in answer.json()["values"]]


# -- credentials -------------------------------------------------------------------------------------------------------


def test_an_api_token_is_sent_with_the_e_mail_address_of_its_account(forge: Forge, ask: Ask) -> None:
    token = forge.bitbucket_token("acme", email="Acme@Example.com")
    answer = ask("/user", basic=("acme@example.com", token))
    assert (answer.json()["nickname"], answer.json()["type"]) == ("acme", "user")
    assert answer.json()["uuid"] == uuid_of(forge.world.account("acme").id)
    assert ask("/user/emails", basic=("acme@example.com", token)).json()["values"][0]["email"] == "Acme@Example.com"
    for wrong in (("acme", token), ("x-token-auth", token), ("acme@example.com", "ATATTwrong")):
        assert ask("/user", basic=wrong).status_code == 401
    refused = ask("/user", bearer=token)
    assert refused.status_code == 401
    assert refused.json()["error"]["message"] == "Token is invalid, expired, or not supported for this endpoint."


def test_app_passwords_are_gone(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    assert ask("/repositories/acme/docs", basic=("acme", "ATBBx7yQwertyuiopasdfgh12345678")).status_code == 401


def test_a_token_of_another_forge_and_one_that_is_over_are_refused(
    forge: Forge, github_repo: HostedRepository, ask: Ask
) -> None:
    over = forge.bitbucket_token("acme", kind="workspace", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    for token in (forge.token("acme"), over, "anything"):
        assert ask("/repositories/acme/docs", bearer=token).status_code == 401
    assert ask("/repositories/acme/docs").status_code == 200
    assert ask("/user").status_code == 401


def test_a_private_repository_is_missing_to_who_may_not_see_it(
    forge: Forge, private_repo: HostedRepository, ask: Ask
) -> None:
    forge.repository("acme/other", private=True)
    sees = {
        "": 404,
        forge.bitbucket_token("mallory", kind="workspace"): 404,
        forge.bitbucket_token("acme", kind="repository", repository="acme/other"): 404,
        forge.bitbucket_token("acme", kind="workspace"): 200,
        forge.bitbucket_token("acme", kind="repository", repository="acme/secret"): 200,
    }
    for path in ("/repositories/acme/secret", "/repositories/acme/secret/src/main/README.md"):
        assert {token: ask(path, bearer=token).status_code for token in sees} == sees
    forge.bitbucket_caps.hidden_status = 403
    assert ask("/repositories/acme/secret").status_code == 403


def test_a_workspace_token_stays_in_its_workspace(forge: Forge, ask: Ask) -> None:
    forge.repository("acme/mine", private=True)
    forge.repository("team/theirs", private=True).roles["acme"] = "admin"
    token = forge.bitbucket_token("acme", kind="workspace")
    assert names(ask("/repositories/acme", bearer=token)) == ["acme/mine"]
    assert ask("/repositories/team/theirs", bearer=token).status_code == 404
    person = ("acme@example.org", forge.bitbucket_token("acme"))
    assert ask("/repositories/team/theirs", basic=person).status_code == 200


# -- scopes ------------------------------------------------------------------------------------------------------------


def test_a_missing_scope_is_named(forge: Forge, private_repo: HostedRepository, ask: Ask) -> None:
    token = forge.bitbucket_token("acme", kind="repository", repository="acme/secret", scopes=["webhook"])
    answer = ask("/repositories/acme/secret", bearer=token)
    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "message": "Your credentials lack one or more required privilege scopes.",
        "detail": {"required": ["repository"], "granted": ["webhook"]},
    }
    assert (answer.headers["X-OAuth-Scopes"], answer.headers["X-Accepted-OAuth-Scopes"]) == ("webhook", "repository")
    for path in ("/user", "/user/workspaces"):
        assert ask(path, bearer=token).json()["error"]["detail"]["required"] == ["account"]


def test_api_tokens_have_scopes_of_their_own_which_imply_nothing(
    forge: Forge, private_repo: HostedRepository, ask: Ask
) -> None:
    writes = forge.bitbucket_token("acme", scopes=["write:repository:bitbucket"])
    answer = ask("/repositories/acme/secret", basic=("acme@example.org", writes))
    assert answer.status_code == 403
    assert answer.json()["error"]["detail"]["required"] == ["read:repository:bitbucket"]
    assert answer.headers["X-OAuth-Scopes"] == "write:repository:bitbucket"
    assert answer.headers["X-Accepted-OAuth-Scopes"] == "repository"
    implied = forge.bitbucket_token("acme", kind="workspace", scopes=["pullrequest:write"])
    assert ask("/repositories/acme/secret", bearer=implied).status_code == 200


# -- workspaces --------------------------------------------------------------------------------------------------------


def test_the_workspaces_of_a_person_and_what_they_may_do_there(forge: Forge, ask: Ask) -> None:
    forge.repository("acme/own")
    forge.repository("team/shared", private=True)
    forge.repository("guests/one", private=True).roles["acme"] = "write"
    forge.repository("guests/two", private=True)
    forge.repository("others/public")
    forge.world.join("team", "acme", "read")
    person = ("acme@example.org", forge.bitbucket_token("acme"))
    listed = ask("/user/workspaces", basic=person).json()["values"]
    assert {access["workspace"]["slug"]: access["administrator"] for access in listed} == {
        "acme": True,
        "guests": False,
        "team": False,
    }
    assert [
        a["workspace"]["slug"] for a in ask("/user/workspaces?administrator=true", basic=person).json()["values"]
    ] == ["acme"]
    roles = {
        slug: ask(f"/user/workspaces/{slug}/permission", basic=person).json() for slug in ("acme", "team", "guests")
    }
    assert {slug: role["permission"] for slug, role in roles.items()} == {
        "acme": "owner",
        "team": "member",
        "guests": "collaborator",
    }
    granted = ask("/user/workspaces/guests/permissions/repositories", basic=person).json()["values"]
    assert [(found["repository"]["full_name"], found["permission"]) for found in granted] == [("guests/one", "write")]
    exact = ask('/user/workspaces/guests/permissions/repositories?q=repository.full_name = "guests/two"', basic=person)
    assert exact.json()["values"] == []
    assert ask("/user/workspaces/others/permission", basic=person).status_code == 403


def test_access_tokens_cannot_ask_about_permissions(forge: Forge, ask: Ask) -> None:
    forge.repository("acme/docs")
    token = forge.bitbucket_token("acme", kind="workspace")
    assert ask("/user", bearer=token).json()["type"] == "app_user"
    assert [a["workspace"]["slug"] for a in ask("/user/workspaces", bearer=token).json()["values"]] == ["acme"]
    assert ask("/user/workspaces/acme/permission", bearer=token).status_code == 403
    assert ask("/user/workspaces/acme/permissions/repositories", bearer=token).status_code == 403


# -- limits and the contract -------------------------------------------------------------------------------------------


def test_a_spent_hour_says_no_time(forge: Forge, github_repo: HostedRepository, ask: Ask) -> None:
    token = forge.bitbucket_token("acme", kind="workspace")
    first = ask("/repositories/acme/docs", bearer=token)
    assert first.headers["X-RateLimit-Limit"] == str(forge.world.hourly_limit)
    assert (first.headers["X-RateLimit-Resource"], first.headers["X-RateLimit-NearLimit"]) == ("api", "false")
    forge.world.leave(1, token=token)
    assert ask("/repositories/acme/docs", bearer=token).headers["X-RateLimit-NearLimit"] == "true"
    answer = ask("/repositories/acme/docs", bearer=token)
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert "X-RateLimit-Reset" not in answer.headers
    person = ("acme@example.org", forge.bitbucket_token("acme"))
    assert "X-RateLimit-Limit" not in ask("/repositories/acme/docs", basic=person).headers


def test_what_was_deprecated_is_gone(forge: Forge, ask: Ask) -> None:
    person = ("acme@example.org", forge.bitbucket_token("acme"))
    for path in ("/user/permissions/workspaces", "/user/permissions/repositories"):
        assert ask(path, basic=person).status_code == 410


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/repositories/acme/docs?access_token=x", 400),
        ("/repositories/acme/docs?page=1", 400),
        ("/repositories", 404),
        ("/repositories/acme/docs/src/main", 404),  # a folder's address ends with a slash
        ("/repositories/acme/docs/refs/branches?per_page=5", 400),
    ],
)
def test_what_the_description_does_not_know_is_refused_and_kept(
    forge: Forge, github_repo: HostedRepository, ask: Ask, path: str, status: int
) -> None:
    assert ask(path).status_code == status
    (violation,) = forge.violations
    assert violation.by == "client"
    forge.violations.clear()
