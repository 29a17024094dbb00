"""Connecting the GitHub App: installing it, choosing where it is installed, and what forgers try."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from forges.applications import APP_KEY
from forges.models import Connection
from forges.oauth.providers import callback_url
from forges.returning import sign
from orgs.models import User
from tests.conftest import Browse
from tests.forges_app.conftest import of
from tests.forges_app.visiting import Visitor, parameters, told
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

pytestmark = pytest.mark.django_db

LIST, INSTALL = "/o/acme/connections/", "/o/acme/connections/add/app/"
Visit = Callable[..., Visitor]


@pytest.fixture(autouse=True)
def _callback(app: HostedApp) -> None:
    app.oauth.redirect_uris = {callback_url(APP_KEY)}


@pytest.fixture
def visit(forge: Forge, browse: Browse) -> Visit:
    forge.repository("octo/docs", private=True).git.commit({"a.md": "# A\n"})
    return lambda person, login="octo": Visitor(browse(person), forge, login)


def back_to(**query: str) -> str:
    return f"{reverse('oauth:callback', args=[APP_KEY])}?{urlencode(query)}"


def test_installing_it_connects_it(visit: Visit, adam: User, app: HostedApp, forge: Forge) -> None:
    visitor = visit(adam)

    url = visitor.set_out(INSTALL, install="1")
    assert url.startswith(f"{forge.url}/apps/{app.slug}/installations/new?state=")
    answer = visitor.client.get(visitor.decides(url, "install", account="octo"))

    connection = Connection.objects.get()
    assert answer["Location"] == f"{LIST}?connection={connection.pk}"
    assert (connection.method, connection.account, connection.shared) == ("github_app", "octo", True)
    installation = forge.world.apps.of(app, "octo")
    assert installation is not None
    assert connection.installation_id == str(installation.id)
    assert not connection.token


def test_the_persons_token_is_thrown_away(visit: Visit, adam: User, app: HostedApp, forge: Forge) -> None:
    visitor = visit(adam)
    visitor.client.get(visitor.decides(visitor.set_out(INSTALL, install="1"), "install", account="octo"))
    assert forge.requests.count(f"DELETE /applications/{app.client_id}/token") == 1
    assert not any("ghu_" in str(session.get_decoded()) for session in Session.objects.all())


def test_one_that_is_installed_already_is_connected_without_choosing(
    visit: Visit, adam: User, app: HostedApp, forge: Forge
) -> None:
    installation = forge.world.apps.install(app, "octo")
    visitor = visit(adam)
    answer = visitor.connects(INSTALL, choose="1")
    assert answer["Location"].startswith(LIST)
    assert Connection.objects.get().installation_id == str(installation.id)


def test_among_several_one_is_chosen(visit: Visit, adam: User, app: HostedApp, forge: Forge) -> None:
    forge.world.apps.install(app, "octo")
    forge.world.join("platform", "octo", "admin")
    platform = forge.world.apps.install(app, "platform")
    forge.world.apps.install(app, "strangers")
    visitor = visit(adam)

    page = visitor.connects(INSTALL, choose="1").content.decode()
    assert "platform" in page
    assert "octo" in page
    assert "strangers" not in page
    assert not Connection.objects.exists()
    assert forge.requests.count(f"DELETE /applications/{app.client_id}/token") == 1

    visitor.connects(INSTALL, installation=str(platform.id))
    assert Connection.objects.get().account == "platform"
    assert "connected here" in visitor.connects(INSTALL, choose="1").content.decode()


def test_where_it_is_installed_nowhere_a_sentence_says_so(visit: Visit, adam: User) -> None:
    visitor = visit(adam)
    assert visitor.connects(INSTALL, choose="1")["Location"] == LIST
    assert "not installed at any account" in told(visitor.client)[0]


def test_it_is_for_who_manages_connections(visit: Visit, bob: User, carol: User) -> None:
    for person in (bob, carol):
        client = visit(person).client
        assert client.get(INSTALL).status_code == 403
        assert client.post(INSTALL, {"install": "1"}).status_code == 403


def test_without_an_app_there_is_no_page(visit: Visit, adam: User, settings: Settings) -> None:
    client = visit(adam).client
    settings.GITHUB_APP_SLUG = ""
    assert client.get(INSTALL).status_code == 404
    assert client.get(back_to(code="x", state="y", installation_id="1")).status_code == 404


def test_an_installation_that_the_person_has_no_access_to_is_refused(
    visit: Visit, adam: User, app: HostedApp, forge: Forge
) -> None:
    forge.repository("strangers/plans", private=True).git.commit({"a.md": "a"})
    theirs = forge.world.apps.install(app, "strangers")
    visitor = visit(adam)
    back = visitor.decides(visitor.set_out(INSTALL, install="1"), "install", account="octo")
    forged = back.replace(f"installation_id={parameters(back)['installation_id']}", f"installation_id={theirs.id}")
    assert forged != back
    visitor.client.get(forged)
    assert "has no access to this installation" in told(visitor.client)[0]
    assert not Connection.objects.exists()


@pytest.mark.parametrize("number", ["0", "-1", "999999999999999999999999", "../user", "1/access_tokens", "１"])
def test_an_id_that_is_none_connects_nothing(number: str, visit: Visit, adam: User) -> None:
    visitor = visit(adam)
    back = visitor.decides(visitor.set_out(INSTALL, choose="1"))
    answer = visitor.client.get(f"{back}&{urlencode({'installation_id': number})}")
    assert answer["Location"] == LIST
    assert not Connection.objects.exists()


def test_a_way_back_leads_somewhere_once(visit: Visit, adam: User) -> None:
    visitor = visit(adam)
    back = visitor.decides(visitor.set_out(INSTALL, install="1"), "install", account="octo")
    visitor.client.get(back)
    assert visitor.client.get(back).status_code == 400
    assert visit(adam).client.get(back).status_code == 400
    assert Connection.objects.count() == 1


def test_nobody_is_made_to_connect_the_installation_of_another(visit: Visit, adam: User, alice: User) -> None:
    attacker, victim = visit(adam), visit(alice)
    back = attacker.decides(attacker.set_out(INSTALL, install="1"), "install", account="octo")
    assert victim.client.get(back).status_code == 400
    assert not Connection.objects.exists()


def test_who_was_only_asked_at_github_is_told_so(visit: Visit, adam: User) -> None:
    visitor = visit(adam)
    state = parameters(visitor.set_out(INSTALL, install="1"))["state"]
    answer = visitor.client.get(back_to(setup_action="request", state=state, code="0123"))
    assert answer["Location"] == LIST
    assert "An owner of that account has been asked" in told(visitor.client)[0]
    assert visitor.client.get(back_to(setup_action="request", state=state)).status_code == 400


def test_who_comes_from_github_by_themselves_is_told_the_way(visit: Visit, adam: User, forge: Forge) -> None:
    visitor = visit(adam)
    answer = visitor.client.get(back_to(setup_action="update", installation_id="7", code="0123"))
    assert answer.status_code == 200
    assert "It is installed already" in answer.content.decode()
    assert not forge.requests
    assert Client().get(back_to(setup_action="update", installation_id="7")).status_code == 302


def test_where_the_operator_lets_github_ask_for_nothing_it_says_so(visit: Visit, adam: User) -> None:
    """Without “Request user authorization during installation” there is no code, and so no proof."""
    visitor = visit(adam)
    state = parameters(visitor.set_out(INSTALL, install="1"))["state"]
    visitor.client.get(back_to(setup_action="install", installation_id="7", state=state))
    assert told(visitor.client)
    assert not Connection.objects.exists()


def test_a_github_that_fails_is_named(visit: Visit, adam: User, forge: Forge) -> None:
    visitor = visit(adam)
    back = visitor.decides(visitor.set_out(INSTALL, choose="1"))
    with forge.fault(faults.status(503), on="GET /user/installations"):
        assert visitor.client.get(back)["Location"] == LIST
    assert "127.0.0.1" in told(visitor.client)[0]


def test_it_is_connected_again_after_it_was_uninstalled(visit: Visit, adam: User, app: HostedApp, forge: Forge) -> None:
    visitor = visit(adam)
    visitor.client.get(visitor.decides(visitor.set_out(INSTALL, install="1"), "install", account="octo"))
    before = Connection.objects.get()
    forge.world.apps.uninstall(int(before.installation_id))

    visitor.client.get(
        visitor.decides(visitor.set_out(INSTALL, install="1", into=before.pk), "install", account="octo")
    )
    after = Connection.objects.get()
    assert after.pk == before.pk
    assert after.installation_id != before.installation_id


def test_it_leads_back_to_the_page_that_asked_for_it(visit: Visit, adam: User) -> None:
    visitor = visit(adam)
    draft = sign("/o/acme/servers/docs/integrations/connect/", of(adam))
    page = visitor.client.get(INSTALL, {"return_to": draft}).content.decode()
    assert draft in page
    url = visitor.set_out(INSTALL, install="1", return_to=draft)
    answer = visitor.client.get(visitor.decides(url, "install", account="octo"))
    assert answer["Location"].startswith("/o/acme/servers/docs/integrations/connect/?connection=")
