"""What support staff see of servers and content in the Django admin."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client

from catalog import skills, versions
from catalog.models import Blob, Content, Server, Version, VersionFile
from orgs.models import AuditEvent, Organization
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


@pytest.mark.parametrize("model", ["provider", "tool", "resource", "prompt", "variable"])
def test_what_a_server_offers_is_looked_at_without_texts_and_values(staff: Client, docs: Server, model: str) -> None:
    provider = factories.provider(docs, oauth2_client_id=SECRET, oauth2_client_secret=SECRET)
    rows: dict[str, Model] = {
        "provider": provider,
        "tool": factories.tool(provider, headers={"X-Tenant": SECRET}),
        "resource": factories.resource(provider, text=SECRET),
        "prompt": factories.prompt(provider),
        "variable": factories.variable(docs, secret=SECRET),
    }
    factories.variable(docs, "PLAIN", SECRET)
    for address in ("", "?q=docs", f"{rows[model].pk}/change/"):
        shown = staff.get(f"/admin/catalog/{model}/{address}").content.decode()
        assert "docs" in shown.lower()
        assert "somebody else" not in shown
        assert "ciphertext" not in shown
    assert staff.get(f"/admin/catalog/{model}/add/").status_code == 403
    assert staff.post(f"/admin/catalog/{model}/{rows[model].pk}/change/", {"name": "MINE"}).status_code == 403
    assert staff.post(f"/admin/catalog/{model}/{rows[model].pk}/delete/", {"post": "yes"}).status_code == 403
    assert type(rows[model])._default_manager.filter(pk=rows[model].pk).exists()


def test_variables_are_filtered_by_kind_and_never_by_value(staff: Client, docs: Server) -> None:
    factories.variable(docs, "PLAIN_ONE", "x")
    factories.variable(docs, "SECRET_ONE", secret="x")
    factories.variable(docs, "MISSING_ONE", is_secret=True)
    for kind, name in (("plain", "PLAIN_ONE"), ("secret", "SECRET_ONE"), ("missing", "MISSING_ONE")):
        shown = staff.get("/admin/catalog/variable/", {"kind": kind}).content.decode()
        assert [each for each in ("PLAIN_ONE", "SECRET_ONE", "MISSING_ONE") if each in shown] == [name]
    for lookup in ("value__startswith", "secret_key", "secret_ciphertext__contains"):
        assert staff.get("/admin/catalog/variable/", {lookup: "x"}).status_code == 400


LIBRARY = {
    "toolkit": "owner",
    "toolkititem": "toolkit__owner",
    "command": "owner",
    "skill": "owner",
    "skillfile": "skill__owner",
    "client": "",
    "entityrevision": "owner",
    "revisionfile": "revision__owner",
    "fileblob": "revision_files__revision__owner",
}
"""The models, and by which way each is somebody's own."""


@pytest.fixture
def library(acme: Organization) -> Organization:
    """Has one of each, with SECRET in what it says, and Bob's own beside."""
    bob = factories.user("bob@acme.example")
    told = {"description": "Fills in forms.", "instructions": SECRET, "front_matter": {"license": SECRET}}
    for owner, name in ((None, "Forms"), (bob, "Diary")):
        values = {**told, "name": name, "files": {"scripts/fill.py": f"{SECRET} {name}".encode()}}
        skill = skills.create_skill(organization=acme, values=values, owner=owner, by=bob)
        command = factories.command(acme, name, prompt=SECRET, arguments=[{"name": SECRET}], owner=owner)
        tool = factories.tool(factories.provider(factories.server(acme)))
        factories.toolkit(acme, name, tool, skills=[skill], commands=[command], owner=owner)
    factories.client(acme, "Forms")
    return acme


@pytest.mark.parametrize("model", sorted(LIBRARY))
def test_the_library_can_be_looked_at_without_what_it_says_and_without_what_is_personal(
    staff: Client, library: Organization, model: str
) -> None:
    found = apps.get_model("catalog", model)._default_manager.all()
    shown = found.filter(**{LIBRARY[model]: None}) if LIBRARY[model] else found
    hidden = found.exclude(pk__in=shown)
    pages = ["", "?q=acme", *(f"{row.pk}/change/" for row in shown)]
    for address in pages:
        response = staff.get(f"/admin/catalog/{model}/{address}")
        assert response.status_code == 200
        text = response.content.decode()
        assert "somebody else" not in text
        assert "Diary" not in text
    for row in hidden:
        assert staff.get(f"/admin/catalog/{model}/{row.pk}/change/").status_code == 302  # there is no such row
    assert staff.get(f"/admin/catalog/{model}/add/").status_code == 403
    assert staff.post(f"/admin/catalog/{model}/{shown[0].pk}/delete/", {"post": "yes"}).status_code == 403
    assert bool(hidden) == bool(LIBRARY[model])
