"""Clients that register themselves: where people may be sent, secrets, limits, and being forgotten."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.idp.oidc.models import Client, Token
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from catalog.models import Server
from endpoint.models import Grant
from endpoint.oauth import clients
from orgs.models import User
from tests.conftest import Browse
from tests.endpoint import oauth_steps as steps


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """All tests register from one address."""
    cache.clear()


@pytest.fixture
def theirs(bob: User, docs: Server, browse: Browse) -> Browser:
    """Bob's browser."""
    return browse(bob)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_with_a_secret_must_show_it(theirs: Browser, method: str) -> None:
    answer = json.loads(steps.register(token_endpoint_auth_method=method).content)
    client_id, secret = answer["client_id"], answer["client_secret"]
    code = steps.answered(theirs, steps.query(client_id))["code"]
    assert steps.exchange(client_id, code).status_code == 401
    assert steps.exchange(client_id, code, client_secret="wrong").status_code == 401
    steps.tokens(client_id, steps.exchange(client_id, code, client_secret=secret))
    assert secret not in str(list(Client.objects.values()))


@pytest.mark.parametrize(
    "values",
    [
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["data:text/html,hello"]},
        {"redirect_uris": ["http://example.com/callback"]},
        {"redirect_uris": ["https://user@example.com/"]},
        {"redirect_uris": ["https://*.example.com/"]},
        {"redirect_uris": ["https://example.com/#x"]},
        {"redirect_uris": ["file:///etc/passwd"]},
        {"redirect_uris": ["intent://x"]},
        {"redirect_uris": ["https://exämple.com/"]},
        {"redirect_uris": ["https://example.com/a\nhttps://evil.example/"]},
        {"redirect_uris": []},
        {"redirect_uris": "https://example.com/"},
        {"redirect_uris": [1]},
    ],
)
def test_addresses_that_nobody_should_be_sent_to_are_not_registered(db: None, values: dict[str, Any]) -> None:
    assert steps.error_of(steps.register(**values)) == "invalid_redirect_uri"
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/cb?x=1",
        "http://localhost/cb",
        "http://[::1]:1234/",
        "cursor://anysphere/cb",
        "com.example.app:/cb",
    ],
)
def test_addresses_of_web_computer_and_applications_are_registered(theirs: Browser, uri: str) -> None:
    client_id = steps.registered(redirect_uris=[uri])
    told = steps.answered(theirs, steps.query(client_id, redirect_uri=uri))
    assert told["code"]


@pytest.mark.parametrize(
    "values",
    [
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["client_credentials"]},
        {"response_types": ["token"]},
        {"client_name": {"a": 1}},
        {"grant_types": "authorization_code"},
    ],
)
def test_clients_of_other_kinds_are_not_registered(db: None, values: dict[str, Any]) -> None:
    assert steps.error_of(steps.register(**values)) == "invalid_client_metadata"


def test_registering_is_limited(db: None) -> None:
    long = Browser().post("/oauth/register", "x" * 20_000, content_type="application/json")
    assert long.status_code == 413
    broken = Browser().post("/oauth/register", "[" * 9000, content_type="application/json")
    assert broken.status_code == 400
    for _ in range(10):
        last = steps.register()
    assert last.status_code == 429
    assert int(last["Retry-After"]) > 0
    assert json.loads(last.content)["error"] == "temporarily_unavailable"


def test_clients_that_nobody_used_are_forgotten_after_a_week(theirs: Browser) -> None:
    used, unused = steps.connected(theirs).client_id, steps.registered()
    entered = Client.objects.create(name="Entered by an operator", secret="!").pk
    clients.forget_unused()
    assert Client.objects.count() == 3
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        clients.forget_unused()
    assert set(Client.objects.values_list("pk", flat=True)) == {used, entered}
    assert unused not in {used, entered}
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        clients.forget_unused()
    assert not Token.objects.exists()
    assert not Grant.objects.exists()


def test_of_clients_that_nobody_used_only_so_many_are_kept_the_newest(
    theirs: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_UNUSED", 3)
    used = steps.connected(theirs).client_id
    document = Client.objects.create(
        pk="https://app.example/client", name="App", secret="!", data={"kind": "document"}
    ).pk
    registered = []
    for hour in range(5):
        with time_machine.travel(timezone.now() + timedelta(hours=hour), tick=False):
            registered.append(steps.registered())
    assert set(Client.objects.values_list("pk", flat=True)) == {used, document, *registered[-3:]}
    monkeypatch.setattr(clients, "MOST_UNUSED", 1)
    clients.forget_unused()
    assert set(Client.objects.values_list("pk", flat=True)) == {used, document, registered[-1]}
