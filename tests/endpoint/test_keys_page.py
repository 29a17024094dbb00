"""The organisation's API keys in the pages."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Server
from endpoint import keys
from endpoint.models import ApiKey
from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse

LIST = "/o/acme/api-keys/"
NEW = "/o/acme/api-keys/new/"


def _form(**more: Any) -> dict[str, Any]:
    usual = {"id": str(uuid.uuid4()), "name": "Build", "reach": "everything", "may_call": "0", "expires": "90"}
    return {**usual, **more}


def _make(by: User, **values: Any) -> tuple[ApiKey, str]:
    return keys.make_key(by=Membership.objects.get(user=by), values={"name": "Build", "everything": True, **values})


def _token(page: str) -> str:
    found = re.search(r"mr_[A-Za-z0-9_-]{43}", page)
    assert found
    return found[0]


def test_a_key_is_shown_once_with_its_header(alice: User, docs: Server, browse: Browse) -> None:
    client = browse(alice)
    answer = client.post(NEW, _form(reach="chosen", servers=[docs.pk]))
    token = _token(answer.content.decode())
    assert f"Authorization: Bearer {token}" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    key = keys.find_key(token)
    assert key is not None
    assert list(key.servers.all()) == [docs]
    assert not key.may_call
    assert key.expires_at is not None
    assert key.expires_at > timezone.now() + timedelta(days=89)
    for page in (LIST, NEW, f"{LIST}{key.pk}/", f"{LIST}{key.pk}/revoke/"):
        assert token not in client.get(page).content.decode()
    assert token[3:] not in repr(list(AuditEvent.objects.values()))
    assert token[3:] not in repr(list(ApiKey.objects.values()))


def test_a_key_for_one_server_comes_with_what_to_paste(alice: User, docs: Server, browse: Browse) -> None:
    page = browse(alice).post(NEW, _form(reach="chosen", servers=[docs.pk])).content.decode()
    token = _token(page)
    assert f"/mcp/acme/docs --header &#x27;Authorization: Bearer {token}&#x27;" in page
    assert "mr_YOUR_KEY" not in page
    assert "Claude Code" not in browse(alice).post(NEW, _form()).content.decode(), "which of them is not known"


def test_a_key_for_more_comes_with_the_addresses_and_ways_to_the_texts(
    alice: User, acme: Organization, docs: Server, browse: Browse
) -> None:
    desk = factories.toolkit(acme, "Desk")
    mine = factories.server(acme, "Diary", owner=alice)
    connect = '<a href="/o/acme/{}/connect/?with=key#clients-title">'.format
    docs_page, desk_page = connect("servers/docs"), connect(f"toolkits/{desk.pk}")
    everything = browse(alice).post(NEW, _form()).content.decode()
    for shown in (docs_page, desk_page, "/mcp/acme/docs", "/mcp/acme/toolkits/desk", "mr_YOUR_KEY"):
        assert shown in everything
    assert "Diary" not in everything, "what is personal is not reached by it"
    assert " more: see" not in everything
    named = browse(alice).post(NEW, _form(reach="chosen", servers=[docs.pk, mine.pk])).content.decode()
    assert docs_page in named
    assert "Diary" in named
    assert desk_page not in named


def test_of_many_places_that_a_key_reaches_the_first_are_shown(alice: User, docs: Server, browse: Browse) -> None:
    for number in range(12):
        factories.server(docs.organization, f"Server {number:02}")
    page = browse(alice).post(NEW, _form()).content.decode()
    assert page.count("?with=key#clients-title") == 10
    assert "3 more: see" in page


def test_a_key_that_reaches_nothing_yet_says_so(alice: User, acme: Organization, browse: Browse) -> None:
    assert "There is no server and no toolkit yet." in browse(alice).post(NEW, _form()).content.decode()


def test_who_comes_from_a_server_finds_it_marked(alice: User, docs: Server, browse: Browse) -> None:
    client = browse(alice)
    link = f"{NEW}?for={docs.pk}"
    assert link in client.get("/o/acme/servers/docs/connect/").content.decode()
    marked = rf'value="{docs.pk}"[^>]*checked'
    assert re.search(marked, client.get(link).content.decode())
    for other in (NEW, f"{NEW}?for=nothing"):
        assert not re.search(marked, client.get(other).content.decode())


def test_a_form_that_is_sent_twice_makes_one_key(alice: User, acme: Organization, browse: Browse) -> None:
    form = _form()
    browse(alice).post(NEW, form)
    again = browse(alice).post(NEW, form, follow=True)
    assert "was made already" in again.content.decode()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "required"),
        ({"reach": "chosen"}, "Choose at least one"),
        ({"expires": "day"}, "Choose its last day."),
        ({"expires": "day", "expires_on": "2001-01-01"}, "This is past."),
        ({"rate_per_minute": "0"}, "greater than or equal to 1"),
        ({"reach": "chosen", "servers": [str(uuid.UUID(int=7))]}, "not there any more"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(
    wrong: dict[str, Any], said: str, alice: User, acme: Organization, browse: Browse
) -> None:
    answer = browse(alice).post(NEW, _form(**wrong))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_cannot_be_pointed_at_what_is_another_organisations_or_members(
    alice: User, bob: User, charlie: User, acme: Organization, browse: Browse
) -> None:
    theirs = factories.server(charlie.memberships.get().organization)
    personal = factories.server(acme, owner=bob)
    for forged in (theirs, personal):
        assert browse(alice).post(NEW, _form(reach="chosen", servers=[forged.pk])).status_code == 422
    own = factories.toolkit(acme, owner=bob)
    assert browse(alice).post(NEW, _form(reach="chosen", toolkits=[own.pk])).status_code == 422
    assert not ApiKey.objects.exists()


def test_a_changed_key_keeps_what_is_personal_to_its_maker(
    alice: User, bob: User, acme: Organization, docs: Server, browse: Browse
) -> None:
    Membership.objects.filter(user=bob).update(granted=["keys.manage"])
    personal = factories.server(acme, "Zanzibar", owner=bob)
    key, _ = _make(bob, everything=False, servers=[personal.pk])
    page = browse(alice).get(f"{LIST}{key.pk}/").content.decode()
    assert "Zanzibar" not in page
    assert "names 1 that" in page
    browse(alice).post(f"{LIST}{key.pk}/", _form(reach="chosen", servers=[docs.pk], name="Renamed"))
    key.refresh_from_db()
    assert key.name == "Renamed"
    assert {each.pk for each in key.servers.all()} == {docs.pk, personal.pk}
    assert "anzibar" not in repr(list(AuditEvent.objects.values())), "the log is for others, too"


def test_revoking_says_what_stops_and_stops_it(alice: User, docs: Server, browse: Browse) -> None:
    key, token = _make(alice, everything=False, servers=[docs.pk])
    question = browse(alice).get(f"{LIST}{key.pk}/revoke/").content.decode()
    assert "Docs" in question
    assert key.hint in question
    assert keys.find_key(token)
    browse(alice).post(f"{LIST}{key.pk}/revoke/")
    assert keys.find_key(token) is None
    assert AuditEvent.objects.get(action="api_key.revoked").actor == alice
    assert "Revoked" in browse(alice).get(LIST).content.decode()
    assert "cannot be used any more" in browse(alice).get(f"{LIST}{key.pk}/", follow=True).content.decode()


def test_expired_keys_are_told_apart_and_listed_for_a_while(alice: User, browse: Browse) -> None:
    now = timezone.now()
    for name, ago in (("Lately", 1), ("Long ago", 91)):
        key, _ = _make(alice, name=name)
        ApiKey.objects.filter(pk=key.pk).update(expires_at=now - timedelta(days=ago))
    page = browse(alice).get(LIST).content.decode()
    assert "Lately" in page
    assert "Expired" in page
    assert "Long ago" not in page


def test_who_made_a_key_and_left_is_told(alice: User, adam: User, browse: Browse) -> None:
    _make(adam)
    Membership.objects.get(user=adam).delete()
    assert "no member any more" in browse(alice).get(LIST).content.decode()


def test_keys_are_for_those_who_may_manage_them(bob: User, adam: User, acme: Organization, browse: Browse) -> None:
    key, _ = _make(adam)
    for page in (LIST, NEW, f"{LIST}{key.pk}/", f"{LIST}{key.pk}/revoke/"):
        assert browse(bob).get(page).status_code == 403
        assert browse(bob).post(page, _form()).status_code in (403, 405)
    assert "API keys" not in browse(bob).get(reverse("catalog:servers", args=["acme"])).content.decode()
    assert "API keys" in browse(adam).get(reverse("catalog:servers", args=["acme"])).content.decode()


def test_the_list_takes_as_many_queries_however_long(
    alice: User, acme: Organization, browse: Browse, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = browse(alice)
    _make(alice, everything=False, servers=[factories.server(acme).pk])
    client.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as first:
        client.get(LIST)
    for _ in range(5):
        maker = factories.user()
        factories.membership(maker, acme, Role.ADMIN)
        _make(maker, everything=False, servers=[factories.server(acme).pk], toolkits=[factories.toolkit(acme).pk])
    with django_assert_num_queries(len(first)):
        client.get(LIST)


def test_support_sees_keys_and_revokes_but_never_reads_one(alice: User, browse: Browse, db: None) -> None:
    support = factories.user(is_staff=True, is_superuser=True)
    key, token = _make(alice)
    client = browse(support)
    for page in (reverse("admin:endpoint_apikey_changelist"), reverse("admin:endpoint_apikey_change", args=[key.pk])):
        shown = client.get(page).content.decode()
        assert "Build" in shown
        assert token not in shown
        assert key.digest not in shown
    client.post(reverse("admin:endpoint_apikey_changelist"), {"action": "revoke", "_selected_action": [str(key.pk)]})
    assert keys.find_key(token) is None
    assert AuditEvent.objects.filter(action__startswith="apikey.", actor=support).exists()
