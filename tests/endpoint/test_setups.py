"""How a server or toolkit is served: what people choose is kept, checked, told in the audit log, and never overwritten
unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Server
from endpoint.models import Hour, Setup
from endpoint.setups import save_setup, setup_of, state
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.conftest import Browse

USUAL = {f"{tool}_enabled": "on" for tool in ("search", "fetch", "list")}


def url_of(server: Server) -> str:
    return reverse("endpoint:setup", args=[server.organization.slug, server.slug])


def post(browse: Browse, person: User, server: Server, **fields: Any) -> Any:
    seen = state(setup_of(server))
    return browse(person).post(url_of(server), {"seen": seen, **USUAL, **fields})


def test_without_a_row_the_defaults_hold_and_looking_makes_none(browse: Browse, bob: User, docs: Server) -> None:
    page = browse(bob).get(url_of(docs)).content.decode()
    assert "Keep arguments in the request log" in page
    assert "Search and read what its servers know" not in page
    assert not Setup.objects.exists()


def test_what_the_month_has_used_up_stands_beside_its_quota(browse: Browse, bob: User, docs: Server) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    about = {"organization": docs.organization, "server": docs, "target": docs.pk, "hour": hour}
    Hour.objects.create(method="tools/list", calls=1500, refused=200, limited=100, **about)
    assert "1,200 so far this month" in browse(bob).get(url_of(docs)).content.decode()
    for quota, used_up in ((1201, False), (1200, True)):
        Setup.objects.update_or_create(server=docs, defaults={"monthly_quota": quota})
        page = browse(bob).get(url_of(docs)).content.decode()
        assert ("Clients are refused until next month" in page) is used_up


def test_what_is_chosen_is_kept_and_in_the_audit_log(browse: Browse, bob: User, docs: Server) -> None:
    fields = {"log_arguments": "on", "monthly_quota": "5000", "search_name": "find_docs"}
    response = post(browse, bob, docs, **fields, list_enabled="", fetch_description="Read\r\nit.")
    assert response.status_code == 302
    setup = setup_of(docs)
    assert (setup.log_arguments, setup.monthly_quota) == (True, 5000)
    assert setup.built_in == {
        "search": {"name": "find_docs"},
        "fetch": {"description": "Read\nit."},
        "list": {"enabled": False},
    }
    event = AuditEvent.objects.get(action="endpoint.changed")
    assert (event.actor, event.target_id, event.after["monthly_quota"]) == (bob, str(docs.pk), 5000)
    assert "search_contents" not in event.after


def test_saving_the_same_is_no_change(browse: Browse, bob: User, docs: Server) -> None:
    post(browse, bob, docs, search_name="search")
    assert not AuditEvent.objects.filter(action="endpoint.changed").exists()
    assert not Setup.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"search_name": "find docs"}, "letters (A to Z), digits, hyphens and underscores"),
        ({"search_name": "getWeather"}, "A tool of this server is called “getWeather” already."),
        ({"search_name": "fetch"}, "Another of these tools is called “fetch”."),
        ({"search_name": "x", "list_name": "x"}, "Another of these tools is called “x”."),
        ({"monthly_quota": "0"}, "greater than or equal to 1"),
        ({"fetch_description": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_changes_nothing(
    browse: Browse, bob: User, docs: Server, fields: dict[str, str], words: str
) -> None:
    factories.tool(factories.provider(docs), "getWeather")
    response = post(browse, bob, docs, log_arguments="on", **fields)
    assert response.status_code == 422
    assert words in response.content.decode().replace("&quot;", '"')
    assert not Setup.objects.exists()


def test_the_name_of_a_tool_that_is_off_is_free(browse: Browse, bob: User, docs: Server) -> None:
    response = post(browse, bob, docs, search_name="list", list_enabled="")
    assert response.status_code == 302


def test_a_tool_of_the_server_that_is_called_like_a_built_in_one_is_told(
    browse: Browse, bob: User, docs: Server
) -> None:
    factories.tool(factories.provider(docs), "search")
    assert "has this name, too" in browse(bob).get(url_of(docs)).content.decode()


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_unseen(
    browse: Browse, alice: User, bob: User, docs: Server
) -> None:
    seen = state(setup_of(docs))
    save_setup(docs, values={"monthly_quota": 7}, seen=None, by=Membership.objects.get(user=alice))
    response = browse(bob).post(url_of(docs), {"seen": seen, **USUAL, "monthly_quota": "9"})
    assert response.status_code == 409
    assert "Somebody else changed these settings" in response.content.decode()
    assert setup_of(docs).monthly_quota == 7


def test_who_may_not_edit_servers_may_not_set_them_up(browse: Browse, carol: User, docs: Server) -> None:
    assert browse(carol).get(url_of(docs)).status_code == 403
    assert post(browse, carol, docs).status_code == 403


def test_a_toolkit_searches_only_where_somebody_chose_it(browse: Browse, bob: User, acme: Organization) -> None:
    toolkit = factories.toolkit(acme, "Desk")
    url = reverse("endpoint:toolkit_setup", args=["acme", toolkit.pk])
    assert not setup_of(toolkit).search_contents
    response = browse(bob).post(url, {"seen": state(setup_of(toolkit)), **USUAL, "search_contents": "on"})
    assert response.status_code == 302
    assert setup_of(toolkit).search_contents
