"""The Connect tab: what people need to connect a client, and what they may not see."""

from __future__ import annotations

import pytest
from django.urls import reverse

from catalog.models import Server, Toolkit
from catalog.versions import cut_version
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse


def page_of(browse: Browse, person: User, target: Server | Toolkit, query: str = "", name: str = "connect") -> str:
    org = target.organization.slug
    if isinstance(target, Server):
        url = reverse(f"endpoint:{name}", args=[org, target.slug])
    else:
        url = reverse(f"endpoint:toolkit_{name}", args=[org, target.pk])
    response = browse(person).get(url + query)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.fixture
def public(acme: Organization) -> Server:
    return factories.server(acme, "Open", slug="open", visibility=Server.Visibility.PUBLIC)


def test_a_public_server_is_connected_without_a_key_unless_one_asks_for_it(
    browse: Browse, carol: User, public: Server
) -> None:
    page = page_of(browse, carol, public)
    assert "http://127.0.0.1:8000/mcp/acme/open" in page
    assert "Anyone: the server is public" in page
    assert "mr_YOUR_KEY" not in page
    assert "mr_YOUR_KEY" in page_of(browse, carol, public, "?with=key")


def test_a_private_server_is_connected_with_a_key_or_by_signing_in(browse: Browse, carol: User, docs: Server) -> None:
    page = page_of(browse, carol, docs)
    assert "members of Acme who sign in by OAuth" in page
    assert "mr_YOUR_KEY" in page
    assert "mr_YOUR_KEY" not in page_of(browse, carol, docs, "?with=none")


def test_it_says_which_version_clients_get(browse: Browse, alice: User, docs: Server) -> None:
    assert "The live content" in page_of(browse, alice, docs)
    factories.content(docs, "guide.md", "# Guide\n")
    cut_version(server=docs, note="", by=alice, activate=True)
    page = page_of(browse, alice, docs)
    assert "version 1</a>" in page
    assert "?version=1" in page


def test_a_toolkit_has_the_page_too_among_its_tabs(browse: Browse, carol: User, acme: Organization) -> None:
    toolkit = factories.toolkit(acme, "Desk")
    page = page_of(browse, carol, toolkit)
    assert f"http://127.0.0.1:8000/mcp/acme/toolkits/{toolkit.slug}" in page
    assert "llms.txt" not in page
    overview = browse(carol).get(reverse("library:toolkit", args=["acme", toolkit.pk])).content.decode()
    assert reverse("endpoint:toolkit_connect", args=["acme", toolkit.pk]) in overview


def test_somebody_elses_personal_toolkit_is_not_there(browse: Browse, alice: User, bob: User) -> None:
    toolkit = factories.toolkit(Organization.objects.get(slug="acme"), "Mine", owner=bob)
    url = reverse("endpoint:toolkit_connect", args=["acme", toolkit.pk])
    assert browse(alice).get(url).status_code == 404
    assert "You alone" in page_of(browse, bob, toolkit)
