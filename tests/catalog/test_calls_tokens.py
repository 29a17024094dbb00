"""OAuth2 client credentials: one token for many calls, got anew in time, and secrets that stay where they may be."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import time_machine

from catalog.calls import CallError, call_tool, read_resource
from catalog.calls.results import Failed, OutOfTime, Refused, SecretWithheld, TokenRefused
from catalog.models import Provider, Server
from tests import factories
from tests.catalog.calling import call, tool
from tests.catalog.conftest import together
from tests.catalog.upstream import CLIENT, Upstream, upstream


@pytest.fixture
def private(docs: Server, api: Upstream) -> Provider:
    """A provider that wants an access token."""
    factories.variable(docs, "CLIENT_SECRET", secret=CLIENT[1], hosts=[api.url])
    return factories.provider(
        docs,
        "Private weather",
        base_url=api.base_url,
        oauth2_token_url=f"{api.url}/token",
        oauth2_client_id=CLIENT[0],
        oauth2_client_secret="${CLIENT_SECRET}",
        oauth2_scopes=["read"],
    )


def test_a_token_is_fetched_once_and_used_by_many_calls(private: Provider, api: Upstream) -> None:
    assert call(private, "/private").value["welcome"] is True
    assert call(private, "/private", method="POST").status == 200
    assert read_resource(factories.resource(private, text="", upstream_path="/private")).status == 200
    assert api.asked.count("POST /token") == 1


def test_a_tool_s_scopes_come_on_top_of_the_provider_s(private: Provider, api: Upstream) -> None:
    call(private, "/private", oauth2_scopes=["write", "read"])
    call(private, "/private")
    assert [each.body.decode().partition("scope=")[2] for each in api.seen if each.target == "/token"] == [
        "read+write",
        "read",
    ]


def test_a_server_that_refuses_the_header_gets_the_client_in_the_body(private: Provider, api: Upstream) -> None:
    api.token_takes = "post"
    assert call(private, "/private").status == 200
    assert api.asked.count("POST /token") == 2


@pytest.mark.parametrize(
    ("lasts", "later", "fetched"), [(3600, 3000, 1), (3600, 3590, 2), ("60", 50, 2), (None, 290, 2), (0, 0, 2)]
)
def test_a_token_is_fetched_again_shortly_before_it_expires(
    private: Provider, api: Upstream, lasts: Any, later: float, fetched: int
) -> None:
    api.token_lasts = lasts
    with time_machine.travel("2026-01-01", tick=False) as clock:
        call(private, "/private")
        clock.shift(later)
        call(private, "/private")
    assert len(api.tokens) == fetched


@pytest.mark.parametrize("lasts", [10**4000, "1e999", -5, [], None])
def test_a_token_that_lasts_for_no_length_of_time_is_used(private: Provider, api: Upstream, lasts: Any) -> None:
    api.token_lasts = lasts
    assert call(private, "/private").status == 200


def test_a_token_that_is_not_taken_any_more_is_fetched_again_once(private: Provider, api: Upstream) -> None:
    call(private, "/private")
    api.tokens.append("another one, so that ours was revoked")
    result = call(private, "/private", method="POST")
    assert (result.status, len(api.tokens)) == (200, 3)

    api.on_request = lambda: api.tokens.append("revoked at once")
    before = len(api.seen)
    assert call(private, "/private").status == 401
    assert [each.target for each in api.seen[before:]] == ["/v1/private", "/token", "/v1/private"]


def test_another_client_secret_is_used_at_once(private: Provider, api: Upstream) -> None:
    call(private, "/private")
    variable = private.server.variables.get()
    variable.secret = "wrong"
    variable.save()
    with pytest.raises(TokenRefused, match=r"HTTP 401, invalid_client"):
        call(private, "/private")


@pytest.mark.django_db(transaction=True)
def test_many_calls_at_once_fetch_one_token(private: Provider, api: Upstream) -> None:
    one = tool(private, "/private")
    results = together(*[lambda: call_tool(one, {}).status] * 8)
    assert results == [200] * 8
    assert api.asked.count("POST /token") == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_another_s_token_waits_no_longer_than_its_own_time(private: Provider, api: Upstream) -> None:
    one = tool(private, "/private")
    waiting = threading.Event()

    def hold() -> None:
        waiting.set()
        api.over.wait(15)

    api.on_request = hold

    def second() -> Any:
        waiting.wait(15)
        return call_tool(one, {}, seconds=0.3)

    first_result, second_result = together(lambda: call_tool(one, {}, seconds=3), second)
    assert isinstance(first_result, OutOfTime)
    assert isinstance(second_result, OutOfTime)
    assert len(api.seen) == 1


def test_secrets_and_tokens_that_come_back_are_masked(private: Provider, api: Upstream) -> None:
    result = call(private, "/private")
    assert result.value == {"welcome": True, "you_sent": "Bearer ••••••"}
    assert dict(result.sent.headers)["Authorization"] == "Bearer ••••••"
    assert api.tokens[0] not in repr(result)


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"error": CLIENT[1], "error_description": CLIENT[1]}),
        (200, {"token_type": "bearer"}),
        (200, {"access_token": "a\r\nX-Admin: 1", "token_type": "bearer"}),
        (200, {"access_token": ["x"], "token_type": "bearer"}),
        (200, {"access_token": CLIENT[1], "token_type": "mac"}),
        (200, [CLIENT[1]]),
        (200, b"not json " + CLIENT[1].encode()),
        (302, {}),
        (418, b"[" * 200_000),
    ],
)
def test_a_token_endpoint_that_answers_badly_is_a_sentence_without_its_words(
    private: Provider, api: Upstream, answer: tuple[int, Any]
) -> None:
    api.token_answer = answer
    with pytest.raises(TokenRefused) as caught:
        call(private, "/private")
    assert CLIENT[1] not in f"{caught.value} {caught.value.sent}"
    assert "/v1/private" not in " ".join(api.asked)


def test_a_token_endpoint_that_is_down_or_talks_without_end_is_a_failure(private: Provider, api: Upstream) -> None:
    api.token_answer = (503, {})
    with pytest.raises(Failed, match="not available"):
        call(private, "/private")
    api.token_answer = (200, b" " * (300 << 10))
    with pytest.raises(Refused, match="larger than the limit"):
        call(private, "/private")


def test_the_client_secret_is_not_sent_to_a_token_url_that_it_does_not_name(private: Provider, api: Upstream) -> None:
    with upstream() as other:
        private.oauth2_token_url = f"{other.url}/token"
        with pytest.raises(SecretWithheld, match=f"CLIENT_SECRET may not be sent to {other.url}"):
            call(private, "/private")
        assert other.seen == []


def test_the_client_secret_for_https_is_not_sent_in_clear(private: Provider, api: Upstream) -> None:
    variable = private.server.variables.get()
    variable.hosts = [api.host, "api.example.com"]
    variable.save()
    private.base_url = "https://api.example.com"
    with pytest.raises(SecretWithheld, match=f"CLIENT_SECRET may not be sent to {api.url}"):
        call(private, "/private")
    private.base_url, private.oauth2_token_url = api.base_url, "https://api.example.com/token"
    with pytest.raises(SecretWithheld, match=f"CLIENT_SECRET may not be sent to {api.url}"):
        call(private, "/private")
    assert api.seen == []


def test_an_access_token_is_not_sent_to_a_base_url_that_the_client_secret_does_not_name(
    private: Provider, api: Upstream
) -> None:
    call(private, "/private")
    with upstream() as other:
        private.base_url = other.base_url
        with pytest.raises(SecretWithheld, match=f"CLIENT_SECRET may not be sent to {other.url}"):
            call(private, "/private")
        assert other.seen == []


def test_a_token_url_that_leads_inward_is_not_asked(private: Provider, api: Upstream) -> None:
    with upstream("127.0.0.2") as inside:
        variable = private.server.variables.get()
        variable.hosts = [api.url, inside.url]
        variable.save()
        private.oauth2_token_url = f"{inside.url}/token"
        with pytest.raises(Refused, match="a loopback address"):
            call(private, "/private")
        assert inside.seen == []


@pytest.mark.parametrize("status", [302, 307])
def test_the_token_endpoint_s_redirect_is_not_followed(private: Provider, api: Upstream, status: int) -> None:
    with upstream() as other:
        private.oauth2_token_url = f"{api.base_url}/redirect?status={status}&to={other.url}/token"
        with pytest.raises(CallError):
            call(private, "/private")
        assert other.seen == []


def test_a_tool_with_its_own_authorization_asks_for_no_token(private: Provider, api: Upstream) -> None:
    factories.variable(private.server, "TOKEN", secret="mine-alone", hosts=[api.url])
    result = call(private, "/echo", headers={"authorization": "Bearer ${TOKEN}"})
    assert api.asked == ["GET /v1/echo"]
    assert result.value["headers"]["authorization"] == "Bearer ••••••"


def test_another_provider_with_the_same_client_has_a_token_of_its_own(private: Provider, api: Upstream) -> None:
    call(private, "/private")
    fields = {
        name: getattr(private, name)
        for name in ("base_url", "oauth2_token_url", "oauth2_client_id", "oauth2_client_secret", "oauth2_scopes")
    }
    call(factories.provider(private.server, "Twin", **fields), "/private")
    assert len(api.tokens) == 2
