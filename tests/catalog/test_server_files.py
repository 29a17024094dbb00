"""Servers as files among an organisation's entities: written, and made as a file says; authentication stays out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog import server_files, servers
from catalog.exchange.applying import import_as_new
from catalog.exchange.snapshot import snapshot
from catalog.models import EntityKind, EntityRevision, Provider, Resource, Server, Tool, Toolkit, ToolkitItem, Variable
from catalog.portable.model import BadFile, Code, Definition, Kind
from catalog.revisions import Source
from catalog.saving import Change
from catalog.servers import StaleServer
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.catalog import exchange_samples as samples

pytestmark = pytest.mark.django_db
GIT = Source("git", "c0ffee" + "0" * 34, "https://git.example/commit/c0ffee")
Document = dict[str, Any]


def definition(document: Document, raw: Document | None = None) -> Definition:
    return Definition(Kind.SERVER, "", document["slug"], document["name"], document, raw=raw or {})


def apply(server: Server | None, document: Document, org: Organization, **how: Any) -> Server:
    raw = how.pop("raw", None)
    options = {"seen_revision": None, "by": None, "source": GIT, **how}
    return server_files.apply(server, definition(document, raw), organization=org, **options)


def weather(document: Document) -> Document:
    return next(each for each in document["providers"] if each["name"] == "Weather")


def tool(document: Document, name: str) -> Document:
    return next(each for each in weather(document)["tools"] if each["name"] == name)


def credentials(server: Server) -> Any:
    """All that authentication is, as it is stored."""
    config = snapshot(server, masked=False)
    return (
        {each.name: each.oauth2 for each in config.providers},
        {each.name: (each.headers, each.scopes) for of in config.providers for each in of.tools},
        [(each.name, each.is_secret, each.secret, each.hosts) for each in Variable.objects.filter(server=server)],
    )


def test_a_servers_file_holds_all_but_authentication(acme: Organization) -> None:
    server = samples.server(acme)
    factories.command(acme, slug="greet").servers.add(server)
    factories.skill(acme, slug="pdf-forms").servers.add(server)
    found = server_files.document(server)
    assert list(found) == [
        "name", "slug", "description", "instructions", "visibility", "variables", "providers", "commands", "skills",
    ]  # fmt: skip
    assert (found["commands"], found["skills"]) == (["greet"], ["pdf-forms"])
    assert found["variables"] == [{"name": "CLIENT_ID", "value": "millrace"}]
    assert tool(found, "getWeather")["headers"] == {"Accept": "application/json"}
    text = json.dumps(found)
    for word in ("oauth2", "scopes", "API_TOKEN", "Authorization", "hosts", "login.weather", "version", "secret", "••"):
        assert word not in text


def test_a_file_applied_to_its_own_server_changes_nothing(acme: Organization, config_news: list[Any]) -> None:
    server = samples.server(acme)
    config_news.clear()
    events, before = AuditEvent.objects.count(), snapshot(server, masked=False)
    apply(server, server_files.document(server), acme)
    assert snapshot(server, masked=False) == before
    assert (AuditEvent.objects.count(), config_news, EntityRevision.objects.count()) == (events, [], 0)


def test_a_change_from_git_is_one_change_that_can_be_undone(
    acme: Organization, alice: User, config_news: list[Any]
) -> None:
    server = samples.server(acme)
    config_news.clear()
    before = server_files.document(server)
    kept = credentials(server)
    wanted = copy.deepcopy(before)
    wanted["instructions"] = "Other."
    weather(wanted)["description"] = "Better forecasts."
    tool(wanted, "getWeather")["headers"] = {"Accept": "text/csv", "User-Agent": "weather"}
    tool(wanted, "report")["path"] = "/reports/daily"
    revision, events = server.config_revision, AuditEvent.objects.count()
    saved = apply(server, wanted, acme, by=alice, seen_revision=revision)
    assert server_files.document(server) == wanted
    assert saved.config_revision == revision + 1 == Server.objects.get(pk=server.pk).config_revision
    assert [(each["change"], each["by"], each["source"]) for each in config_news] == [
        (Change("import", "configuration", server.name), alice, "git")
    ]
    event = AuditEvent.objects.latest("pk")
    assert AuditEvent.objects.count() == events + 1
    assert (event.action, event.actor) == ("server.synced", alice)
    assert event.after == {"changed": {"server": 1, "provider": 1, "tool": 2}, "commit": GIT.commit}
    oauth2, tools, variables = credentials(server)
    assert (oauth2, variables) == (kept[0], kept[2])
    headers, scopes = tools["getWeather"]
    assert (headers["Authorization"], scopes) == ("Bearer ${API_TOKEN}", ("read:weather",))

    history = EntityRevision.objects.filter(kind=EntityKind.SERVER, entity=server.pk).order_by("number")
    assert [(each.source, each.by, each.commit) for each in history] == [("page", None, ""), ("git", alice, GIT.commit)]
    assert [each.document for each in history] == [before, wanted]
    first = history[0]
    back = server_files.definition_of(first.document)
    server_files.apply(server, back, organization=acme, seen_revision=None, by=alice, source=Source())
    assert server_files.document(server) == before
    assert AuditEvent.objects.latest("pk").action == "server.restored"
    assert [each.source for each in history.all()] == ["page", "git", "page"]


def test_what_the_file_lacks_goes_and_secrets_stay(acme: Organization) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    del wanted["variables"]
    wanted["providers"] = [weather(wanted)]
    weather(wanted)["tools"] = [tool(wanted, "getWeather")]
    del weather(wanted)["resources"], weather(wanted)["prompts"]
    apply(server, wanted, acme)
    assert server_files.document(server) == wanted
    assert [each.name for each in Variable.objects.filter(server=server)] == ["API_TOKEN"]
    assert Variable.objects.get(server=server).secret == "s3cret-of-the-shop"


def test_a_server_made_of_a_file_has_no_authentication_and_is_told_of_once(
    acme: Organization, alice: User, config_news: list[Any]
) -> None:
    wanted = server_files.document(samples.server(factories.organization("Elsewhere")))
    config_news.clear()
    made = apply(None, wanted, acme, by=alice)
    assert server_files.document(made) == wanted
    assert [each["change"] for each in config_news] == [Change("create", "server", "Weather of the world")]
    assert made.config_revision == 1
    assert not Variable.objects.filter(server=made, is_secret=True).exists()
    assert {each.oauth2_token_url for each in Provider.objects.filter(server=made)} == {""}
    (revision,) = EntityRevision.objects.filter(entity=made.pk)
    assert (revision.verb, revision.source, revision.document) == ("create", "git", wanted)


def test_a_server_is_renamed_and_moved(acme: Organization) -> None:
    server = samples.server(acme)
    kept = credentials(server)
    wanted = {**server_files.document(server), "name": "Climate", "slug": "climate"}
    saved = apply(server, wanted, acme)
    assert (saved.pk, saved.slug, saved.name) == (server.pk, "climate", "Climate")
    assert server_files.document(server) == wanted
    assert credentials(server) == kept


def refused(code: Code, server: Server | None, document: Document, org: Organization, **how: Any) -> BadFile:
    revisions = list(Server.objects.order_by("pk").values_list("pk", "config_revision", "slug", "name"))
    before = server_files.document(server) if server else None
    kept = credentials(server) if server else None
    with pytest.raises(BadFile) as caught:
        apply(server, document, org, **how)
    assert {each.code for each in caught.value.problems} == {code}
    assert list(Server.objects.order_by("pk").values_list("pk", "config_revision", "slug", "name")) == revisions
    if server:
        assert (server_files.document(server), credentials(server)) == (before, kept)
    assert not EntityRevision.objects.exists()
    return caught.value


def test_a_slug_that_another_server_has_is_refused(acme: Organization) -> None:
    server = samples.server(acme)
    factories.server(acme, "Other", slug="other")
    wanted = {**server_files.document(server), "slug": "other"}
    for it in (server, None):
        (problem,) = refused(Code.DUPLICATE_SLUG, it, wanted, acme).problems
        assert (problem.fields, problem.path) == (("/slug",), "mcp-servers/other.json")


@pytest.mark.parametrize("slug", ["new", "import", "a/b", "weather\n", "x" * 64, ""])
def test_a_slug_that_is_none_is_refused(acme: Organization, slug: str) -> None:
    server = samples.server(acme)
    refused(Code.VALIDATION_FAILED, server, {**server_files.document(server), "slug": slug}, acme)


def test_what_somebody_saved_meanwhile_is_not_overwritten(acme: Organization) -> None:
    server = samples.server(acme)
    with pytest.raises(StaleServer):
        apply(server, server_files.document(server), acme, seen_revision=server.config_revision - 1)


def test_servers_of_others_and_personal_ones_are_out_of_reach(acme: Organization, alice: User) -> None:
    theirs = samples.server(factories.organization("Elsewhere"))
    own = factories.server(acme, "Own", owner=alice)
    for server in (theirs, own):
        with pytest.raises(Server.DoesNotExist):
            apply(server, {**server_files.document(server), "instructions": "Mine now."}, acme)
        server.refresh_from_db()
        assert server.instructions != "Mine now."


def test_commands_and_skills_are_attached_by_slug_and_must_be_there(acme: Organization, alice: User) -> None:
    server = samples.server(acme)
    greet = factories.command(acme, slug="greet")
    factories.command(acme, slug="mine", owner=alice)
    factories.command(factories.organization("Elsewhere"), slug="theirs")
    wanted = {**server_files.document(server), "commands": ["greet"]}
    apply(server, wanted, acme)
    assert list(server.commands.all()) == [greet]
    assert server_files.document(server) == wanted
    EntityRevision.objects.all().delete()
    wanted["commands"] = ["greet", "mine", "theirs"]
    found = refused(Code.MISSING_ENTITY, server, wanted, acme, raw={**wanted, "commands": ["theirs", "greet", "mine"]})
    assert [each.fields for each in found.problems] == [("/commands/2",), ("/commands/0",)]
    del wanted["commands"]
    apply(server, wanted, acme)
    assert not server.commands.exists()


def test_pointers_lead_into_the_file_as_it_is_written(acme: Organization) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    weather(wanted)["tools"][1]["path"] = "no slash"
    raw = copy.deepcopy(wanted)
    raw["providers"].reverse()
    weather(raw)["tools"].reverse()
    (problem,) = refused(Code.VALIDATION_FAILED, server, wanted, acme, raw=raw).problems
    assert problem.fields == ("/providers/0/tools/0/path",)


# Renames.


def test_a_renamed_provider_keeps_its_sign_in_and_its_tools_theirs(acme: Organization) -> None:
    server = samples.server(acme)
    oauth2, tools, variables = credentials(server)
    row = Provider.objects.get(server=server, name="Weather")
    wanted = server_files.document(server)
    weather(wanted)["name"] = "Zephyr"
    apply(server, wanted, acme)
    assert server_files.document(server) == wanted
    row.refresh_from_db()
    assert row.name == "Zephyr"
    assert credentials(server) == ({"notes": None, "Zephyr": oauth2["Weather"]}, tools, variables)


def test_a_renamed_tool_keeps_its_headers_and_its_place_in_a_toolkit(acme: Organization) -> None:
    server = samples.server(acme)
    row = Tool.objects.get(server=server, name="getWeather")
    kit = Toolkit.objects.create(organization=acme, name="Kit", slug="kit")
    ToolkitItem.objects.create(toolkit=kit, tool=row)
    wanted = server_files.document(server)
    tool(wanted, "getWeather").update(name="askWeather", description="Other.")
    apply(server, wanted, acme)
    assert server_files.document(server) == wanted
    item = kit.items.get()
    row.refresh_from_db()
    assert (item.tool_id, row.name) == (row.pk, "askWeather")
    assert credentials(server)[1]["askWeather"] == (samples.GET_WEATHER.headers, samples.GET_WEATHER.scopes)


def test_a_renamed_resource_keeps_its_place_in_a_toolkit(acme: Organization) -> None:
    server = samples.server(acme)
    row = Resource.objects.get(server=server, uri="docs://guide")
    wanted = server_files.document(server)
    guide = next(each for each in weather(wanted)["resources"] if each["name"] == "Guide")
    weather(wanted)["resources"].remove(guide)
    notes = next(each for each in wanted["providers"] if each["name"] == "notes")
    notes["resources"] = [{**guide, "name": "A guide"}, *notes["resources"]]
    apply(server, wanted, acme)
    assert server_files.document(server) == wanted
    row.refresh_from_db()
    assert (row.name, row.provider.name) == ("A guide", "notes")


def another_path(document: Document) -> None:
    tool(document, "getWeather").update(name="askWeather", path="/other/{city}")


def another_method(document: Document) -> None:
    tool(document, "getWeather").update(name="askWeather", method="HEAD")


def two_that_could_be_it(document: Document) -> None:
    was = tool(document, "getWeather")
    weather(document)["tools"] = [
        {**was, "name": "askWeather"}, {**was, "name": "tellWeather"}, tool(document, "report"),
    ]  # fmt: skip


def another_provider(document: Document) -> None:
    was = tool(document, "getWeather")
    weather(document)["tools"].remove(was)
    notes = next(each for each in document["providers"] if each["name"] == "notes")
    notes.update(baseUrl="https://evil.example", tools=[{**was, "name": "askWeather"}])


@pytest.mark.parametrize("change", [another_path, another_method, two_that_could_be_it, another_provider])
def test_a_tool_that_is_another_has_no_credentials(acme: Organization, change: Callable[[Document], None]) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    change(wanted)
    apply(server, wanted, acme, confirmed=True)
    for each in Tool.objects.filter(server=server, name__endswith="Weather"):
        assert (each.headers, each.oauth2_scopes) == ({"Accept": "application/json"}, [])


def test_a_provider_renamed_and_moved_has_no_sign_in(acme: Organization) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    weather(wanted).update(name="Zephyr", baseUrl="https://evil.example/v1")
    refused(Code.HOST_CHANGED, server, wanted, acme)
    apply(server, wanted, acme, confirmed=True)
    assert Provider.objects.get(server=server, name="Zephyr").oauth2_token_url == ""


def test_a_server_that_is_made_is_told_of_once_however_it_is_made(
    acme: Organization, alice: User, config_news: list[Any]
) -> None:
    servers.create_server(organization=acme, values={"name": "Docs"}, by=alice)
    import_as_new(organization=acme, wanted=samples.SAMPLE, by=alice)
    told = [(each["server"].name, each["change"], each["by"], each["source"]) for each in config_news]
    assert told == [
        ("Docs", Change("create", "server", "Docs"), alice, "page"),
        ("Weather of the world", Change("import", "configuration", "Weather of the world"), alice, "page"),
    ]
