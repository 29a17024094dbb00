"""Prompts: what may be saved, what is probably not meant, and messages with arguments filled in."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import prompts
from catalog.checking import prompts as rules
from catalog.checking.problems import Invalid
from catalog.models import Prompt, Server
from catalog.saving import Stale
from orgs.models import AuditEvent, User
from tests import factories

CITY = {"name": "city", "description": "Where", "required": True}
TONE = {"name": "tone", "description": "", "required": False}
ASK = {"role": "user", "text": "How is the weather in {{city}}?{{ tone }}"}
VALUES: dict[str, Any] = {"name": "askWeather", "title": "Ask", "arguments": [CITY, TONE], "messages": [ASK]}


def refused(docs: Server, **values: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Invalid) as invalid:
        prompts.create_prompt(provider=factories.provider(docs), values={**VALUES, **values}, by=None)
    assert not Prompt.objects.exists()
    return [(error.field, error.pointer, error.text) for error in invalid.value.errors]


def test_a_prompt_is_saved_logged_and_counted(docs: Server, alice: User) -> None:
    row = prompts.create_prompt(provider=factories.provider(docs), values=VALUES, by=alice)
    stored = Prompt.objects.get()
    assert (stored.arguments, stored.messages) == ([CITY, TONE], [ASK])
    same = {name: getattr(stored, name) for name in prompts.FIELDS}
    assert prompts.edit_prompt(prompt=row, values=same, seen_revision=1, by=alice).revision == 1
    row = prompts.edit_prompt(prompt=row, values={"arguments": [TONE, CITY]}, seen_revision=1, by=alice)
    assert (row.revision, Prompt.objects.get().arguments) == (2, [TONE, CITY])
    with pytest.raises(Stale):
        prompts.edit_prompt(prompt=row, values=same, seen_revision=1, by=alice)
    prompts.delete_prompt(prompt=row, by=alice)
    assert [it.action for it in AuditEvent.objects.order_by("pk")] == [
        "prompt.created",
        "prompt.edited",
        "prompt.deleted",
    ]
    docs.refresh_from_db()
    assert docs.config_revision == 4


def test_a_name_is_once_on_a_server(docs: Server) -> None:
    factories.prompt(factories.provider(docs, "Weather"), "askWeather")
    with pytest.raises(Invalid, match="already a prompt askWeather on this server, in Weather"):
        prompts.create_prompt(provider=factories.provider(docs), values=VALUES, by=None)


@pytest.mark.parametrize("name", ["", "Ask", "1ask", "ask weather", "ask-weather", "a" * 65, "äsk"])
def test_a_name_is_letters_and_digits(docs: Server, name: str) -> None:
    assert [field for field, _, _ in refused(docs, name=name)] == ["name"]


def test_an_unknown_argument_is_told_with_the_number_of_its_message(docs: Server) -> None:
    errors = refused(docs, messages=[ASK, {"role": "assistant", "text": "{{ town }} and {{city}}"}])
    assert errors == [
        (
            "messages",
            "/1/text",
            "Message 2 uses {{town}}, but there is no argument “town”. Add it to the arguments, or take it out.",
        )
    ]


@pytest.mark.parametrize(
    ("values", "field", "pointer", "words"),
    [
        ({"messages": []}, "messages", "", "needs a message at least"),
        ({"messages": [{"role": "user", "text": " \n"}], "arguments": []}, "messages", "/0/text", "Message 1 is empty"),
        ({"messages": [{**ASK, "role": "system"}]}, "messages", "/0/role", "neither user nor assistant"),
        ({"messages": [ASK] * 51}, "messages", "", "50 messages at most"),
        ({"arguments": [CITY, TONE, CITY]}, "arguments", "/2/name", "already an argument named “city”"),
        ({"arguments": [CITY, TONE, {"name": "a-b"}]}, "arguments", "/2/name", "name of argument 3 begins with"),
        ({"arguments": [CITY, TONE, {"name": ""}]}, "arguments", "/2/name", "name of argument 3 begins with"),
        ({"arguments": [CITY, TONE, {"name": "x", "description": "a" * 1001}]}, "arguments", "/2/description", "1,000"),
        ({"messages": [{"role": "user", "text": "x" * (1 << 20 | 1)}]}, "messages", "", "too large"),
        ({"messages": [{"role": "user", "text": "a\0"}]}, "messages", "", "binary"),
    ],
)
def test_what_cannot_be_saved_is_told_with_its_row(
    docs: Server, values: dict[str, Any], field: str, pointer: str, words: str
) -> None:
    assert any((at, where) == (field, pointer) and words in text for at, where, text in refused(docs, **values))


def test_an_argument_that_no_message_uses_and_strange_braces_are_warnings() -> None:
    messages = [{"role": "user", "text": "{{city}} {{#if x}} {{}} {city}"}]
    assert rules.errors([CITY, TONE], messages) == []
    assert rules.warnings([CITY, TONE], messages) == [
        "No message uses the argument “tone”. Write {{tone}} where its value goes.",
        "Message 1 holds {{#if x}}, which is no argument’s name: it stays so.",
        "Message 1 holds {{}}, which is no argument’s name: it stays so.",
    ]


def test_arguments_are_filled_in_once_and_optional_ones_may_be_missing(docs: Server) -> None:
    prompt = prompts.create_prompt(provider=factories.provider(docs), values=VALUES, by=None)
    assert prompts.fill(prompt, {"city": "Paris", "tone": " Be brief."}) == [
        {"role": "user", "text": "How is the weather in Paris? Be brief."}
    ]
    assert prompts.fill(prompt, {"city": "{{tone}}"})[0]["text"] == "How is the weather in {{tone}}?"
    assert prompts.fill(prompt, {"city": r"\1 $0"})[0]["text"] == r"How is the weather in \1 $0?"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "needs a value for: city"),
        ({"city": ""}, "needs a value"),
        ({"city": "x", "b": "y"}, "takes no argument “b”"),
    ],
)
def test_missing_and_unknown_arguments_are_refused(docs: Server, arguments: dict[str, str], words: str) -> None:
    prompt = prompts.create_prompt(provider=factories.provider(docs), values=VALUES, by=None)
    with pytest.raises(prompts.BadArguments, match=words):
        prompts.fill(prompt, arguments)


def test_filling_a_hostile_text_takes_no_time() -> None:
    assert rules.placeholders("{" * 200_000 + "}" * 200_000) == []
    assert rules.fill("{{" * 100_000, {}) == "{{" * 100_000
