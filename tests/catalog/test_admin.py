"""What support staff see of servers and content in the Django admin."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client

from catalog import versions
from catalog.models import Blob, Content, Server, Version, VersionFile
from orgs.models import AuditEvent
from tests import factories

SECRET = "the text of somebody else's file"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(factories.user("support@example.com", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def filled(docs: Server) -> Server:
    factories.content(docs, "guide.md", SECRET)
    versions.cut_version(server=docs)
    return docs


@pytest.mark.parametrize("model", ["server", "content", "blob", "version", "versionfile"])
def test_every_list_and_page_opens_can_be_searched_and_shows_no_text(staff: Client, filled: Server, model: str) -> None:
    models: dict[str, type[Model]] = {
        "server": Server,
        "content": Content,
        "blob": Blob,
        "version": Version,
        "versionfile": VersionFile,
    }
    row = models[model]._default_manager.get()
    for address in ("", "?q=docs", f"{row.pk}/change/"):
        response = staff.get(f"/admin/catalog/{model}/{address}")
        assert response.status_code == 200
        assert SECRET.replace("'", "&#x27;") not in response.content.decode()
        assert SECRET not in response.content.decode()


@pytest.mark.parametrize("model", ["content", "blob", "version", "versionfile"])
def test_content_and_versions_are_not_changed_from_here(staff: Client, filled: Server, model: str) -> None:
    assert staff.get(f"/admin/catalog/{model}/add/").status_code == 403


def test_a_change_of_a_server_is_in_the_audit_log_and_tells_who_has_its_form_open(staff: Client, docs: Server) -> None:
    form = {"organization": docs.organization_id, "name": "New name", "slug": "docs", "visibility": "private"}
    response = staff.post(f"/admin/catalog/server/{docs.pk}/change/", form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    docs.refresh_from_db()
    assert (docs.name, docs.config_revision) == ("New name", 2)
    event = AuditEvent.objects.get(organization=docs.organization)
    assert event.actor is not None
    assert event.actor.email == "support@example.com"
    assert event.after["name"] == "New name"


def test_a_text_cannot_be_searched_by_way_of_the_address(staff: Client, filled: Server) -> None:
    assert staff.get("/admin/catalog/blob/", {"text__contains": "somebody"}).status_code == 400


def test_a_server_is_not_moved_to_another_organisation(staff: Client, docs: Server) -> None:
    other = factories.organization("Other")
    staff.post(
        f"/admin/catalog/server/{docs.pk}/change/",
        {"organization": other.pk, "name": "Docs", "slug": "docs", "visibility": "private"},
    )
    assert Server.objects.get(pk=docs.pk).organization == docs.organization
