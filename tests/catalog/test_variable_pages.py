"""The Variables tab: the list, the form, deleting, and what must never be on any of them."""

from __future__ import annotations

import html
import logging
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import serializers
from django.test import Client

from catalog.models import Server, Variable
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

LIST = "/o/acme/servers/docs/variables/"
VALUE = "s3cret-of-the-weather"
SECRET = {"name": "API_KEY", "is_secret": "secret", "secret_value": VALUE, "hosts": "api.example.com"}


def at(row: Variable, page: str = "edit") -> str:
    return f"{LIST}{row.pk}/{page}/"


def form_of(row: Variable, **values: Any) -> dict[str, Any]:
    """What the form sends for a row that nobody changed, but for `values`."""
    sent = {
        "name": row.name,
        "is_secret": "secret" if row.is_secret else "plain",
        "value": row.value,
        "secret_value": "",
        "hosts": "\n".join(row.hosts),
        "description": row.description,
        "seen_revision": row.revision,
    }
    return {**sent, **values}


def test_the_list_shows_values_of_plain_ones_hosts_and_uses(browse: Browse, carol: User, docs: Server) -> None:
    weather = factories.provider(docs, "Weather", base_url="https://${REGION}.example.com")
    factories.tool(weather, "getWeather", headers={"X-Api-Key": "${API_KEY}"})
    factories.variable(docs, "REGION", "eu-1")
    factories.variable(docs, "API_KEY", secret=VALUE, hosts=["api.example.com", "b.example.com:8443"])
    factories.variable(docs, "EMPTY_TOKEN", is_secret=True, hosts=["api.example.com"])
    shown = page(browse(carol), LIST)
    for expected in ("eu-1", "Secret, set", "Secret, not set", "b.example.com:8443", "The base URL of", "getWeather"):
        assert expected in shown
    assert VALUE not in shown
    assert "Variables <span" in shown.replace("\n", " ")


def test_the_list_takes_as_many_queries_for_many_as_for_few(browse: Browse, carol: User, docs: Server) -> None:
    client = browse(carol)

    def one(number: int) -> None:
        weather = factories.provider(docs, base_url=f"https://${{HOST_{number}}}")
        factories.tool(weather, headers={"X-Api-Key": f"${{KEY_{number}}}", "X-Other": "${MISSING}"})
        factories.variable(docs, f"HOST_{number}", "x")
        factories.variable(docs, f"KEY_{number}", secret=VALUE)

    one(0)
    client.get(LIST)  # the session remembers the organisation
    few = queries_of(lambda: client.get(LIST))
    for number in range(1, 15):
        one(number)
    assert queries_of(lambda: client.get(LIST)) == few


def test_an_empty_list_says_what_to_do(browse: Browse, bob: User, carol: User, docs: Server) -> None:
    assert "Tools and providers refer to it as ${NAME}" in page(browse(bob), LIST)
    assert "servers.edit" in page(browse(carol), LIST)


def test_what_is_used_and_not_there_is_told_and_can_be_added(browse: Browse, bob: User, docs: Server) -> None:
    factories.provider(docs, "Weather", base_url="https://${REGION}.example.com")
    shown = page(browse(bob), LIST)
    assert "1 variable is used and not there" in shown
    assert f"{LIST}new/?name=REGION" in shown
    assert 'value="REGION"' in page(browse(bob), f"{LIST}new/?name=REGION")
    assert "&lt;script" not in page(browse(bob), f"{LIST}new/?name=<script>")


def test_a_variable_is_made_and_says_how_it_is_written(browse: Browse, bob: User, docs: Server) -> None:
    response = browse(bob).post(f"{LIST}new/", SECRET, follow=True)
    assert "Write ${API_KEY} where its value goes" in words(response)
    row = Variable.objects.get()
    assert (row.secret, row.hosts, row.value) == (VALUE, ["api.example.com"], "")
    assert AuditEvent.objects.get(action="variable.created").actor == bob


@pytest.mark.parametrize(("name", "value"), [("API_TOKEN", "x"), ("A", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")])
def test_a_plain_one_that_looks_like_a_secret_is_told_to_become_one(
    browse: Browse, bob: User, docs: Server, name: str, value: str
) -> None:
    response = browse(bob).post(f"{LIST}new/", {"name": name, "is_secret": "plain", "value": value}, follow=True)
    shown = words(response)
    assert f"{name} looks like a secret, but it is plain" in shown
    assert shown.count("Looks like a secret") == 1
    assert "Looks like a secret" not in page(browse(bob), LIST).replace("Looks like a secret", "", 1)


def test_a_form_with_errors_names_each_and_gives_no_secret_back(browse: Browse, bob: User, docs: Server) -> None:
    wrong = {**SECRET, "name": "api key", "hosts": "ftp://api.example.com\n*.example.com"}
    response = browse(bob).post(f"{LIST}new/", wrong)
    shown = html.unescape(words(response))
    assert response.status_code == 200
    assert "A name begins with a capital letter" in shown
    assert "another scheme" in shown
    assert "Enter the secret again" in shown
    assert "ftp://api.example.com *.example.com" in shown
    assert VALUE not in shown
    assert not Variable.objects.exists()


def test_a_secret_typed_into_the_wrong_field_is_not_given_back_either(browse: Browse, bob: User, docs: Server) -> None:
    response = browse(bob).post(f"{LIST}new/", {**SECRET, "secret_value": "", "value": VALUE, "hosts": ""})
    assert "Name a host at least" in words(response)
    assert VALUE not in words(response)


def test_the_form_of_a_secret_never_holds_it_and_left_empty_keeps_it(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "API_KEY", secret=VALUE)
    shown = page(browse(bob), at(row))
    assert "Leave this empty to keep it" in shown
    assert VALUE not in shown
    browse(bob).post(at(row), form_of(row, name="WEATHER_KEY", hosts="API.example.com"))
    row = Variable.objects.get()
    assert (row.name, row.secret, row.hosts) == ("WEATHER_KEY", VALUE, ["api.example.com"])


def test_a_host_is_added_by_who_knows_the_secret(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "API_KEY", secret=VALUE, hosts=["api.example.com"])
    assert "Adding a host takes the value again" in page(browse(bob), at(row))
    response = browse(bob).post(at(row), form_of(row, hosts="api.example.com\nevil.example"))
    shown = words(response)
    assert "Enter the value again: with evil.example it may go further than before." in shown
    assert 'aria-invalid="true"' in shown[shown.index('name="secret_value"') :].partition(">")[0]
    assert Variable.objects.get().hosts == ["api.example.com"]
    browse(bob).post(at(row), form_of(row, hosts="api.example.com\nb.example.com", secret_value="anew"))
    row = Variable.objects.get()
    assert (row.secret, row.hosts) == ("anew", ["api.example.com", "b.example.com"])


def test_of_two_equal_edits_the_second_is_done_too(browse: Browse, alice: User, bob: User, docs: Server) -> None:
    for row in (factories.variable(docs, "A", "old"), factories.variable(docs, "B", secret=VALUE)):
        sent = form_of(row, description="Words", **({} if row.is_secret else {"value": "new"}))
        browse(alice).post(at(row), sent)
        response = browse(bob).post(at(row), sent, follow=True)
        assert f"{row.name} is saved." in words(response)
        assert Variable.objects.get(pk=row.pk).revision == 2


def test_a_rename_says_where_the_old_name_still_stands(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "REGION", "eu-1")
    factories.provider(docs, "Weather", base_url="https://${REGION}.example.com")
    shown = words(browse(bob).post(at(row), form_of(row, name="AREA"), follow=True))
    assert "${REGION} is still used in the base URL of the provider Weather. Write ${AREA} there" in shown


def test_one_that_becomes_secret_is_advised_to_be_replaced(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "A", VALUE)
    sent = form_of(row, is_secret="secret", hosts="api.example.com")
    shown = words(browse(bob).post(at(row), sent, follow=True))
    assert "its former value may be in exports and in git" in shown
    assert VALUE not in shown
    assert Variable.objects.get().secret == VALUE


def test_one_that_becomes_plain_needs_a_new_value(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "A", secret=VALUE)
    shown = words(browse(bob).post(at(row), form_of(row, is_secret="plain")))
    assert "Enter a value" in shown
    assert VALUE not in shown
    browse(bob).post(at(row), form_of(row, is_secret="plain", value="public"))
    assert Variable.objects.get().value == "public"


def test_of_two_edits_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, docs: Server
) -> None:
    row = factories.variable(docs, "A", "old")
    browse(alice).post(at(row), form_of(row, value="of Alice"))
    response = browse(bob).post(at(row), form_of(row, value="of Bob", description="Words of Bob"))
    shown = words(response)
    assert response.status_code == 409
    assert "of Alice" in shown
    assert 'value="of Bob"' in shown
    assert 'name="seen_revision" value="2"' in shown
    assert Variable.objects.get().value == "of Alice"
    browse(bob).post(at(row), form_of(row, value="of Bob", seen_revision=2))
    assert Variable.objects.get().value == "of Bob"


def test_a_stale_form_shows_neither_secret(browse: Browse, alice: User, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "A", secret="before")
    browse(alice).post(at(row), form_of(row, secret_value="secret-of-alice"))
    response = browse(bob).post(at(row), form_of(row, secret_value="secret-of-bob"))
    shown = words(response)
    assert response.status_code == 409
    assert "stays as it is unless you enter another" in shown
    assert "Enter the secret again" in shown
    assert "secret-of" not in shown
    assert Variable.objects.get().secret == "secret-of-alice"


def test_deleting_names_what_uses_it(browse: Browse, bob: User, docs: Server) -> None:
    row = factories.variable(docs, "REGION", "eu-1")
    factories.provider(docs, "Weather", base_url="https://${REGION}.example.com")
    assert "The base URL of the provider Weather" in page(browse(bob), at(row, "delete"))
    browse(bob).post(at(row, "delete"))
    assert not Variable.objects.exists()


def test_a_viewer_sees_no_form_and_changes_nothing(browse: Browse, carol: User, docs: Server) -> None:
    row = factories.variable(docs, "A", "x")
    shown = page(browse(carol), LIST)
    assert at(row) not in shown
    for address in (f"{LIST}new/", at(row), at(row, "delete")):
        assert browse(carol).post(address, form_of(row, value="y")).status_code == 403
    assert Variable.objects.get().value == "x"


@pytest.mark.parametrize("name", ["edit", "delete"])
def test_an_id_of_another_server_leads_nowhere(
    browse: Browse, bob: User, docs: Server, acme: Organization, charlie: User, name: str
) -> None:
    theirs = factories.server(charlie.memberships.get().organization, slug="docs")
    for server in (factories.server(acme), theirs):
        row = factories.variable(server, "A", secret=VALUE)
        assert browse(bob).get(at(row, name)).status_code == 404
        assert browse(bob).post(at(row, name), form_of(row, secret_value="mine")).status_code == 404
        assert Variable.objects.get(pk=row.pk).secret == VALUE


def test_a_secret_is_in_no_page_log_session_or_event(
    browse: Browse, bob: User, docs: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client: Client = browse(bob)
    answers = [client.post(f"{LIST}new/", SECRET), client.post(f"{LIST}new/", SECRET)]
    row = Variable.objects.get()
    answers += [
        client.post(at(row), form_of(row, secret_value=f"{VALUE}\u0007")),
        client.post(at(row), form_of(row, secret_value=f"{VALUE}-2")),
        client.post(at(row), form_of(row, secret_value=f"{VALUE}-3", seen_revision=1)),
        client.get(LIST),
        client.get(at(row)),
        client.get(at(row, "delete")),
        client.post(at(row, "delete")),
        client.get("/o/acme/servers/docs/activity/"),
    ]
    assert [answer.status_code for answer in answers] == [302, 200, 200, 302, 409, 200, 200, 200, 302, 200]
    seen = [words(answer) + str(answer.headers) for answer in answers]
    seen += [str(session.get_decoded()) for session in Session.objects.all()]
    seen += [serializers.serialize("json", AuditEvent.objects.all()), caplog.text]
    assert AuditEvent.objects.filter(action__startswith="variable.").count() == 3
    assert not [text for text in seen if VALUE in text]
