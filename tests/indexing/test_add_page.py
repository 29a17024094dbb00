"""Adding a source: an address, what it is, and what of it is indexed."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from indexing import clock
from indexing.models import Source
from jobs import runs
from jobs.models import Run, Status
from orgs.models import Membership, User
from tests import factories
from tests.conftest import Browse
from tests.forges.conftest import SIDES
from tests.indexing.pages import HTMX, said
from tests.indexing.repository_sources import PATIENT
from tests.site import traps
from tests.site.server import Site
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

ADD = "/o/acme/servers/docs/sources/add/"


@pytest.fixture
def client(docs: Server, bob: User, browse: Browse) -> Client:
    return browse(bob)


def hidden(page: str) -> dict[str, str]:
    """What the second step carries along."""
    form = page.partition('id="source-form"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input type="hidden" name="(found|url|kind)" value="([^"]*)"', form))
    return {name: unescape(value) for name, value in found.items()}


def ask(client: Client, url: str, **more: str) -> str:
    response = client.post(ADD, {"url": url, **more})
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def add(client: Client, page: str, **values: str) -> Any:
    return client.post(ADD, {**hidden(page), "name": "Handbook", "auto_refresh": "on", **values})


def test_a_site_is_looked_at_first_and_added_then(client: Client, docs: Server, bob: User, site: Site) -> None:
    for path, each in Site(12).pages.items():
        site.add(path, each)
    site.sitemap = True
    page = ask(client, f"{site.url}/")
    assert "Web site" in page
    assert "by its sitemap" in page
    assert not Source.objects.exists()

    answer = add(client, page, exclude="old/**", max_pages="50", max_depth="3")

    assert answer.headers["Location"] == "/o/acme/servers/docs/sources/"
    assert said(answer) == ["Handbook is added, and is being indexed."]
    source = Source.objects.get()
    assert (source.server, source.kind, source.name, source.created_by) == (docs, Source.Kind.SITE, "Handbook", bob)
    assert (source.url, source.exclude, source.max_pages, source.max_depth) == (f"{site.url}/", "old/**", 50, 3)
    assert Run.objects.about(source).count() == 1


def test_with_a_script_the_second_step_takes_the_place_of_the_first(client: Client, site: Site) -> None:
    site.add("/", "<title>Handbook</title><p>Hello</p>")
    answer = client.post(ADD, {"url": f"{site.url}/"}, headers=HTMX)
    page = answer.content.decode()
    assert page.lstrip().startswith('<div class="stack" id="add">')
    added = client.post(ADD, {**hidden(page), "name": "Handbook"}, headers=HTMX)
    assert added.headers["HX-Redirect"] == "/o/acme/servers/docs/sources/"
    assert Source.objects.get().auto_refresh is False


@pytest.mark.parametrize("url", ["", "not an address", "ftp://example.com/", "https://", "http://[", "a\0b"])
def test_what_is_no_address_is_told_beside_its_field(client: Client, url: str) -> None:
    answer = client.post(ADD, {"url": url})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()


def test_an_inward_address_is_refused_and_cannot_be_added(client: Client) -> None:
    page = ask(client, "http://10.0.0.1/")
    assert page.count("only public addresses") == 1
    assert "Enter a public address, or ask the operator to allow this one." in page
    assert "Add source" not in page
    assert "Add all the same" not in page


def test_a_private_repository_offers_to_link_an_account_or_is_added_all_the_same(
    client: Client, docs: Server, alice: User, forge: Forge, private_repo: HostedRepository
) -> None:
    factories.connection(docs.organization, alice, base_url=forge.url)  # by which addresses there are recognised
    page = ask(client, f"{forge.url}/{private_repo.full_name}")
    assert "Repository" in page
    assert "Link an account that may read it." in page
    assert 'name="with"' in page
    add(client, page)
    source = Source.objects.get()
    assert (source.kind, source.forge, source.connection) == (Source.Kind.REPOSITORY, "github", None)


def test_a_private_repository_of_plain_git_is_read_with_a_token_and_a_user_name(
    client: Client, forge: Forge, private_repo: HostedRepository
) -> None:
    side = SIDES["git"]
    page = ask(client, side.address(forge, private_repo))
    assert "Enter a token that may read it" in page
    assert 'name="credential"' not in page
    token = side.credential(forge, "acme").token
    add(client, page, username="anyone", token=token)
    source = Source.objects.get()
    assert (source.forge, source.username, source.token) == ("git", "anyone", token)

    run = runs.run_inline(Run.objects.about(source).get(), budget=PATIENT)
    assert run.status == Status.SUCCEEDED, run.error_text
    source.refresh_from_db()
    assert (source.private, source.pages > 0) == (True, True)
    assert clock.may_ask(source)
    edit = client.get(f"/o/acme/sources/{source.pk}/edit/").content.decode()
    assert "One is stored. Empty keeps it." in edit
    assert token not in edit


def test_a_long_site_offers_its_repository_or_goes_on_with_the_cap(
    client: Client, site: Site, settings: Settings
) -> None:
    settings.INDEX_MAX_PAGES = 5
    for path, each in Site(12).pages.items():
        site.add(path, each)
    site.sitemap = True
    home = site.pages["/"]
    edit = '<a href="https://github.com/acme/handbook/edit/main/index.md">Edit this page</a></main>'
    site.add("/", str(home.body).replace("</main>", edit))
    page = ask(client, f"{site.url}/")
    assert "At most 5 are indexed." in page
    assert "Add its repository instead: acme/handbook" in page
    assert "Add source" in page
    add(client, page)
    assert Source.objects.get().kind == Source.Kind.SITE
    assert add(client, page, max_pages="6").status_code == 422


def test_the_same_address_twice_is_told(client: Client, site: Site) -> None:
    site.add("/", "<p>Hello</p>")
    page = ask(client, f"{site.url}/")
    add(client, page)
    again = add(client, page)
    assert again.status_code == 422
    assert "This is a source of this server already." in again.content.decode()


def test_what_is_wrong_is_told_beside_its_field_and_nothing_else_is_lost(client: Client, site: Site) -> None:
    site.add("/", "<p>Hello</p>")
    page = ask(client, f"{site.url}/")
    answer = add(client, page, include="[", exclude="old/**")
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in shown
    assert "old/**" in shown
    assert hidden(shown) == hidden(page)


def test_what_was_found_out_cannot_be_tampered_with_nor_carried_elsewhere(
    client: Client, docs: Server, alice: User, browse: Browse, site: Site
) -> None:
    site.add("/", "<p>Hello</p>")
    carried = hidden(ask(client, f"{site.url}/"))
    factories.server(docs.organization, "Other", slug="other")
    for address, sender, found in (
        (ADD, client, carried["found"][:-1]),
        (ADD, client, ""),
        (ADD, browse(alice), carried["found"]),
        ("/o/acme/servers/other/sources/add/", client, carried["found"]),
    ):
        answer = sender.post(address, {**carried, "found": found, "name": "Mine"})
        assert answer.status_code == 200
        assert "has been asked again" in answer.content.decode()
    assert not Source.objects.exists()


def test_what_took_too_long_is_asked_again_with_what_was_entered(client: Client, site: Site) -> None:
    site.add("/", "<p>Hello</p>")
    page = ask(client, f"{site.url}/")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        answer = add(client, page, exclude="old/**")
    shown = answer.content.decode()
    assert "This took too long." in shown
    assert "old/**" in shown
    assert "Handbook" in shown


def test_who_may_not_any_more_adds_nothing(client: Client, bob: User, site: Site) -> None:
    site.add("/", "<p>Hello</p>")
    page = ask(client, f"{site.url}/")
    Membership.objects.filter(user=bob).update(denied=["sources.edit"])
    assert add(client, page).status_code == 403
    assert not Source.objects.exists()


def test_a_site_that_a_script_makes_is_told_of(client: Client, site: Site) -> None:
    start = traps.script_only(site)
    page = ask(client, f"{site.url}{start}")
    assert "Web site" in page


def test_an_mcp_server_takes_a_token_that_is_never_shown_again(client: Client, site: Site) -> None:
    page = ask(client, f"{site.url}/mcp", kind="mcp")
    assert "MCP server" in page
    source = factories.source(Server.objects.get(slug="docs"), Source.Kind.MCP, name="Tools", token="very secret")
    edit = f"/o/acme/sources/{source.pk}/edit/"
    assert "One is stored. Empty keeps it." in client.get(edit).content.decode()
    answer = client.post(edit, {"name": "", "token": "another secret"})
    assert answer.status_code == 422
    assert "secret" not in answer.content.decode()
    client.post(edit, {"name": "Tools", "token": "another secret", "search_tool": "find", "auto_refresh": "on"})
    source = Source.objects.get(pk=source.pk)
    assert (source.token, source.search_tool) == ("another secret", "find")


def test_the_edit_form_in_a_dialog_and_as_a_page_keeps_the_address(client: Client, docs: Server) -> None:
    source = factories.source(docs, name="Handbook", url="https://docs.example.com/")
    edit = f"/o/acme/sources/{source.pk}/edit/"
    assert 'id="modal-title"' in client.get(edit, headers=HTMX).content.decode()
    answer = client.post(edit, {"name": "New", "url": "https://evil.example/", "auto_refresh": "on"}, headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/o/acme/servers/docs/sources/"
    source.refresh_from_db()
    assert (source.name, source.url) == ("New", "https://docs.example.com/")


def test_a_colleagues_connection_stays_when_somebody_else_edits_the_source(
    client: Client, docs: Server, alice: User
) -> None:
    theirs = factories.connection(docs.organization, alice)
    place = {"forge": "github", "base_url": "https://api.github.com", "repository": "acme/handbook"}
    source = factories.source(docs, Source.Kind.REPOSITORY, connection=theirs, private=True, **place)
    edit = f"/o/acme/sources/{source.pk}/edit/"
    shown = client.get(edit).content.decode()
    assert "A connection of Alice" in shown or f"A connection of {alice}" in shown
    assert str(theirs.pk) not in shown
    client.post(edit, {"name": "New", "credential": "keep", "auto_refresh": "on"})
    source.refresh_from_db()
    assert (source.name, source.connection) == ("New", theirs)
    refused = client.post(edit, {"name": "New", "credential": str(theirs.pk)})
    assert refused.status_code == 422
