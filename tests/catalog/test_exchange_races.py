"""An import while others save on the same server: one after the other in the end, with nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from catalog import prompts, providers, resources, tools, variables
from catalog.exchange.applying import Imported, apply_import
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from orgs.models import AuditEvent, Organization
from tests.catalog import exchange_samples as samples
from tests.catalog.conftest import together
from tests.catalog.exchange_samples import NOTES, SAMPLE, WEATHER

pytestmark = pytest.mark.django_db(transaction=True)

RENEWED = tuple(replace(tool, description="Renewed.") for tool in samples.many(40).providers[1].tools)
WANTED = replace(
    SAMPLE,
    variables=(),
    providers=(replace(WEATHER, tools=RENEWED, resources=(), prompts=()), replace(NOTES, name="fresh", resources=())),
)
"""It renews tools and makes a provider, and says nothing of what the others save."""


def importing(it: Server, **how: Any) -> Callable[[], Any]:
    return lambda: apply_import(
        server=Server.objects.select_related("organization").get(pk=it.pk), wanted=WANTED, by=None, **how
    )


def test_an_import_and_saves_at_the_same_moment_all_come_through(acme: Organization) -> None:
    for number in range(3):
        it = samples.server(acme, samples.many(40))
        before, events = it.config_revision, AuditEvent.objects.count()
        weather = Provider.objects.get(server=it, name="Weather")
        notes = Provider.objects.get(server=it, name="notes")
        one = Tool.objects.get(server=it, name="tool0007")
        guide = Resource.objects.get(server=it, name="Guide")
        compare = Prompt.objects.get(server=it)
        client = Variable.objects.get(server=it, name="CLIENT_ID")
        added = {"method": "GET", "path": "/added"}
        saves: list[Callable[[], Any]] = [
            lambda: tools.edit_tool(tool=one, values={"enabled": True}, seen_revision=None, by=None),  # noqa: B023
            lambda: tools.create_tool(provider=weather, values={**added, "name": "addedOne"}, by=None),  # noqa: B023
            lambda: tools.create_tool(provider=weather, values={**added, "name": "addedTwo"}, by=None),  # noqa: B023
            lambda: resources.edit_resource(resource=guide, values={"text": "Mine"}, seen_revision=1, by=None),  # noqa: B023
            lambda: variables.edit_variable(variable=client, values={"value": "mine"}, seen_revision=1, by=None),  # noqa: B023
            lambda: prompts.delete_prompt(prompt=compare, by=None),  # noqa: B023
            lambda: providers.delete_provider(provider=notes, by=None),  # noqa: B023
        ]
        place = 2 * number + 1
        results = together(*saves[:place], importing(it), *saves[place:])
        assert [each for each in results if isinstance(each, Exception)] == []
        it.refresh_from_db()
        assert it.config_revision == before + len(results)
        assert AuditEvent.objects.count() == events + len(results)
        found = {tool.name: tool for tool in Tool.objects.filter(server=it)}
        assert len(found) == 42
        assert {tool.description for name, tool in found.items() if name.startswith("tool")} == {"Renewed."}
        assert Resource.objects.get(pk=guide.pk).text == "Mine"
        assert Variable.objects.get(pk=client.pk).value == "mine"
        assert not Prompt.objects.filter(server=it).exists()
        assert sorted(Provider.objects.filter(server=it).values_list("name", flat=True)) == ["Weather", "fresh"]


def test_an_import_that_removes_and_what_is_added_at_the_same_moment(acme: Organization) -> None:
    it = samples.server(acme)
    weather = Provider.objects.get(server=it, name="Weather")
    values = {"name": "added", "method": "GET", "path": "/added"}
    results = together(importing(it, remove=True), lambda: tools.create_tool(provider=weather, values=values, by=None))
    assert [each for each in results if isinstance(each, Exception)] == []
    imported = results[0]
    assert isinstance(imported, Imported)
    was_seen = "added" in {item.name for item in imported.removed}
    assert Tool.objects.filter(server=it, name="added").exists() is not was_seen
    assert Tool.objects.filter(server=it).exclude(name="added").count() == len(RENEWED)
