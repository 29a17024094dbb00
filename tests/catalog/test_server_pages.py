"""Pages of servers: the list, create, edit, delete, and the General tab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import contents, servers, tabs, versions
from catalog.models import Content, Server, Version
from integrations.models import Integration
from jobs.models import Run, Status
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.catalog.conftest import run
from tests.conftest import Browse

LIST = "/o/acme/servers/"
DOCS = "/o/acme/servers/docs/"


def page(client: Client, address: str, status: int = 200, *, htmx: bool = False) -> str:
    """The HTML of a page, its white space made single, so that words are found across lines."""
    response = client.get(address, headers={"HX-Request": "true"} if htmx else None)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def queries_of(action: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)


FORM = {"name": "Docs", "slug": "docs", "description": "", "instructions": "", "visibility": "private"}


@pytest.mark.parametrize(("name", "most"), [("description", 4_000), ("instructions", 50_000)])
def test_what_is_said_of_a_server_is_no_second_way_to_upload(browse: Browse, alice: User, name: str, most: int) -> None:
    client = browse(alice)
    response = client.post(f"{LIST}new/", {**FORM, name: "x" * (most + 1)})
    assert name in response.context["form"].errors
    assert not Server.objects.exists()
    client.post(f"{LIST}new/", {**FORM, name: "x" * most})
    assert len(getattr(Server.objects.get(), name)) == most
    assert len(AuditEvent.objects.get(action="server.created").after.get(name, "")) < 1_000


def test_the_list_shows_what_each_server_holds_and_serves(browse: Browse, carol: User, docs: Server) -> None:
    factories.content(docs)
    versions.cut_version(server=docs, activate=True)
    contents.touch(docs)
    factories.server(docs.organization, "Quiet")
    shown = page(browse(carol), LIST)
    assert "docs" in shown
    assert "v1" in shown
    assert shown.count("live is newer") == 1
    assert "Quiet" in shown


def test_the_list_takes_as_many_queries_for_many_servers_as_for_few(
    browse: Browse, carol: User, acme: Organization
) -> None:
    client = browse(carol)

    def server() -> None:
        it = factories.server(acme)
        factories.content(it)
        versions.cut_version(server=it, activate=True)

    server()
    client.get(LIST)  # the session remembers the organisation
    few = queries_of(lambda: client.get(LIST))
    for _ in range(12):
        server()
    assert queries_of(lambda: client.get(LIST)) == few


def test_the_list_can_be_searched_and_sorted(browse: Browse, carol: User, acme: Organization) -> None:
    for name, days in (("Alpha", 1), ("Beta", 3), ("Alphabet", 2)):
        factories.server(acme, name, content_changed_at=timezone.now() - timedelta(days=days))
    shown = page(browse(carol), f"{LIST}?q=ALPHA&sort=-updated_at")
    assert "Beta" not in shown
    assert shown.index(">Alpha<") < shown.index(">Alphabet<")


@pytest.mark.parametrize("query", ["page=99", "page=x", "sort=nothing", "sort=organization__name", "q=%00"])
def test_a_strange_address_shows_the_list_all_the_same(browse: Browse, carol: User, docs: Server, query: str) -> None:
    page(browse(carol), f"{LIST}?{query}")


def test_an_empty_list_says_what_to_do(browse: Browse, bob: User, carol: User) -> None:
    assert "Make one, then connect a repository" in page(browse(bob), LIST)
    assert "servers.edit" in page(browse(carol), LIST)


def test_a_server_of_another_organisation_is_not_in_the_list(browse: Browse, carol: User, charlie: User) -> None:
    membership = Membership.objects.get(user=charlie)
    factories.server(membership.organization, "Hidden")
    assert "Hidden" not in page(browse(carol), LIST)


def test_a_new_server_gets_a_slug_made_of_its_name(browse: Browse, bob: User, docs: Server) -> None:
    response = browse(bob).post(f"{LIST}new/", {**FORM, "name": "Docs!", "slug": ""})
    assert response["Location"] == "/o/acme/servers/docs-2/"
    assert AuditEvent.objects.get(action="server.created").actor == bob


@pytest.mark.parametrize(("slug", "words"), [("docs", "already a server with the slug"), ("new", "used by Millrace")])
def test_a_slug_that_is_taken_is_an_error_beside_its_field(
    browse: Browse, bob: User, docs: Server, slug: str, words: str
) -> None:
    response = browse(bob).post(f"{LIST}new/", {**FORM, "slug": slug})
    assert words in response.content.decode()
    assert Server.objects.count() == 1


def test_a_name_of_other_letters_still_gets_a_slug(acme: Organization) -> None:
    one = servers.create_server(organization=acme, values={"name": "日本語"}, by=None)
    two = servers.create_server(organization=acme, values={"name": "中文"}, by=None)
    assert (one.slug, two.slug) == ("server", "server-2")


def test_editing_saves_and_counts_the_revision(browse: Browse, bob: User, docs: Server) -> None:
    response = browse(bob).post(f"{DOCS}edit/", {**FORM, "name": "Handbook", "slug": "handbook", "seen_revision": 1})
    assert response["Location"] == "/o/acme/servers/handbook/"
    docs.refresh_from_db()
    assert (docs.name, docs.config_revision) == ("Handbook", 2)
    event = AuditEvent.objects.get(action="server.edited")
    assert (event.before, event.after) == ({"name": "Docs", "slug": "docs"}, {"name": "Handbook", "slug": "handbook"})


def test_of_two_edits_from_the_same_state_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, docs: Server
) -> None:
    seen = {**FORM, "seen_revision": 1}
    browse(alice).post(f"{DOCS}edit/", {**seen, "description": "Alice's words"})
    response = browse(bob).post(f"{DOCS}edit/", {**seen, "description": "Bob's words"})
    shown = response.content.decode()
    assert response.status_code == 409
    assert "Alice&#x27;s words" in shown
    assert "Bob&#x27;s words" in shown
    docs.refresh_from_db()
    assert docs.description == "Alice's words"
    assert 'name="seen_revision" value="2"' in shown
    browse(bob).post(f"{DOCS}edit/", {**seen, "seen_revision": 2, "description": "Bob's words"})
    docs.refresh_from_db()
    assert docs.description == "Bob's words"


def test_saving_what_is_saved_already_is_no_conflict(browse: Browse, bob: User, docs: Server) -> None:
    Server.objects.update(config_revision=5)
    assert browse(bob).post(f"{DOCS}edit/", {**FORM, "seen_revision": 1}).status_code == 302
    assert not AuditEvent.objects.exists()


def test_deleting_says_what_goes_with_it_of_this_app_and_of_those_above(
    browse: Browse, adam: User, docs: Server
) -> None:
    for _ in range(2):
        factories.content(docs)
    versions.cut_version(server=docs)
    Integration.objects.create(server=docs, forge="git", repository_id="1", repository="acme/handbook")
    shown = page(browse(adam), f"{DOCS}delete/")
    assert "2 files" in shown
    assert "1 version<" in shown
    assert "1 integration<" in shown


def test_deleting_takes_everything_of_this_server_alone(browse: Browse, adam: User, docs: Server) -> None:
    other = factories.server(docs.organization, "Other")
    for server in (docs, other):
        factories.content(server)
        versions.cut_version(server=server, activate=True)
    assert browse(adam).post(f"{DOCS}delete/")["Location"] == LIST
    assert Server.objects.get() == other
    assert Content.objects.get().server == other
    assert Version.objects.get().server == other
    event = AuditEvent.objects.get(action="server.deleted")
    assert event.before["removed"] == {"file": 1, "version": 1}


def test_deleting_cancels_the_work_on_the_server_and_no_other(browse: Browse, adam: User, docs: Server) -> None:
    other = factories.server(docs.organization, "Other")
    mine = [run(docs, status=status) for status in (Status.QUEUED, Status.HELD, Status.RUNNING)]
    ended, elsewhere = run(docs), run(other, status=Status.QUEUED)
    browse(adam).post(f"{DOCS}delete/")
    queued, held, running, done, not_mine = (Run.objects.get(pk=each.pk) for each in (*mine, ended, elsewhere))
    assert queued.status == held.status == Status.CANCELLED
    assert running.cancel_requested_at is not None
    assert (done.status, not_mine.status) == (Status.SUCCEEDED, Status.QUEUED)


def test_asking_to_delete_deletes_nothing(browse: Browse, adam: User, docs: Server) -> None:
    page(browse(adam), f"{DOCS}delete/")
    assert Server.objects.exists()


def test_in_a_dialog_the_question_comes_alone(browse: Browse, adam: User, docs: Server) -> None:
    shown = page(browse(adam), f"{DOCS}delete/", htmx=True)
    assert "<html" not in shown
    assert "csrfmiddlewaretoken" in shown


def test_an_operator_may_not_delete_servers_and_reads_why(browse: Browse, bob: User, docs: Server) -> None:
    assert "servers.delete" in page(browse(bob), DOCS)
    assert browse(bob).post(f"{DOCS}delete/").status_code == 403
    assert Server.objects.exists()


def test_each_tab_of_a_server_is_on_each_of_its_pages(browse: Browse, carol: User, docs: Server) -> None:
    client = browse(carol)
    for tab in ("", "content/", "versions/", "activity/"):
        shown = page(client, DOCS + tab)
        assert shown.count('aria-current="page"') >= 1
        for label in ("General", "Content", "Integrations", "Versions", "Activity"):
            assert f">{label}" in shown


@pytest.fixture
def panel() -> Iterator[None]:
    tabs.register_panel("catalog:activity", label="What happened")
    yield
    del tabs._panels["catalog:activity"]


@pytest.mark.usefixtures("panel")
def test_a_panel_of_another_app_is_loaded_and_linked(browse: Browse, carol: User, docs: Server) -> None:
    shown = page(browse(carol), DOCS)
    assert 'hx-get="/o/acme/servers/docs/activity/"' in shown
    assert '<a href="/o/acme/servers/docs/activity/">What happened</a>' in shown


def test_a_servers_words_are_text_wherever_they_are_shown(browse: Browse, carol: User, acme: Organization) -> None:
    nasty = "<script>alert(1)</script>"
    factories.server(acme, nasty, slug="nasty", description=nasty, instructions=nasty)
    for address in (LIST, f"{LIST}nasty/", f"{LIST}nasty/content/", f"{LIST}nasty/versions/"):
        shown = page(browse(carol), address)
        assert nasty not in shown
        assert "&lt;script&gt;alert(1)" in shown
