"""Tools as an attacker would use them: inward, to other servers, and after secrets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from catalog.calls import CallError
from catalog.calls.building import Request
from catalog.calls.results import Misconfigured, Refused, Secrets, Sent
from catalog.calls.sending import _target as redirected
from catalog.models import Provider
from tests import factories
from tests.catalog.calling import SECRET, call, secret
from tests.catalog.upstream import Upstream, upstream


@pytest.fixture
def inside() -> Iterator[Upstream]:
    """A server in the installation's own network, that no call may reach."""
    with upstream("127.0.0.2") as running:
        yield running
        assert running.seen == []


# ------------------------------------------------------------------------------------ inward, and elsewhere


def test_a_base_url_that_leads_inward_is_not_asked(weather: Provider, inside: Upstream) -> None:
    for base in (inside.base_url, f"http://0x7f000002:{inside.url.rsplit(':', 1)[1]}", "http://169.254.169.254/latest"):
        weather.base_url = base
        with pytest.raises(Refused, match=r"leads to a (loopback|link-local) address") as caught:
            call(weather, "/cities/x")
        assert caught.value.sent is not None


def test_a_redirect_inward_is_not_followed(weather: Provider, inside: Upstream) -> None:
    with pytest.raises(Refused, match="redirects to another address"):
        call(weather, "/redirect", {"query": {"to": f"{inside.url}/admin"}})


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_to_another_server_takes_no_secret_there(weather: Provider, api: Upstream, status: str) -> None:
    headers = secret(weather, api.url)
    with upstream() as other:
        with pytest.raises(Refused, match="redirects to another address"):
            call(weather, "/redirect", {"query": {"to": f"{other.url}/v1/echo", "status": status}}, headers=headers)
        assert other.seen == []
    assert api.seen[0].headers["x-api-key"] == SECRET


@pytest.mark.parametrize(
    "to", ["//evil.example/x", "https://127.0.0.1/", "http://me@evil.example", "file:///etc", "http://["]
)
def test_odd_redirects_are_refused(weather: Provider, to: str) -> None:
    with pytest.raises(Refused):
        call(weather, "/redirect", {"query": {"to": to}})


def test_a_redirect_on_the_same_server_is_followed_with_the_headers(weather: Provider, api: Upstream) -> None:
    result = call(weather, "/redirect", {"query": {"to": "/v1/echo?a=1"}}, headers=secret(weather, api.url))
    assert result.value["target"] == "/v1/echo?a=1"
    assert api.seen[-1].headers["x-api-key"] == SECRET


def test_redirects_without_end_are_given_up(weather: Provider, api: Upstream) -> None:
    with pytest.raises(Refused, match="more than 3 times"):
        call(weather, "/loop")
    assert len(api.seen) == 4


@pytest.mark.parametrize("to", ["http://api.example.com/v1", "http://api.example.com:443/v1"])
def test_a_redirect_from_https_into_the_clear_is_not_followed(to: str) -> None:
    url = "https://api.example.com/v1"
    answer = requests.Response()
    answer.headers["Location"] = to
    request = Request("GET", url, {}, None, True, None, (), Sent("GET", url, ()))
    with pytest.raises(Refused, match="redirects to another address"):
        redirected(request, url, answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_not_redirected(weather: Provider, api: Upstream, method: str) -> None:
    with pytest.raises(Refused, match=f"answers a {method} with a redirect"):
        call(weather, "/redirect", {"query": {"to": "/v1/echo"}}, method=method)
    assert len(api.seen) == 1


def test_a_name_that_leads_elsewhere_at_the_second_try_is_refused(
    weather: Provider, api: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = api.url.rsplit(":", 1)[1]
    api.url = f"http://weather.example:{port}"
    api.failures = [(503, {"Connection": "close"})]
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    def lookup(host: str, port: int, *_: object, **__: object) -> list[Any]:
        assert host == "weather.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    weather.base_url = api.base_url
    with pytest.raises(Refused, match="a loopback address"):
        call(weather, "/flaky")
    assert (len(api.seen), answers) == (1, [])


# -------------------------------------------------------------------------------------------------- secrets


def test_a_secret_that_comes_back_is_masked_in_every_spelling(weather: Provider, api: Upstream) -> None:
    headers = secret(weather, api.url, value='pa"ss\\w/or&d')
    result = call(weather, "/echo", headers=headers)
    assert api.seen[0].headers["x-api-key"] == 'pa"ss\\w/or&d'
    assert result.value["headers"]["x-api-key"] == "••••••"
    assert 'pa\\"ss' not in result.text
    assert "pa" not in str(result.sent)

    escaped = "".join(f"\\u{ord(each):04x}" for each in 'pa"ss\\w/or&d')
    api.typed = ("application/json", f'{{"a": "{escaped}"}}'.encode())
    assert call(weather, "/typed", headers=headers).value == {"a": "••••••"}
    for spelling in (
        "".join(f"&#{ord(each):05};" for each in 'pa"ss\\w/or&d'),
        "".join(f"&#X{ord(each):x};" for each in 'pa"ss\\w/or&d'),
        "pa%22ss%5cw%2for%26d",
        r"p&#97;\u0022s%73\\w\/or&#X26;d",
    ):
        api.typed = ("text/plain", f"<b>{spelling}</b>".encode())
        assert call(weather, "/typed", headers=headers).text == "<b>••••••</b>"
    for spelling in ('pa"ss\\w/or&d', "pa%22ss%5Cw%2For%26d", "pa&quot;ss\\w/or&amp;d", 'x pa\\"ss\\\\w/or&d'):
        api.typed = ("text/plain", spelling.encode())
        assert "ss" not in call(weather, "/typed", headers=headers).text


def test_a_secret_in_an_answer_s_header_or_cut_in_two_is_masked(
    weather: Provider, api: Upstream, settings: Any
) -> None:
    settings.CALL_MAX_RESPONSE_CHARACTERS = 6
    headers = secret(weather, api.url)
    api.typed = (f"text/plain; x={SECRET}", SECRET.encode())
    result = call(weather, "/typed", headers=headers)
    assert result.text == "••••••"
    assert SECRET not in repr(result)


def test_a_secret_for_another_host_is_not_sent(weather: Provider, api: Upstream) -> None:
    with pytest.raises(Misconfigured, match=f"TOKEN may not be sent to {api.url}"):
        call(weather, "/echo", headers=secret(weather, "127.0.0.1", "api.example.com"))
    assert api.seen == []


def test_a_secret_for_https_is_not_sent_in_clear(weather: Provider, api: Upstream) -> None:
    """As when somebody takes the s out of the base URL's https."""
    with pytest.raises(Misconfigured, match=f"TOKEN may not be sent to {api.url}"):
        call(weather, "/echo", headers=secret(weather, api.host))
    assert api.seen == []


def test_the_variables_of_another_server_are_not_there(weather: Provider, api: Upstream) -> None:
    other = factories.server(weather.server.organization)
    factories.variable(other, "TOKEN", secret=SECRET, hosts=[api.url])
    with pytest.raises(Misconfigured, match="There is no variable TOKEN"):
        call(weather, "/echo", headers={"X-Api-Key": "${TOKEN}"})


def test_an_error_tells_nothing_that_is_secret_and_no_remote_words(weather: Provider, api: Upstream) -> None:
    headers = secret(weather, api.url)
    for path in ("/broken", "/loop"):
        with pytest.raises(CallError) as caught:
            call(weather, path, headers=headers)
        assert SECRET not in f"{caught.value!r} {caught.value.sent}"
        assert caught.value.__cause__ is None


def test_an_answer_that_nearly_spells_a_secret_everywhere_is_masked_in_time() -> None:
    secrets = Secrets(["\\" * 50, "a" * 50])
    nearly = ("\\" * 49 + "x" + "a" * 49 + "%") * 1_000
    started = time.monotonic()
    assert secrets.masked(nearly) == nearly
    assert secrets.masked("%61" * 50) == "••••••"
    assert time.monotonic() - started < 20  # a tenth of a second on an idle machine
