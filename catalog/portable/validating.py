"""A file's values held against its schema, and against what the forms ask: told in sentences, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from catalog.checking import names, slugs
from catalog.checking.commands import clean_command
from catalog.checking.entities import clean_described, clean_entity
from catalog.checking.problems import Findings
from catalog.checking.validators import replacing, unique_items
from catalog.exchange.checks import check as check_export
from catalog.exchange.errors import Problem, pointer
from catalog.exchange.masking import HARMLESS, is_masked
from catalog.exchange.schema import FORMAT_VERSION, sentence
from catalog.portable import schemas
from catalog.portable.model import Kind
from catalog.portable.normal import known
from catalog.portable.paths import SLUG

MOST_PROBLEMS = 100
_PATTERNS = {
    schemas.ID: "1 to 64 letters, digits, dots, - and _",
    SLUG: slugs.RULE,
    schemas.COMMAND_ARGUMENT: "a letter or _, then up to 63 letters, digits and _: city_name",
}


def _pattern(validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """Python lets a line break stand behind what $ ends; other languages do not."""
    if validator.is_type(instance, "string") and not re.search(wanted.removesuffix("$") + r"\Z", instance):
        yield ValidationError("is not as the pattern says")


_MAKE = replacing({"uniqueItems": unique_items, "pattern": _pattern})
_VALIDATORS = {kind: _MAKE(schema) for kind, schema in schemas.SCHEMAS.items()}


def against_schema(kind: Kind, raw: Any) -> list[Problem]:
    """What is not as the schema says, at most MOST_PROBLEMS; of a skill `raw` is its front matter."""
    problems: list[Problem] = []
    for error in _VALIDATORS[kind].iter_errors(raw):
        problems.append(_problem(error))
        if len(problems) == MOST_PROBLEMS:
            break
    return problems


def _problem(error: ValidationError) -> Problem:
    """In sentences of ours: jsonschema's repeat the value."""
    path: list[str | int] = list(error.absolute_path)
    wanted: Any = error.validator_value
    if error.validator == "required":
        missing = next(name for name in wanted if error.message.startswith(f"{name!r} is"))
        return Problem(f"“{missing}” is missing. Add it.", pointer([*path, missing]))
    if "propertyNames" in error.absolute_schema_path:
        name: Any = error.instance
        return Problem(f"“{name[:60]}” is no slug of a server. Correct it.", pointer([*path, name]))
    if error.validator in ("not", "const"):
        if isinstance(wanted, dict) and "required" in wanted:
            return Problem(sentence("not", wanted), pointer(path))
        part: Any = error.schema
        return Problem(f"{part['description']} Remove it.", pointer(path))
    if error.validator == "uniqueItems":
        return Problem("Something is in this list twice. Remove one of the two.", pointer(path))
    if error.validator == "pattern" and wanted in _PATTERNS:
        return Problem(f"This has to be {_PATTERNS[wanted]}.", pointer(path))
    return Problem(sentence(str(error.validator), wanted), pointer(path))


def cleaned(kind: Kind, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """What Millrace knows of a file that its schema takes, its texts as they are kept, and what else is wrong."""
    if kind is Kind.SERVER:
        return _server(raw)
    document, findings = known(kind, raw), Findings()
    values = {"description": "", "arguments": [], **document}
    kept = clean_command(values, findings) if kind is Kind.COMMAND else clean_entity(values, findings)
    return {**document, **kept}, [Problem(error.text, f"/{error.field}{error.pointer}") for error in findings.errors]


def front_matter(front: Mapping[str, Any], slug: str) -> tuple[dict[str, Any], list[Problem]]:
    """A skill's name, slug and description as they are kept, and what is wrong with them."""
    findings = Findings()
    kept = clean_described({**front, "slug": slug}, findings)
    return kept, [Problem(error.text, f"/{error.field}") for error in findings.errors]


def text(text: str, longest: int) -> list[Problem]:
    """What keeps SKILL.md's body from being kept."""
    findings = Findings()
    if len(text) > longest:
        findings.add("", f"What follows the front matter has {len(text):,} characters; {longest:,} is the most.")
    findings.tried("", lambda: names.check_characters(text), None)
    return [Problem(error.text) for error in findings.errors]


def _server(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    document = known(Kind.SERVER, raw)
    problems = list(_authenticating(document))
    if problems:
        return document, problems
    server = {name: document[name] for name in ("name", "slug", "description", "instructions") if name in document}
    export: dict[str, Any] = {
        "formatVersion": FORMAT_VERSION,
        "server": {"visibility": "private", "version": 1, **server},
        "variables": [{"secret": False, **each} for each in document.get("variables", [])],
        "providers": document.get("providers", []),
    }
    found = check_export(export, names.check_characters)
    document = {
        **document,
        **{name: export["server"][name] for name in server},
        "variables": [{name: each[name] for name in each if name != "secret"} for each in export["variables"]],
        "providers": export["providers"],
    }
    return document, [Problem(each.text, each.pointer.removeprefix("/server")) for each in found]


def _authenticating(document: Mapping[str, Any]) -> Iterator[Problem]:
    """What the schema cannot tell: headers that may hold a credential, and what stands for a secret."""
    for number, variable in enumerate(document.get("variables", [])):
        if is_masked(variable.get("value", "")):
            text = "This stands for a secret. Write the plain value, or take the variable out: it stays as it is."
            yield Problem(text, pointer(["variables", number, "value"]))
    for number, provider in enumerate(document.get("providers", [])):
        for place, tool in enumerate(provider.get("tools", [])):
            for name in tool.get("headers", {}):
                if name.lower() not in HARMLESS:
                    text = (
                        f"The header {name[:60]} may carry a credential, and no such header stands in a file: enter it "
                        "on the tool's page, where it stays. Remove it here."
                    )
                    yield Problem(text, pointer(["providers", number, "tools", place, "headers", name]))
