"""Resources: what may be saved, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from catalog import resources
from catalog.checking.problems import Invalid
from catalog.models import Resource, Server
from catalog.saving import Stale
from orgs.models import AuditEvent, User
from tests import factories

TEXT = {"name": "Start", "uri": "docs://start", "text": "# Hello\n"}
UPSTREAM = {"name": "Today", "uri": "reports://today", "upstream_path": "/reports/today?format=md"}


def errors_of(invalid: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.field: error.text for error in invalid.value.errors}


def test_a_resource_is_a_text_or_a_path_of_its_provider(docs: Server, alice: User) -> None:
    provider = factories.provider(docs)
    text = resources.create_resource(provider=provider, values=TEXT, by=alice)
    upstream = resources.create_resource(provider=provider, values=UPSTREAM, by=alice)
    assert (text.text, text.upstream_path) == ("# Hello\n", "")
    assert upstream.upstream_path == "/reports/today?format=md"
    docs.refresh_from_db()
    assert docs.config_revision == 3
    assert [it.action for it in AuditEvent.objects.filter(actor=alice)] == ["resource.created"] * 2


def test_an_edit_writes_what_changed_and_nothing_when_nothing_did(docs: Server) -> None:
    row = factories.resource(factories.provider(docs), "Start")
    same = {name: getattr(row, name) for name in resources.FIELDS}
    assert resources.edit_resource(resource=row, values=same, seen_revision=1, by=None).revision == 1
    assert not AuditEvent.objects.exists()
    row = resources.edit_resource(resource=row, values={**same, "text": "New\n"}, seen_revision=1, by=None)
    event = AuditEvent.objects.get()
    assert (row.revision, event.before, event.after) == (2, {"text": "Hello\n"}, {"text": "New\n"})
    with pytest.raises(Stale):
        resources.edit_resource(resource=row, values=same, seen_revision=1, by=None)


def test_a_text_can_become_upstream_and_its_text_goes(docs: Server) -> None:
    row = factories.resource(factories.provider(docs))
    row = resources.edit_resource(resource=row, values={"text": "", "upstream_path": "/x"}, seen_revision=1, by=None)
    assert (Resource.objects.get().text, row.upstream_path) == ("", "/x")


def test_deleting_one_leaves_the_others(docs: Server) -> None:
    provider = factories.provider(docs)
    one, other = factories.resource(provider), factories.resource(provider)
    resources.delete_resource(resource=one, by=None)
    assert list(Resource.objects.all()) == [other]
    assert AuditEvent.objects.get().action == "resource.deleted"


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": " "}, "name", "needs a name"),
        ({"name": "a\u202eb"}, "name", "invisible character"),
        ({"uri": "start"}, "uri", "begins with a scheme"),
        ({"mime_type": "markdown"}, "mime_type", "slash between"),
        ({"text": "a\0b"}, "text", "binary"),
        ({"text": "x" * (settings.CONTENT_MAX_FILE_BYTES + 1)}, "text", "too large"),
        ({"upstream_path": "/x"}, "text", "not both"),
        ({"text": "", "upstream_path": "x"}, "upstream_path", "begins with a slash"),
        ({"text": "", "upstream_path": "/../admin"}, "upstream_path", "stays below the base URL"),
        ({"text": "", "upstream_path": "/%2e%2E/admin"}, "upstream_path", "stays below the base URL"),
        ({"text": "", "upstream_path": "/..%5cadmin"}, "upstream_path", "stays below the base URL"),
        ({"text": "", "upstream_path": "//evil.example/x"}, "upstream_path", "stays below the base URL"),
        ({"text": "", "upstream_path": "/x{id}"}, "upstream_path", "no #, { or }"),
        ({"text": "", "upstream_path": "/a b"}, "upstream_path", "%20 for a space"),
        ({"text": "", "upstream_path": "/a\r\nX: y"}, "upstream_path", "%20 for a space"),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field(
    docs: Server, values: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as invalid:
        resources.create_resource(provider=factories.provider(docs), values={**TEXT, **values}, by=None)
    assert words in errors_of(invalid)[field]
    assert not Resource.objects.exists()


def test_a_provider_without_a_base_url_has_nothing_upstream(docs: Server) -> None:
    folder = factories.provider(docs, "Folder", base_url="")
    with pytest.raises(Invalid) as invalid:
        resources.create_resource(provider=folder, values=UPSTREAM, by=None)
    assert "Folder has no base URL" in errors_of(invalid)["upstream_path"]
    assert resources.create_resource(provider=folder, values=TEXT, by=None).text


def test_a_uri_is_once_on_a_server_and_a_name_once_in_a_provider(docs: Server) -> None:
    weather, other = factories.provider(docs, "Weather"), factories.provider(docs, "Other")
    resources.create_resource(provider=weather, values=TEXT, by=None)
    with pytest.raises(Invalid) as invalid:
        resources.create_resource(provider=weather, values=TEXT, by=None)
    assert "already a resource named “Start” in Weather" in errors_of(invalid)["name"]
    assert "Start of Weather has this URI already" in errors_of(invalid)["uri"]
    with pytest.raises(Invalid) as invalid:
        resources.create_resource(provider=other, values={**TEXT, "uri": "DOCS://start"}, by=None)
    assert errors_of(invalid).keys() == {"uri"}
    assert resources.create_resource(provider=other, values={**TEXT, "uri": "docs://other"}, by=None).name == "Start"
    elsewhere = factories.provider(factories.server(docs.organization))
    assert resources.create_resource(provider=elsewhere, values=TEXT, by=None).uri == "docs://start"
