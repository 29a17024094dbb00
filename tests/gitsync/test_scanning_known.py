"""Secrets that the database keeps are found in whatever form they have slipped in."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.exchange.model import ProviderConfig, ServerConfig, ToolConfig
from gitsync.known_secrets import known_secrets
from gitsync.layout import render
from gitsync.models import Mirror, PushTarget
from gitsync.scanning import Finding, KnownSecret, scan
from lib.crypto import secret_fields
from orgs.models import Organization, User
from tests import factories

KEY = b"k" * 32
VALUE = 'S3cr/t+val=u "e" of ours & co'


def found(text: str, *values: str) -> list[Finding]:
    """In a tool's description, as rendered."""
    tool = ToolConfig("getWeather", "GET", "/", description=text)
    files = render(ServerConfig("Weather", "weather", 1, providers=(ProviderConfig("notes", tools=(tool,)),)))
    return scan(files, [KnownSecret("value of the variable API_KEY", value) for value in values], key=KEY)


FORMS = {
    "as it is": VALUE,
    "in JSON": json.dumps({"key": VALUE}),
    "in a URL": f"https://a.example.com/?q={quote(VALUE, safe='')}",
    "in a URL in small letters": f"https://a.example.com/?q={quote(VALUE, safe='').lower().replace('s3cr', 'S3cr')}",
    "in base64": base64.b64encode(VALUE.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
    "with its user": base64.b64encode(f"alice:{VALUE}".encode()).decode(),
    "with another user": base64.b64encode(f"bob:{VALUE}:more".encode()).decode(),
    "with a third": base64.b64encode(f"al:{VALUE}!".encode()).decode(),
    "over two lines": VALUE.replace(" of ", "\nof\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_known_secret_is_found_in_each_form(form: str) -> None:
    findings = found(f"Before {FORMS[form]} after.", VALUE)
    assert {finding.path for finding in findings} >= {"export.json", "notes/tools/get-weather.json"}
    assert {finding.kind for finding in findings} == {"value of the variable API_KEY"}
    assert "S3cr" not in repr(findings)
    assert "S3cr" not in repr(KnownSecret("x", VALUE))


def test_a_key_wrapped_in_another_way_is_found() -> None:
    body = "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA1234567890"
    findings = found("  " + "\n  ".join(body[at : at + 20] for at in range(0, len(body), 20)), body)
    assert {finding.field for finding in findings if finding.path == "export.json"} == {
        "description of tool getWeather"
    }


def test_a_page_is_searched_without_the_signs_that_make_text_of_it() -> None:
    findings = found("Use a_b*c[d]e~f|g<h>i.", "a_b*c[d]e~f|g<h>i")
    assert "notes/tools/get-weather.md" in {finding.path for finding in findings}


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ("The region is de.", "de", True),
        ("The code is in use.", "de", False),
        ("key=x1y2", "x1y2", True),
        ("key=ax1y2", "x1y2", False),
        ("The password is hunter2!", "hunter2", True),
        ("Xhunter2X", "hunter2", True),
        ("anything", "", False),
        ("any thing", "   ", False),
    ],
)
def test_a_short_secret_is_found_as_a_word_and_a_longer_one_anywhere(text: str, value: str, told: bool) -> None:
    assert bool(found(text, value)) == told


def test_secrets_that_begin_alike_or_lie_in_each_other_are_all_found() -> None:
    values = ["token-aaaa-1111", "token-aaaa-2222", "aaaa-2222-bbbb", "token-aaaa-2222-bbbb-3333"]
    digests = {finding.digest for finding in found(" ".join([values[0], values[3]]), *values)}
    assert len(digests) == 4


def test_secrets_that_overlap_are_all_found() -> None:
    assert len({finding.digest for finding in found("xabcdefghij", "abcdefgh", "bcdefghi", "cdefghij")}) == 3


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_name_that_holds_a_secret_is_told_without_it(form: str) -> None:
    files = render(ServerConfig("Weather", "weather", 1, providers=(ProviderConfig(form[:120]),)))
    findings = scan(files, [KnownSecret("token", VALUE)], key=KEY)
    assert findings
    assert form not in repr(findings)
    assert "…" in next(finding.field for finding in findings if finding.path == "export.json")


def test_one_of_two_texts_does_not_go_on_in_the_other() -> None:
    files = {"a.txt": b"first-half-", "b.txt": b"second-half"}
    assert scan(files, [KnownSecret("x", "first-half-second-half")], key=KEY) == []


@given(value=st.text(min_size=6, max_size=40).filter(lambda text: len(text.strip()) >= 6), before=st.text(max_size=5))
@settings(deadline=None, max_examples=100)
def test_whatever_a_secret_is_made_of_it_is_found(value: str, before: str) -> None:
    value = value.replace("\0", "0").encode("utf-8", "ignore").decode()
    if len(value.strip()) < 6:
        return
    texts = {"commit message": f"{before} {value} end"}
    assert scan({}, [KnownSecret("x", value)], key=KEY, texts=texts)


@pytest.mark.django_db
def test_each_kind_of_secret_of_an_organisation_is_known_and_nobody_elses(acme: Organization, alice: User) -> None:
    server = factories.server(acme, "Weather")
    factories.variable(server, "API_KEY", secret="of a variable")
    factories.variable(server, "REGION", value="plain")
    factories.variable(factories.server(acme, owner=alice), "MINE", secret="of a personal variable")
    connection = factories.connection(acme, alice, token="of a connection")
    connection.refresh_token, connection.consumer_secret = "to refresh", "of a consumer"
    connection.save()
    factories.hook(acme, secret="of a hook", previous_secret="of a hook before", repository="acme/docs")
    factories.integration(server, "acme/docs", token="of an integration")
    factories.source(server, "mcp", token="of a source")
    target = PushTarget(organization=acme, server=server, server_name="Weather", forge="git", repository_id="1")
    target.token = "of a target"
    target.save()
    mirror = Mirror(organization=acme, forge="git", repository="acme/config", repository_id="2")
    mirror.token = "of a mirror"
    mirror.save()
    other = factories.organization("Globex")
    factories.variable(factories.server(other), "API_KEY", secret="of another")
    factories.connection(other, token="of another")

    known = known_secrets(acme)
    assert {secret.value for secret in known} == {
        *("of a variable", "of a connection", "to refresh", "of a consumer", "of a hook", "of a hook before"),
        *("of an integration", "of a source", "of a target", "of a mirror", "of a personal variable"),
    }
    assert len(known) == len(list(secret_fields())) + 1  # a new one needs a case here
    kinds = {secret.value: secret.kind for secret in known}
    assert kinds["of a variable"] == "value of the variable API_KEY"
    assert kinds["of a connection"] == "token of a connection of Alice"
    assert kinds["of a personal variable"] == "value of a variable of a personal server"
    assert kinds["of a hook before"] == "previous secret of the hook acme/docs"


@pytest.mark.parametrize(
    ("value", "told"), [("4929123456781234", True), ("1.2345678", True), ("-0.0031415", True), ("42", False)]
)
def test_a_secret_of_digits_is_found_where_it_is_written_as_a_number(value: str, told: bool) -> None:
    schema = {"type": "object", "properties": {"pin": {"default": json.loads(value)}}}
    tool = ToolConfig("getWeather", "GET", "/", query_schema=schema)
    files = render(ServerConfig("Weather", "weather", 1, providers=(ProviderConfig("notes", tools=(tool,)),)))
    places = {each.path: each.line for each in scan(files, [KnownSecret("x", value)], key=KEY)}
    assert (set(places) >= {"export.json", "notes/tools/get-weather.json"}) == told
    assert all(value in files[path].decode().splitlines()[line - 1] for path, line in places.items())


def test_what_is_known_is_told_although_the_same_was_allowed_before() -> None:
    value = "ghp_" + "q7Xw2LkR" * 4 + "ZtYp"
    texts = {"commit message": f"Use {value}."}
    (looks_like,) = scan({}, [], key=KEY, texts=texts)
    assert looks_like.allowable
    assert scan({}, [], key=KEY, texts=texts, allowed={looks_like.digest}) == []
    (is_one,) = scan({}, [KnownSecret("x", value)], key=KEY, texts=texts, allowed={looks_like.digest})
    assert (is_one.digest, is_one.allowable) == (looks_like.digest, False)
