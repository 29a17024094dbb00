"""Several branches on one integration: added, edited, removed, and shown wherever one of them is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import Content
from forges.models import ConnectionStatus
from integrations import connecting, probing
from integrations.models import Integration, SkippedFile, Track
from integrations.probing import Entered
from jobs.models import Run, Trigger
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import HTMX, said
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def connection(connect: Connect, private_repo: HostedRepository) -> Connection:
    """A private repository with the branches main and next; main is imported."""
    private_repo.git.branch("next", at="main")
    made = connect(private_repo)
    made.refresh()
    return made


def page_of(connection: Connection, part: str = "") -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/{part}"


def tracks(connection: Connection) -> list[tuple[str, str]]:
    return list(Track.objects.filter(integration=connection.integration).values_list("branch", "mount_path"))


def add(client: Client, connection: Connection, **form: str) -> Any:
    values = {"branch": "next", "include": "", "exclude": "", "mount_path": "next", **form}
    return client.post(page_of(connection, "branches/add/"), values)


def edit(client: Client, connection: Connection, track: Track, **changed: str) -> Any:
    form = {name: getattr(track, name) for name in ("branch", "include", "exclude", "mount_path")}
    return client.post(page_of(connection, f"branches/{track.pk}/edit/"), {**form, **changed})


def test_a_branch_has_to_be_named_and_the_form_promises_nothing_else(
    connection: Connection, bob: User, browse: Browse
) -> None:
    assert "The default branch" not in browse(bob).get(page_of(connection, "branches/add/")).content.decode()
    assert add(browse(bob), connection, branch="").status_code == 422


def test_another_branch_is_followed_with_the_stored_credential_and_imported(
    connection: Connection, bob: User, browse: Browse
) -> None:
    response = add(browse(bob), connection)
    assert (response.status_code, response["Location"]) == (302, page_of(connection))
    assert said(response) == ["next is followed, too. acme/secret: 2 added."]
    assert tracks(connection) == [("main", ""), ("next", "next")]
    assert {path.partition("/")[0] for path in connection.paths()} >= {"next"}
    assert Run.objects.latest("created_at").trigger == Trigger.CONNECT
    assert Integration.token.is_set(Integration.objects.get())
    assert AuditEvent.objects.filter(action="integration.branch_added", actor=bob).exists()


def test_the_same_branch_can_bring_other_files_to_another_place(
    connection: Connection, bob: User, browse: Browse
) -> None:
    add(browse(bob), connection, branch="main", include="docs/", mount_path="copy")
    assert tracks(connection) == [("main", ""), ("main", "copy")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"branch": "nowhere"}, "branch"),
        ({"branch": ""}, "branch"),
        ({"branch": "main", "mount_path": ""}, "branch"),
        ({"include": "["}, "include"),
        ({"mount_path": "../up"}, "mount_path"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_written(
    connection: Connection, wrong: dict[str, str], field: str, bob: User, browse: Browse
) -> None:
    response = add(browse(bob), connection, **wrong)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert tracks(connection) == [("main", "")]


def test_a_lost_credential_is_told_at_the_top_of_the_form(
    connection: Connection, alice: User, bob: User, browse: Browse
) -> None:
    lost = factories.connection(
        connection.integration.server.organization,
        alice,
        shared=True,
        status=ConnectionStatus.DISCONNECTED,
        reason="Its token expired.",
    )
    Integration.objects.update(connection=lost)
    response = add(browse(bob), connection)
    assert response.status_code == 422
    assert "Its token expired." in response.content.decode()
    assert tracks(connection) == [("main", "")]


def test_the_filter_is_counted_with_the_stored_credential(connection: Connection, bob: User, browse: Browse) -> None:
    client = browse(bob)
    form = {"branch": "main", "include": "docs/", "exclude": ""}
    assert "<b>1</b> of 2 files" in client.post(page_of(connection, "branches/count/"), form).content.decode()
    offered = client.post(page_of(connection, "branches/"), form).content.decode()
    assert 'value="main"' in offered
    assert 'value="next"' in offered


def test_a_filter_is_saved_without_asking_the_forge(connection: Connection, bob: User, browse: Browse) -> None:
    connection.forge.requests.clear()
    response = edit(browse(bob), connection, connection.track, include="docs/")
    assert said(response) == ["main of acme/secret is saved. Refresh it to apply the change to the content."]
    assert connection.track.include == "docs/"
    assert connection.forge.requests.count() == 0


def test_another_branch_is_tried_with_the_stored_token(connection: Connection, bob: User, browse: Browse) -> None:
    response = edit(browse(bob), connection, connection.track, branch="nowhere")
    assert list(response.context["form"].errors) == ["branch"]
    assert edit(browse(bob), connection, connection.track, branch="next").status_code == 302
    assert connection.track.branch == "next"
    assert Integration.token.is_set(Integration.objects.get())


def test_each_branch_is_edited_by_itself(connection: Connection, bob: User, browse: Browse) -> None:
    add(browse(bob), connection)
    second = Track.objects.get(branch="next")
    edit(browse(bob), connection, second, include="docs/")
    assert dict(Track.objects.values_list("branch", "include")) == {"main": "", "next": "docs/"}


def test_removing_a_branch_asks_and_names_what_stays(connection: Connection, bob: User, browse: Browse) -> None:
    client = browse(bob)
    add(client, connection)
    second = Track.objects.get(branch="next")
    where = page_of(connection, f"branches/{second.pk}/remove/")

    asked = client.get(where).content.decode()
    assert "Follow next of acme/secret no more?" in asked
    assert "Its 2 files stay as content of Docs" in asked
    assert client.get(where, headers=HTMX).content.decode().lstrip().startswith("<form")
    assert Track.objects.count() == 2

    response = client.post(where)
    assert said(response)[-1] == "next of acme/secret is followed no more. 2 of its files are kept."
    assert tracks(connection) == [("main", "")]
    assert Content.objects.filter(path__startswith="next/").count() == 2
    left = client.get("/o/acme/servers/docs/integrations/").content.decode()
    assert "Files of deleted integrations" in left


def test_the_only_branch_cannot_be_removed(connection: Connection, bob: User, browse: Browse) -> None:
    response = browse(bob).post(page_of(connection, f"branches/{connection.track.pk}/remove/"))
    assert said(response) == ["This is its only branch. Delete the integration instead."]
    assert tracks(connection) == [("main", "")]


def test_a_branch_of_another_integration_is_not_found(
    connection: Connection, docs: Any, bob: User, browse: Browse
) -> None:
    theirs = factories.integration(docs).tracks.get()
    for action in ("edit", "remove"):
        assert browse(bob).get(page_of(connection, f"branches/{theirs.pk}/{action}/")).status_code == 404
        assert browse(bob).post(page_of(connection, f"branches/{theirs.pk}/{action}/")).status_code == 404


def test_all_branches_are_shown_where_there_are_several(connection: Connection, bob: User, browse: Browse) -> None:
    client = browse(bob)
    add(client, connection)
    for track in Track.objects.all():
        SkippedFile.objects.create(track=track, path=f"{track.branch}.png", reason="binary")

    table = client.get("/o/acme/servers/docs/integrations/").content.decode()
    assert "→ next/" in table
    overview = client.get(page_of(connection)).content.decode()
    assert f"{page_of(connection)}branches/{Track.objects.get(branch='next').pk}/remove/" in overview
    skipped = client.get(page_of(connection, "skipped/"))
    assert "main.png" in skipped.content.decode()
    assert "next.png" in skipped.content.decode()
    only = client.get(page_of(connection, f"skipped/?track={Track.objects.get(branch='next').pk}")).content.decode()
    assert "main.png" not in only
    assert "next → next/" in only
    preview = client.post(page_of(connection, "preview/"), {"deleted": "keep"}, follow=True).content.decode()
    assert ">main</span>" in preview
    assert ">next → next/</span>" in preview


def test_connecting_the_repository_again_beside_several_branches_replaces_none(
    connection: Connection, bob: User, browse: Browse
) -> None:
    add(browse(bob), connection)
    connection.repository.git.branch("third", at="main")
    token = connection.forge.token("acme", scopes=["repo"])
    form = Entered(forge="github", base_url=connection.forge.url, repository="acme/secret", token=token)
    for entered, after in (
        (replace(form, branch="next", mount_path="next", include="docs/"), 2),
        (replace(form, branch="third", mount_path="third"), 3),
    ):
        made = connecting.connect(connection.server, entered, probing.probe(entered), by=bob)
        assert (made.integration.pk, made.created) == (connection.integration.pk, False)
        assert Track.objects.count() == after
    assert Track.objects.get(branch="next").include == "docs/"
