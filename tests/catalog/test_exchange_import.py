"""Imports written to the database: exact, whole or not at all, and one change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import signals
from catalog.exchange import rows
from catalog.exchange.applying import (
    HostsNotConfirmed,
    ServerMoved,
    apply_import,
    import_as_new,
    plan_import,
)
from catalog.exchange.document import DocumentError, render
from catalog.exchange.model import MASK, OAuth2Config, ResourceConfig, ServerConfig, VariableConfig
from catalog.exchange.reading import read
from catalog.exchange.snapshot import snapshot
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from catalog.saving import Change
from catalog.servers import SlugTaken
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.catalog import exchange_samples as samples
from tests.catalog.conftest import together
from tests.catalog.exchange_samples import NOTES, REPORT, SAMPLE, WEATHER, with_weather

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> Iterator[list[tuple[Change, User | None]]]:
    """Each `config_saved` that was sent during the test."""
    heard: list[tuple[Change, User | None]] = []

    def receive(change: Change, by: User | None, **_: Any) -> None:
        heard.append((change, by))

    signals.config_saved.connect(receive)
    yield heard
    signals.config_saved.disconnect(receive)


def test_what_is_exported_and_imported_elsewhere_exports_the_same_bytes(acme: Organization) -> None:
    first = render(snapshot(samples.server(acme)))
    elsewhere = factories.organization("Elsewhere", slug="elsewhere")
    made = import_as_new(organization=elsewhere, wanted=read(first).config, by=None).server
    assert render(snapshot(made)) == first
    assert made.slug == "weather"
    assert made.config_revision == SAMPLE.version
    assert snapshot(made) == SAMPLE


def test_members_of_a_schema_keep_their_order_in_the_database(acme: Organization) -> None:
    made = samples.server(acme)
    kept = Tool.objects.get(server=made, name="getWeather").query_schema
    assert list(kept["properties"]) == ["zeta", "alpha"]


def test_secrets_do_not_leave_and_are_told_to_be_missing_elsewhere(acme: Organization) -> None:
    document = render(snapshot(samples.server(acme, secret="s3cret-of-the-shop")))
    assert b"s3cret" not in document
    imported = import_as_new(organization=acme, wanted=read(document).config, by=None)
    assert [place.name for place in imported.plan.missing] == ["API_TOKEN"]
    assert not Variable.secret.is_set(Variable.objects.get(server=imported.server, name="API_TOKEN"))


def test_an_import_is_one_change_one_event_and_one_revision(
    acme: Organization, alice: User, news: list[tuple[Change, User | None]]
) -> None:
    it = samples.server(acme)
    before = it.config_revision
    news.clear()
    events = AuditEvent.objects.count()
    wanted = replace(samples.many(50), instructions="Other.")
    apply_import(server=it, wanted=wanted, by=alice, remove=True)
    it.refresh_from_db()
    assert it.config_revision == before + 1
    assert news == [(Change("import", "configuration", SAMPLE.name), alice)]
    event = AuditEvent.objects.order_by("-pk").first()
    assert event is not None
    assert AuditEvent.objects.count() == events + 1
    assert (event.action, event.actor, event.after) == (
        "server.imported",
        alice,
        {"created": {"tool": 50}, "changed": {"server": 1}, "removed": {"tool": 2}},
    )
    assert replace(snapshot(it), version=SAMPLE.version) == wanted


def test_an_import_that_changes_nothing_writes_nothing(
    acme: Organization, news: list[tuple[Change, User | None]]
) -> None:
    it = samples.server(acme)
    before, events = it.config_revision, AuditEvent.objects.count()
    news.clear()
    imported = apply_import(server=it, wanted=SAMPLE, by=None, remove=True)
    it.refresh_from_db()
    assert not imported.changes
    assert (it.config_revision, AuditEvent.objects.count(), news) == (before, events, [])


def test_rows_that_change_keep_their_identity_and_count_it_and_others_are_left(acme: Organization) -> None:
    it = samples.server(acme)
    tools = {row.name: row for row in Tool.objects.filter(server=it)}
    changed = tuple(replace(tool, title="Renewed") if tool.name == "report" else tool for tool in WEATHER.tools)
    apply_import(server=it, wanted=with_weather(tools=changed), by=None)
    after = {row.name: row for row in Tool.objects.filter(server=it)}
    assert {row.pk for row in tools.values()} == {row.pk for row in after.values()}
    assert (after["report"].title, after["report"].revision) == ("Renewed", 2)
    assert after["report"].created_at == tools["report"].created_at
    assert (after["getWeather"].revision, after["getWeather"].updated_at) == (1, tools["getWeather"].updated_at)


def test_what_is_not_in_the_file_stays_unless_its_removal_is_asked_for(acme: Organization) -> None:
    it = samples.server(acme)
    empty = replace(SAMPLE, variables=(), providers=())
    apply_import(server=it, wanted=empty, by=None)
    assert Tool.objects.filter(server=it).count() == 2
    imported = apply_import(server=it, wanted=empty, by=None, remove=True)
    assert sorted((each.kind, each.name) for each in imported.removed) == [
        ("prompt", "compareCities"),
        ("provider", "Weather"),
        ("provider", "notes"),
        ("resource", "Guide"),
        ("resource", "Stations"),
        ("resource", "empty"),
        ("tool", "getWeather"),
        ("tool", "report"),
        ("variable", "API_TOKEN"),
        ("variable", "CLIENT_ID"),
    ]
    for model in (Provider, Tool, Resource, Prompt, Variable):
        assert not model._default_manager.filter(server=it).exists()


def test_masked_values_keep_what_is_stored(acme: Organization) -> None:
    it = samples.server(acme, secret="kept")
    provider = Provider.objects.get(server=it, name="Weather")
    provider.oauth2_client_id = "literal-client"
    provider.save()
    tool = Tool.objects.get(server=it, name="report")
    tool.headers = {"X-Tenant": "acme-tenant"}
    tool.save()
    document = render(snapshot(it))
    assert b"literal-client" not in document
    assert b"acme-tenant" not in document
    wanted = read(document).config
    assert plan_import(it, wanted).is_empty
    apply_import(server=it, wanted=replace(wanted, name="Renamed"), by=None)
    for row in (provider, tool):
        row.refresh_from_db()
    assert provider.oauth2_client_id == "literal-client"
    assert tool.headers == {"X-Tenant": "acme-tenant"}
    assert Variable.objects.get(server=it, name="API_TOKEN").secret == "kept"


def test_masked_literals_that_are_not_stored_stay_empty_and_the_next_export_is_the_same_file(
    acme: Organization,
) -> None:
    wanted = with_weather(
        oauth2=OAuth2Config("https://login.weather.example/token", MASK, "${API_TOKEN}"),
        tools=(replace(REPORT, headers={"X-Tenant": MASK}),),
    )
    made = import_as_new(organization=acme, wanted=wanted, by=None).server
    assert Tool.objects.get(server=made).headers == {"X-Tenant": ""}
    assert Provider.objects.get(server=made, name="Weather").oauth2_client_id == ""
    assert render(snapshot(made)) == render(wanted)
    assert plan_import(made, read(render(wanted)).config).is_empty


def test_a_plain_variable_that_becomes_secret_keeps_its_value_encrypted(acme: Organization) -> None:
    it = samples.server(acme)
    secret = VariableConfig("CLIENT_ID", secret=True, value=MASK, hosts=("login.weather.example",))
    apply_import(server=it, wanted=replace(SAMPLE, variables=(SAMPLE.variables[0], secret)), by=None)
    row = Variable.objects.get(server=it, name="CLIENT_ID")
    assert (row.is_secret, row.value, row.secret) == (True, "", "millrace")


def test_a_secret_that_becomes_plain_needs_a_value_and_is_forgotten(acme: Organization) -> None:
    it = samples.server(acme, secret="never-told")
    free = with_weather(oauth2=None)
    plain = replace(free, variables=(VariableConfig("API_TOKEN"), SAMPLE.variables[1]))
    with pytest.raises(DocumentError, match="write a value into the file"):
        apply_import(server=it, wanted=plain, by=None)
    told = replace(free, variables=(VariableConfig("API_TOKEN", value="public"), SAMPLE.variables[1]))
    apply_import(server=it, wanted=told, by=None)
    row = Variable.objects.get(server=it, name="API_TOKEN")
    assert (row.value, row.secret) == ("public", "")


def test_a_move_to_another_host_waits_for_a_confirmation(acme: Organization) -> None:
    it = samples.server(acme)
    wanted = with_weather(base_url="https://evil.example/v1")
    with pytest.raises(HostsNotConfirmed):
        apply_import(server=it, wanted=wanted, by=None)
    assert Provider.objects.get(server=it, name="Weather").base_url == "https://api.weather.example/v1"
    apply_import(server=it, wanted=wanted, by=None, confirmed_hosts=True)
    assert Provider.objects.get(server=it, name="Weather").base_url == "https://evil.example/v1"
    event = AuditEvent.objects.filter(action="server.imported").order_by("-pk").first()
    assert event is not None
    assert event.after["hosts"] == ["Provider Weather, base URL: https://api.weather.example → https://evil.example"]


def test_a_plan_holds_for_the_revision_that_it_was_shown_at(acme: Organization) -> None:
    it = samples.server(acme)
    seen = it.config_revision
    apply_import(server=it, wanted=replace(SAMPLE, name="Theirs"), by=None)
    with pytest.raises(ServerMoved):
        apply_import(server=it, wanted=replace(SAMPLE, name="Mine"), by=None, seen_revision=seen)
    it.refresh_from_db()
    assert it.name == "Theirs"


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_the_same_moment_one_is_shown_again(acme: Organization) -> None:
    it = samples.server(acme)

    def importing(name: str) -> Callable[[], Any]:
        wanted = replace(samples.many(3, name), name=name)
        return lambda: apply_import(
            server=Server.objects.select_related("organization").get(pk=it.pk),
            wanted=wanted,
            by=None,
            seen_revision=it.config_revision,
        )

    results = together(importing("Mine"), importing("Theirs"))
    assert sorted(type(each).__name__ for each in results) == ["Imported", "ServerMoved"]
    it.refresh_from_db()
    assert {tool.description for tool in Tool.objects.filter(server=it, name__startswith="tool")} == {it.name}


def test_an_import_that_breaks_in_the_middle_leaves_nothing(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, news: list[tuple[Change, User | None]]
) -> None:
    it = samples.server(acme)
    before = snapshot(it)
    news.clear()

    def broken(*_: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(rows, "remove_providers", broken)
    with pytest.raises(RuntimeError):
        apply_import(server=it, wanted=replace(samples.many(5), name="Half"), by=None, remove=True)
    assert snapshot(it) == before
    assert news == []


def test_a_tool_goes_to_another_provider_as_its_old_one_goes(acme: Organization) -> None:
    it = samples.server(acme)
    key = Tool.objects.get(server=it, name="report").pk
    home = replace(NOTES, base_url=WEATHER.base_url, tools=(REPORT,))
    apply_import(server=it, wanted=replace(SAMPLE, providers=(home,)), by=None, remove=True)
    tool = Tool.objects.get(server=it)
    assert (tool.pk, tool.provider.name) == (key, "notes")
    assert [row.name for row in Provider.objects.filter(server=it)] == ["notes"]


def test_two_resources_change_their_uris_with_each_other(acme: Organization) -> None:
    it = samples.server(acme)
    guide, stations = WEATHER.resources
    turned = (replace(guide, uri=stations.uri), replace(stations, uri=guide.uri))
    apply_import(server=it, wanted=with_weather(resources=turned), by=None)
    found = dict(Resource.objects.filter(server=it, provider__name="Weather").values_list("name", "uri"))
    assert found == {"Guide": stations.uri, "Stations": guide.uri}


def test_a_resource_takes_the_uri_of_one_that_goes_but_not_of_one_that_stays(acme: Organization) -> None:
    it = samples.server(acme)
    fresh = with_weather(resources=(ResourceConfig("Fresh", "docs://guide"),))
    with pytest.raises(DocumentError, match="would have the same URI"):
        apply_import(server=it, wanted=fresh, by=None)
    apply_import(server=it, wanted=fresh, by=None, remove=True)
    assert Resource.objects.get(server=it, uri="docs://guide").name == "Fresh"


def test_a_provider_in_another_case_is_renamed_and_keeps_what_it_holds(acme: Organization) -> None:
    it = samples.server(acme)
    key = Provider.objects.get(server=it, name="Weather").pk
    apply_import(server=it, wanted=with_weather(name="WEATHER"), by=None, remove=True)
    assert Provider.objects.get(server=it, name="WEATHER").pk == key
    assert Tool.objects.filter(server=it).count() == 2


def test_what_stays_is_not_put_where_a_secret_may_not_be(acme: Organization) -> None:
    it = samples.server(acme, config=with_weather(base_url="https://${CLIENT_ID}.example"))
    secret = VariableConfig("CLIENT_ID", secret=True, value=MASK, hosts=("login.weather.example",))
    with pytest.raises(DocumentError, match="CLIENT_ID is secret, and in an address of Weather"):
        apply_import(server=it, wanted=replace(SAMPLE, variables=(secret,), providers=()), by=None)


def test_a_slug_that_is_taken_becomes_another_unless_it_was_asked_for(acme: Organization) -> None:
    samples.server(acme)
    assert import_as_new(organization=acme, wanted=SAMPLE, by=None).server.slug == "weather-2"
    servers = Server.objects.count()
    with pytest.raises(SlugTaken):
        import_as_new(organization=acme, wanted=SAMPLE, by=None, slug="weather")
    assert Server.objects.count() == servers
    assert import_as_new(organization=acme, wanted=replace(SAMPLE, slug="new"), by=None).server.slug != "new"


def test_things_of_other_servers_are_never_touched(acme: Organization) -> None:
    mine, other = samples.server(acme), samples.server(factories.organization("Elsewhere", slug="elsewhere"))
    before = snapshot(other)
    apply_import(server=mine, wanted=samples.many(3, "Mine."), by=None, remove=True)
    assert snapshot(other) == before


@pytest.mark.parametrize("tools", [2, 40])
def test_a_snapshot_asks_as_many_queries_whatever_is_on_the_server(acme: Organization, tools: int) -> None:
    it = samples.server(acme, samples.many(tools))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(snapshot(it).providers[1].tools) == tools
    assert len(asked) == 6


def test_hundreds_of_tools_are_imported_in_seconds(acme: Organization) -> None:
    document = samples.text(samples.many(500))
    started = time.monotonic()
    made = import_as_new(organization=acme, wanted=read(document).config, by=None).server
    apply_import(server=made, wanted=read(samples.text(samples.many(500, "Renewed."))).config, by=None)
    assert time.monotonic() - started < 30
    assert Tool.objects.filter(server=made, description="Renewed.").count() == 500


def test_statements_hardly_grow_with_what_is_imported(acme: Organization) -> None:
    def statements(wanted: ServerConfig) -> int:
        it = samples.server(acme)
        with CaptureQueriesContext(connection) as asked:
            apply_import(server=it, wanted=wanted, by=None)
        return len(asked)

    assert statements(samples.many(300)) <= statements(samples.many(10)) + 20
