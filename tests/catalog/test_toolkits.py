"""Toolkits: what they may hold, and that nothing of somebody else's ever gets into one."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from catalog import toolkits, tools
from catalog.checking.problems import Invalid
from catalog.documents import document_of
from catalog.entity_saving import SlugTaken
from catalog.entity_uses import uses_of
from catalog.models import Server, Tool, Toolkit, ToolkitItem
from catalog.saving import Stale
from orgs.models import Membership, Organization, User
from tests import factories
from tests.catalog.pages import words
from tests.conftest import Browse


@pytest.fixture
def things(acme: Organization, docs: Server) -> dict[str, Any]:
    """One of each that a toolkit can hold."""
    weather = factories.provider(docs)
    return {
        "tools": factories.tool(weather, "getWeather"),
        "prompts": factories.prompt(weather, "askWeather"),
        "resources": factories.resource(weather, uri="docs://guide"),
        "commands": factories.command(acme, "Greet"),
        "skills": factories.skill(acme, "Forms"),
    }


@pytest.fixture
def own(acme: Organization, alice: User) -> dict[str, Any]:
    """The same of alice alone."""
    mine = factories.provider(factories.server(acme, "Hers", owner=alice))
    return {
        "tools": factories.tool(mine),
        "prompts": factories.prompt(mine),
        "resources": factories.resource(mine),
        "commands": factories.command(acme, "Diary", owner=alice),
        "skills": factories.skill(acme, "Poems", owner=alice),
    }


def make(org: Organization, owner: User | None = None, **values: Any) -> Toolkit:
    return toolkits.create_toolkit(organization=org, values={"name": "Weather", **values}, by=owner, owner=owner)


def keys(things: dict[str, Any]) -> dict[str, Any]:
    return {name: [str(thing.pk)] for name, thing in things.items()}


def test_a_toolkit_holds_what_was_chosen_and_counts_each_change(acme: Organization, things: dict[str, Any]) -> None:
    row = make(acme, **keys(things))
    held = {
        "name": "Weather",
        "slug": "weather",
        "servers": {"docs": {"tools": ["getWeather"], "prompts": ["askWeather"], "resources": ["docs://guide"]}},
        "commands": ["greet"],
        "skills": ["forms"],
    }
    assert document_of(row) == held
    row = toolkits.edit_toolkit(toolkit=row, values=keys(things), seen_revision=1, by=None)
    assert row.revision == 1
    more = factories.tool(things["tools"].provider, "more")
    row = toolkits.edit_toolkit(toolkit=row, values={"tools": [more.pk]}, seen_revision=1, by=None)
    row = toolkits.edit_toolkit(toolkit=row, values={"commands": []}, seen_revision=2, by=None)
    assert row.revision == 3
    held["servers"]["docs"]["tools"] = ["more"]  # type: ignore[index]
    del held["commands"]
    assert document_of(row) == held
    with pytest.raises(Stale):
        toolkits.edit_toolkit(toolkit=row, values={"tools": []}, seen_revision=2, by=None)


@pytest.mark.parametrize("name", ["tools", "prompts", "resources", "commands", "skills"])
def test_what_is_forged_gone_or_anothers_is_refused(
    acme: Organization, charlie: User, own: dict[str, Any], bob: User, name: str
) -> None:
    other = charlie.memberships.get().organization
    theirs = factories.provider(factories.server(other))
    of_charlie = {
        "tools": factories.tool(theirs),
        "prompts": factories.prompt(theirs),
        "resources": factories.resource(theirs),
        "commands": factories.command(other),
        "skills": factories.skill(other),
    }
    for owner in (None, bob):
        for key in (of_charlie[name].pk, own[name].pk, uuid4(), "", "x", "1; --", None):
            with pytest.raises(Invalid) as invalid:
                make(acme, owner, **{name: [key]})
            assert [error.field for error in invalid.value.errors] == [name]
    assert not Toolkit.objects.exists()


@pytest.mark.parametrize("name", ["tools", "prompts", "resources", "commands", "skills"])
def test_only_a_personal_toolkit_holds_what_is_personal_and_is_not_shared_with_it(
    acme: Organization, alice: User, own: dict[str, Any], things: dict[str, Any], name: str
) -> None:
    row = make(acme, alice, **{**keys(things), name: [own[name].pk, things[name].pk]})
    assert len(document_of(row)["servers"]) == (2 if name in ("tools", "prompts", "resources") else 1)
    with pytest.raises(Invalid, match=f"yours alone: {own[name]}"):
        toolkits.share_toolkit(toolkit=row, by=alice)
    assert Toolkit.objects.get().owner == alice
    row = toolkits.edit_toolkit(toolkit=row, values={name: [things[name].pk]}, seen_revision=1, by=alice)
    assert toolkits.share_toolkit(toolkit=row, by=alice).owner is None


def test_a_document_of_the_organisations_never_names_what_became_personal(
    acme: Organization, docs: Server, alice: User, things: dict[str, Any]
) -> None:
    row = make(acme, **keys(things))
    for thing in (docs, things["commands"], things["skills"]):
        thing.owner = alice
        thing.save()
    assert document_of(row) == {"name": "Weather", "slug": "weather"}


def test_a_slug_is_once_in_the_organisation(acme: Organization, alice: User) -> None:
    make(acme, slug="weather")
    with pytest.raises(SlugTaken):
        make(acme, slug="weather")
    mine = make(acme, alice, slug="weather")
    with pytest.raises(SlugTaken):
        toolkits.share_toolkit(toolkit=mine, by=alice)


def test_what_is_deleted_leaves_the_toolkits_that_have_it(acme: Organization, things: dict[str, Any]) -> None:
    row = make(acme, **keys(things))
    tools.delete_tool(tool=things["tools"], by=None)
    assert "tools" not in document_of(row)["servers"]["docs"]
    assert ToolkitItem.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_tool_deleted_at_the_same_moment_is_told_and_no_error() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite no two write at the same moment.")
    acme = factories.organization("Acme")
    tool = factories.tool(factories.provider(factories.server(acme)))
    results: list[Any] = []

    def choose() -> None:
        try:
            results.append(make(acme, tools=[tool.pk]))
        except Exception as error:  # looked at below
            results.append(error)
        finally:
            connection.close()

    choosing = threading.Thread(target=choose)
    with transaction.atomic():
        Tool.objects.filter(pk=tool.pk).delete()
        choosing.start()
        choosing.join(1)
        assert choosing.is_alive(), "It waits for the deletion, which could still be undone."
    choosing.join()
    assert isinstance(results[0], Invalid)
    assert not Toolkit.objects.exists()


def test_uses_are_told_in_two_queries_whatever_their_number(
    acme: Organization, docs: Server, carol: User, things: dict[str, Any]
) -> None:
    membership = Membership.objects.get(user=carol)
    for number in range(5):
        factories.client(acme, f"Client {number}", [docs], [factories.toolkit(acme, "", things["tools"])])
    factories.toolkit(acme, "Another", things["prompts"], things["resources"])
    for row, many in ((docs, 11), (things["tools"], 5), (things["prompts"], 1), (things["resources"], 1)):
        with CaptureQueriesContext(connection) as queries:
            assert len(uses_of(row, membership)) == many
        assert len(queries) <= 2


def test_deleting_a_tool_or_server_asks_with_the_toolkits_that_lose_it(
    acme: Organization, alice: User, docs: Server, things: dict[str, Any], browse: Browse
) -> None:
    factories.toolkit(acme, "Outdoors", *(things[name] for name in ("tools", "prompts", "resources")))
    home = "/o/acme/servers/docs"
    pages = [f"{home}/{name}/{things[name].pk}/delete/" for name in ("tools", "prompts", "resources")]
    pages.append(f"{home}/providers/{things['tools'].provider_id}/delete/")
    for page in (*pages, f"{home}/delete/"):
        assert "Toolkit “Outdoors” loses it" in words(browse(alice).get(page))
