"""Connecting an account by OAuth: to the forge's consent page and back, with real codes and tokens."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from forges import connections, usage
from forges.applications import oauth_applications
from forges.models import Connection
from forges.usage import Use
from orgs.models import Membership, User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import of
from tests.forges_app.pages import text as read
from tests.forges_app.visiting import LIST, Registering, Visit, at, parameters, start, told, visit

pytestmark = pytest.mark.django_db

__all__ = ["at", "visit"]


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_an_account_is_connected(kind: str, at: Registering, visit: Visit, bob: User) -> None:
    app = at(kind, pkce=True)
    visitor = visit(bob)

    answer = visitor.connects(start(app))

    connection = Connection.objects.get()
    assert answer["Location"] == f"{LIST}?connection={connection.pk}"
    assert (connection.user, connection.account, connection.method) == (bob, "octo", "oauth")
    assert (connection.forge, connection.base_url) == (kind, app.application.base_url)
    assert not connection.shared
    assert app.forge.world.find_token(connection.token, kind) is not None
    assert connection.refresh_token
    assert connection.expires_at is not None
    assert told(visitor.client) == [f"octo at {app.application.label} is connected."]


def test_the_consent_page_is_asked_with_state_challenge_and_the_scopes_of_the_forge(
    at: Registering, visit: Visit, bob: User, settings: Settings
) -> None:
    settings.BASE_URL = "https://millrace.example"
    github, gitlab, bitbucket = at("github"), at("gitlab"), at("bitbucket")
    visitor = visit(bob)
    for app, options, scopes in (
        (github, {}, "read:user repo user:email"),
        (gitlab, {}, "read_api read_repository read_user"),
        (gitlab, {"write": "on"}, "api read_repository read_user"),
        (bitbucket, {}, "account pullrequest:write repository repository:write webhook"),
    ):
        asked = parameters(visitor.set_out(start(app), **options))
        assert " ".join(sorted(asked["scope"].split())) == scopes
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 16
        assert asked["redirect_uri"] == f"https://millrace.example/connections/callback/{app.application.key}/"
        assert asked["client_id"] == app.hosted.client_id


def test_what_the_address_says_of_scopes_and_processes_is_not_heard(at: Registering, visit: Visit, bob: User) -> None:
    app = at("github")
    query = urlencode({"scope": "delete_repo", "process": "login", "auth_params": "scope=admin:org", "next": "/evil"})
    asked = parameters(visit(bob).set_out(f"{start(app)}?{query}"))
    assert "delete_repo" not in asked["scope"]
    assert "admin:org" not in asked["scope"]


def test_a_manager_shares_what_they_connect_at_once(at: Registering, visit: Visit, adam: User) -> None:
    visit(adam).connects(start(at("gitlab")), shared="on")
    assert Connection.objects.get().shared


def test_one_that_was_there_is_shared_where_its_maker_ticks_it(at: Registering, visit: Visit, adam: User) -> None:
    app = at("gitlab")
    visitor = visit(adam)
    visitor.connects(start(app))
    visitor.connects(start(app), shared="on")
    assert Connection.objects.get().shared


def test_who_may_not_manage_connections_cannot_share_one(at: Registering, visit: Visit, bob: User) -> None:
    assert visit(bob).client.post(start(at("gitlab")), {"shared": "on"}).status_code == 403


def test_a_viewer_cannot_set_out(at: Registering, visit: Visit, carol: User) -> None:
    assert visit(carol).client.post(start(at("gitlab"))).status_code == 403


def test_an_application_that_is_not_there_is_not_found(visit: Visit, bob: User, settings: Settings) -> None:
    client = visit(bob).client
    for key in ("gitlab", "github-elsewhere-example"):
        assert client.post(reverse("forges:start", args=["acme", key])).status_code == 404
        assert client.get(reverse("oauth:callback", args=[key]), {"code": "x", "state": "y"}).status_code == 404
    settings.FORGE_OAUTH_APPS = ["nonsense"]
    assert client.post(reverse("forges:start", args=["acme", "gitlab"])).status_code == 404


def test_several_servers_of_one_forge_stand_side_by_side(
    at: Registering, visit: Visit, bob: User, settings: Settings
) -> None:
    app = at("gitlab")
    other = app.forge.listen_also("127.0.0.2")
    settings.FORGE_OAUTH_APPS = [*settings.FORGE_OAUTH_APPS, f"gitlab|{other}|another-id|another-secret"]
    visitor = visit(bob)
    second = next(each.key for each in oauth_applications() if each != app.application)
    url = visitor.set_out(reverse("forges:start", args=["acme", second]))
    assert url.startswith(f"{other}/oauth/authorize")
    assert parameters(url)["client_id"] == "another-id"
    assert visitor.set_out(start(app)).startswith(f"{app.forge.url}/oauth/authorize")


# -- it is no sign-in, and nothing else keeps the token ----------------------------------------------------------------


def test_a_connection_is_not_a_sign_in(at: Registering, visit: Visit, bob: User) -> None:
    app = at("github")
    back = visit(bob).decides(visit(bob).set_out(start(app)))
    answer = Client().get(back)
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/"
    assert not Connection.objects.exists()


def test_one_account_is_connected_by_two_people(at: Registering, visit: Visit, alice: User, bob: User) -> None:
    app = at("github", ttl=None)
    visit(alice).connects(start(app))
    visit(bob).connects(start(app))
    assert set(Connection.objects.values_list("user", flat=True)) == {alice.pk, bob.pk}


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_nothing_but_the_connection_holds_the_token(
    kind: str, at: Registering, visit: Visit, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = at(kind)
    visitor = visit(bob)
    answer = visitor.connects(start(app))
    page = visitor.client.get(answer["Location"])
    connection = Connection.objects.get()
    secrets = [connection.token, connection.refresh_token, app.hosted.client_secret]

    for secret in secrets:
        assert secret not in page.content.decode()
        assert secret not in caplog.text
        for session in Session.objects.all():
            assert secret not in str(session.get_decoded())
        assert not any(secret in str(request.query) for request in app.forge.requests)
    assert not SocialAccount.objects.exists()
    assert not SocialToken.objects.exists()
    assert not SocialApp.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "3rdparty/",
        "3rdparty/signup/",
        "3rdparty/login/cancelled/",
        "3rdparty/login/error/",
        "social/connections/",
        "social/signup/",
        "github/login/",
        "gitlab/login/callback/",
    ],
)
def test_allauths_own_pages_are_not_there(path: str, browse: Browse, alice: User) -> None:
    for client in (Client(), browse(alice)):
        assert client.get(f"/accounts/{path}").status_code == 404


@pytest.mark.parametrize("model", ["socialapp", "socialtoken", "socialaccount"])
def test_nobody_keeps_secrets_in_allauths_tables_by_the_admin(model: str, browse: Browse) -> None:
    root = factories.user("root@acme.example", is_staff=True, is_superuser=True)
    assert browse(root).get(f"/admin/socialaccount/{model}/add/").status_code == 404


def test_nobody_is_offered_to_sign_in_with_a_forge(at: Registering, alice: User) -> None:
    at("github")
    for path in ("/accounts/login/", "/accounts/signup/"):
        assert "GitHub" not in Client().get(path).content.decode()


# -- again -------------------------------------------------------------------------------------------------------------


def test_connecting_again_keeps_the_row_and_its_scopes(at: Registering, visit: Visit, bob: User) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    visitor.connects(start(app), write="on")
    before = Connection.objects.get()
    connections.disconnect(of(bob), before)

    url = visitor.set_out(start(app), into=before.pk)
    assert "api" in parameters(url)["scope"].split()
    visitor.client.get(visitor.decides(url))

    after = Connection.objects.get()
    assert after.pk == before.pk
    assert after.is_connected
    assert after.token != before.token
    assert told(visitor.client)[-1] == f"octo at {app.application.label} is connected again."


def test_nobody_connects_again_what_they_do_not_see(
    at: Registering, visit: Visit, alice: User, bob: User, charlie: User
) -> None:
    app = at("gitlab")
    visit(alice).connects(start(app))
    hers = Connection.objects.get()
    assert visit(bob).client.post(start(app), {"into": hers.pk}).status_code == 404
    assert visit(charlie).client.post(start(app, "other"), {"into": hers.pk}).status_code == 404
    assert visit(alice).client.post(start(app), {"into": "nonsense"}).status_code == 404


def test_another_account_does_not_take_the_place_of_one_that_is_used_and_its_token_is_taken_back(
    at: Registering, visit: Visit, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = at("gitlab")
    visitor = visit(bob)
    visitor.connects(start(app))
    connection = Connection.objects.get()
    used = lambda rows: {row.pk: [Use("integration", "acme/docs", "/", "refreshes")] for row in rows}  # noqa: E731
    monkeypatch.setattr(usage, "_finders", [used])
    assert "Sign in at the forge as octo" in read(visitor.client.get(start(app), {"into": str(connection.pk)}))
    visitor.login = "somebody-else"
    visitor.connects(start(app), into=connection.pk)
    assert "you came back as somebody-else" in told(visitor.client)[-1]
    assert Connection.objects.get().account == "octo"
    assert app.forge.requests.count("POST /oauth/revoke") == 1


def test_another_account_takes_the_place_of_one_whose_maker_left_as_the_page_says(
    at: Registering, visit: Visit, adam: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = at("gitlab")
    visit(bob).connects(start(app))
    connection = Connection.objects.get()
    used = lambda rows: {row.pk: [Use("integration", "acme/docs", "/", "refreshes")] for row in rows}  # noqa: E731
    monkeypatch.setattr(usage, "_finders", [used])
    Membership.objects.get(user=bob).delete()
    visitor = visit(adam)
    visitor.login = "somebody-else"
    asked = read(visitor.client.get(start(app), {"into": str(connection.pk)}))
    assert "The account that you sign in with at the forge takes its place" in asked
    assert "Sign in at the forge as octo" not in asked
    visitor.connects(start(app), into=connection.pk)
    connection.refresh_from_db()
    assert (connection.account, connection.user, connection.status) == ("somebody-else", adam, "connected")
