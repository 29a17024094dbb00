"""The arguments and messages of a prompt, and `{{argument}}` in its texts. Pure: lists of plain values.

`{{name}}`, with or without spaces inside, is filled in; other things between double braces stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from catalog.checking.names import BadText, check_identifier, check_line, check_text
from catalog.checking.problems import FieldError, Findings

ROLES = ("user", "assistant")
MOST_ARGUMENTS = 50
MOST_MESSAGES = 50
LONGEST_DESCRIPTION = 1_000
ARGUMENT_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
NAME_RULE = "begins with a letter or _, and has up to 64 letters, digits and _: city_name."
_BRACED = re.compile(r"\{\{([^{}]*)\}\}")


class Message(TypedDict):
    role: str
    text: str


def placeholders(text: str) -> list[str]:
    """The names of the arguments that a text asks for, each once, in order."""
    names = (match.group(1).strip() for match in _BRACED.finditer(text))
    return list(dict.fromkeys(name for name in names if ARGUMENT_NAME.fullmatch(name)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced, "" where `values` has nothing. What values hold is not filled again."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        return values.get(name, "") if ARGUMENT_NAME.fullmatch(name) else match.group()

    return _BRACED.sub(value, text)


def clean_prompt(
    values: Mapping[str, Any], findings: Findings, *, check_content: Callable[[str], object]
) -> dict[str, Any]:
    """The values as they are kept; what is wrong goes into `findings`. `check_content` raises a ValueError for a text
    that cannot be kept."""
    clean = {**values, "name": str(values["name"]).strip()}
    findings.tried("name", lambda: check_identifier(clean["name"]), "")
    clean["title"] = findings.tried("title", lambda: check_line(str(values["title"])), "")
    clean["description"] = findings.tried("description", lambda: check_text(str(values["description"])), "")
    clean["arguments"] = clean_arguments(values["arguments"])
    clean["messages"] = [
        {"role": str(each.get("role", "")), "text": str(each.get("text", ""))} for each in values["messages"]
    ]
    findings.errors += errors(clean["arguments"], clean["messages"])
    findings.tried("messages", lambda: check_content("\n".join(each["text"] for each in clean["messages"])), None)
    return clean


def errors(arguments: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """All that keeps a prompt from being saved, in the order of the page: of the fields `arguments` and `messages`,
    with pointers such as `/2/name`."""
    return [*argument_errors(arguments), *_message_errors(arguments, messages)]


def warnings(arguments: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What may be saved, and is probably not meant: a sentence each."""
    used = {name for message in messages for name in placeholders(str(message["text"]))}
    unused = [str(argument["name"]) for argument in arguments if argument["name"] not in used]
    found = [f"No message uses the argument “{name}”. Write {{{{{name}}}}} where its value goes." for name in unused]
    for number, message in enumerate(messages, start=1):
        found += [
            f"Message {number} holds {text}, which is no argument’s name: it stays so."
            for text in strange_braces(str(message["text"]))
        ]
    return found


def strange_braces(text: str) -> list[str]:
    """What stands between double braces and is no argument's name: the first 40 characters of each."""
    found = _BRACED.finditer(text)
    return [match.group()[:40] for match in found if not ARGUMENT_NAME.fullmatch(match.group(1).strip())]


def clean_arguments(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Arguments as they are kept, for `argument_errors` to judge."""
    return [
        {
            "name": str(each.get("name", "")).strip(),
            "description": str(each.get("description", "")).replace("\r\n", "\n").strip(),
            "required": bool(each.get("required")),
        }
        for each in given
    ]


def argument_errors(arguments: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """All that keeps them from being saved, of the field `arguments`."""
    found = []
    seen: set[str] = set()
    for row, argument in enumerate(arguments):
        name, description = str(argument["name"]), str(argument["description"])
        if not ARGUMENT_NAME.fullmatch(name):
            found.append(_argument(row, "name", f"The name of argument {row + 1} {NAME_RULE}"))
        elif name in seen:
            found.append(_argument(row, "name", f"There is already an argument named “{name}”."))
        try:
            check_text(description, longest=LONGEST_DESCRIPTION)
        except BadText as error:
            found.append(_argument(row, "description", str(error)))
        seen.add(name)
    if len(arguments) > MOST_ARGUMENTS:
        found.append(FieldError("arguments", f"A prompt can have {MOST_ARGUMENTS} arguments at most."))
    return found


def _message_errors(arguments: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    found = []
    known = {str(argument["name"]) for argument in arguments}
    for row, message in enumerate(messages):
        if message["role"] not in ROLES:
            found.append(_message(row, "role", f"Message {row + 1} is by neither user nor assistant."))
        if not str(message["text"]).strip():
            found.append(_message(row, "text", f"Message {row + 1} is empty. Write it, or remove its row."))
        for name in placeholders(str(message["text"])):
            if name not in known:
                advice = "Add it to the arguments, or take it out."
                words = f"Message {row + 1} uses {{{{{name}}}}}, but there is no argument “{name}”. {advice}"
                found.append(_message(row, "text", words))
    if not messages:
        found.append(FieldError("messages", "A prompt needs a message at least."))
    if len(messages) > MOST_MESSAGES:
        found.append(FieldError("messages", f"A prompt can have {MOST_MESSAGES} messages at most."))
    return found


def _argument(row: int, name: str, text: str) -> FieldError:
    return FieldError("arguments", text, f"/{row}/{name}")


def _message(row: int, name: str, text: str) -> FieldError:
    return FieldError("messages", text, f"/{row}/{name}")
