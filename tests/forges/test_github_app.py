"""The GitHub App: its own key, tokens of its installations, and who may connect one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from forges.clients import open_client
from forges.clients.base import Credential
from forges.clients.errors import AuthFailed, Forbidden, ForgeError, Misconfigured, NotFound, RateLimited, Unavailable
from forges.clients.github_app import (
    GitHubApp,
    app_jwt,
    forget_user_token,
    hidden_from_user,
    install_url,
    installation,
    installation_token,
    user_can_see,
)
from forges.clients.oauth import exchange
from forges.clients.permissions import findings
from tests.forges.conftest import LIMITS, POLICY
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.messages import json_reply

CALLBACK = "https://millrace.example/callback"
CALL: dict[str, Any] = {"policy": POLICY, "timeout": 5.0}


@pytest.fixture
def hosted(forge: Forge) -> HostedApp:
    forge.repository("acme/docs", private=True).git.commit({"a.md": "a"})
    return forge.world.github_app(callback_url=CALLBACK)


@pytest.fixture
def app(forge: Forge, hosted: HostedApp) -> GitHubApp:
    return GitHubApp(
        web_url=forge.url,
        app_id=str(hosted.app_id),
        slug=hosted.slug,
        client_id=hosted.client_id,
        client_secret=hosted.client_secret,
        private_key=hosted.private_key_pem,
        webhook_secret="hook secret",
    )


def installed(forge: Forge, hosted: HostedApp, account: str = "acme", names: tuple[str, ...] | None = None) -> str:
    return str(forge.world.install(hosted, account, names))


def signed_in(forge: Forge, app: GitHubApp, login: str) -> str:
    code = forge.world.oauth.authorise(app.client_id, CALLBACK, account=login)
    return exchange(app.oauth, code, redirect_uri=CALLBACK, **CALL).access_token


def replaced(app: GitHubApp, **facts: str) -> GitHubApp:
    names = ("web_url", "app_id", "slug", "client_id", "client_secret", "private_key")
    return GitHubApp(**{name: getattr(app, name) for name in names} | facts)


def test_the_app_proves_itself_by_a_short_lived_token_of_its_own(app: GitHubApp, hosted: HostedApp) -> None:
    now = datetime.now(UTC)
    head, claims, signature = app_jwt(app, now).split(".")

    def read(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    assert json.loads(read(head)) == {"alg": "RS256", "typ": "JWT"}
    told = json.loads(read(claims))
    assert told["iss"] == app.app_id
    assert told["iat"] == int(now.timestamp()) - 60
    assert 0 < told["exp"] - told["iat"] <= 600
    content = f"{head}.{claims}".encode()
    hosted.key.public_key().verify(read(signature), content, padding.PKCS1v15(), hashes.SHA256())


def other_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_private_key_that_is_none_is_the_operators_to_mend(app: GitHubApp, key: str) -> None:
    for wrong in (key, other_key()):
        with pytest.raises(Misconfigured, match="not one as GitHub makes them") as caught:
            installation_token(replaced(app, private_key=wrong), "1", **CALL)
        assert "AAAA" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_key_is_taken_in_either_of_its_forms(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    pem = hosted.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert installation_token(replaced(app, private_key=f"\n{pem}\n"), number, **CALL)


def test_an_installations_token_reads_what_was_chosen(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    forge.repository("acme/other", private=True)
    number = installed(forge, hosted, names=("acme/docs",))
    grant = installation_token(app, number, **CALL)
    assert grant.refresh_token == ""
    assert grant.expires_at is not None
    assert abs(grant.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=10)
    assert grant.scopes is not None
    assert "contents:write" in grant.scopes
    assert not findings("github", method="github_app", scopes=grant.scopes, oauth=False, purpose="write").missing
    credential = Credential(grant.access_token)
    with open_client("github", base_url=forge.url, credential=credential, policy=POLICY, limits=LIMITS) as client:
        assert client.account().login is None
        assert [repository.full_name for repository in client.repositories()] == ["acme/docs"]
        assert client.head("acme/docs", "main")
        with pytest.raises(NotFound):
            client.head("acme/other", "main")


def test_an_installation_tells_whose_it_is(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    found = installation(app, number, **CALL)
    assert (found.id, found.account, found.repository_selection, found.suspended) == (number, "acme", "all", False)
    assert found.account_id == str(forge.world.account("acme").id)
    assert found.avatar_url
    assert "contents:write" in found.permissions
    installed(forge, hosted, names=("acme/docs",))
    assert installation(app, number, **CALL).repository_selection == "selected"


def test_an_app_that_was_uninstalled_is_to_be_installed_again(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    forge.world.apps.uninstall(int(number))
    for ask in (installation, installation_token):
        with pytest.raises(AuthFailed, match="no longer installed"):
            ask(app, number, **CALL)


def test_a_suspended_installation_says_so(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    forge.world.apps.suspend(int(number))
    with pytest.raises(Forbidden, match="suspended"):
        installation_token(app, number, **CALL)
    assert installation(app, number, **CALL).suspended


def test_an_app_that_github_does_not_know_is_the_operators_to_mend(
    forge: Forge, app: GitHubApp, hosted: HostedApp
) -> None:
    number = installed(forge, hosted)
    another = forge.world.github_app(slug="another")
    for wrong in (replaced(app, app_id="1"), replaced(app, private_key=another.private_key_pem)):
        with pytest.raises(Misconfigured, match="private key"):
            installation_token(wrong, number, **CALL)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.status(500), Unavailable),
        (faults.rate_limited(), RateLimited),
        (faults.secondary_limited(), RateLimited),
        (faults.cut_before_reply(), Unavailable),
        (faults.malformed_json(), Unavailable),
        (faults.redirect("/elsewhere"), Unavailable),
        (faults.web_page(), Unavailable),
    ],
)
def test_trouble_at_github_is_no_reason_to_install_again(
    forge: Forge, app: GitHubApp, hosted: HostedApp, fault: faults.Fault, error: type[ForgeError]
) -> None:
    number = installed(forge, hosted)
    for ask in (installation, installation_token):
        with forge.fault(fault), pytest.raises(error) as caught:
            ask(app, number, **CALL)
        assert caught.value.retryable


@pytest.mark.parametrize(
    "answer",
    [
        {"token": None, "expires_at": "2027-01-01T00:00:00Z"},
        {"token": "two words", "expires_at": "2027-01-01T00:00:00Z"},
        {"token": "ghs_x"},
        {"token": "ghs_x", "expires_at": "soon"},
        {"token": "ghs_x", "expires_at": "2027-01-01T00:00:00"},
        {"token": "ghs_x", "expires_at": "0001-01-01T00:00:00+23:00"},
        {"token": "ghs_x", "expires_at": 5},
        [],
        None,
    ],
)
def test_an_answer_without_a_token_is_none(forge: Forge, app: GitHubApp, answer: object) -> None:
    with forge.fault(faults.instead(lambda: json_reply(answer, 201))), pytest.raises(Unavailable):
        installation_token(app, "1", **CALL)


@pytest.mark.parametrize(
    "answer", [{}, {"id": 2, "account": {}}, {"id": 1}, {"id": 1, "account": None}, {"id": True, "account": {}}, []]
)
def test_an_answer_for_another_installation_is_none(forge: Forge, app: GitHubApp, answer: object) -> None:
    with forge.fault(faults.instead(lambda: json_reply(answer))), pytest.raises(Unavailable):
        installation(app, "1", **CALL)


def test_what_cannot_be_stored_of_an_account_is_left_out(forge: Forge, app: GitHubApp) -> None:
    odd = {
        "id": 1,
        "account": {"login": "a\0", "id": "5", "avatar_url": "x" * 2000},
        "permissions": {"contents": ["read"], "metadata": "read", "x" * 100: "read"},
    }
    with forge.fault(faults.instead(lambda: json_reply(odd))):
        found = installation(app, "1", **CALL)
    assert (found.account, found.account_id, found.avatar_url) == ("", "", "")
    assert found.permissions == {"metadata:read"}


@pytest.mark.parametrize("number", ["", "x", "1/../../user", "-1", "1" * 30, "٣", "1 "])
def test_an_id_from_a_callback_that_is_none_asks_nothing(forge: Forge, app: GitHubApp, number: str) -> None:
    for ask in (installation, installation_token):
        with pytest.raises(NotFound):
            ask(app, number, **CALL)
    assert forge.requests.count() == 0


# -- whose it may be --------------------------------------------------------------------------------------------------


def test_only_who_sees_an_installation_may_connect_it(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    assert user_can_see(app, signed_in(forge, app, "acme"), number, **CALL)
    stranger = signed_in(forge, app, "mallory")
    assert not user_can_see(app, stranger, number, **CALL)
    assert not user_can_see(app, stranger, "", **CALL)


def test_repositories_that_a_person_cannot_see_are_counted(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    for n in range(3):
        forge.repository(f"acme/r{n}", private=True, collaborators=["guest"] if n == 0 else [])
    number = installed(forge, hosted)
    guest = signed_in(forge, app, "guest")
    assert user_can_see(app, guest, number, **CALL), "one repository is enough for that"
    assert hidden_from_user(app, guest, number, **CALL) >= 2
    assert hidden_from_user(app, signed_in(forge, app, "acme"), number, **CALL) == 0


def test_an_installation_on_a_later_page_is_found(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    numbers = []
    for n in range(105):
        forge.repository(f"org{n}/r", collaborators=["acme"])
        numbers.append(installed(forge, hosted, f"org{n}"))
    token = signed_in(forge, app, "acme")
    asked = forge.requests.count()
    assert user_can_see(app, token, numbers[-1], **CALL)
    assert not user_can_see(app, token, "999999", **CALL)
    assert forge.requests.count() - asked == 4


def test_a_list_of_installations_without_end_is_left(forge: Forge, app: GitHubApp) -> None:
    page = {"installations": [{"id": n} for n in range(100)]}
    with forge.fault(faults.instead(lambda: json_reply(page))):
        assert not user_can_see(app, "ghu_x", "5000", **CALL)
    assert forge.requests.count() <= 30


@pytest.mark.parametrize("answer", [{}, [], None, {"installations": None}, {"installations": {"id": 1}}])
def test_an_answer_that_is_no_list_proves_nothing(forge: Forge, app: GitHubApp, answer: object) -> None:
    with forge.fault(faults.instead(lambda: json_reply(answer))), pytest.raises(Unavailable):
        user_can_see(app, "ghu_x", "1", **CALL)
    odd = {"installations": [None, "1", 1, {"id": None}, {"id": [1]}]}
    with forge.fault(faults.instead(lambda: json_reply(odd))):
        assert not user_can_see(app, "ghu_x", "1", **CALL)


def test_a_persons_token_is_thrown_away(forge: Forge, app: GitHubApp, hosted: HostedApp) -> None:
    number = installed(forge, hosted)
    token = signed_in(forge, app, "acme")
    forget_user_token(app, token, **CALL)
    with pytest.raises(AuthFailed):
        user_can_see(app, token, number, **CALL)
    forget_user_token(app, token, **CALL)


def test_a_code_is_good_once(forge: Forge, app: GitHubApp) -> None:
    code = forge.world.oauth.authorise(app.client_id, CALLBACK, account="acme")
    assert exchange(app.oauth, code, redirect_uri=CALLBACK, **CALL)
    with pytest.raises(AuthFailed, match="used before, or took too long"):
        exchange(app.oauth, code, redirect_uri=CALLBACK, **CALL)
    with pytest.raises(Misconfigured):
        exchange(replaced(app, client_secret="wrong").oauth, code, redirect_uri=CALLBACK, **CALL)


def test_people_are_sent_to_the_apps_own_page() -> None:
    app = GitHubApp("https://github.com", "1", "mill race", "id", "secret", "key")
    parts = urlsplit(install_url(app, "a b&c=d"))
    assert (parts.netloc, parts.path) == ("github.com", "/apps/mill%20race/installations/new")
    assert parse_qs(parts.query) == {"state": ["a b&c=d"]}
    assert app.base_url == "https://api.github.com"


def test_a_repr_hides_what_is_secret() -> None:
    shown = repr(GitHubApp("https://github.com", "1", "slug", "id", "s3cr3t", "k3y", "h00k"))
    assert not any(secret in shown for secret in ("s3cr3t", "k3y", "h00k"))
