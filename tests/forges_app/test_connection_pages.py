"""The Connections pages: what is listed, entered, shared, disconnected and deleted, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from forges import standing, usage
from forges.models import Connection, ConnectionStatus, Method
from forges.usage import Use
from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import Register
from tests.forges_app.pages import HTMX, LIST, enter, made, page, text
from tests.forges_app.visiting import told
from tests.wire.forge import Forge

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Callable[[Connection], None]:
    """Let an integration on the server Docs work through a connection."""
    users: list[Connection] = []

    def find(wanted: Iterable[Connection]) -> dict[object, list[Use]]:
        use = Use("integration", "acme/docs on Docs", "/o/acme/servers/docs/integrations/", "refreshes of acme/docs")
        return {each.pk: [use] for each in wanted if each in users}

    monkeypatch.setattr(usage, "_finders", [find])
    return users.append


# -- who sees what -----------------------------------------------------------------------------------------------------


def test_people_see_their_own_and_what_is_shared(browse: Browse, acme: Organization, alice: User, bob: User) -> None:
    made(bob, acme, account="bobs-own")
    made(alice, acme, account="alices-own")
    made(alice, acme, account="for-all", shared=True)
    seen = text(browse(bob).get(LIST))
    assert "bobs-own" in seen
    assert "for-all" in seen
    assert "alices-own" not in seen


def test_a_personal_one_of_somebody_else_is_not_there(
    browse: Browse, acme: Organization, alice: User, adam: User, bob: User
) -> None:
    """Not for those who manage connections either."""
    hers = made(alice, acme)
    for person in (bob, adam):
        client = browse(person)
        assert client.get(page(hers)).status_code == 404
        assert client.get(page(hers, "avatar/")).status_code == 404
        for what in ("delete/", "disconnect/", "share/", "check/", "rename/"):
            assert client.post(page(hers, what), {"shared": "1"}).status_code == 404
    assert Connection.objects.get().is_connected


def test_one_of_another_organisation_is_not_there(
    browse: Browse, acme: Organization, alice: User, charlie: User
) -> None:
    shared = made(alice, acme, shared=True)
    for url in (page(shared), page(shared, "delete/"), page(shared).replace("/acme/", "/other/")):
        assert browse(charlie).get(url).status_code == 404


def test_what_a_leaver_left_behind_is_for_who_manages_connections(
    browse: Browse, acme: Organization, adam: User, bob: User
) -> None:
    left = made(factories.user("gone@acme.example", name="Gwen"), acme, account="left-behind")
    assert browse(bob).get(page(left)).status_code == 404
    assert "no longer a member" in text(browse(adam).get(LIST))
    assert "Personal: seen by who manages connections" in text(browse(adam).get(page(left)))
    assert browse(adam).post(page(left, "delete/")).status_code == 302
    assert not Connection.objects.exists()


def test_a_shared_one_is_seen_and_not_changed_by_who_may_not_manage(
    browse: Browse, acme: Organization, alice: User, bob: User
) -> None:
    shared = made(alice, acme, shared=True)
    client = browse(bob)
    assert "Delete…" not in text(client.get(LIST))
    assert client.get(page(shared)).status_code == 200
    for what in ("delete/", "disconnect/", "share/", "check/", "rename/"):
        assert client.post(page(shared, what)).status_code == 403


def test_viewers_have_no_such_page(browse: Browse, carol: User) -> None:
    assert browse(carol).get(LIST).status_code == 403
    assert "Connections" not in text(browse(carol).get("/o/acme/"))


def test_who_may_no_more_takes_their_own_account_back(
    browse: Browse, acme: Organization, alice: User, bob: User
) -> None:
    mine, shared = made(bob, acme), made(alice, acme, shared=True)
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    client = browse(bob)
    seen = client.get(LIST).content.decode()
    assert page(mine) in seen
    assert page(shared) not in seen
    assert client.get(page(shared)).status_code == 404
    assert client.get(f"{LIST}add/token/?into={mine.pk}").status_code == 403  # they cannot use it any more
    assert client.post(page(mine, "disconnect/")).status_code == 302
    assert client.post(page(mine, "delete/")).status_code == 302
    assert not Connection.objects.filter(pk=mine.pk).exists()
    assert client.get(LIST).status_code == 403


def test_the_navigation_leads_there(browse: Browse, bob: User) -> None:
    assert f'href="{LIST}"' in browse(bob).get("/o/acme/").content.decode()


# -- the list ----------------------------------------------------------------------------------------------------------


def test_the_list_says_what_each_is_and_does(
    browse: Browse, acme: Organization, alice: User, used: Callable[[Connection], None]
) -> None:
    now = timezone.now()
    used(made(alice, acme, account="octo", shared=True, expires_at=now + timedelta(days=3, hours=1)))
    made(
        alice,
        acme,
        account="gone",
        account_id="2",
        status=ConnectionStatus.DISCONNECTED,
        reason_code=standing.EXPIRED,
        reason="The token for GitHub has expired. Connect again with a new one.",
    )
    made(alice, acme, account="acme-org", method=Method.GITHUB_APP, shared=True, installation_id="7")
    seen = text(browse(alice).get(LIST))
    for words in (
        "octo GitHub Access token Shared Connected 3 days",
        "from now Alice (you) now 1 integration use octo at GitHub acme/docs on Docs",
        "gone GitHub Access token Personal Disconnected The token for GitHub has expired.",
        "acme-org GitHub GitHub App The organisation’s Connected renews itself",
        "A connection needs attention",
    ):
        assert words in seen, seen


def test_one_that_cannot_push_is_told_from_one_that_can_and_from_one_that_nobody_knows_of(
    browse: Browse, acme: Organization, alice: User
) -> None:
    gitlab = {"forge": "gitlab", "base_url": "https://gitlab.com/api/v4"}
    made(alice, acme, account="reader", **gitlab, scopes="read_api read_user")
    made(alice, acme, account="writer", account_id="2", **gitlab, scopes="api")
    made(alice, acme, account="unknown", account_id="3", scopes="")
    bitbucket = {"forge": "bitbucket", "base_url": "https://api.bitbucket.org/2.0"}
    made(alice, acme, account="pusher", account_id="4", **bitbucket, scopes="repository:write")  # opens no requests
    gone = {"status": ConnectionStatus.DISCONNECTED, "scopes": "read_api"}
    made(alice, acme, account="gone", account_id="5", **gitlab, **gone)
    response = browse(alice).get(LIST)
    assert "reader GitLab Access token Personal Connected reads only" in text(response)
    assert text(response).count("reads only") == 1
    assert 'title="Pushes need more. The token lacks the permission api:' in response.content.decode()


def test_the_list_asks_a_constant_number_of_questions(
    browse: Browse, acme: Organization, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = browse(alice)
    for number in range(30):
        gone = factories.user(f"gone{number}@acme.example") if number % 2 else alice
        made(gone, acme, account=f"account-{number}", account_id=str(number), scopes="read:user")
    with django_assert_max_num_queries(16):
        client.get(LIST)


def test_the_menu_of_one_without_an_account_names_it_all_the_same(
    browse: Browse, acme: Organization, alice: User
) -> None:
    """Bitbucket's tokens of a repository are nobody's."""
    made(alice, acme, forge="bitbucket", base_url="https://api.bitbucket.org/2.0", account="", account_id="")
    assert 'aria-label="Actions for Access token at Bitbucket"' in browse(alice).get(LIST).content.decode()


def test_those_of_one_account_are_in_the_order_of_their_forges(browse: Browse, acme: Organization, alice: User) -> None:
    for forge, host in (("gitlab", "b.example.com"), ("github", "api.github.com"), ("gitlab", "a.example.com")):
        made(alice, acme, forge=forge, base_url=f"https://{host}")
    seen = text(browse(alice).get(LIST))
    places = [seen.index(f"octo {name}") for name in ("GitHub", "GitLab (a.example", "GitLab (b.example")]
    assert places == sorted(places)


def test_without_any_the_page_says_what_they_are_for(browse: Browse, bob: User) -> None:
    assert "No connection yet" in text(browse(bob).get(LIST))


def test_the_dashboard_asks_what_needs_attention(browse: Browse, acme: Organization, alice: User, carol: User) -> None:
    fragment = f"{LIST}attention/"
    assert fragment in browse(alice).get("/o/acme/").content.decode()
    assert not browse(alice).get(fragment, headers=HTMX).content.strip()
    lost = {"status": ConnectionStatus.ERROR, "reason_code": standing.MISCONFIGURED, "reason": "Ask the operator."}
    made(alice, acme, forge="gitlab", base_url="https://git.example.com/api/v4", **lost)
    assert "octo at GitLab (git.example.com) : Ask the operator." in text(browse(alice).get(fragment, headers=HTMX))
    assert not browse(carol).get(fragment, headers=HTMX).content.strip()


# -- one connection ----------------------------------------------------------------------------------------------------


def test_the_page_of_one_says_all_that_is_known_and_no_secret(
    browse: Browse, bob: User, forge: Forge, used: Callable[[Connection], None]
) -> None:
    client = browse(bob)
    token = forge.gitlab_token("octo", scopes=["api"])
    enter(client, forge, token=token)
    connection = Connection.objects.get()
    used(connection)
    seen = text(client.get(page(connection)))
    for words in ("Status Connected", "Whose Personal: nobody else sees it", "Made by Bob (you)", "acme/docs on Docs"):
        assert words in seen
    assert "The token can write, although reading is enough here." in seen
    assert token not in client.get(page(connection)).content.decode()


def test_renaming_tells_apart_what_is_called_alike(browse: Browse, acme: Organization, bob: User) -> None:
    nobodys = {"forge": "bitbucket", "base_url": "https://api.bitbucket.org/2.0", "account": "", "account_id": ""}
    connection, _other = made(bob, acme, **nobodys), made(bob, acme, **nobodys)
    client = browse(bob)
    client.post(page(connection, "rename/"), {"name": " Docs "})
    assert told(client) == ["It is called Docs now."]
    assert 'aria-label="Actions for Docs at Bitbucket"' in client.get(LIST).content.decode()
    shown = text(client.get(page(connection)))
    assert "Name Docs Rename" in shown
    assert "Access token at Bitbucket" in shown
    wrong = client.post(page(connection, "rename/"), {"name": "n" * 81})
    assert wrong.status_code == 422
    assert 'id="id_name_error"' in wrong.content.decode()
    client.post(page(connection, "rename/"), {"name": ""})
    assert "Name that of its account Rename" in text(client.get(page(connection)))
    events = AuditEvent.objects.filter(action="connection.renamed").order_by("pk")
    assert [(event.before["name"], event.after["name"]) for event in events] == [("", "Docs"), ("Docs", "")]


def test_who_manages_connections_renames_what_is_shared_and_nobody_anothers_own(
    browse: Browse, acme: Organization, alice: User, adam: User, bob: User
) -> None:
    shared, hers = made(alice, acme, shared=True, name="Ours"), made(alice, acme, account_id="2", name="Hers")
    assert browse(bob).post(page(shared, "rename/"), {"name": "Bob's"}).status_code == 403
    assert "Rename" not in text(browse(bob).get(page(shared)))
    assert browse(adam).post(page(hers, "rename/"), {"name": "Adam's"}).status_code == 404
    assert "Hers" not in text(browse(adam).get(LIST))
    assert browse(adam).post(page(shared, "rename/"), {"name": "For all"}).status_code == 302
    assert sorted(Connection.objects.values_list("name", flat=True)) == ["For all", "Hers"]


def test_sharing_and_its_end(browse: Browse, acme: Organization, adam: User, bob: User) -> None:
    his, bobs = made(adam, acme), made(bob, acme, account_id="2")
    client = browse(adam)
    client.post(page(his, "share/"), {"shared": "1"})
    assert browse(bob).get(page(his)).status_code == 200
    client.post(page(his, "share/"), {"shared": ""})
    assert browse(bob).get(page(his)).status_code == 404
    assert browse(bob).post(page(bobs, "share/"), {"shared": "1"}).status_code == 403
    assert list(AuditEvent.objects.filter(target_id=his.pk).order_by("at").values_list("action", flat=True)) == [
        "connection.shared",
        "connection.unshared",
    ]


def test_who_stops_the_sharing_of_anothers_account_does_not_see_it_any_more(
    browse: Browse, acme: Organization, alice: User, adam: User
) -> None:
    hers = made(alice, acme, shared=True)
    answer = browse(adam).post(page(hers, "share/"), {"shared": ""})
    assert answer["Location"] == LIST


def test_disconnecting_asks_and_names_what_stops(
    browse: Browse, acme: Organization, bob: User, used: Callable[[Connection], None]
) -> None:
    connection = made(bob, acme)
    used(connection)
    client = browse(bob)
    for headers in ({}, HTMX):
        asked = text(client.get(page(connection, "disconnect/"), headers=headers))
        assert "Disconnect octo at GitHub?" in asked
        assert "What was imported stays. This stops: refreshes of acme/docs" in asked
    assert Connection.objects.get().is_connected
    client.post(page(connection, "disconnect/"))
    assert Connection.objects.get().reason == "Bob disconnected it."
    assert "Reconnect" in text(client.get(page(connection)))
    assert "needs attention" not in text(client.get(LIST))


def test_deleting_asks_and_says_what_is_left_to_do_at_the_forge(
    browse: Browse, acme: Organization, bob: User, used: Callable[[Connection], None]
) -> None:
    connection = made(bob, acme)
    used(connection)
    client = browse(bob)
    asked = text(client.get(page(connection, "delete/")))
    assert "The token itself stays good: delete it at GitHub" in asked
    assert "refreshes of acme/docs" in asked
    client.post(page(connection, "delete/"))
    assert not Connection.objects.exists()
    assert told(client) == [
        "octo at GitHub is deleted. The token itself is still good: delete it at GitHub if nothing else uses it."
    ]


@pytest.mark.parametrize(("kind", "revoked"), [("github", True), ("gitlab", True), ("bitbucket", False)])
def test_deleting_an_authorisation_takes_it_back_where_the_forge_can(
    browse: Browse, bob: User, register: Register, kind: str, revoked: bool
) -> None:
    app = register(kind)
    connection = app.connect(bob)
    client = browse(bob)
    asked = text(client.get(page(connection, "delete/")))
    assert ("is taken back at" in asked) == revoked
    assert ("has no call to take the authorisation back" in asked) != revoked
    client.post(page(connection, "delete/"))
    assert (app.forge.world.find_token(connection.token, kind) is None) == revoked
    assert ("was taken back there" in told(client)[0]) == revoked


def test_trying_one_now_says_what_came_of_it(browse: Browse, bob: User, forge: Forge) -> None:
    client = browse(bob)
    token = forge.gitlab_token("octo")
    enter(client, forge, token=token)
    connection = Connection.objects.get()
    client.post(page(connection, "check/"))
    assert told(client)[-1].endswith("accepts it.")
    forge.world.revoke(token)
    client.post(page(connection, "check/"))
    assert "does not accept" in told(client)[-1]
    shown = text(client.get(page(connection)))
    assert "Disconnected" in shown
    assert "Check now" in shown
    client.post(page(connection, "disconnect/"))
    assert "Check now" not in text(client.get(page(connection)))


def test_where_the_application_is_gone_it_says_so_instead_of_reconnect(
    browse: Browse, bob: User, register: Register, settings: Settings
) -> None:
    connection = register("gitlab").connect(bob)
    settings.FORGE_OAUTH_APPS = []
    shown = browse(bob).get(page(connection)).content.decode()
    assert "has no OAuth application for GitLab" in shown
    assert "?into=" not in shown


def test_reconnect_leads_to_the_flow_of_its_kind(browse: Browse, bob: User, register: Register) -> None:
    app = register("gitlab")
    connection = app.connect(bob)
    client = browse(bob)
    url = f"/o/acme/connections/add/{app.application.key}/?into={connection.pk}"
    assert f'href="{url}"' in client.get(page(connection)).content.decode()
    assert "Reconnect octo" in text(client.get(url))


def test_nobody_changes_anything_with_a_form_of_another_site(acme: Organization, bob: User) -> None:
    connection = made(bob, acme)
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    for what in ("delete/", "disconnect/", "share/", "check/", "rename/"):
        assert client.post(page(connection, what)).status_code == 403
        assert client.get(page(connection, what)).status_code in (200, 405)
    assert Connection.objects.get().is_connected


def test_a_member_of_two_organisations_sees_in_each_its_own(browse: Browse, acme: Organization, alice: User) -> None:
    other = factories.organization("Second", slug="second")
    factories.membership(alice, other, Role.OWNER)
    here = made(alice, acme)
    assert Membership.objects.filter(user=alice).count() == 2
    assert browse(alice).get(page(here).replace("/acme/", "/second/")).status_code == 404
    assert "octo" not in text(browse(alice).get("/o/second/connections/"))
