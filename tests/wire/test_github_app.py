"""A GitHub App: it proves itself by a JWT, acts by tokens of an hour, and people install it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import github
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.wire.conftest import Get
from tests.wire.forge import Forge
from tests.wire.pressing import pressed
from tests.wire.repos import blob_id
from tests.wire.world import HostedApp, HostedRepository

CALLBACK = "http://127.0.0.1:8000/connections/github-app/done"


def app_jwt(app: HostedApp, *, key: Any = None, **claims: object) -> str:
    now = int(time.time())
    said = {"iss": str(app.app_id), "iat": now - 60, "exp": now + 500, **claims}
    return jwt.encode(said, key or app.private_key_pem, algorithm="RS256")


@dataclass(frozen=True)
class AsApp:
    """One App, and requests that it makes for itself."""

    app: HostedApp
    send: Callable[..., requests.Response]


@pytest.fixture
def millrace(forge: Forge, session: requests.Session) -> AsApp:
    app = forge.world.github_app(slug="millrace", callback_url=CALLBACK)

    def send(method: str, path: str, *, token: str = "", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or app_jwt(app)}"}
        return session.request(method, forge.url + path, headers=headers, timeout=10, **more)

    return AsApp(app, send)


def token_of(millrace: AsApp, number: int, **body: Any) -> str:
    path = f"/app/installations/{number}/access_tokens"
    answer = millrace.send("POST", path, **({"json": body} if body else {}))
    assert answer.status_code == 201, answer.text
    value = answer.json()["token"]
    assert isinstance(value, str)
    return value


def test_the_app_knows_itself_by_its_jwt(forge: Forge, millrace: AsApp) -> None:
    said = millrace.send("GET", "/app").json()
    assert (said["id"], said["slug"], said["client_id"]) == (millrace.app.app_id, "millrace", millrace.app.client_id)
    by_client = app_jwt(millrace.app, iss=millrace.app.client_id)
    assert millrace.send("GET", "/app", token=by_client).status_code == 200


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iat": int(time.time()) + 3600}, "'iat'"),
        ({"exp": int(time.time()) - 1}, "'exp'"),
        ({"exp": int(time.time()) + 3600}, "too far in the future"),
        ({"iss": "1"}, "'iss'"),
        ({"key": rsa.generate_private_key(65_537, 2048)}, "could not be decoded"),
    ],
    ids=["from the future", "expired", "too long", "of nobody", "with another key"],
)
def test_a_jwt_that_proves_nothing_is_refused(millrace: AsApp, claims: dict[str, Any], said: str) -> None:
    answer = millrace.send("GET", "/app", token=app_jwt(millrace.app, **claims))
    assert answer.status_code == 401
    assert said in answer.json()["message"]


def test_a_jwt_opens_nothing_but_the_app_itself(millrace: AsApp, github_repo: HostedRepository) -> None:
    assert millrace.send("GET", "/repos/acme/docs").status_code == 401
    assert millrace.send("GET", "/user").status_code == 401


def test_a_persons_token_does_not_speak_for_the_app(forge: Forge, get: Get) -> None:
    assert get("/app", token=forge.token("acme")).status_code == 401


def test_an_installation_is_described(forge: Forge, millrace: AsApp) -> None:
    number = forge.world.install(millrace.app, "acme")
    said = millrace.send("GET", f"/app/installations/{number}").json()
    assert (said["account"]["login"], said["repository_selection"]) == ("acme", "all")
    assert said["permissions"]["contents"] == "write"


def test_an_installation_token_reads_what_the_app_was_given(
    forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get
) -> None:
    forge.repository("acme/other", private=True)
    forge.repository("mallory/hers", private=True, collaborators=["acme"])
    token = token_of(millrace, forge.world.install(millrace.app, "acme", ["acme/secret"]))
    assert token.startswith("ghs_")
    assert get("/repos/acme/secret", token=token).status_code == 200
    assert get("/repos/acme/other", token=token).status_code == 404
    assert get("/repos/mallory/hers", token=token).status_code == 404
    assert get("/repos/acme/secret/git/trees/main", token=token).status_code == 200
    listed = get("/installation/repositories", token=token).json()
    assert ([one["full_name"] for one in listed["repositories"]], listed["total_count"]) == (["acme/secret"], 1)


def test_a_later_repository_belongs_to_an_installation_on_all(forge: Forge, millrace: AsApp, get: Get) -> None:
    token = token_of(millrace, forge.world.install(millrace.app, "acme"))
    forge.repository("acme/later", private=True)
    assert get("/repos/acme/later", token=token).status_code == 200


def test_a_token_can_be_asked_for_less(forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get) -> None:
    other = forge.repository("acme/other", private=True)
    number = forge.world.install(millrace.app, "acme")
    token = token_of(millrace, number, repository_ids=[other.id], permissions={"metadata": "read"})
    assert get("/repos/acme/secret", token=token).status_code == 404
    assert get("/repos/acme/other", token=token).status_code == 200
    assert get("/repos/acme/other/branches", token=token).status_code == 403


def test_a_token_cannot_be_asked_for_more(forge: Forge, millrace: AsApp) -> None:
    forge.repository("mallory/hers", private=True)
    number = forge.world.install(millrace.app, "acme")
    path = f"/app/installations/{number}/access_tokens"
    assert millrace.send("POST", path, json={"permissions": {"administration": "write"}}).status_code == 422
    assert millrace.send("POST", path, json={"repositories": ["hers"]}).status_code == 422


def test_an_installation_token_ends_with_its_time(
    forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get
) -> None:
    number = forge.world.install(millrace.app, "acme")
    millrace.app.token_ttl = 0
    token = token_of(millrace, number)
    assert get("/repos/acme/secret", token=token).status_code == 401


def test_an_installation_token_can_be_given_back(
    forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get
) -> None:
    token = token_of(millrace, forge.world.install(millrace.app, "acme"))
    assert millrace.send("DELETE", "/installation/token", token=token).status_code == 204
    assert get("/repos/acme/secret", token=token).status_code == 401


def test_an_uninstalled_app_gets_in_nowhere(
    forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get
) -> None:
    number = forge.world.install(millrace.app, "acme")
    token = token_of(millrace, number)
    forge.world.apps.uninstall(number)
    assert get("/repos/acme/secret", token=token).status_code == 401
    assert millrace.send("POST", f"/app/installations/{number}/access_tokens").status_code == 404
    assert millrace.send("GET", f"/app/installations/{number}").status_code == 404


def test_a_suspended_installation_waits(
    forge: Forge, millrace: AsApp, private_repo: HostedRepository, get: Get
) -> None:
    number = forge.world.install(millrace.app, "acme")
    token = token_of(millrace, number)
    assert millrace.send("PUT", f"/app/installations/{number}/suspended").status_code == 204
    refused = get("/repos/acme/secret", token=token)
    assert (refused.status_code, refused.json()["message"]) == (403, "This installation has been suspended")
    assert millrace.send("POST", f"/app/installations/{number}/access_tokens").status_code == 403
    assert millrace.send("GET", f"/app/installations/{number}").json()["suspended_at"]
    assert millrace.send("DELETE", f"/app/installations/{number}/suspended").status_code == 204
    assert get("/repos/acme/secret", token=token).status_code == 200


def test_another_apps_installation_is_not_there(forge: Forge, millrace: AsApp) -> None:
    other = forge.world.github_app(slug="other")
    number = forge.world.install(other, "acme")
    assert millrace.send("GET", f"/app/installations/{number}").status_code == 404
    assert millrace.send("POST", f"/app/installations/{number}/access_tokens").status_code == 404


def test_an_installation_is_no_person(forge: Forge, millrace: AsApp, get: Get) -> None:
    token = token_of(millrace, forge.world.install(millrace.app, "acme"))
    refused = get("/user", token=token)
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert get("/installation/repositories", token=forge.token("acme")).status_code == 403


def test_pygithub_works_as_an_installation(forge: Forge, millrace: AsApp, private_repo: HostedRepository) -> None:
    number = forge.world.install(millrace.app, "acme")
    auth = github.Auth.AppAuth(millrace.app.app_id, millrace.app.private_key_pem).get_installation_auth(number)
    client = github.Github(base_url=forge.url, auth=auth, seconds_between_requests=None, retry=None, timeout=10)
    repository = client.get_repo("acme/secret")
    head = repository.get_git_commit(repository.get_branch("main").commit.sha)
    page = github.InputGitTreeElement("new.md", "100644", "blob", content="# New")
    author = github.InputGitAuthor("Ada", "ada@example.org", "2026-05-04T10:00:00Z")
    made = repository.create_git_commit("Write", repository.create_git_tree([page], head.tree), [head], author=author)
    repository.get_git_ref("heads/main").edit(made.sha)
    assert private_repo.git.tip("main") == made.sha
    assert private_repo.git.files()["new.md"] == blob_id(b"# New")


# -- people ------------------------------------------------------------------------------------------------------------


def user_token(forge: Forge, app: HostedApp, login: str) -> str:
    server = forge.world.oauth
    code = server.authorise(app.client_id, CALLBACK, account=login)
    return server.exchange(app.client_id, app.client_secret, code, CALLBACK, "").access_token


def test_a_person_sees_the_installations_that_concern_them(forge: Forge, millrace: AsApp, get: Get) -> None:
    forge.world.join("acme", "alice")
    forge.repository("acme/secret", private=True)
    number = forge.world.install(millrace.app, "acme")
    alices = get("/user/installations", token=user_token(forge, millrace.app, "alice")).json()
    assert ([one["id"] for one in alices["installations"]], alices["total_count"]) == ([number], 1)
    mallorys = user_token(forge, millrace.app, "mallory")
    assert get("/user/installations", token=mallorys).json()["installations"] == []
    assert get(f"/user/installations/{number}/repositories", token=mallorys).status_code == 404
    assert get("/user/installations", token=forge.token("alice")).status_code == 403


def test_a_persons_token_reaches_only_where_the_app_is_installed(forge: Forge, millrace: AsApp, get: Get) -> None:
    forge.repository("alice/notes", private=True)
    token = user_token(forge, millrace.app, "alice")
    assert token.startswith("ghu_")
    assert get("/repos/alice/notes", token=token).status_code == 404
    number = forge.world.install(millrace.app, "alice", ["alice/notes"])
    assert get("/repos/alice/notes", token=token).status_code == 200
    listed = get(f"/user/installations/{number}/repositories", token=token).json()
    assert [one["full_name"] for one in listed["repositories"]] == ["alice/notes"]
    forge.world.apps.suspend(number)
    assert get("/repos/alice/notes", token=token).status_code == 404


def install_page(forge: Forge, session: requests.Session, button: str, **where: str) -> requests.Response:
    page = session.get(f"{forge.url}/apps/millrace/installations/new", params={"state": "s&1"}, timeout=10)
    action, fields = pressed(page.text, button, **where)
    return session.post(forge.url + action, data=fields, allow_redirects=False, timeout=10)


def test_installing_leads_back_with_the_installation_and_a_code(
    forge: Forge, session: requests.Session, millrace: AsApp, get: Get
) -> None:
    forge.world.oauth.person = "alice"
    forge.world.join("acme", "alice")
    answer = install_page(forge, session, "install", account="acme")
    assert answer.headers["Location"].startswith(CALLBACK)
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    number = int(back["installation_id"])
    assert (back["setup_action"], back["state"]) == ("install", "s&1")
    assert forge.world.apps.installations[number].account.login == "acme"
    server = forge.world.oauth
    tokens = server.exchange(millrace.app.client_id, millrace.app.client_secret, back["code"], CALLBACK, "")
    assert get("/user", token=tokens.access_token).json()["login"] == "alice"
    again = install_page(forge, session, "install", account="acme").headers["Location"]
    assert dict(parse_qsl(urlsplit(again).query))["setup_action"] == "update"


def test_without_authorisation_installing_leads_to_the_setup_address(
    forge: Forge, session: requests.Session, millrace: AsApp
) -> None:
    millrace.app.authorise_on_install = False
    millrace.app.setup_url = "http://127.0.0.1:8000/setup"
    answer = install_page(forge, session, "install")
    assert answer.headers["Location"].startswith("http://127.0.0.1:8000/setup?installation_id=")
    assert "code=" not in answer.headers["Location"]


def test_there_is_no_page_for_an_unknown_app(forge: Forge, session: requests.Session) -> None:
    assert session.get(f"{forge.url}/apps/nothing/installations/new", timeout=10).status_code == 404
