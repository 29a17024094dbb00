"""Providers: created, edited, deleted with what they hold; where secrets may not go; what will not work as it is."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import providers, warnings
from catalog.checking.problems import Invalid
from catalog.models import Prompt, Provider, Resource, Server, Tool
from catalog.saving import Change, Stale
from orgs.models import AuditEvent, User
from tests import factories

VALUES: dict[str, Any] = {
    "name": "Weather",
    "description": "Forecasts.",
    "base_url": "https://api.example.com/v1",
    "documentation_url": "https://docs.example.com/",
    "oauth2_token_url": "https://login.example.com/token",
    "oauth2_client_id": "weather-client-4711",
    "oauth2_client_secret": "${CLIENT_SECRET}",
    "oauth2_scopes": ["read", "write"],
}


def test_a_provider_is_created_counted_and_told(docs: Server, alice: User, config_news: list[dict[str, Any]]) -> None:
    provider = providers.create_provider(
        server=docs, values={**VALUES, "base_url": " https://a.example/v1/ "}, by=alice
    )
    provider.refresh_from_db()
    assert (provider.base_url, provider.visibility, provider.revision) == ("https://a.example/v1", "public", 1)
    assert [news["change"] for news in config_news] == [Change("create", "provider", "Weather")]
    assert Server.objects.get().config_revision == 2


def test_the_client_id_is_not_in_the_audit_log(docs: Server) -> None:
    provider = providers.create_provider(server=docs, values=VALUES, by=None)
    providers.edit_provider(
        provider=provider, values={"oauth2_client_id": "weather-client-4712"}, seen_revision=1, by=None
    )
    providers.delete_provider(provider=provider, by=None)
    logged = [(event.before, event.after) for event in AuditEvent.objects.filter(action__startswith="provider.")]
    assert len(logged) == 3
    assert "4711" not in str(logged)
    assert "4712" not in str(logged)


def test_an_edit_is_told_as_update_or_rename_and_no_change_as_nothing(
    docs: Server, config_news: list[dict[str, Any]]
) -> None:
    provider = providers.create_provider(server=docs, values=VALUES, by=None)
    providers.edit_provider(provider=provider, values=VALUES, seen_revision=1, by=None)
    providers.edit_provider(provider=provider, values={**VALUES, "description": "New"}, seen_revision=1, by=None)
    providers.edit_provider(provider=provider, values={"name": "Climate"}, seen_revision=2, by=None)
    assert [news["change"] for news in config_news[1:]] == [
        Change("update", "provider", "Weather"),
        Change("rename", "provider", "Climate", former="Weather"),
    ]
    with pytest.raises(Stale):
        providers.edit_provider(provider=provider, values={"name": "Mine"}, seen_revision=2, by=None)
    assert Provider.objects.get().name == "Climate"


def test_what_goes_with_a_provider_is_counted_and_goes_and_is_logged(docs: Server) -> None:
    provider, other = factories.provider(docs), factories.provider(docs)
    factories.tool(provider)
    factories.tool(provider)
    factories.prompt(provider)
    factories.resource(other)
    assert [(each.label, each.count) for each in providers.removals(provider)] == [("tools", 2), ("prompt", 1)]
    providers.delete_provider(provider=provider, by=None)
    assert (Tool.objects.count(), Prompt.objects.count(), Resource.objects.count()) == (0, 0, 1)
    assert AuditEvent.objects.get(action="provider.deleted").before["removed"] == {"tools": 2, "prompt": 1}


def test_names_are_unique_on_a_server_whatever_their_case(docs: Server) -> None:
    providers.create_provider(server=docs, values=VALUES, by=None)
    with pytest.raises(Invalid, match="already a provider “WEATHER”"):
        providers.create_provider(server=docs, values={**VALUES, "name": "WEATHER"}, by=None)
    providers.create_provider(server=factories.server(docs.organization), values=VALUES, by=None)


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"name": " "}, "name", "needs a name"),
        ({"name": "a" * 121}, "name", "120 is the most"),
        ({"name": "a\u202eb"}, "name", "invisible"),
        ({"description": "\0"}, "description", "invisible"),
        ({"base_url": "https://me:secret@api.example.com"}, "base_url", "user name or password"),
        ({"base_url": "javascript:alert(1)"}, "base_url", "Only http"),
        ({"base_url": "https://x/?token=1"}, "base_url", "no query"),
        ({"documentation_url": "javascript:alert(1)"}, "documentation_url", "Only http"),
        ({"icon_url": "data:image/png;base64,x"}, "icon_url", "Only http"),
        ({"visibility": "secret"}, "visibility", "public or private"),
        ({"oauth2_client_secret": "hunter2"}, "oauth2_client_secret", "never written here"),
        ({"oauth2_client_secret": "${A}${B}"}, "oauth2_client_secret", "never written here"),
        ({"oauth2_client_id": "${a}"}, "oauth2_client_id", "no reference"),
        ({"oauth2_client_id": ""}, "oauth2_client_id", "with a client id"),
        ({"oauth2_token_url": ""}, "oauth2_token_url", "Say where tokens are asked for"),
        ({"oauth2_scopes": ['a"b']}, "oauth2_scopes", "is no scope"),
    ],
)
def test_what_a_provider_cannot_be_is_refused_beside_its_field(
    docs: Server, values: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(Invalid) as error:
        providers.create_provider(server=docs, values={**VALUES, **values}, by=None)
    assert {each.field for each in error.value.errors} == {field}
    assert said in str(error.value)
    assert "hunter2" not in str(error.value)
    assert not Provider.objects.exists()


def test_a_secret_is_never_put_into_an_address(docs: Server) -> None:
    factories.variable(docs, "TOKEN", secret="s3cret")
    factories.variable(docs, "REGION", "eu")
    for field in ("base_url", "oauth2_token_url"):
        with pytest.raises(Invalid, match="never put into addresses"):
            providers.create_provider(server=docs, values={**VALUES, field: "https://a.example/${TOKEN}"}, by=None)
    providers.create_provider(server=docs, values={**VALUES, "base_url": "https://${REGION}.example"}, by=None)


def test_a_client_secret_is_a_secret_variable_or_one_that_comes_later(docs: Server) -> None:
    factories.variable(docs, "PLAIN", "x")
    with pytest.raises(Invalid, match="is a plain variable"):
        providers.create_provider(server=docs, values={**VALUES, "oauth2_client_secret": "${PLAIN}"}, by=None)
    provider = providers.create_provider(server=docs, values=VALUES, by=None)
    assert "no variable CLIENT_SECRET" in " ".join(warnings.of_provider(provider))


def test_tools_keep_their_base_url(docs: Server) -> None:
    provider = providers.create_provider(server=docs, values=VALUES, by=None)
    providers.edit_provider(provider=provider, values={"base_url": ""}, seen_revision=1, by=None)
    providers.edit_provider(provider=provider, values={"base_url": "https://a.example"}, seen_revision=2, by=None)
    factories.tool(provider)
    with pytest.raises(Invalid, match="It has 1 tool, which need"):
        providers.edit_provider(provider=provider, values={"base_url": ""}, seen_revision=3, by=None)


def test_a_host_that_a_secret_does_not_name_is_told_before_a_call_fails(docs: Server) -> None:
    factories.variable(docs, "TOKEN", secret="s3cret", hosts=["api.example.com"])
    provider = factories.provider(docs, base_url="https://api.example.com/v1")
    tool = factories.tool(provider, headers={"Authorization": "Bearer ${TOKEN}", "X-Api-Key": "${MISSING}"})
    assert [words for words in warnings.of_provider(provider) if "TOKEN" in words] == []
    assert warnings.of_tool(tool) == [
        "There is no variable MISSING, and calls that need it fail. Add it on the Variables tab."
    ]
    in_clear = providers.edit_provider(
        provider=provider, values={"base_url": "http://api.example.com/v1"}, seen_revision=1, by=None
    )
    assert "TOKEN is not sent to http://api.example.com/v1, for it does not name http://api.example.com," in " ".join(
        warnings.of_provider(in_clear)
    )
    moved = providers.edit_provider(
        provider=provider, values={"base_url": "http://evil.example"}, seen_revision=2, by=None
    )
    told = " ".join(warnings.of_provider(moved))
    assert "TOKEN is not sent to http://evil.example" in told
    assert "plain http" in told
    assert "s3cret" not in told
