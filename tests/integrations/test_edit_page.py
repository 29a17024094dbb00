"""Editing and deleting an integration, and removing the files that it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Content, Server
from integrations.models import ImportedFile, Integration
from jobs.models import Run, Status
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import run_of, said
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

TABLE = "/o/acme/servers/docs/integrations/"


@pytest.fixture
def connection(connect: Connect, forge: Forge, book: HostedRepository) -> Connection:
    made = connect(book, mount_path="book", base_url=forge.enterprise_url)
    made.refresh()
    return made


def address(connection: Connection, action: str) -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/{action}/"


def page_of(connection: Connection) -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/"


def edit(client: Client, connection: Connection, credential: str = "", **changed: str) -> Any:
    """Save the credential's form; what is chosen follows from the token unless it is said."""
    return client.post(address(connection, "edit"), {"credential": credential, "token": "", **changed})


def stored(connection: Connection) -> Integration:
    return Integration.objects.get(pk=connection.integration.pk)


def test_the_token_is_shown_by_its_end_alone(connection: Connection, bob: User, browse: Browse) -> None:
    token = stored(connection).token
    shown = browse(bob).get(address(connection, "edit")).content.decode()
    assert f"The access token ghp_…{token[-4:]} of acme, kept with this integration alone." in shown
    assert token not in shown
    assert token[4:-4] not in shown


def test_as_it_is_keeps_the_token_and_asks_the_forge_nothing(connection: Connection, bob: User, browse: Browse) -> None:
    token = stored(connection).token
    connection.forge.requests.clear()
    response = edit(browse(bob), connection, "keep")
    assert (response.status_code, response["Location"]) == (302, page_of(connection))
    assert said(response) == ["The credential of acme/book is as it was."]
    assert stored(connection).token == token
    assert connection.forge.requests.count() == 0


def test_a_new_token_is_tried_and_replaces_the_old_one(connection: Connection, bob: User, browse: Browse) -> None:
    new = connection.forge.token("acme", scopes=["repo"])
    response = edit(browse(bob), connection, "token", token=new)
    assert said(response)[0] == "The credential of acme/book is saved."
    assert stored(connection).token == new
    assert not AuditEvent.objects.filter(after__icontains=new).exists()
    assert connection.track.mount_path == "book", "the branch stays as it was"


def test_a_token_that_can_do_more_than_it_has_to_is_told(connection: Connection, bob: User, browse: Browse) -> None:
    response = edit(browse(bob), connection, "token", token=connection.forge.token("acme", scopes=["repo"]))
    assert said(response)[1].startswith("The token can write, although reading is enough here.")


def test_a_bad_token_is_an_error_on_its_field_and_nothing_is_written(
    connection: Connection, bob: User, browse: Browse
) -> None:
    before = stored(connection).token
    events = AuditEvent.objects.count()
    response = edit(browse(bob), connection, "token", token="ghp_wrong-0123456789")
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["token"]
    assert "ghp_wrong-0123456789" not in response.content.decode()
    assert stored(connection).token == before
    assert AuditEvent.objects.count() == events


def test_another_token_that_is_left_empty_is_asked_for(connection: Connection, bob: User, browse: Browse) -> None:
    response = edit(browse(bob), connection, "token")
    assert list(response.context["form"].errors) == ["token"]
    assert Integration.token.is_set(stored(connection))


def test_a_token_that_does_not_see_the_repository_is_refused(
    connect: Connect, private_repo: HostedRepository, bob: User, browse: Browse
) -> None:
    connection = connect(private_repo)
    response = edit(browse(bob), connection, token=connection.forge.token("mallory", scopes=["repo"]))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["token"]


def test_a_public_repository_can_do_without_its_token(connection: Connection, bob: User, browse: Browse) -> None:
    edit(browse(bob), connection, "none")
    assert not Integration.token.is_set(stored(connection))
    assert "anyone can read the repository" in browse(bob).get(page_of(connection)).content.decode()


def test_a_private_repository_keeps_its_token(
    connect: Connect, private_repo: HostedRepository, bob: User, browse: Browse
) -> None:
    connection = connect(private_repo)
    response = edit(browse(bob), connection, "none")
    assert list(response.context["form"].errors) == ["credential"]
    assert Integration.token.is_set(stored(connection))


def test_deleting_asks_first_and_says_what_stays(connection: Connection, bob: User, browse: Browse) -> None:
    shown = browse(bob).get(address(connection, "delete")).content.decode()
    assert "Its 12 files stay as content of Docs" in shown
    assert Integration.objects.exists()


def test_htmx_gets_the_question_for_its_dialog(connection: Connection, bob: User, browse: Browse) -> None:
    shown = browse(bob).get(address(connection, "delete"), headers={"HX-Request": "true"}).content.decode()
    assert shown.lstrip().startswith("<form")


def test_deleting_stops_the_runs_keeps_the_content_and_offers_to_remove_it(
    connection: Connection, adam: User, browse: Browse
) -> None:
    queued = run_of(connection.integration, Status.QUEUED)
    client = browse(adam)

    response = client.post(address(connection, "delete"))

    assert said(response) == [
        "The integration of acme/book is deleted. Its runs are stopped. 12 of its files are kept."
    ]
    assert Run.objects.get(pk=queued.pk).status == Status.CANCELLED
    assert Content.objects.count() == 12
    shown = client.get(TABLE).content.decode()
    assert "Files of deleted integrations" in shown
    assert "No repository connected</" in shown, "not “yet”: there was one"
    assert "12 files" in shown
    assert f"{TABLE}left-overs/{ImportedFile.objects.first().source_key}/" in shown  # type: ignore[union-attr]


def test_connecting_again_takes_the_files_over_and_says_so(connection: Connection, bob: User, browse: Browse) -> None:
    client = browse(bob)
    client.post(address(connection, "delete"))
    token = connection.forge.token("acme", scopes=["repo"])
    form = {"forge": "github", "base_url": connection.forge.url, "token": token}
    response = client.post(f"{TABLE}connect/", {**form, "repository": "acme/book", "mount_path": "book"})
    assert "It took over 12 files of an earlier integration." in said(response)[1]
    assert "Files of deleted integrations" not in client.get(TABLE).content.decode()


@pytest.fixture
def key(connection: Connection, adam: User, browse: Browse) -> str:
    browse(adam).post(address(connection, "delete"))
    return ImportedFile.objects.values_list("source_key", flat=True)[0]


def test_the_removal_of_left_over_files_shows_the_list_and_asks(key: str, adam: User, browse: Browse) -> None:
    shown = browse(adam).get(f"{TABLE}left-overs/{key}/").content.decode()
    assert "Remove 12 files of acme/book?" in shown
    assert "book/chapters/07.md" in shown
    assert Content.objects.count() == 12


def test_left_over_files_go_and_nothing_else_does(key: str, docs: Server, adam: User, browse: Browse) -> None:
    typed = factories.content(docs, "notes.md")
    response = browse(adam).post(f"{TABLE}left-overs/{key}/")
    assert said(response)[-1] == "12 files are removed."
    assert list(Content.objects.all()) == [typed]


def test_removing_left_over_files_needs_the_right_to_delete(key: str, bob: User, browse: Browse) -> None:
    assert browse(bob).post(f"{TABLE}left-overs/{key}/").status_code == 403
    assert Content.objects.count() == 12
    assert "Remove files…" in browse(bob).get(TABLE).content.decode(), "shown, disabled, with the reason"


def test_files_of_a_living_integration_are_no_left_overs(connection: Connection, adam: User, browse: Browse) -> None:
    assert browse(adam).post(f"{TABLE}left-overs/{connection.track.source_key}/").status_code == 404
    assert Content.objects.count() == 12
