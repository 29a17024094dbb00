"""Choosing among more connections than a page has room for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from forges.models import Connection, ConnectionStatus
from integrations.models import Integration
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("docs")]

ADDRESS = "/o/acme/servers/docs/integrations/connect/"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def eight(acme: Organization, alice: User) -> list[Connection]:
    """Shared ones, of which the last is not connected."""
    *good, last = (factories.connection(acme, alice, shared=True) for _ in range(8))
    last.status, last.reason = ConnectionStatus.DISCONNECTED, "Its token has expired."
    last.save()
    return [*good, last]


@pytest.fixture
def ninth(eight: list[Connection], acme: Organization, alice: User, forge: Forge) -> Connection:
    """One that opens the repositories of acme."""
    token = forge.token("acme", scopes=["repo"])
    return factories.connection(acme, alice, shared=True, base_url=forge.enterprise_url, token=token)


def offered(client: Client, address: str = ADDRESS, name: str = "credential_github") -> str:
    """The markup of the choice, when it is a list that opens; "" when it is radio buttons."""
    found = re.search(rf'<select name="{name}".*?</select>', client.get(address).content.decode(), re.DOTALL)
    return found[0] if found else ""


def post(client: Client, connection: Connection, part: str = "") -> Any:
    values = {"forge": "github", "repository": "acme/book", "credential_github": str(connection.pk)}
    return client.post(ADDRESS + part, values)


def test_eight_are_radio_buttons(eight: list[Connection], bob: User, browse: Browse) -> None:
    assert not offered(browse(bob))
    for each in eight:
        assert f'type="radio" name="credential_github" value="{each.pk}"' in browse(bob).get(ADDRESS).content.decode()


def test_nine_are_a_list_that_opens_and_the_other_forges_keep_their_buttons(
    eight: list[Connection], ninth: Connection, bob: User, browse: Browse
) -> None:
    shown = offered(browse(bob))
    other, connections = shown.split('<optgroup label="Connections">')
    assert re.findall(r'value="(\w+)"', other) == ["token", "none"]
    assert set(re.findall(r'value="([^"]+)"', connections)) == {str(each.pk) for each in (*eight, ninth)}
    assert not offered(browse(bob), name="credential_gitlab")


def test_a_repository_is_connected_through_one_of_nine(
    ninth: Connection, book: HostedRepository, bob: User, browse: Browse
) -> None:
    client = browse(bob)
    assert 'value="main"' in post(client, ninth, "branches/").content.decode()
    assert post(client, ninth).status_code == 302
    assert Integration.objects.get().connection == ninth


def test_one_of_nine_that_is_not_connected_says_why_and_is_refused(
    eight: list[Connection], ninth: Connection, book: HostedRepository, bob: User, browse: Browse
) -> None:
    client = browse(bob)
    (option,) = re.findall(r"<option[^>]* disabled[^>]*>[^<]*", offered(client))
    assert f'value="{eight[-1].pk}"' in option
    assert option.endswith("Disconnected: Its token has expired.")

    answer = post(client, eight[-1])

    assert "is not connected. Its token has expired." in answer.context["form"].errors["credential_github"][0]
    assert not Integration.objects.exists()


def test_one_that_is_not_theirs_is_neither_among_nine_nor_taken(
    ninth: Connection, acme: Organization, alice: User, book: HostedRepository, bob: User, browse: Browse
) -> None:
    hers = factories.connection(acme, alice, base_url=ninth.base_url, token=ninth.token)
    client = browse(bob)
    assert str(hers.pk) not in offered(client)
    answer = post(client, hers)
    assert answer.status_code == 422
    assert "credential_github" in answer.context["form"].errors
    assert not Integration.objects.exists()


def test_the_credential_of_an_integration_is_changed_to_one_of_nine(
    acme: Organization, alice: User, ninth: Connection, book: HostedRepository, bob: User, browse: Browse
) -> None:
    client = browse(bob)
    post(client, ninth)
    integration = Integration.objects.get()
    same = {"base_url": ninth.base_url, "token": ninth.token, "shared": True}
    *_, another = (factories.connection(acme, alice, **same) for _ in range(9))
    address = f"/o/acme/integrations/{integration.pk}/edit/"
    shown = offered(client, address, "credential")
    assert re.findall(r'value="(\w+)"', shown.split("<optgroup")[0]) == ["keep", "token", "none"]

    client.post(address, {"credential": str(another.pk), "token": ""})

    assert Integration.objects.get().connection == another
