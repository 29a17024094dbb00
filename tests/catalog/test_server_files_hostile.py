"""Files of servers by somebody who may write to the repository and wants what is secret: they get nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from catalog import history, server_files
from catalog.checking.problems import Invalid
from catalog.exchange.model import MASK, VariableConfig
from catalog.exchange.snapshot import snapshot
from catalog.models import EntityRevision, Provider, Server, Tool, Variable
from catalog.portable.model import BadFile, Code
from orgs.models import Organization, User
from tests.catalog import exchange_samples as samples
from tests.catalog.exchange_samples import SAMPLE
from tests.catalog.test_server_files import Document, apply, credentials, refused, tool, weather

pytestmark = pytest.mark.django_db


def first(of: str) -> Callable[[Document], Document]:
    return lambda document: document[of][0]


def getter(document: Document) -> Document:
    return tool(document, "getWeather")


@pytest.mark.parametrize(
    ("where", "member", "value", "pointer"),
    [
        (weather, "oauth2", {"tokenUrl": "https://evil.example/token"}, "/providers/1/oauth2"),
        (weather, "oauth2", None, "/providers/1/oauth2"),
        (getter, "scopes", ["admin"], "/providers/1/tools/0/scopes"),
        (getter, "scopes", [], "/providers/1/tools/0/scopes"),
        (getter, "headers", {"Authorization": "${API_TOKEN}"}, "/providers/1/tools/0/headers/Authorization"),
        (getter, "headers", {"X-Leak": "${API_TOKEN}"}, "/providers/1/tools/0/headers/X-Leak"),
        (getter, "headers", {"Accept": "${API_TOKEN}"}, "/providers/1/tools/0/headers/Accept"),
        (getter, "headers", {"User-Agent": "a ${API_TOKEN} b"}, "/providers/1/tools/0/headers/User-Agent"),
        (getter, "headers", {"Accept": MASK}, "/providers/1/tools/0/headers/Accept"),
        (getter, "headers", {"Accept": ""}, "/providers/1/tools/0/headers/Accept"),
        (getter, "headers", {"Accept": "a\r\nAuthorization: b"}, "/providers/1/tools/0/headers"),
        (getter, "path", "//evil.example/", "/providers/1/tools/0/path"),
        (getter, "path", "https://evil.example/", "/providers/1/tools/0/path"),
        (getter, "path", "/${API_TOKEN}", "/providers/1/tools/0/path"),
        (first("variables"), "hosts", ["evil.example"], "/variables/0/hosts"),
        (first("variables"), "hosts", [], "/variables/0/hosts"),
        (first("variables"), "secret", True, "/variables/0/secret"),
        (first("variables"), "name", "API_TOKEN", "/variables/0/name"),
        (first("variables"), "value", MASK, "/variables/0/value"),
        (first("variables"), "value", "a\nb", "/variables/0/value"),
        (weather, "baseUrl", "https://user:word@api.weather.example/v1", "/providers/1/baseUrl"),
        (weather, "baseUrl", "https://api.weather.example/${API_TOKEN}", ""),
        (weather, "baseUrl", "https://${API_TOKEN}.evil.example", ""),
        (weather, "baseUrl", "javascript:alert(1)", "/providers/1/baseUrl"),
        (weather, "name", "NOTES", "/providers/1/name"),
    ],
)
def test_no_authentication_comes_in(
    acme: Organization, where: Callable[[Document], Document], member: str, value: Any, pointer: str
) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    where(wanted)[member] = value
    found = refused(Code.VALIDATION_FAILED, server, wanted, acme, confirmed=True)
    assert [each.fields for each in found.problems] == [(pointer,) if pointer else ()]
    assert "s3cret" not in str(found)


def moved(document: Document) -> None:
    weather(document)["baseUrl"] = "https://evil.example/v1"


def to_another_port(document: Document) -> None:
    weather(document)["baseUrl"] = "https://api.weather.example:8443/v1"


def to_plain_http(document: Document) -> None:
    weather(document)["baseUrl"] = "http://api.weather.example/v1"


def by_a_variable(document: Document) -> None:
    document["variables"] = [*document["variables"], {"name": "HOST", "value": "evil.example"}]
    weather(document)["baseUrl"] = "https://${HOST}/v1"


def by_another_provider(document: Document) -> None:
    was = getter(document)
    weather(document)["tools"].remove(was)
    notes = next(each for each in document["providers"] if each["name"] == "notes")
    notes.update(baseUrl="https://evil.example", tools=[was])


def by_names_exchanged(document: Document) -> None:
    notes = next(each for each in document["providers"] if each["name"] == "notes")
    here = weather(document)
    notes["baseUrl"], here["baseUrl"] = here["baseUrl"], "https://evil.example"
    notes["name"], here["name"] = "Weather", "notes"
    notes["visibility"], here["visibility"] = here["visibility"], notes["visibility"]
    document["providers"].sort(key=lambda each: each["name"].lower())
    notes.update(tools=here["tools"])
    del here["tools"]
    weather(document)["baseUrl"] = "https://evil.example"


@pytest.mark.parametrize(
    "change", [moved, to_another_port, to_plain_http, by_a_variable, by_another_provider, by_names_exchanged]
)
def test_requests_go_to_another_host_only_when_a_person_agrees(
    acme: Organization, change: Callable[[Document], None]
) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    change(wanted)
    found = refused(Code.HOST_CHANGED, server, wanted, acme)
    assert "api.weather.example" in str(found)
    apply(server, wanted, acme, confirmed=True)
    assert server_files.document(server) == wanted
    (token,) = Variable.objects.filter(server=server, is_secret=True)
    assert (token.hosts, token.secret) == (["api.weather.example"], "s3cret-of-the-shop"), "as it was, and bound"


def test_the_value_of_a_variable_leads_no_request_elsewhere(acme: Organization) -> None:
    regional = replace(SAMPLE, variables=(*SAMPLE.variables, VariableConfig("HOST", value="api.weather.example")))
    base = "https://${HOST}/v1"
    login = replace(samples.WEATHER.oauth2, token_url="https://${HOST}/token")  # type: ignore[type-var]
    server = samples.server(acme, samples.with_weather(regional, base_url=base, oauth2=login))
    wanted = server_files.document(server)
    for value in (
        "evil.example",
        "api.weather.example@evil.example",
        "evil.example#",
        "evil.example\\@x",
        "EVIL.example",
    ):
        wanted["variables"] = [{"name": "CLIENT_ID", "value": "millrace"}, {"name": "HOST", "value": value}]
        refused(Code.HOST_CHANGED, server, wanted, acme)
    weather(wanted)["name"] = "Zephyr"
    refused(Code.HOST_CHANGED, server, wanted, acme)
    wanted["variables"] = wanted["variables"][:1]
    apply(server, wanted, acme)
    wanted["variables"].append({"name": "HOST", "value": "evil.example"})
    with pytest.raises(BadFile) as caught:
        apply(server, wanted, acme)
    assert caught.value.problems[0].code is Code.HOST_CHANGED, "also in two steps"


def test_a_tools_credentials_stay_with_what_they_are_sent_to(acme: Organization) -> None:
    """Gone and made again in another push, it has none; what is in its place in the same one has none either."""
    server = samples.server(acme)
    whole = server_files.document(server)
    without = server_files.document(server)
    weather(without)["tools"].remove(getter(without))
    apply(server, without, acme)
    apply(server, whole, acme)
    again = Tool.objects.get(server=server, name="getWeather")
    assert (again.headers, again.oauth2_scopes) == ({"Accept": "application/json"}, [])


def test_a_header_that_holds_a_secret_stays_whatever_it_is_called(acme: Organization) -> None:
    server = samples.server(acme)
    Tool.objects.filter(server=server, name="report").update(
        headers={"User-Agent": "${API_TOKEN}", "Accept": "${CLIENT_ID}", "Prefer": ""}
    )
    wanted = server_files.document(server)
    assert tool(wanted, "report")["headers"] == {"Accept": "${CLIENT_ID}"}
    kept = credentials(server)
    apply(server, {**wanted, "instructions": "Other."}, acme)
    assert credentials(server) == kept
    tool(wanted, "report")["headers"] = {"Accept": "a", "user-agent": "mine"}
    with pytest.raises(BadFile, match="holds a secret here"):
        apply(server, wanted, acme)


def test_a_variable_that_became_secret_here_is_no_files_business_any_more(acme: Organization) -> None:
    server = samples.server(acme)
    before = server_files.document(server)
    row = Variable.objects.get(server=server, name="CLIENT_ID")
    row.is_secret, row.value, row.secret, row.hosts = True, "", "now-hidden", ["login.weather.example"]
    row.save()
    assert "variables" not in server_files.document(server)
    refused(Code.VALIDATION_FAILED, server, before, acme)
    apply(server, {name: value for name, value in before.items() if name != "variables"}, acme)
    row.refresh_from_db()
    assert row.secret == "now-hidden"


def test_more_headers_than_fit_beside_those_that_stay_are_refused(acme: Organization) -> None:
    server = samples.server(acme)
    Tool.objects.filter(server=server, name="report").update(
        headers={f"X-Kept-{number}": "${API_TOKEN}" for number in range(49)}
    )
    wanted = server_files.document(server)
    tool(wanted, "report")["headers"] = {"Accept": "a", "Prefer": "b"}
    found = refused(Code.VALIDATION_FAILED, server, wanted, acme)
    assert found.problems[0].fields == ("/providers/1/tools/1/headers",)


def test_two_names_that_are_one_to_the_database_are_told_and_nothing_is_written(acme: Organization) -> None:
    """Python's small letters are not those of every database: what either takes for a clash is one."""
    server = samples.server(acme)
    wanted = server_files.document(server)
    for names in (("Strasse", "STRASSE"), ("İ", "i"), ("ẞ", "ss")):
        providers = [{"name": name, "visibility": "public"} for name in sorted(names, key=str.lower)]
        with suppress(BadFile):
            apply(server, {**wanted, "providers": providers}, acme)
            assert server_files.document(server)["providers"] == providers


def test_hundreds_of_things_wrong_are_told_in_few_words(acme: Organization) -> None:
    server = samples.server(acme, samples.many(300))
    wanted = server_files.document(server)
    for each in weather(wanted)["tools"]:
        each["headers"] = {"Accept": MASK}
    found = refused(Code.VALIDATION_FAILED, server, wanted, acme)
    assert len(found.problems) == 50


def test_a_server_is_as_it_was_after_whatever_is_refused(acme: Organization) -> None:
    server = samples.server(acme)
    kept = snapshot(server, masked=False)
    wanted = server_files.document(server)
    weather(wanted)["name"] = "Zephyr"
    wanted["slug"] = "taken"
    Server.objects.create(organization=acme, name="Taken", slug="taken")
    refused(Code.DUPLICATE_SLUG, server, wanted, acme)
    assert snapshot(server, masked=False) == kept
    assert Provider.objects.filter(server=server, name="Weather").exists(), "the rename before it, too"


def the_server(document: Document) -> None:
    document["visibility"] = "public"


def a_provider(document: Document) -> None:
    weather(document)["visibility"] = "public"


def a_provider_without_a_word(document: Document) -> None:
    del weather(document)["visibility"]


def a_provider_by_another_name(document: Document) -> None:
    weather(document).update(name="Zephyr", visibility="public")


def a_tool_in_a_new_provider(document: Document) -> None:
    """Two have the address of the one that is gone, so that neither is that one renamed."""
    was = weather(document)
    document["providers"] = [
        *(each for each in document["providers"] if each is not was),
        {**was, "name": "Zephyr", "visibility": "public"},
        {"name": "Zephyr 2", "baseUrl": was["baseUrl"], "visibility": "private"},
    ]


@pytest.mark.parametrize(
    "change", [the_server, a_provider, a_provider_without_a_word, a_provider_by_another_name, a_tool_in_a_new_provider]
)
def test_what_is_private_becomes_public_only_when_a_person_agrees(
    acme: Organization, change: Callable[[Document], None]
) -> None:
    server = samples.server(acme, samples.with_weather(replace(SAMPLE, visibility="private"), visibility="private"))
    wanted = server_files.document(server)
    change(wanted)
    refused(Code.VISIBILITY_CHANGED, server, wanted, acme)
    apply(server, wanted, acme, confirmed=True)
    refreshed = server_files.document(server)
    assert "public" in {refreshed["visibility"], *(each["visibility"] for each in refreshed["providers"])}


def test_what_would_be_public_and_elsewhere_is_told_as_both(acme: Organization) -> None:
    server = samples.server(acme, replace(SAMPLE, visibility="private"))
    wanted = server_files.document(server)
    wanted["visibility"] = "public"
    moved(wanted)
    with pytest.raises(BadFile) as caught:
        apply(server, wanted, acme)
    assert [each.code for each in caught.value.problems] == [Code.HOST_CHANGED, Code.VISIBILITY_CHANGED]


def test_what_becomes_private_or_is_new_waits_for_nobody(acme: Organization) -> None:
    server = samples.server(acme)
    wanted = server_files.document(server)
    wanted["visibility"] = weather(wanted)["visibility"] = "private"
    wanted["providers"].append({"name": "zoo", "visibility": "public", "baseUrl": "https://zoo.example"})
    apply(server, wanted, acme)
    made = apply(None, {**wanted, "slug": "another", "visibility": "public"}, acme)
    assert made.visibility == "public"


def test_a_restore_makes_nothing_public_and_leads_nowhere_else(acme: Organization, alice: User) -> None:
    server = samples.server(acme)
    before = server_files.document(server)
    wanted = {**before, "visibility": "private"}
    apply(server, wanted, acme)
    public = EntityRevision.objects.filter(entity=server.pk).earliest("number")
    assert public.document["visibility"] == "public"
    with pytest.raises(Invalid, match=r"would be public: the server.*own pages, then restore"):
        history.restore(public, by=alice)
    assert server_files.document(server) == wanted
    Server.objects.filter(pk=server.pk).update(visibility="public")
    Provider.objects.filter(server=server, name="Weather").update(base_url="https://other.example/v1")
    with pytest.raises(Invalid, match=r"another host.*own pages, then restore"):
        history.restore(public, by=alice)
