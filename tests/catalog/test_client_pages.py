"""Pages of client applications: one, its form, stale saves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from catalog.models import Client, Server
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, words
from tests.conftest import Browse

LIST = "/o/acme/clients/"
FORM: dict[str, Any] = {"name": "Editor", "slug": "", "description": "", "kind": "editor"}


def test_a_client_is_made_and_says_that_it_grants_nothing(
    browse: Browse, bob: User, acme: Organization, docs: Server
) -> None:
    kit = factories.toolkit(acme, "Weather")
    values = {**FORM, "servers": [str(docs.pk)], "toolkits": [str(kit.pk)]}
    shown = words(browse(bob).post(f"{LIST}new/", values, follow=True))
    row = Client.objects.get()
    assert (row.slug, row.kind) == ("editor", "editor")
    assert (list(row.servers.all()), list(row.toolkits.all())) == ([docs], [kit])
    assert "A client grants nothing by itself" in shown
    assert ">Weather<" in shown


def test_what_is_personal_and_other_organisations_servers_cannot_be_chosen(
    browse: Browse, alice: User, bob: User, acme: Organization
) -> None:
    own = factories.toolkit(acme, "Diary", owner=bob)
    hers = factories.server(acme, "Diary of hers", owner=alice)
    elsewhere = factories.server(factories.organization())
    assert "Diary" not in page(browse(bob), f"{LIST}new/")
    for forged in (
        {"toolkits": [own.pk]},
        {"servers": [hers.pk]},
        {"servers": [elsewhere.pk]},
        {"servers": ["nothing"]},
    ):
        shown = words(browse(bob).post(f"{LIST}new/", {**FORM, **forged}))
        assert "that you chose is not there any more" in shown
    assert not Client.objects.exists()


def test_hundreds_of_servers_are_folded_and_those_chosen_come_first(
    browse: Browse, bob: User, acme: Organization
) -> None:
    many = [factories.server(acme, f"Server {number:03}") for number in range(40)]
    kit = factories.toolkit(acme, "Weather")
    row = factories.client(acme, "Editor")
    shown = page(browse(bob), f"{LIST}{row.pk}/edit/")
    assert re.search(r'<details class="pick-group" id="id_servers"\s*>', shown), "closed"
    assert re.search(r'<details class="pick-group" id="id_toolkits"\s+open>', shown), "open, as there are few"
    assert 'data-filters="pick-reach"' in shown
    row.servers.set([many[-1]])
    shown = page(browse(bob), f"{LIST}{row.pk}/edit/")
    assert re.search(r'<details class="pick-group" id="id_servers"\s+open>', shown)
    assert "<span data-chosen>1</span> of 40 chosen" in shown
    assert shown.index("Server 039") < shown.index("Server 000")
    assert str(kit.pk) in shown


def test_a_client_has_no_owner_and_no_page_to_share_it(browse: Browse, bob: User, acme: Organization) -> None:
    row = factories.client(acme)
    assert 'name="who"' not in page(browse(bob), f"{LIST}new/")
    assert browse(bob).post(f"{LIST}{row.pk}/share/").status_code == 404


def test_an_edit_saves_and_a_stale_one_shows_both(
    browse: Browse, bob: User, adam: User, acme: Organization, docs: Server
) -> None:
    row = factories.client(acme, "Editor")
    address = f"{LIST}{row.pk}/edit/"
    old = {**FORM, "slug": row.slug, "seen_revision": row.revision}
    browse(adam).post(address, {**old, "kind": "agent", "servers": [str(docs.pk)]})
    response = browse(bob).post(address, old)
    shown = words(response)
    assert response.status_code == 409
    assert "Somebody else saved this client" in shown
    assert "<dd>Agent</dd>" in shown
    assert "It has also: Docs" in shown
    row.refresh_from_db()
    assert (row.kind, list(row.servers.all())) == ("agent", [docs])


@pytest.mark.parametrize("name", ["new/", "edit/"])
def test_a_viewer_changes_nothing(browse: Browse, carol: User, acme: Organization, name: str) -> None:
    row = factories.client(acme)
    address = f"{LIST}{name}" if name == "new/" else f"{LIST}{row.pk}/{name}"
    assert browse(carol).post(address, FORM).status_code == 403
    assert Client.objects.count() == 1
