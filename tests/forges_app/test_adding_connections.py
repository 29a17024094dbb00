"""Adding a connection: the ways that are offered, and what people enter."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from forges.forms import api_address
from forges.models import Connection, Method
from orgs.models import Organization, User
from tests.conftest import Browse
from tests.forges_app.conftest import Register
from tests.forges_app.pages import ADD, CONSUMER, HTMX, LIST, TOKEN, enter, made, page, text
from tests.forges_app.visiting import told
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

pytestmark = pytest.mark.django_db


def test_the_ways_are_offered_in_their_order(browse: Browse, alice: User, register: Register, app: HostedApp) -> None:
    for kind in ("bitbucket", "gitlab", "github"):
        register(kind)
    seen = text(browse(alice).get(ADD))
    places = [
        seen.index(words)
        for words in (
            "GitHub App recommended",
            "Connect GitHub (",
            "Connect GitLab (",
            "Connect Bitbucket (",
            "Bitbucket OAuth consumer",
            "Access token",
        )
    ]
    assert places == sorted(places)
    assert "Not set up" not in seen


def test_what_the_operator_has_not_set_up_is_said_in_a_line(browse: Browse, alice: User, settings: Settings) -> None:
    seen = text(browse(alice).get(ADD))
    assert "Not set up on this installation: the GitHub App, GitHub OAuth, GitLab OAuth, Bitbucket OAuth." in seen
    assert "Enter a token" in seen


def test_settings_that_are_wrong_break_no_page(browse: Browse, alice: User, settings: Settings) -> None:
    settings.FORGE_OAUTH_APPS = ["gitlab|https://git.example|id|s3cr3t|more"]
    settings.GITHUB_APP_SLUG = "millrace"
    made(alice, Organization.objects.get(slug="acme"), method=Method.OAUTH)
    seen = text(browse(alice).get(ADD))
    assert "Item 1 of FORGE_OAUTH_APPS" in seen
    assert "The GitHub App is set in part only" in seen
    assert "s3cr3t" not in seen
    assert browse(alice).get(LIST).status_code == 200
    refused = browse(alice).post(f"{ADD}token/", {"forge": "bitbucket", "token": "of-bitbucket"})
    assert refused.status_code == 422
    assert "Item 1 of FORGE_OAUTH_APPS" in text(refused)


def test_who_may_not_manage_connections_is_told_so(
    browse: Browse, bob: User, register: Register, app: HostedApp
) -> None:
    register("gitlab")
    seen = text(browse(bob).get(ADD))
    assert "Connect GitLab" in seen
    assert "Share with the organisation" not in seen
    assert "It needs the entitlement “connections.manage”" in seen
    assert "Connect the GitHub App" not in seen
    assert browse(bob).get(CONSUMER).status_code == 403


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_is_connected(browse: Browse, bob: User, forge: Forge) -> None:
    client = browse(bob)
    answer = enter(client, forge, token=forge.gitlab_token("octo", scopes=["read_api"]))
    connection = Connection.objects.get()
    assert answer["Location"] == page(connection)
    assert (connection.account, connection.base_url, connection.shared) == ("octo", f"{forge.url}/api/v4", False)
    assert told(client)[0].startswith("octo at GitLab (127.0.0.1")


def test_a_name_that_is_entered_is_what_it_is_called(browse: Browse, bob: User, forge: Forge) -> None:
    client = browse(bob)
    refused = enter(client, forge, token=forge.gitlab_token("octo"), name="back\u202ewards")
    assert 'id="id_name_error"' in refused.content.decode()
    enter(client, forge, token=forge.gitlab_token("octo"), name=" For the docs ")
    connection = Connection.objects.get()
    assert connection.name == "For the docs"
    assert told(client)[0].startswith("For the docs at GitLab (127.0.0.1")
    assert "For the docs octo at GitLab (127.0.0.1" in text(client.get(LIST))
    again = client.get(TOKEN, {"into": str(connection.pk)})
    assert "Reconnect For the docs" in text(again)
    assert 'name="name"' not in again.content.decode()
    client.post(TOKEN, {"into": connection.pk, "token": forge.gitlab_token("octo"), "name": "Another"})
    assert Connection.objects.get().name == "For the docs"


def test_a_token_that_the_forge_refuses_is_said_beside_its_field_and_not_rendered_back(
    browse: Browse, bob: User, forge: Forge
) -> None:
    for headers in ({}, HTMX):
        answer = browse(bob).post(
            TOKEN, {"forge": "gitlab", "base_url": forge.url, "token": "glpat-wrong"}, headers=headers
        )
        assert answer.status_code == 422
        assert 'id="id_token_error"' in answer.content.decode()
        assert "does not accept this token" in text(answer)
        assert "glpat-wrong" not in answer.content.decode()
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"token": ""}, "token", "Enter an access token."),
        ({"forge": "bitbucket", "token": "ATBBabcdef"}, "token", "This is an app password"),
        ({"forge": "bitbucket", "token": "ATATTabcdef"}, "username", "e-mail address"),
        ({"base_url": "https://octo:secret@git.example"}, "base_url", "address of the server alone"),
        ({"base_url": "ftp://git.example"}, "base_url", "valid URL"),
        ({"base_url": "https://10.0.0.1"}, "base_url", "10.0.0.1"),
        ({"forge": "git"}, "forge", "valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    browse: Browse, bob: User, forge: Forge, fields: dict[str, str], field: str, words: str
) -> None:
    answer = enter(browse(bob), forge, **{"token": "glpat-x", **fields})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert words in text(answer)


def test_a_manager_shares_a_token_at_once_and_others_cannot(
    browse: Browse, adam: User, bob: User, forge: Forge
) -> None:
    enter(browse(bob), forge, token=forge.gitlab_token("bob"), shared="on")
    enter(browse(adam), forge, token=forge.gitlab_token("adam"), shared="on")
    assert dict(Connection.objects.values_list("account", "shared")) == {"bob": False, "adam": True}


def test_another_token_takes_the_place_of_one_that_ended(browse: Browse, bob: User, forge: Forge) -> None:
    client = browse(bob)
    enter(client, forge, token=forge.gitlab_token("octo"))
    before = Connection.objects.get()
    form = client.get(TOKEN, {"into": str(before.pk)})
    assert "Reconnect octo" in text(form)
    assert "Server address" not in text(form)
    client.post(TOKEN, {"into": before.pk, "token": forge.gitlab_token("octo")})
    after = Connection.objects.get()
    assert after.pk == before.pk
    assert after.token != before.token


@pytest.mark.parametrize("into", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_connection_that_is_not_there_is_not_connected_again(browse: Browse, bob: User, into: str) -> None:
    assert browse(bob).get(TOKEN, {"into": into}).status_code == 404


def test_a_token_form_of_another_site_is_refused(bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.post(TOKEN, {"forge": "github", "token": "x"}).status_code == 403


# -- consumers ---------------------------------------------------------------------------------------------------------


def test_a_consumer_is_connected_for_the_organisation(
    browse: Browse, adam: User, forge: Forge, register: Register
) -> None:
    register("bitbucket")
    consumer = forge.world.oauth.app("bitbucket", owner="octo", scopes=["account", "repository"])
    client = browse(adam)
    wrong = client.post(CONSUMER, {"key": consumer.client_id, "consumer_secret": "wr0ng"})
    assert wrong.status_code == 422
    assert 'id="id_consumer_secret_error"' in wrong.content.decode()
    assert "wr0ng" not in wrong.content.decode()
    entered = {"key": consumer.client_id, "consumer_secret": consumer.client_secret}
    client.post(CONSUMER, {**entered, "name": "Of the workspace"})
    connection = Connection.objects.get()
    assert str(connection) == "Of the workspace"
    assert (connection.method, connection.shared, connection.account) == ("consumer", True, "octo")
    assert consumer.client_secret not in text(client.get(page(connection)))


@pytest.mark.parametrize(
    ("forge_key", "entered", "api"),
    [
        ("github", "", ""),
        ("github", "https://github.com/", "https://api.github.com"),
        ("github", "https://api.github.com", "https://api.github.com"),
        ("github", "https://GitHub.Example.com:443", "https://github.example.com/api/v3"),
        ("github", "https://github.example.com/api/v3/", "https://github.example.com/api/v3"),
        ("gitlab", "https://gitlab.com", "https://gitlab.com/api/v4"),
        ("gitlab", "https://example.com/gitlab", "https://example.com/gitlab/api/v4"),
        ("gitlab", "https://git.example.com:8443/api/v4", "https://git.example.com:8443/api/v4"),
    ],
)
def test_a_servers_address_becomes_its_apis(forge_key: str, entered: str, api: str) -> None:
    assert api_address(forge_key, entered) == api
