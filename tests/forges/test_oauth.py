"""OAuth: grants are renewed and taken back, and whoever is to blame for a refusal is told."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forges.clients.errors import AuthFailed, ForgeError, Misconfigured, RateLimited, Unavailable
from forges.clients.oauth import (
    App,
    Grant,
    authorize_url,
    client_credentials,
    refresh,
    revoke,
    revoke_url,
    token_url,
)
from lib import egress
from tests.forges.conftest import POLICY
from tests.wire import faults
from tests.wire.faults import Fault
from tests.wire.forge import Forge
from tests.wire.messages import json_reply
from tests.wire.oauth import Issued

FORGES = ["github", "gitlab", "bitbucket"]
CALLBACK = "https://millrace.example/callback"
TIMEOUT = 5.0


def registered(forge: Forge, name: str, **facts: Any) -> App:
    made = forge.world.oauth.app(name, redirect_uri=CALLBACK, **facts)
    return App(name, forge.url, made.client_id, made.client_secret)


def granted(forge: Forge, app: App, scope: str = "") -> Issued:
    """What the flow in a browser ends with."""
    oauth = forge.world.oauth
    code = oauth.authorise(app.client_id, CALLBACK, scope, account="alice")
    return oauth.exchange(app.client_id, app.client_secret, code, CALLBACK, "")


def renew(app: App, token: str, policy: egress.Policy = POLICY) -> Grant:
    return refresh(app, token, policy=policy, timeout=TIMEOUT)


def refusal(app: App, token: str = "ghr_token") -> ForgeError:
    with pytest.raises(ForgeError) as caught:
        renew(app, token)
    assert token not in str(caught.value)
    assert app.client_secret not in str(caught.value)
    return caught.value


def answering(body: Any, status: int = 200, **headers: str) -> Fault:
    return faults.instead(lambda: json_reply(body, status, **headers))


@pytest.mark.parametrize("name", FORGES)
def test_a_grant_is_renewed(forge: Forge, name: str) -> None:
    app = registered(forge, name, ttl=7200.0)
    old = granted(forge, app, "repo" if name == "github" else "")
    new = renew(app, old.refresh_token)
    assert new.access_token != old.access_token
    assert forge.world.find_token(new.access_token, name)
    assert new.expires_at is not None
    assert abs(new.expires_at - datetime.now(UTC) - timedelta(hours=2)) < timedelta(seconds=10)
    assert forge.requests.count() == 1
    assert renew(app, new.refresh_token).access_token != new.access_token


def test_a_refresh_token_that_stays_the_same_is_kept(forge: Forge) -> None:
    app = registered(forge, "bitbucket", rotate=False)
    old = granted(forge, app)
    assert renew(app, old.refresh_token).refresh_token == old.refresh_token
    with forge.fault(answering({"access_token": "new", "token_type": "bearer", "expires_in": 7200})):
        assert renew(app, "kept").refresh_token == "kept"


@pytest.mark.parametrize("name", FORGES)
def test_a_refresh_token_that_was_used_up_is_rejected(forge: Forge, name: str) -> None:
    app = registered(forge, name, rotate=True)
    old = granted(forge, app)
    renew(app, old.refresh_token)
    error = refusal(app, old.refresh_token)
    assert type(error) is AuthFailed
    assert "expired, or somebody revoked it" in str(error)


def test_of_two_that_renew_the_same_grant_one_is_told_that_it_lost(forge: Forge) -> None:
    app = registered(forge, "gitlab")
    token = granted(forge, app).refresh_token
    ends: list[object] = []

    def race() -> None:
        try:
            ends.append(renew(app, token))
        except ForgeError as error:
            ends.append(type(error))

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuthFailed in ends
    assert any(isinstance(end, Grant) for end in ends)


@pytest.mark.parametrize("name", FORGES)
def test_an_application_that_the_forge_does_not_know_is_the_operators_to_mend(forge: Forge, name: str) -> None:
    app = registered(forge, name)
    token = granted(forge, app).refresh_token
    for wrong in (App(name, app.web_url, app.client_id, "wrong"), App(name, app.web_url, "wrong", app.client_secret)):
        assert type(refusal(wrong, token)) is Misconfigured
    assert renew(app, token)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"error": "bad_refresh_token"}, 200, AuthFailed),
        ({"error": "invalid_grant"}, 400, AuthFailed),
        ({"error": "invalid_grant"}, 401, AuthFailed),
        ({"error": "unverified_user_email"}, 200, AuthFailed),
        ({"error": "incorrect_client_credentials"}, 200, Misconfigured),
        ({"error": "invalid_client"}, 401, Misconfigured),
        ({"error": "unauthorized_client"}, 400, Misconfigured),
        ({"error": "redirect_uri_mismatch"}, 200, Misconfigured),
        ({"error": "application_suspended"}, 200, Misconfigured),
        ({"error": "Not Found"}, 404, Misconfigured),
        # What is not understood does not end a grant.
        ({"error": "something_new"}, 200, Unavailable),
        ({"error": "invalid_request", "error_description": "no grant_type"}, 400, Unavailable),
        ("<html>", 401, Unavailable),
        ("<html>", 404, Unavailable),
        ({"error": ["invalid_grant"]}, 400, Unavailable),
        ({"error": None}, 200, Unavailable),
        ({"error": "invalid_grant"}, 500, Unavailable),
        ({"error": "invalid_client"}, 503, Unavailable),
        ({"error": "server_error"}, 400, Unavailable),
        ("<html>", 400, Unavailable),
        ("<html>", 403, Unavailable),
        ({}, 200, Unavailable),
        ([], 200, Unavailable),
        (None, 200, Unavailable),
        ({"error": "slow_down"}, 429, RateLimited),
    ],
)
def test_each_refusal_is_told_as_what_it_is(forge: Forge, body: object, status: int, error: type[ForgeError]) -> None:
    app = registered(forge, "github")
    with forge.fault(answering(body, status)):
        found = refusal(app)
    assert type(found) is error
    assert str(found).startswith("127.0.0.1 ")


def test_a_limit_says_when_to_go_on(forge: Forge) -> None:
    app = registered(forge, "gitlab")
    with forge.fault(answering({"error": "invalid_grant"}, 429, Retry_After="90")):
        error = refusal(app)
    assert isinstance(error, RateLimited)
    assert error.reset_at is not None
    assert abs(error.reset_at - datetime.now(UTC) - timedelta(seconds=90)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "token",
    [None, "", 1, ["x"], "two words", "x\n", "ü", "\0", "x" * 5000, {"a": 1}],
    ids=lambda token: repr(token)[:12],
)
def test_an_answer_without_a_token_is_none(forge: Forge, token: object) -> None:
    app = registered(forge, "gitlab")
    with forge.fault(answering({"access_token": token, "refresh_token": "r"})):
        assert type(refusal(app)) is Unavailable
    if token not in (None, ""):
        with forge.fault(answering({"access_token": "a", "refresh_token": token})):
            assert type(refusal(app)) is Unavailable


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (7200, 7200),
        ("7200", 7200),
        (0.5, 0.5),
        (None, None),
        (0, None),
        (-5, None),
        (10**30, None),
        ("soon", None),
        ("9" * 40, None),
        (True, None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_an_absurd_lifetime_is_not_believed(forge: Forge, told: object, seconds: float | None) -> None:
    app = registered(forge, "gitlab")
    with forge.fault(answering({"access_token": "a", "expires_in": told})):
        found = renew(app, "r").expires_at
    if seconds is None:
        assert found is None
    else:
        assert found is not None
        assert abs(found - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("name", "told", "scopes"),
    [
        ("github", {"scope": "repo,user:email, read:user"}, {"repo", "user:email", "read:user"}),
        ("github", {"scope": ""}, set()),
        ("gitlab", {"scope": "api read_user"}, {"api", "read_user"}),
        ("bitbucket", {"scopes": "repository:write  webhook"}, {"repository:write", "webhook"}),
        ("bitbucket", {}, None),
        ("gitlab", {"scope": ["api"]}, None),
        ("gitlab", {"scope": "x" * 2000}, None),
        ("gitlab", {"scope": 'api b\\"d \0 ü'}, {"api"}),
    ],
)
def test_scopes_are_read_as_each_forge_writes_them(
    forge: Forge, name: str, told: dict[str, object], scopes: set[str] | None
) -> None:
    app = registered(forge, name)
    with forge.fault(answering({"access_token": "a", **told})):
        assert renew(app, "r").scopes == scopes


@pytest.mark.parametrize(
    "fault", [faults.cut_before_reply(), faults.cut_body(3), faults.malformed_json(), faults.status(502)]
)
def test_a_broken_line_ends_no_grant(forge: Forge, fault: Fault) -> None:
    app = registered(forge, "gitlab")
    token = granted(forge, app).refresh_token
    with forge.fault(fault):
        error = refusal(app, token)
    assert error.retryable


def test_an_answer_without_end_is_cut(forge: Forge) -> None:
    app = registered(forge, "gitlab")
    with forge.fault(answering({"access_token": "x" * (1 << 20)})):
        assert refusal(app).code == "too_large"


def test_a_token_endpoint_that_redirects_is_not_followed_with_the_secret(forge: Forge) -> None:
    app = registered(forge, "gitlab")
    elsewhere = forge.listen_also()
    for code in (301, 302, 303, 307, 308):
        with forge.fault(faults.redirect(f"{elsewhere}/oauth/token", code)):
            assert type(refusal(app)) is Unavailable
    assert not [request for request in forge.requests if request.origin == elsewhere]


def test_secrets_are_sent_in_bodies_and_headers_and_never_in_an_address(forge: Forge) -> None:
    for name in FORGES:
        app = registered(forge, name)
        token = granted(forge, app)
        new = renew(app, token.refresh_token)
        revoke(app, new, policy=POLICY, timeout=TIMEOUT)
        for request in forge.requests:
            for secret in (app.client_secret, token.refresh_token, new.access_token):
                assert secret not in request.target


def test_nothing_is_sent_over_plain_http_or_with_a_secret_that_is_none(forge: Forge) -> None:
    app = registered(forge, "github")
    strict = egress.Policy()
    with pytest.raises(Misconfigured, match="does not begin with https"):
        renew(app, "r", policy=strict)
    for odd in ("two words", "x\r\nX-Injected: 1", "ü", "\0"):
        assert type(refusal(App("github", app.web_url, app.client_id, odd))) is Misconfigured
        assert type(refusal(App("bitbucket", app.web_url, odd, "s3cr3t"))) is Misconfigured
    assert forge.requests.count() == 0


def test_a_repr_hides_what_is_secret() -> None:
    shown = repr(App("github", "https://github.com", "id", "client secret")) + repr(Grant("access", "renewing"))
    assert not any(secret in shown for secret in ("client secret", "'access'", "renewing"))


# -- a consumer -------------------------------------------------------------------------------------------------------


def consumer(forge: Forge, key: str, secret: str) -> Grant:
    return client_credentials(web_url=forge.url, key=key, secret=secret, policy=POLICY, timeout=TIMEOUT)


def test_a_consumer_gets_a_token_of_its_own(forge: Forge) -> None:
    made = forge.world.oauth.app("bitbucket", owner="acme", scopes=["repository", "webhook"])
    found = consumer(forge, made.client_id, made.client_secret)
    assert forge.world.find_token(found.access_token, "bitbucket")
    assert found.scopes == frozenset({"repository", "webhook"})
    assert found.expires_at is not None


def test_a_consumer_that_does_not_work_is_its_makers_to_mend(forge: Forge) -> None:
    made = forge.world.oauth.app("bitbucket")  # without an owner: not private
    for key, secret in (
        (made.client_id, made.client_secret),
        (made.client_id, "wrong"),
        ("wrong", "wrong"),
        ("ü", "x"),
    ):
        with pytest.raises(AuthFailed, match="does not accept this key and secret"):
            consumer(forge, key, secret)


# -- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_grant_is_taken_back_at_the_forge(forge: Forge, name: str) -> None:
    app = registered(forge, name)
    issued = granted(forge, app)
    grant = Grant(issued.access_token, issued.refresh_token)
    assert revoke(app, grant, policy=POLICY, timeout=TIMEOUT)
    assert forge.world.find_token(issued.access_token, name) is None
    assert type(refusal(app, issued.refresh_token)) is AuthFailed
    # What is gone is no error.
    assert revoke(app, grant, policy=POLICY, timeout=TIMEOUT)
    assert revoke(app, "never-was-one", policy=POLICY, timeout=TIMEOUT)


@pytest.mark.parametrize("whole", [True, False])
def test_another_token_of_the_same_person_goes_with_the_consent_alone(forge: Forge, whole: bool) -> None:
    app = registered(forge, "github")
    one, other = granted(forge, app), granted(forge, app)
    assert revoke(app, one.access_token, whole=whole, policy=POLICY, timeout=TIMEOUT)
    assert forge.world.find_token(one.access_token) is None
    assert (forge.world.find_token(other.access_token) is None) == whole


def test_bitbucket_has_no_call_for_it(forge: Forge) -> None:
    app = registered(forge, "bitbucket")
    assert revoke(app, granted(forge, app).access_token, policy=POLICY, timeout=TIMEOUT) is False
    assert forge.requests.count() == 0


def test_a_forge_that_cannot_take_it_back_now_says_so(forge: Forge) -> None:
    for name in ("github", "gitlab"):
        with forge.fault(faults.status(503)), pytest.raises(Unavailable):
            revoke(registered(forge, name), "token", policy=POLICY, timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("name", "web", "urls"),
    [
        (
            "github",
            "https://github.com",
            (
                "https://github.com/login/oauth/authorize",
                "https://github.com/login/oauth/access_token",
                "https://api.github.com/applications/client%2Fid/grant",
            ),
        ),
        (
            "github",
            "https://git.example.com",
            (
                "https://git.example.com/login/oauth/authorize",
                "https://git.example.com/login/oauth/access_token",
                "https://git.example.com/api/v3/applications/client%2Fid/grant",
            ),
        ),
        (
            "gitlab",
            "https://example.com/gitlab",
            (
                "https://example.com/gitlab/oauth/authorize",
                "https://example.com/gitlab/oauth/token",
                "https://example.com/gitlab/oauth/revoke",
            ),
        ),
        (
            "bitbucket",
            "https://bitbucket.org",
            ("https://bitbucket.org/site/oauth2/authorize", "https://bitbucket.org/site/oauth2/access_token", ""),
        ),
    ],
)
def test_each_forge_has_its_own_addresses(name: str, web: str, urls: tuple[str, ...]) -> None:
    app = App(name, web, "client/id", "secret")
    assert (authorize_url(app), token_url(app), revoke_url(app)) == urls
