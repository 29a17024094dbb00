"""Tokens that are made when needed and kept in memory: of a GitHub App's installation, of an OAuth consumer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from forges import standing
from forges.clients.errors import Misconfigured
from forges.clients.oauth import Grant
from forges.connecting import connect_consumer, connect_installation
from forges.credentials import credential_source
from forges.minting import Mint
from forges.models import Connection
from forges.opening import client_through
from orgs.models import User
from tests.forges_app.conftest import UserToken, account_through, at_once, of
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp, Installation


def connect_app(forge: Forge, app: HostedApp, user_token: UserToken, person: User) -> tuple[Connection, Installation]:
    installed = forge.world.apps.install(app, "octo")
    made = connect_installation(of(person), installation_id=str(installed.id), user_token=user_token("octo"))
    return made.connection, installed


def minted(forge: Forge) -> int:
    """But for the one that connecting took to see what the installation covers, and threw away."""
    return sum(request.path.endswith("/access_tokens") for request in forge.requests) - 1


@pytest.mark.django_db(transaction=True)
def test_an_installation_token_is_made_once_for_all_who_ask_and_stored_nowhere(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    row, _ = connect_app(forge, app, user_token, adam)
    with forge.fault(faults.slow(0.2), on="POST *access_tokens"):
        tokens = at_once(5, lambda: credential_source(row).current().token)
    assert len(set(tokens)) == 1
    assert minted(forge) == 1
    row.refresh_from_db()
    assert not Connection.token.is_set(row)


def test_an_installation_token_that_is_refused_is_made_anew_once(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    forge.repository("octo/docs").git.commit({"a.md": "a"})
    row, _ = connect_app(forge, app, user_token, adam)
    source = credential_source(row)
    forge.world.revoke(source.current().token)
    with client_through(row) as client:
        assert client.repository("octo/docs").full_name == "octo/docs"
    assert minted(forge) == 2


@pytest.mark.parametrize("what", ["uninstalled", "suspended"])
def test_an_app_that_was_uninstalled_or_suspended_disconnects_and_says_which(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken, what: str
) -> None:
    row, installed = connect_app(forge, app, user_token, adam)
    if what == "uninstalled":
        forge.world.apps.uninstall(installed.id)
    else:
        forge.world.apps.suspend(installed.id)
    with pytest.raises(standing.ConnectionLost):
        credential_source(row).current()
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", what)
    assert ("no longer installed" if what == "uninstalled" else "is suspended") in row.reason


def test_a_private_key_that_is_none_is_the_operators_error(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken, settings: Settings
) -> None:
    row, _ = connect_app(forge, app, user_token, adam)
    settings.GITHUB_APP_PRIVATE_KEY = "-----BEGIN nonsense"
    with pytest.raises(Misconfigured):
        credential_source(row).current()
    row.refresh_from_db()
    assert row.status == "error"


def test_a_token_in_memory_is_made_anew_before_it_ends() -> None:
    mint, made = Mint(), iter(["first", "second", "third"])

    def make(seconds: float) -> Grant:
        return Grant(next(made), expires_at=timezone.now() + timedelta(seconds=seconds))

    assert mint.credential("key", lambda: make(0)).token == "first"
    assert mint.credential("key", lambda: make(3600)).token == "second"
    assert mint.credential("key", lambda: make(3600)).token == "second"
    assert mint.credential("key", lambda: make(3600), refused="first").token == "second"
    assert mint.credential("key", lambda: make(3600), refused="second").token == "third"


def test_a_consumer_whose_secret_was_changed_disconnects(forge: Forge, adam: User) -> None:
    forge.world.account("octo")
    hosted = forge.world.oauth.app("bitbucket", owner="octo", scopes=("account", "repository"))
    row = connect_consumer(
        of(adam), base_url=forge.bitbucket_url, key=hosted.client_id, secret=hosted.client_secret
    ).connection
    hosted.client_secret = "another"
    with pytest.raises(standing.ConnectionLost, match="key and secret"):
        account_through(row)
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", "refused")
