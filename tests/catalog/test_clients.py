"""Client applications: what they may refer to."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from catalog import clients, toolkits
from catalog.checking.problems import Invalid
from catalog.documents import document_of
from catalog.entity_saving import SlugTaken
from catalog.entity_uses import uses_of
from catalog.models import Client, Server
from catalog.portable.schemas import CLIENT_KINDS
from catalog.saving import Stale
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories


def make(org: Organization, **values: Any) -> Client:
    return clients.create_client(organization=org, values={"name": "Editor", **values}, by=None)


def test_a_client_is_saved_counted_and_logged(acme: Organization, docs: Server, alice: User) -> None:
    weather = factories.toolkit(acme, "Weather")
    row = make(acme, kind="editor", servers=[docs.pk], toolkits=[str(weather.pk)])
    assert document_of(row) == {
        "name": "Editor",
        "slug": "editor",
        "kind": "editor",
        "servers": ["docs"],
        "toolkits": ["weather"],
    }
    assert clients.edit_client(client=row, values={"servers": [docs.pk]}, seen_revision=1, by=alice).revision == 1
    row = clients.edit_client(client=row, values={"servers": [], "kind": "agent"}, seen_revision=1, by=alice)
    assert (row.revision, document_of(row)["kind"]) == (2, "agent")
    with pytest.raises(Stale):
        clients.edit_client(client=row, values={"name": "Mine"}, seen_revision=1, by=alice)
    clients.delete_client(client=row, by=alice)
    event = AuditEvent.objects.get(action="client.edited")
    assert (event.before, event.after) == ({"kind": "editor", "servers": ["docs"]}, {"kind": "agent"})
    assert AuditEvent.objects.filter(action="client.deleted").exists()


def test_it_refers_to_what_is_the_organisations_alone(acme: Organization, alice: User, charlie: User) -> None:
    other = charlie.memberships.get().organization
    forged = {
        "servers": [factories.server(other).pk, factories.server(acme, owner=alice).pk, uuid4(), "docs"],
        "toolkits": [factories.toolkit(other).pk, factories.toolkit(acme, owner=alice).pk, uuid4(), ""],
    }
    for name, given in forged.items():
        for key in given:
            with pytest.raises(Invalid) as invalid:
                make(acme, **{name: [key]})
            assert [error.field for error in invalid.value.errors] == [name]
    assert not Client.objects.exists()


def test_a_kind_is_one_of_those_there_are(acme: Organization) -> None:
    assert make(acme).kind == "other"
    with pytest.raises(Invalid, match="agent, assistant, editor"):
        make(acme, kind="toaster")


def test_a_slug_is_once_in_the_organisation(acme: Organization) -> None:
    make(acme, slug="editor")
    with pytest.raises(SlugTaken, match="already a client with the slug “editor”"):
        make(acme, slug="editor")
    assert make(acme).slug == "editor-2"


def test_a_toolkit_that_is_deleted_leaves_its_clients(acme: Organization, carol: User) -> None:
    weather = factories.toolkit(acme, "Weather")
    row = make(acme, toolkits=[weather.pk])
    assert [use.label for use in uses_of(weather, Membership.objects.get(user=carol))] == ["Editor"]
    toolkits.delete_toolkit(toolkit=weather, by=None)
    assert "toolkits" not in document_of(row)


def test_files_and_pages_know_the_same_kinds() -> None:
    assert list(CLIENT_KINDS) == Client.Kind.values
