"""Pages of commands: one with a sample filled in, its form with rows of arguments, and whose it is."""

from __future__ import annotations

import html
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Command
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

COMMANDS = "/o/acme/commands"
CITY = {"name": "city", "description": "Where", "required": True}
TONE = {"name": "tone", "description": "", "required": False}
FORM = {
    "name": "Ask for the weather",
    "slug": "",
    "description": "For trips.",
    "arguments-0-name": "city",
    "arguments-0-description": "Where",
    "arguments-0-required": "on",
    "prompt": "How is the weather in {{city}}?\r\n",
    "who": "organization",
}


def at(row: Command, name: str = "") -> str:
    return f"{COMMANDS}/{row.pk}/{name}"


@pytest.fixture
def ask(acme: Organization) -> Command:
    return factories.command(acme, "Ask", arguments=[CITY, TONE], prompt="Weather in {{city}}?{{tone}}")


def test_a_command_is_made_with_its_arguments_and_a_slug_of_its_name(browse: Browse, bob: User) -> None:
    shown = words(browse(bob).post(f"{COMMANDS}/new/", FORM, follow=True))
    row = Command.objects.get()
    assert (row.slug, row.owner, row.arguments) == ("ask-for-the-weather", None, [CITY])
    assert row.prompt == "How is the weather in {{city}}?\n"
    assert "How is the weather in [city]?" in shown


def test_a_personal_command_is_seen_by_its_owner_alone(
    browse: Browse, alice: User, bob: User, carol: User, charlie: User
) -> None:
    browse(bob).post(f"{COMMANDS}/new/", {**FORM, "who": "me"})
    row = Command.objects.get()
    assert row.owner == bob
    assert "Personal" in page(browse(bob), at(row))
    for person in (alice, carol, charlie):
        for name in ("", "edit/"):
            assert browse(person).get(at(row, name)).status_code in (403, 404)
            assert browse(person).post(at(row, name), {**FORM, "seen_revision": 1}).status_code in (403, 404)
    assert browse(alice).get(at(row)).status_code == 404
    assert browse(alice).post(at(row, "edit/"), {**FORM, "seen_revision": 1}).status_code == 404
    assert row.name not in page(browse(alice), f"{COMMANDS}/")
    assert row.name in page(browse(bob), f"{COMMANDS}/")


def test_who_has_it_is_asked_once_and_cannot_be_changed_by_the_form(browse: Browse, bob: User, ask: Command) -> None:
    assert 'name="who"' in page(browse(bob), f"{COMMANDS}/new/")
    assert 'name="who"' not in page(browse(bob), at(ask, "edit/"))
    browse(bob).post(at(ask, "edit/"), {**FORM, "slug": "ask", "seen_revision": 1, "who": "me"})
    row = Command.objects.get()
    assert (row.name, row.owner) == ("Ask for the weather", None)


def test_rows_are_added_and_removed_without_saving_and_keep_what_was_typed(browse: Browse, bob: User) -> None:
    typed = {**FORM, "who": "me", "rows": "add arguments"}
    response = browse(bob).post(f"{COMMANDS}/new/", typed)
    shown = words(response)
    assert 'name="arguments-1-name"' in shown
    assert response.context["form"]["who"].value() == "me"
    assert 'value="Ask for the weather"' in shown
    assert (
        words(browse(bob).post(f"{COMMANDS}/new/", {**typed, "rows": "remove arguments 0"})).count("arguments-0") == 0
    )
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"prompt": "Weather in {{town}}?"}, "there is no argument “town”"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"name": ""}, "This field is required"),
        ({"slug": "Not a slug"}, "A slug has small letters"),
        ({"arguments-0-name": "a b"}, "begins with a letter"),
        ({"who": "everybody"}, "Select a valid choice"),
        ({"slug": "ask"}, "ask"),
    ],
)
def test_what_is_wrong_stands_beside_the_fields_and_nothing_is_saved(
    browse: Browse, bob: User, ask: Command, values: dict[str, Any], expected: str
) -> None:
    response = browse(bob).post(f"{COMMANDS}/new/", {**FORM, **values})
    shown = html.unescape(words(response))
    assert response.status_code == 200
    assert expected in shown
    assert 'class="errorlist"' in shown
    assert "For trips." in shown
    assert Command.objects.count() == 1


def test_of_two_edits_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, ask: Command
) -> None:
    seen = {**FORM, "slug": "ask", "seen_revision": 1}
    browse(alice).post(at(ask, "edit/"), {**seen, "prompt": "Words of Alice in {{city}}"})
    response = browse(bob).post(
        at(ask, "edit/"), {**seen, "prompt": "Words of Bob in {{city}}", "arguments-0-description": "Town"}
    )
    shown = html.unescape(words(response))
    assert response.status_code == 409
    assert "Words of Alice in {{city}}</pre>" in shown
    assert "city (required): Where" in shown
    assert "Words of Bob in {{city}}</textarea>" in shown
    assert Command.objects.get().prompt == "Words of Alice in {{city}}"
    browse(bob).post(at(ask, "edit/"), {**seen, "prompt": "Words of Bob in {{city}}", "seen_revision": 2})
    assert Command.objects.get().prompt == "Words of Bob in {{city}}"


def test_a_form_without_what_it_read_saves_over_nothing(browse: Browse, bob: User, ask: Command) -> None:
    response = browse(bob).post(at(ask, "edit/"), {**FORM, "slug": "ask"})
    assert response.status_code == 409
    assert Command.objects.get().name == "Ask"


def test_the_page_shows_how_it_reads_with_the_values_entered(browse: Browse, carol: User, ask: Command) -> None:
    assert "Weather in [city]?</p>" in page(browse(carol), at(ask))
    shown = page(browse(carol), at(ask) + "?sample-city=%3Cb%3EParis&sample-tone=+Be+brief.&sample-x=y")
    assert "Weather in &lt;b&gt;Paris?" in shown
    assert "Be brief.</p>" in shown
    assert 'data-copy-from="filled-text"' in shown


def test_the_page_warns_of_what_is_probably_not_meant(browse: Browse, carol: User, acme: Organization) -> None:
    row = factories.command(acme, arguments=[CITY], prompt="Hello {{my city}}")
    shown = html.unescape(page(browse(carol), at(row)))
    assert "does not use the argument “city”" in shown
    assert "{{my city}}" in shown


def test_the_page_names_what_uses_it(browse: Browse, carol: User, acme: Organization, ask: Command) -> None:
    assert "no client gets it yet" in page(browse(carol), at(ask))
    kit = factories.toolkit(acme, "Travel", commands=[ask])
    shown = page(browse(carol), at(ask))
    assert f"/o/acme/toolkits/{kit.pk}/" in shown


def test_a_viewer_reads_and_changes_nothing(browse: Browse, carol: User, ask: Command) -> None:
    assert "entities.edit" in page(browse(carol), at(ask))
    for address in (at(ask, "edit/"), f"{COMMANDS}/new/"):
        for sent in (FORM, {**FORM, "rows": "add arguments"}):
            assert browse(carol).post(address, sent).status_code == 403
        assert browse(carol).get(address).status_code == 403
    assert Command.objects.get().revision == 1


def test_ids_of_others_lead_nowhere(browse: Browse, bob: User, charlie: User, ask: Command) -> None:
    for address in (at(ask), at(ask, "edit/")):
        assert browse(charlie).get(address).status_code == 404
        assert browse(charlie).get(address.replace("/acme/", "/other/")).status_code == 404
    assert browse(bob).get(f"{COMMANDS}/{uuid4()}/").status_code == 404
    assert browse(bob).get(f"{COMMANDS}/not-an-id/").status_code == 404
    assert browse(charlie).post(at(ask, "edit/").replace("/acme/", "/other/"), FORM).status_code == 404


def test_one_that_was_deleted_meanwhile_gives_back_what_was_typed(browse: Browse, bob: User, ask: Command) -> None:
    client = browse(bob)
    address = at(ask, "edit/")
    ask.delete()
    assert client.post(address, {**FORM, "slug": "ask", "seen_revision": 1}).status_code == 404


def test_a_list_takes_as_many_queries_for_many_as_for_few(browse: Browse, bob: User, acme: Organization) -> None:
    client = browse(bob)
    client.get(f"{COMMANDS}/")
    factories.toolkit(acme, commands=[factories.command(acme)])
    few = queries_of(lambda: client.get(f"{COMMANDS}/"))
    for _ in range(8):
        factories.toolkit(acme, commands=[factories.command(acme, owner=bob), factories.command(acme)])
    assert queries_of(lambda: client.get(f"{COMMANDS}/")) == few
