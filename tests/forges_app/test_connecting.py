"""Connecting, and connecting again: what is kept, what is refused, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import Settings

from forges import connections, usage
from forges.clients import oauth
from forges.connecting import (
    Connected,
    ConnectionRefused,
    connect_consumer,
    connect_installation,
    connect_oauth,
    connect_token,
)
from forges.models import Connection
from forges.opening import client_through
from forges.usage import Use
from orgs.models import Membership, Role, User
from tests.forges_app.conftest import News, Registered, UserToken, of
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp
from tests.wire.oauth import OAuthApp


@pytest.fixture
def used() -> Iterator[set[object]]:
    """Put a connection's primary key in, and something uses it."""
    keys: set[object] = set()

    def find(wanted: object) -> dict[object, list[Use]]:
        use = Use("integration", "acme/docs on Docs", "/", "refreshes of acme/docs on Docs")
        return {connection.pk: [use] for connection in wanted if connection.pk in keys}  # type: ignore[attr-defined]

    usage.register(find)
    yield keys
    usage._finders.remove(find)


def token_of(forge: Forge, login: str = "octo", **options: object) -> str:
    return forge.token(login, **options)  # type: ignore[arg-type]


def connect_github_token(forge: Forge, person: User, token: str, **options: object) -> Connected:
    return connect_token(of(person), forge="github", base_url=forge.url, token=token, **options)  # type: ignore[arg-type]


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_name_is_kept_trimmed_and_connecting_again_leaves_it(forge: Forge, bob: User) -> None:
    row = connect_github_token(forge, bob, token_of(forge), name="  Docs, read only ").connection
    assert str(row) == row.name == "Docs, read only"
    connect_github_token(forge, bob, token_of(forge), into=row)
    connections.disconnect(of(bob), row)
    assert not connect_github_token(forge, bob, token_of(forge)).created
    assert Connection.objects.get().name == "Docs, read only"


@pytest.mark.parametrize("name", ["n" * 81, "two\nlines", "back\u202ewards"])
def test_what_is_no_name_is_refused_before_the_forge_is_asked(forge: Forge, bob: User, name: str) -> None:
    with pytest.raises(ConnectionRefused, match="Enter a name") as refused:
        connect_github_token(forge, bob, token_of(forge), name=name)
    assert refused.value.field == "name"
    assert not forge.requests


# -- OAuth -------------------------------------------------------------------------------------------------------------


def test_an_oauth_grant_becomes_a_connection_with_its_account(gitlab: Registered, bob: User, news: list[News]) -> None:
    made = connect_oauth(of(bob), gitlab.application, gitlab.grant("octo"))
    row = Connection.objects.get()
    assert made.created
    assert (row.user, row.shared, row.forge, row.account, row.status) == (bob, False, "gitlab", "octo", "connected")
    assert row.account_id
    assert row.base_url == gitlab.forge.gitlab_url
    assert row.scopes == "api read_repository read_user"
    assert row.renews
    assert row.renew_at is not None
    assert row.expires_at is not None
    assert timezone.now() < row.renew_at < row.expires_at
    assert news == [News(row.pk, "connected")]


def test_the_same_account_again_gets_the_new_grant_on_the_row_that_is_there(gitlab: Registered, bob: User) -> None:
    first = gitlab.connect(bob)
    again = connect_oauth(of(bob), gitlab.application, grant := gitlab.grant("octo"))
    assert not again.created
    row = Connection.objects.get()
    assert row.pk == first.pk
    assert (row.token, row.refresh_token) == (grant.access_token, grant.refresh_token)


def test_two_people_and_two_organisations_connect_the_same_account(
    gitlab: Registered, bob: User, adam: User, charlie: User
) -> None:
    rows = [gitlab.connect(person) for person in (bob, adam, charlie)]
    assert len({row.pk for row in rows}) == 3
    assert len({row.account_id for row in rows}) == 1


def test_what_the_forge_does_not_accept_is_not_kept(gitlab: Registered, bob: User) -> None:
    with pytest.raises(ConnectionRefused):
        connect_oauth(of(bob), gitlab.application, oauth.Grant("made-up"))
    assert not Connection.objects.exists()


def test_a_viewer_may_connect_nothing(gitlab: Registered, carol: User) -> None:
    with pytest.raises(PermissionDenied, match=r"integrations\.import"):
        connect_oauth(of(carol), gitlab.application, gitlab.grant())


def test_an_operator_may_not_share_what_they_connect_and_an_admin_may(
    gitlab: Registered, bob: User, adam: User
) -> None:
    with pytest.raises(PermissionDenied, match=r"connections\.manage"):
        connect_oauth(of(bob), gitlab.application, gitlab.grant(), shared=True)
    assert gitlab.connect(adam, shared=True).shared


def test_who_was_removed_while_the_forge_was_asked_connects_nothing(gitlab: Registered, bob: User) -> None:
    membership = of(bob)
    Membership.objects.filter(pk=membership.pk).delete()
    with pytest.raises(PermissionDenied, match="no longer a member"):
        connect_oauth(membership, gitlab.application, gitlab.grant())


# -- again -------------------------------------------------------------------------------------------------------------


def test_reconnecting_keeps_the_row_and_mends_it(gitlab: Registered, bob: User, news: list[News]) -> None:
    row = gitlab.connect(bob)
    connections.disconnect(of(bob), row)
    again = gitlab.connect(bob, into=row)
    assert again.pk == row.pk
    row.refresh_from_db()
    assert (row.status, row.reason, row.reason_code) == ("connected", "", "")
    assert [told.kind for told in news] == ["connected", "disconnected", "connected"]


def test_another_account_is_refused_with_both_named_while_something_uses_it(
    gitlab: Registered, bob: User, used: set[object]
) -> None:
    row = gitlab.connect(bob, "octo")
    used.add(row.pk)
    with pytest.raises(ConnectionRefused, match=r"octo.*hubber"):
        gitlab.connect(bob, "hubber", into=row)
    used.clear()
    assert gitlab.connect(bob, "hubber", into=row).account == "hubber"
    assert Connection.objects.count() == 1


def test_another_account_takes_the_place_of_one_whose_maker_left(
    gitlab: Registered, bob: User, adam: User, used: set[object]
) -> None:
    row = gitlab.connect(bob, "octo")
    used.add(row.pk)
    Membership.objects.get(user=bob).delete()
    taken = gitlab.connect(adam, "hubber", into=row)
    assert (taken.pk, taken.account, taken.user) == (row.pk, "hubber", adam)


def test_reconnecting_into_an_account_that_is_connected_already_is_refused(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob, "octo")
    gitlab.connect(bob, "hubber")
    with pytest.raises(ConnectionRefused, match="hubber is connected here already"):
        gitlab.connect(bob, "hubber", into=row)
    assert set(Connection.objects.values_list("account", flat=True)) == {"octo", "hubber"}


def test_who_may_not_connect_any_more_may_not_connect_again(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match=r"integrations\.import"):
        gitlab.connect(bob, into=row)
    connections.disconnect(of(bob), row)


def test_reconnecting_by_another_method_is_refused(forge: Forge, gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    with pytest.raises(ConnectionRefused, match="by OAuth"):
        connect_github_token(forge, bob, token_of(forge), into=row)


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_is_tried_and_its_expiry_and_scopes_are_kept(forge: Forge, bob: User) -> None:
    expires = timezone.now().replace(microsecond=0) + timedelta(days=30)
    row = connect_github_token(forge, bob, token_of(forge, scopes=["repo"], expires_at=expires)).connection
    assert (row.account, row.scopes, row.expires_at) == ("octo", "repo", expires)
    assert not row.renews
    assert "can write, although reading is enough" in row.notes


def test_a_token_that_lacks_a_permission_is_kept_and_the_permission_named(forge: Forge, bob: User) -> None:
    row = connect_github_token(forge, bob, token_of(forge, scopes=["read:user"])).connection
    assert "lacks the permission repo" in row.notes


def test_a_wrong_token_is_refused_on_its_field_and_not_repeated(forge: Forge, bob: User) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        connect_github_token(forge, bob, "ghp_thisIsWrong")
    assert caught.value.field == "token"
    assert "thisIsWrong" not in str(caught.value)


def test_a_server_that_answers_nothing_is_refused_on_the_address(bob: User) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        connect_token(of(bob), forge="gitlab", base_url="http://127.0.0.1:9/api/v4", token="glpat-x")
    assert caught.value.field == "base_url"


@pytest.mark.parametrize(
    "address",
    [
        "https://octo:glpat-secret@git.example.com/api/v4",
        "https://git.example.com/api/v4?private_token=glpat-secret",
        "https://git.example.com/api/v4#glpat-secret",
        "git.example.com",
        "ftp://git.example.com",
        "https://[git.example.com",
        "https://git.example.com:port",
        f"https://git.example.com/{'a' * 255}",
    ],
)
def test_an_address_that_holds_more_than_a_server_is_refused_unrepeated(bob: User, address: str) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        connect_token(of(bob), forge="gitlab", base_url=address, token="glpat-x")
    assert caught.value.field == "base_url"
    assert "secret" not in str(caught.value)


def test_two_spellings_of_an_address_are_one(forge: Forge, bob: User) -> None:
    shouted = forge.url.replace("http://", "HTTP://") + "/"
    row = connect_token(of(bob), forge="github", base_url=shouted, token=forge.token("octo")).connection
    assert row.base_url == forge.url


def test_a_token_does_not_go_over_plain_http(bob: User) -> None:
    with pytest.raises(ConnectionRefused, match="https://") as caught:
        connect_token(of(bob), forge="gitlab", base_url="http://git.example.com/api/v4", token="glpat-x")
    assert caught.value.field == "base_url"


def test_an_inward_address_is_refused(bob: User) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        connect_token(of(bob), forge="gitlab", base_url="https://10.0.0.1/api/v4", token="glpat-x")
    assert caught.value.field == "base_url"


def test_a_second_token_of_an_account_is_a_second_connection(forge: Forge, bob: User) -> None:
    first = connect_github_token(forge, bob, token_of(forge, fine_grained=True))
    second = connect_github_token(forge, bob, token_of(forge, fine_grained=True))
    assert second.created
    connections.disconnect(of(bob), first.connection)
    third = connect_github_token(forge, bob, token_of(forge, fine_grained=True))
    assert (third.created, third.connection.pk) == (False, first.connection.pk)


@pytest.mark.parametrize(
    ("token", "username", "field", "sentence"),
    [
        ("ATBBsomething", "octo", "token", "on 28 July 2026"),
        ("ATATT3xsomething", "", "username", "e-mail address"),
        ("", "", "token", "Enter an access token"),
    ],
)
def test_what_bitbucket_cannot_take_is_said_before_it_is_asked(
    forge: Forge, bob: User, token: str, username: str, field: str, sentence: str
) -> None:
    with pytest.raises(ConnectionRefused, match=sentence) as caught:
        connect_token(of(bob), forge="bitbucket", base_url=forge.bitbucket_url, token=token, username=username)
    assert caught.value.field == field
    assert not forge.requests


def test_plain_git_has_no_accounts_to_connect(bob: User) -> None:
    with pytest.raises(ConnectionRefused, match="Plain git"):
        connect_token(of(bob), forge="git", base_url="", token="x")


def test_an_api_token_of_bitbucket_goes_with_its_e_mail_address(forge: Forge, bob: User) -> None:
    token = forge.bitbucket_token("octo", email="octo@example.com")
    row = connect_token(
        of(bob), forge="bitbucket", base_url=forge.bitbucket_url, token=token, username="octo@example.com"
    ).connection
    with client_through(row) as client:
        assert client.account().login == row.account


# -- consumers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def consumer(forge: Forge) -> OAuthApp:
    forge.world.account("octo")
    scopes = ("account", "repository", "webhook")
    return forge.world.oauth.app("bitbucket", owner="octo", scopes=scopes)


def test_a_consumer_is_shared_and_its_token_is_never_stored(forge: Forge, adam: User, consumer: OAuthApp) -> None:
    row = connect_consumer(
        of(adam), base_url=forge.bitbucket_url, key=consumer.client_id, secret=consumer.client_secret
    ).connection
    assert row.shared
    assert row.consumer_secret == consumer.client_secret
    assert not Connection.token.is_set(row)
    with client_through(row) as client:
        assert client.account().login
    row.refresh_from_db()
    assert not Connection.token.is_set(row)


def test_a_consumer_with_a_wrong_secret_is_refused_on_it(forge: Forge, adam: User, consumer: OAuthApp) -> None:
    with pytest.raises(ConnectionRefused) as caught:
        connect_consumer(of(adam), base_url=forge.bitbucket_url, key=consumer.client_id, secret="wrong")
    assert caught.value.field == "secret"


def test_an_operator_may_not_add_a_consumer(forge: Forge, bob: User, consumer: OAuthApp) -> None:
    with pytest.raises(PermissionDenied, match=r"connections\.manage"):
        connect_consumer(of(bob), base_url=forge.bitbucket_url, key=consumer.client_id, secret="x")


# -- the GitHub App ----------------------------------------------------------------------------------------------------


def test_an_installation_is_connected_by_who_can_see_it(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    installed = forge.world.apps.install(app, "octo")
    token = user_token("octo")
    made = connect_installation(of(adam), installation_id=str(installed.id), user_token=token)
    row = Connection.objects.get()
    assert made.created
    assert (row.account, row.installation_id, row.shared) == ("octo", str(installed.id), True)
    assert not any(secret.is_set(row) for secret in (Connection.token, Connection.refresh_token))
    assert forge.world.find_token(token) is None  # the person's own is worthless now


def test_who_sees_one_repository_of_an_installation_does_not_get_at_the_others_by_it(
    forge: Forge, app: HostedApp, adam: User, user_token: UserToken
) -> None:
    installed = forge.world.apps.install(app, "octo")
    forge.repository("octo/shown", private=True, collaborators=["guest"])
    forge.repository("octo/hidden", private=True)

    with pytest.raises(ConnectionRefused, match="your GitHub account cannot see"):
        connect_installation(of(adam), installation_id=str(installed.id), user_token=user_token("guest"))

    assert not Connection.objects.exists()


def test_the_id_of_an_installation_alone_proves_nothing(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    installed = forge.world.apps.install(app, "victim")
    with pytest.raises(ConnectionRefused, match="no access to this installation"):
        connect_installation(of(adam), installation_id=str(installed.id), user_token=user_token("mallory"))
    assert not Connection.objects.exists()


@pytest.mark.parametrize("made_up", ["999999", "1/../2", "", "1" * 40])
def test_ids_that_are_none_are_refused(adam: User, app: HostedApp, user_token: UserToken, made_up: str) -> None:
    with pytest.raises(ConnectionRefused):
        connect_installation(of(adam), installation_id=made_up, user_token=user_token("octo"))


def test_installing_again_updates_the_row(
    forge: Forge, adam: User, alice: User, app: HostedApp, user_token: UserToken
) -> None:
    installed = forge.world.apps.install(app, "octo")
    for person in (adam, alice):
        connect_installation(of(person), installation_id=str(installed.id), user_token=user_token("octo"))
    assert Connection.objects.count() == 1


def test_without_an_app_of_the_operators_there_is_none_to_connect(adam: User, settings: Settings) -> None:
    settings.GITHUB_APP_ID = ""
    with pytest.raises(ConnectionRefused, match="no GitHub App"):
        connect_installation(of(adam), installation_id="1", user_token="x")
