"""The arguments of a command, and `{{argument}}` in its prompt: by the rules of prompts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.checking import prompts
from catalog.checking.entities import clean_entity
from catalog.checking.names import check_characters
from catalog.checking.problems import FieldError, Findings
from catalog.portable.schemas import LONGEST_PROMPT


def clean_command(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """The values as they are kept; what is wrong goes into `findings`."""
    clean = clean_entity(values, findings)
    clean["arguments"] = prompts.clean_arguments(values["arguments"])
    clean["prompt"] = str(values["prompt"]).replace("\r\n", "\n")
    findings.errors += errors(clean["arguments"], clean["prompt"])
    findings.tried("prompt", lambda: check_characters(clean["prompt"]), None)
    return clean


def errors(arguments: Sequence[Mapping[str, Any]], prompt: str) -> list[FieldError]:
    """All that keeps them from being saved, of the fields `arguments` (with pointers such as /2/name) and `prompt`."""
    found = prompts.argument_errors(arguments)
    if not prompt.strip():
        found.append(FieldError("prompt", "The prompt is empty. Write what the agent is told."))
    if len(prompt) > LONGEST_PROMPT:
        words = f"The prompt has {len(prompt):,} characters; {LONGEST_PROMPT:,} is the most."
        found.append(FieldError("prompt", words))
    known = {str(argument["name"]) for argument in arguments}
    for name in prompts.placeholders(prompt):
        if name not in known:
            advice = "Add it to the arguments, or take it out."
            words = f"The prompt uses {{{{{name}}}}}, but there is no argument “{name}”. {advice}"
            found.append(FieldError("prompt", words))
    return found


def warnings(arguments: Sequence[Mapping[str, Any]], prompt: str) -> list[str]:
    """What may be saved, and is probably not meant: a sentence each."""
    used = set(prompts.placeholders(prompt))
    unused = [str(argument["name"]) for argument in arguments if argument["name"] not in used]
    found = [f"The prompt does not use the argument “{name}”. Write {{{{{name}}}}} where it goes." for name in unused]
    strange = prompts.strange_braces(prompt)
    return found + [f"The prompt holds {text}, which is no argument’s name: it stays so." for text in strange]
