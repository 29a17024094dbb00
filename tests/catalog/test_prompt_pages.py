"""Pages of prompts: one with arguments filled in, its form with rows, deleting."""

from __future__ import annotations

import html
from typing import Any

import pytest

from catalog.models import Prompt, Server
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, words
from tests.conftest import Browse

DOCS = "/o/acme/servers/docs"
CITY = {"name": "city", "description": "Where", "required": True}
TONE = {"name": "tone", "description": "", "required": False}
ASK = {"role": "user", "text": "How is the weather in {{city}}?{{tone}}"}
REPLY = {"role": "assistant", "text": "Sunny.\n"}
FORM = {
    "name": "askWeather",
    "title": "Ask",
    "description": "",
    "arguments-0-name": "city",
    "arguments-0-description": "Where",
    "arguments-0-required": "on",
    "messages-0-role": "user",
    "messages-0-text": "How is the weather in {{city}}?",
    "messages-1-role": "assistant",
    "messages-1-text": "Sunny.\r\n",
}


def at(row: Prompt, name: str = "") -> str:
    return f"{DOCS}/prompts/{row.pk}/{name}"


@pytest.fixture
def new(docs: Server) -> str:
    """The address of the form for a new prompt."""
    return f"{DOCS}/providers/{factories.provider(docs).pk}/prompts/new/"


@pytest.fixture
def ask(docs: Server) -> Prompt:
    return factories.prompt(factories.provider(docs), "askWeather", arguments=[CITY, TONE], messages=[ASK, REPLY])


def shown_rows(text: str, part: str, field: str) -> list[str]:
    """What the fields of the rows hold, in order."""
    found: list[str] = []
    while (start := text.find(f'name="{part}-{len(found)}-{field}"')) >= 0:
        tag = text[start : text.index(">", start)]
        value = tag.partition('value="')[2].partition('"')[0]
        found.append(value or text[text.index(">", start) + 1 : text.index("</", start)].strip())
    return found


def test_a_prompt_is_made_with_its_rows(browse: Browse, bob: User, new: str) -> None:
    shown = words(browse(bob).post(new, FORM, follow=True))
    row = Prompt.objects.get()
    assert row.arguments == [CITY]
    assert row.messages == [{"role": "user", "text": "How is the weather in {{city}}?"}, REPLY]
    assert "How is the weather in [city]?" in shown


def test_rows_that_are_left_empty_are_none(browse: Browse, bob: User, new: str) -> None:
    empty = {"arguments-1-name": " ", "arguments-1-description": "", "messages-2-role": "user", "messages-2-text": ""}
    gap = {**FORM, **empty, "arguments-2-name": "tone", "arguments-2-description": "", "messages-2-text": " "}
    browse(bob).post(new, {**gap, "messages-3-role": "user", "messages-3-text": "{{tone}}"})
    row = Prompt.objects.get()
    assert [it["name"] for it in row.arguments] == ["city", "tone"]
    assert [it["text"] for it in row.messages][2:] == ["{{tone}}"]


@pytest.mark.parametrize(
    ("rows", "arguments", "texts"),
    [
        ("add arguments", ["city", ""], ["one", "two"]),
        ("add messages", ["city"], ["one", "two", ""]),
        ("remove messages 0", ["city"], ["two"]),
        ("remove arguments 0", [], ["one", "two"]),
        ("up messages 1", ["city"], ["two", "one"]),
        ("up messages 0", ["city"], ["one", "two"]),
        ("remove messages 7", ["city"], ["one", "two"]),
        ("remove messages ٣", ["city"], ["one", "two"]),
        ("nonsense", ["city"], ["one", "two"]),
    ],
)
def test_a_button_gives_the_form_back_with_its_rows_otherwise_and_saves_nothing(
    browse: Browse, bob: User, new: str, rows: str, arguments: list[str], texts: list[str]
) -> None:
    typed = {**FORM, "name": "not yet right", "messages-0-text": "one", "messages-1-text": "two", "rows": rows}
    shown = words(browse(bob).post(new, typed))
    assert shown_rows(shown, "arguments", "name") == arguments
    assert shown_rows(shown, "messages", "text") == texts
    assert 'value="not yet right"' in shown
    assert "needs your attention" not in shown
    assert not Prompt.objects.exists()


def test_no_more_rows_can_be_added_than_are_allowed(browse: Browse, bob: User, new: str) -> None:
    many = {f"messages-{at}-{name}": value for at in range(50) for name, value in (("role", "user"), ("text", "x"))}
    shown = words(browse(bob).post(new, {**FORM, **many, "rows": "add messages"}))
    assert len(shown_rows(shown, "messages", "text")) == 50
    assert 'value="add messages"' not in shown
    more = {**FORM, **many, "messages-50-role": "user", "messages-50-text": "x"}
    assert "50 messages at most" in words(browse(bob).post(new, more))


def test_an_unknown_argument_is_told_at_the_top_and_beside_its_message(browse: Browse, bob: User, new: str) -> None:
    response = browse(bob).post(new, {**FORM, "messages-1-text": "{{town}}"})
    shown = html.unescape(words(response))
    assert shown.count("Message 2 uses {{town}}, but there is no argument “town”") == 2
    assert shown_rows(shown, "messages", "text")[1] == "{{town}}"
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "Ask Weather"}, "A name begins with a small letter"),
        ({"arguments-0-name": "a b"}, "The name of argument 1 begins with a letter"),
        ({"arguments-0-name": ""}, "The name of argument 1 begins with a letter"),
        ({"messages-0-text": "", "messages-1-text": " "}, "Message 1 is empty"),
        ({"messages-0-role": "system"}, "Select a valid choice"),
        ({"arguments-0-description": "x" * 1001}, "at most 1000 characters"),
    ],
)
def test_a_form_with_errors_keeps_what_was_typed(
    browse: Browse, bob: User, new: str, values: dict[str, Any], expected: str
) -> None:
    response = browse(bob).post(new, {**FORM, **values})
    assert response.status_code == 200
    assert expected in html.unescape(words(response))
    assert 'value="Ask"' in words(response)
    assert not Prompt.objects.exists()


def test_the_form_of_a_prompt_holds_its_rows_and_saves_them_unchanged(browse: Browse, bob: User, ask: Prompt) -> None:
    shown = html.unescape(page(browse(bob), at(ask, "edit/")))
    assert shown_rows(shown, "arguments", "name") == ["city", "tone"]
    assert shown_rows(shown, "messages", "text") == [ASK["text"], "Sunny."]
    sent = {
        **FORM,
        "title": "",
        "arguments-1-name": "tone",
        "arguments-1-description": "",
        "messages-0-text": ASK["text"],
        "seen_revision": 1,
    }
    browse(bob).post(at(ask, "edit/"), sent)
    assert Prompt.objects.get().revision == 1
    browse(bob).post(at(ask, "edit/"), {**sent, "messages-1-text": "Rainy."})
    assert Prompt.objects.get().messages[1] == {"role": "assistant", "text": "Rainy."}


def test_of_two_edits_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, ask: Prompt
) -> None:
    seen = {**FORM, "seen_revision": 1}
    browse(alice).post(at(ask, "edit/"), {**seen, "messages-1-text": "Words of Alice"})
    response = browse(bob).post(at(ask, "edit/"), {**seen, "messages-1-text": "Words of Bob"})
    shown = html.unescape(words(response))
    assert response.status_code == 409
    assert "assistant: Words of Alice" in shown
    assert shown_rows(shown, "messages", "text")[1] == "Words of Bob"
    assert 'name="seen_revision" value="2"' in shown
    added = browse(bob).post(at(ask, "edit/"), {**seen, "seen_revision": 2, "rows": "add messages"})
    assert 'name="seen_revision" value="2"' in words(added)
    browse(bob).post(at(ask, "edit/"), {**seen, "messages-1-text": "Words of Bob", "seen_revision": 2})
    assert Prompt.objects.get().messages[1]["text"] == "Words of Bob"


def test_the_page_shows_how_it_reads_with_the_values_entered(browse: Browse, carol: User, ask: Prompt) -> None:
    shown = page(browse(carol), at(ask))
    assert "How is the weather in [city]?</p>" in shown
    shown = page(browse(carol), at(ask) + "?sample-city=%3Cb%3EParis&sample-tone=+Be+brief.&sample-x=y")
    assert "How is the weather in &lt;b&gt;Paris? Be brief." in shown.replace("?Be", "? Be")
    assert 'value="&lt;b&gt;Paris"' in shown


def test_an_argument_of_which_only_the_name_was_stored_is_an_optional_one(
    browse: Browse, bob: User, docs: Server
) -> None:
    row = factories.prompt(
        factories.provider(docs), arguments=[{"name": "city"}], messages=[ASK | {"text": "{{city}}"}]
    )
    assert "Oslo" in words(browse(bob).get(at(row), {"sample-city": "Oslo"}))
    assert "[city]" not in words(browse(bob).get(at(row)))
    saved_meanwhile = browse(bob).post(at(row, "edit/"), {**FORM, "seen_revision": 0})
    assert saved_meanwhile.status_code == 409, "what there is now is shown beside what was typed"


def test_the_page_warns_of_what_is_probably_not_meant(browse: Browse, carol: User, docs: Server) -> None:
    row = factories.prompt(factories.provider(docs), arguments=[CITY], messages=[REPLY])
    assert "No message uses the argument “city”" in page(browse(carol), at(row))


def test_deleting_says_what_goes(browse: Browse, bob: User, ask: Prompt) -> None:
    assert "Its 2 messages are kept nowhere else" in page(browse(bob), at(ask, "delete/"))
    browse(bob).post(at(ask, "delete/"))
    assert not Prompt.objects.exists()


def test_a_viewer_reads_and_changes_nothing(browse: Browse, carol: User, ask: Prompt, new: str) -> None:
    assert "servers.edit" in page(browse(carol), at(ask))
    for address in (at(ask, "edit/"), at(ask, "delete/"), new):
        assert browse(carol).post(address, {**FORM, "rows": "add messages"}).status_code == 403
        assert browse(carol).post(address, FORM).status_code == 403
    assert Prompt.objects.get().messages == [ASK, REPLY]


def test_an_id_of_another_server_leads_nowhere(browse: Browse, bob: User, docs: Server, acme: Organization) -> None:
    row = factories.prompt(factories.provider(factories.server(acme)))
    for name in ("", "edit/", "delete/"):
        assert browse(bob).get(at(row, name)).status_code == 404
    assert browse(bob).post(at(row, "edit/"), {**FORM, "seen_revision": 1}).status_code == 404
    assert browse(bob).post(f"{DOCS}/providers/{row.provider_id}/prompts/new/", FORM).status_code == 404
    assert Prompt.objects.get().name == row.name
