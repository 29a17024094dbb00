"""Refreshing from the pages: a row, a server's integrations, all that match."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import versions
from catalog.models import Server
from integrations.refreshing import REFRESH
from jobs.models import Run, Status, Trigger
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import HTMX, said
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    """The book, imported; then a chapter vanished from it."""
    made = connect(book)
    made.refresh()
    book.git.commit({"chapters/01.md": None, "chapters/13.md": "# Chapter 13\n"})
    return made


def refresh(client: Client, connection: Connection, headers: dict[str, str] | None = None, **data: str) -> Any:
    address = f"/o/acme/integrations/{connection.integration.pk}/refresh/"
    return client.post(address, data, headers=headers or {})


def test_a_click_refreshes_and_swaps_the_row_for_one_that_tells_what_changed(
    connection: Connection, adam: User, browse: Browse
) -> None:
    response = refresh(browse(adam), connection, HTMX, deleted="prune")

    shown = response.content.decode()
    assert shown.lstrip().startswith("<tr")
    assert f'id="row-{connection.integration.pk}"' in shown
    assert "<b>+1</b> added" in shown
    assert "<b>−1</b> removed" in shown
    assert 'hx-swap-oob="beforeend"' in shown, "the page's messages say it too"
    assert "acme/book: 1 added, 1 removed." in shown
    assert "every 1500ms" not in shown
    assert response["HX-Trigger"] == "contentRefreshed", "the page asks whether the live content is newer now"
    assert "chapters/01.md" not in connection.paths()


def test_without_script_it_leads_back_to_the_table_with_a_message(
    connection: Connection, adam: User, browse: Browse
) -> None:
    response = refresh(browse(adam), connection, deleted="prune")
    assert (response.status_code, response["Location"]) == (302, "/o/acme/servers/docs/integrations/")
    assert said(response) == ["acme/book: 1 added, 1 removed."]


def test_keep_marks_what_vanished_and_removes_nothing(connection: Connection, adam: User, browse: Browse) -> None:
    shown = refresh(browse(adam), connection, HTMX, deleted="keep").content.decode()
    assert "chapters/01.md" in connection.paths()
    assert "1 stale" in shown


def test_nothing_is_removed_by_a_request_without_a_choice(connection: Connection, adam: User, browse: Browse) -> None:
    refresh(browse(adam), connection)
    assert "chapters/01.md" in connection.paths()


def test_a_forged_prune_by_somebody_who_may_not_delete_is_refused_and_changes_nothing(
    connection: Connection, bob: User, browse: Browse
) -> None:
    before, runs = connection.texts(), Run.objects.count()
    response = refresh(browse(bob), connection, HTMX, deleted="prune")
    assert response.status_code == 403
    assert "contents.can_delete" in response.content.decode()
    assert (connection.texts(), Run.objects.count()) == (before, runs)


def test_who_may_not_delete_can_refresh_and_keep(connection: Connection, bob: User, browse: Browse) -> None:
    assert refresh(browse(bob), connection, HTMX, deleted="keep").status_code == 200
    assert "chapters/13.md" in connection.paths()


def test_another_choice_than_the_two_is_refused(connection: Connection, adam: User, browse: Browse) -> None:
    assert refresh(browse(adam), connection, deleted="everything").status_code == 400


def test_many_files_go_to_the_background_and_the_row_follows_them(
    connection: Connection, adam: User, browse: Browse
) -> None:
    connection.repository.git.commit({f"more/{n:02}.md": f"# {n}\n" for n in range(30)})
    client = browse(adam)

    shown = refresh(client, connection, HTMX, deleted="prune").content.decode()

    assert "Queued" in shown
    assert "every 1500ms" in shown
    run = Run.objects.about(connection.integration).first()
    assert run is not None
    assert run.status == Status.QUEUED

    followed = client.get(f"/o/acme/integrations/{connection.integration.pk}/row/", headers=HTMX)
    assert followed.content.decode().lstrip().startswith("<div"), "only the cell, so that an open menu stays open"
    assert "HX-Retarget" not in followed

    connection.refresh()  # joins the queued one and does it here
    done = client.get(f"/o/acme/integrations/{connection.integration.pk}/row/", headers=HTMX)
    assert done["HX-Retarget"] == f"#row-{connection.integration.pk}"
    assert "<b>+31</b> added" in done.content.decode()
    assert "every 1500ms" not in done.content.decode()


def test_the_row_of_the_organizations_table_keeps_its_columns(
    connection: Connection, adam: User, browse: Browse
) -> None:
    of_all = refresh(browse(adam), connection, HTMX, deleted="keep", table="organization").content.decode()
    of_one = refresh(browse(adam), connection, HTMX, deleted="keep", table="server").content.decode()
    assert 'data-label="Server"' in of_all
    assert 'data-label="Server"' not in of_one


def test_a_failed_refresh_is_told_in_the_row(connection: Connection, adam: User, browse: Browse) -> None:
    connection.forge.world.revoke(connection.integration.token)
    shown = refresh(browse(adam), connection, HTMX, deleted="prune").content.decode()
    assert "Failed" in shown
    assert "Enter a new token" in shown


def test_refreshing_all_gives_each_a_run_with_the_choice_and_those_without_credential_are_named(
    docs: Server, adam: User, browse: Browse
) -> None:
    public = factories.integration(docs, "acme/public")
    local = factories.integration(docs, "file:///srv/local", forge="git", base_url="")
    factories.integration(docs, "acme/locked", private=True)

    response = browse(adam).post("/o/acme/servers/docs/integrations/refresh/", {"deleted": "keep"})

    assert response["Location"] == "/o/acme/servers/docs/integrations/"
    assert said(response) == [
        "2 refreshes are queued.",
        "Left out: acme/locked (it has no credential).",
    ]
    runs = Run.objects.filter(kind=REFRESH)
    assert {run.subject_id for run in runs} == {str(public.pk), str(local.pk)}
    assert all(run.options == {"prune": False} and run.trigger == Trigger.MANUAL for run in runs)


def test_refreshing_all_joins_what_was_queued_already_and_says_so(docs: Server, adam: User, browse: Browse) -> None:
    factories.integration(docs)
    client = browse(adam)
    client.post("/o/acme/servers/docs/integrations/refresh/", {"deleted": "prune"})
    factories.integration(docs)
    response = client.post("/o/acme/servers/docs/integrations/refresh/", {"deleted": "prune"})
    assert said(response)[-1] == "1 refresh is queued, 1 was queued already."
    assert Run.objects.count() == 2


@pytest.mark.usefixtures("docs")
def test_refreshing_all_leaves_other_servers_alone(acme: Organization, adam: User, browse: Browse) -> None:
    factories.integration(factories.server(acme))
    response = browse(adam).post("/o/acme/servers/docs/integrations/refresh/", {"deleted": "prune"})
    assert said(response) == ["There is no integration to refresh."]
    assert not Run.objects.exists()


def test_a_forged_prune_of_all_is_refused(docs: Server, bob: User, browse: Browse) -> None:
    factories.integration(docs)
    for address in ("/o/acme/servers/docs/integrations/refresh/", "/o/acme/integrations/refresh/"):
        assert browse(bob).post(address, {"deleted": "prune"}).status_code == 403
    assert not Run.objects.exists()


def test_on_the_organizations_page_only_those_that_match_are_refreshed(
    acme: Organization, docs: Server, adam: User, browse: Browse
) -> None:
    wanted = factories.integration(docs, "acme/wanted")
    factories.integration(factories.server(acme), "acme/other")
    response = browse(adam).post("/o/acme/integrations/refresh/?q=wanted", {"deleted": "prune"})
    assert response["Location"] == "/o/acme/integrations/?q=wanted"
    assert [run.subject_id for run in Run.objects.all()] == [str(wanted.pk)]


def test_the_page_says_that_the_live_content_is_newer_after_a_refresh(
    connection: Connection, docs: Server, adam: User, browse: Browse
) -> None:
    client = browse(adam)
    versions.cut_version(server=connection.server, note="", activate=True, by=adam)
    address = "/o/acme/servers/docs/integrations/"
    assert "The live content is newer" not in client.get(address).content.decode()
    refresh(client, connection, deleted="prune")
    shown = client.get(address).content.decode()
    assert "The live content is newer" in shown
    assert "Cut a version" in shown
    assert 'hx-trigger="contentRefreshed from:body"' in shown


def test_times_of_a_message_are_the_readers(connection: Connection, adam: User, browse: Browse) -> None:
    run = connection.refresh()
    Run.objects.filter(pk=run.pk).update(
        status=Status.WAITING, wait_until=timezone.now().replace(hour=12, minute=30), finished_at=None
    )
    adam.time_zone = "Asia/Tokyo"
    adam.save()
    shown = browse(adam).get("/o/acme/servers/docs/integrations/").content.decode()
    assert "21:30" in shown
