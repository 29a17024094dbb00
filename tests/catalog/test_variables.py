"""Variables: what may be saved, where values may be, and where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import serializers
from django.test import override_settings

from catalog import signals, variables
from catalog.checking.problems import Invalid
from catalog.checking.secrets import looks_secret
from catalog.models import Server, Variable
from catalog.saving import Change, Stale
from lib.crypto import CryptoError, Tampered, generate_key
from orgs.models import AuditEvent, User
from tests import factories

VALUE = "s3cret-of-the-weather"
PLAIN = {"name": "REGION", "is_secret": False, "value": "eu-1"}
SECRET = {"name": "API_KEY", "is_secret": True, "value": VALUE, "hosts": ["api.example.com"]}


@pytest.fixture
def changes(docs: Server) -> Iterator[list[Change]]:
    """The news of the configuration, in order."""
    heard: list[Change] = []

    def receive(change: Change, **_: Any) -> None:
        heard.append(change)

    signals.config_saved.connect(receive)
    yield heard
    signals.config_saved.disconnect(receive)


def edited(row: Variable, by: User | None = None, **values: Any) -> Variable:
    return variables.edit_variable(variable=row, values=values, seen_revision=row.revision, by=by)


def stored(row: Variable) -> str:
    """The row as the database has it, bytes and all."""
    values = Variable.objects.filter(pk=row.pk).values_list().get()
    return " ".join(bytes(it).decode("latin-1") if isinstance(it, bytes | memoryview) else str(it) for it in values)


def logged() -> str:
    return str(serializers.serialize("json", AuditEvent.objects.all()))


def errors_of(invalid: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.field: error.text for error in invalid.value.errors}


def test_a_secret_is_kept_encrypted_and_a_plain_value_as_it_is(docs: Server) -> None:
    secret = variables.create_variable(server=docs, values=SECRET, by=None)
    plain = variables.create_variable(server=docs, values=PLAIN, by=None)
    assert VALUE not in stored(secret)
    assert "eu-1" in stored(plain)
    values = variables.values_for(docs)
    assert (values["API_KEY"].value, values["REGION"].value) == (VALUE, "eu-1")
    assert VALUE not in repr(values)


def test_each_change_is_counted_logged_and_told_once(docs: Server, alice: User, changes: list[Change]) -> None:
    row = variables.create_variable(server=docs, values=SECRET, by=alice)
    row = edited(row, alice, name="WEATHER_KEY")
    row = edited(row, alice, name="WEATHER_KEY", value="", hosts=["API.example.com"])
    row = edited(row, alice, hosts=["b.example.com"], value=VALUE)
    variables.delete_variable(variable=row, by=alice)
    assert changes == [
        Change("create", "variable", "API_KEY"),
        Change("rename", "variable", "WEATHER_KEY", former="API_KEY"),
        Change("update", "variable", "WEATHER_KEY"),
        Change("delete", "variable", "WEATHER_KEY"),
    ]
    docs.refresh_from_db()
    assert docs.config_revision == 5
    events = AuditEvent.objects.filter(scope=str(docs.pk)).order_by("pk")
    assert [event.action for event in events] == [
        "variable.created",
        "variable.edited",
        "variable.edited",
        "variable.deleted",
    ]
    assert events[2].before == {"hosts": ["api.example.com"]}
    assert events[2].after == {"hosts": ["b.example.com"]}


def test_no_value_is_ever_in_the_audit_log(docs: Server) -> None:
    row = variables.create_variable(server=docs, values={**PLAIN, "value": VALUE}, by=None)
    row = edited(row, value=f"{VALUE}-2")
    row = edited(row, is_secret=True, hosts=["api.example.com"])
    row = edited(row, value=f"{VALUE}-3")
    variables.delete_variable(variable=row, by=None)
    assert AuditEvent.objects.count() == 5
    assert VALUE not in logged()


def test_the_log_tells_that_a_value_changed_and_which_kind_it_is(docs: Server) -> None:
    row = edited(factories.variable(docs, "A", VALUE), is_secret=True, hosts=["api.example.com"])
    event = AuditEvent.objects.get()
    assert (event.before["kind"], event.after["kind"]) == ("plain", "secret")
    edited(row, value="another")
    assert AuditEvent.objects.order_by("pk").last().after == {"value": "••••••"}  # type: ignore[union-attr]


def test_an_empty_value_keeps_the_secret_and_a_rename_does_too(docs: Server) -> None:
    row = variables.create_variable(server=docs, values=SECRET, by=None)
    row = edited(row, name="OTHER_KEY", value="")
    assert Variable.objects.get(pk=row.pk).secret == VALUE


def test_entering_the_same_secret_again_changes_nothing(docs: Server, changes: list[Change]) -> None:
    row = edited(factories.variable(docs, "A", secret=VALUE), value=VALUE)
    assert row.revision == 1
    assert changes == []


def test_a_secret_goes_to_more_hosts_only_when_its_value_is_entered_again(docs: Server) -> None:
    row = factories.variable(docs, "A", secret=VALUE, hosts=["api.example.com", "b.example.com"])
    in_clear = "http://api.example.com"
    for hosts in (["api.example.com", "evil.example"], ["evil.example"], ["api.example.com:8443"], [in_clear]):
        with pytest.raises(Invalid) as invalid:
            edited(row, hosts=hosts)
        assert f"Enter the value again: with {hosts[-1]}" in errors_of(invalid)["value"]
        assert Variable.objects.get(pk=row.pk).hosts == row.hosts
    row = edited(row, hosts=["B.example.com"])
    assert (row.hosts, row.secret) == (["b.example.com"], VALUE)
    row = edited(row, hosts=["b.example.com", "c.example.com"], value=VALUE)
    assert (row.hosts, row.secret) == (["b.example.com", "c.example.com"], VALUE)


def test_a_secret_without_a_value_takes_hosts_as_they_come(docs: Server) -> None:
    row = edited(factories.variable(docs, "A", is_secret=True, hosts=["api.example.com"]), hosts=["b.example.com"])
    assert row.hosts == ["b.example.com"]


def test_one_that_becomes_secret_keeps_its_value_and_leaves_none_in_the_clear(docs: Server) -> None:
    row = edited(factories.variable(docs, "A", VALUE), is_secret=True, hosts=["api.example.com"])
    row = Variable.objects.get(pk=row.pk)
    assert (row.value, row.secret) == ("", VALUE)
    assert VALUE not in stored(row)


def test_one_that_becomes_plain_needs_a_value_and_never_tells_the_secret_one(docs: Server) -> None:
    row = factories.variable(docs, "A", secret=VALUE)
    for value in ("", None):
        with pytest.raises(Invalid) as invalid:
            edited(row, is_secret=False, value=value)
        assert "Enter a value" in errors_of(invalid)["value"]
        assert VALUE not in str(invalid.value)
    row = edited(row, is_secret=False, value="public")
    assert (row.value, row.secret, Variable.secret.is_set(row)) == ("public", "", False)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": "api_key"}, "name", "begins with a capital letter"),
        ({"name": "A" * 65}, "name", "begins with a capital letter"),
        ({"name": "API_KEY\n"}, "", ""),
        ({"name": "API\nKEY"}, "name", "begins with a capital letter"),
        ({"hosts": []}, "hosts", "Name a host at least"),
        ({"hosts": [" "]}, "hosts", "Name a host at least"),
        ({"hosts": ["*.example.com"]}, "hosts", "many hosts"),
        ({"hosts": ["https://api.example.com/v1"]}, "hosts", "has a path"),
        ({"hosts": ["ftp://api.example.com"]}, "hosts", "another scheme"),
        ({"value": "a\r\nX-Evil: 1"}, "value", "no line breaks"),
        ({"value": "x" * 10_001}, "value", "10,000 characters"),
        ({"description": "a\0b"}, "description", "invisible character"),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field(
    docs: Server, values: dict[str, Any], field: str, words: str
) -> None:
    if not field:
        assert variables.create_variable(server=docs, values={**SECRET, **values}, by=None).name == "API_KEY"
        return
    with pytest.raises(Invalid) as invalid:
        variables.create_variable(server=docs, values={**SECRET, **values}, by=None)
    assert words in errors_of(invalid)[field]
    assert not Variable.objects.exists()


def test_a_name_is_once_on_a_server_and_again_on_another(docs: Server) -> None:
    variables.create_variable(server=docs, values=PLAIN, by=None)
    with pytest.raises(Invalid) as invalid:
        variables.create_variable(server=docs, values=PLAIN, by=None)
    assert "already a variable REGION" in errors_of(invalid)["name"]
    other = factories.server(docs.organization)
    assert variables.create_variable(server=other, values=PLAIN, by=None).server == other


def test_of_two_edits_from_the_same_state_the_second_is_refused(docs: Server) -> None:
    row = factories.variable(docs, "A", "1")
    edited(row, value="2")
    with pytest.raises(Stale) as stale:
        edited(row, value="3")
    assert stale.value.current.revision == 2
    assert Variable.objects.get(pk=row.pk).value == "2"


def test_the_ciphertext_of_one_variable_does_not_open_in_another(docs: Server) -> None:
    mine = factories.variable(docs, "MINE", secret="mine")
    theirs = factories.variable(factories.server(factories.organization()), "THEIRS", secret=VALUE)
    columns = {name: getattr(theirs, name) for name in Variable.secret.columns}
    Variable.objects.filter(pk=mine.pk).update(**columns)
    values = variables.values_for(docs)
    assert values["MINE"].is_set
    with pytest.raises(Tampered):
        _ = values["MINE"].value


def test_a_secret_whose_key_is_gone_can_be_entered_again(docs: Server) -> None:
    row = factories.variable(docs, "A", secret=VALUE)
    with override_settings(ENCRYPTION_KEYS=generate_key("another")):
        with pytest.raises(CryptoError):
            _ = variables.values_for(docs)["A"].value
        edited(row, value="anew")
        assert variables.values_for(docs)["A"].value == "anew"


def test_a_secret_goes_to_its_hosts_and_a_plain_value_anywhere(docs: Server) -> None:
    factories.variable(docs, "A", secret=VALUE, hosts=["api.example.com"])
    factories.variable(docs, "B", "x")
    values = variables.values_for(docs)
    assert values["A"].may_go_to("https://api.example.com/v1")
    assert not values["A"].may_go_to("https://evil.example/v1")
    assert not values["A"].may_go_to("http://api.example.com/v1")
    assert values["B"].may_go_to("https://evil.example/v1")


def test_uses_are_found_in_every_place_where_a_reference_may_stand(docs: Server) -> None:
    weather = factories.provider(
        docs,
        "Weather",
        base_url="https://${HOST}/v1",
        oauth2_token_url="https://${HOST}/token",
        oauth2_client_id="${ID}",
        oauth2_client_secret="${SECRET}",
    )
    factories.tool(weather, "getWeather", headers={"X-Api-Key": "${SECRET}", "X-Region": "${HOST}-${HOST}"})
    factories.tool(weather, "getCity", description="Not ${HERE}", path="/${NOR_HERE}")
    factories.provider(factories.server(docs.organization), base_url="https://${ELSEWHERE}")
    uses = variables.uses_of(docs)
    assert {name: sorted(map(str, found)) for name, found in uses.items()} == {
        "HOST": [
            "the OAuth2 token URL of the provider Weather",
            "the base URL of the provider Weather",
            "the header X-Region of the tool getWeather",
        ],
        "ID": ["the OAuth2 client id of the provider Weather"],
        "SECRET": [
            "the OAuth2 client secret of the provider Weather",
            "the header X-Api-Key of the tool getWeather",
        ],
    }


def test_what_stands_in_a_url_cannot_become_secret_nor_a_client_secret_plain(docs: Server) -> None:
    factories.provider(docs, "Weather", base_url="https://${HOST}", oauth2_client_secret="${SECRET}")
    host = factories.variable(docs, "HOST", "api.example.com")
    secret = factories.variable(docs, "SECRET", secret=VALUE)
    other = factories.variable(docs, "OTHER", secret=VALUE)
    with pytest.raises(Invalid) as invalid:
        edited(host, is_secret=True, hosts=["api.example.com"])
    assert (
        "HOST cannot be secret: it is used in the base URL of the provider Weather" in errors_of(invalid)["is_secret"]
    )
    with pytest.raises(Invalid) as invalid:
        edited(secret, is_secret=False, value="x")
    assert "SECRET cannot be plain" in errors_of(invalid)["is_secret"]
    variables.delete_variable(variable=host, by=None)
    with pytest.raises(Invalid):  # nor by way of the name
        edited(other, name="HOST")


def test_a_variable_that_is_used_can_be_deleted(docs: Server) -> None:
    factories.provider(docs, base_url="https://${HOST}")
    variables.delete_variable(variable=factories.variable(docs, "HOST", "x"), by=None)
    assert not Variable.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "looks"),
    [
        ("GITHUB_TOKEN", "", True),
        ("CLIENT_SECRET", "x", True),
        ("DB_PASSWORD", "x", True),
        ("API_KEY", "x", True),
        ("REGION", "eu-1", False),
        ("HOST", "api.example.com", False),
        ("PATH_PREFIX", "/v1/some/rather/long/path/without/any/number", False),
        ("A", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", True),
        ("A", "sk-proj-abc", True),
        ("A", "eyJhbGciOiJIUzI1NiJ9.e30.x", True),
        ("A", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", True),
    ],
)
def test_a_plain_variable_that_looks_like_a_secret_is_recognised(name: str, value: str, looks: bool) -> None:
    assert looks_secret(name, value) is looks


def test_many_things_are_listed_as_a_few_and_a_number() -> None:
    assert variables.listed(["a"]) == "a"
    assert variables.listed(["a", "b", "c"]) == "a, b and c"
    assert variables.listed("abcdefg", most=2) == "a, b and 5 more"
