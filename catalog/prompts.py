"""Prompts of a server: create, edit, delete, and their messages with arguments filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog import part_saving
from catalog.checking import prompts as rules
from catalog.checking.problems import FieldError, Findings
from catalog.contents import check_text
from catalog.models import Prompt, Provider
from catalog.saving import locked
from orgs.models import User

FIELDS = ("name", "title", "description", "arguments", "messages")


class BadArguments(ValueError):
    """A prompt was asked for with arguments that it does not take; the text is a sentence for whoever asked."""


def fill(prompt: Prompt, arguments: Mapping[str, str]) -> list[rules.Message]:
    """The messages with the arguments filled in, optional ones that were not given being empty. Raises BadArguments for
    one that is missing or unknown."""
    known = {argument["name"]: argument for argument in prompt.arguments}
    if unknown := [name for name in arguments if name not in known]:
        raise BadArguments(f"The prompt {prompt.name} takes no argument “{unknown[0][:64]}”.")
    if missing := [name for name, it in known.items() if it.get("required") and not arguments.get(name)]:
        raise BadArguments(f"The prompt {prompt.name} needs a value for: {', '.join(missing)}.")
    return [{"role": it["role"], "text": rules.fill(it["text"], arguments)} for it in prompt.messages]


@transaction.atomic
def create_prompt(
    *, provider: Provider, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Prompt:
    """Make a prompt of FIELDS. Raises Invalid, and DoesNotExist when the provider was deleted."""
    current = locked(provider, seen_revision=None)
    row = Prompt(server=provider.server, provider=current)
    for name, value in _checked(row, values).items():
        setattr(row, name, value)
    return part_saving.create(row, fields=FIELDS, taken=_taken, by=by, request=request)


@transaction.atomic
def edit_prompt(
    *,
    prompt: Prompt,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
) -> Prompt:
    """Save FIELDS. Raises Invalid and Stale."""
    row = locked(prompt, seen_revision=seen_revision)
    row.server = prompt.server
    return part_saving.edit(row, values=_checked(row, values), taken=_taken, by=by, request=request)


@transaction.atomic
def delete_prompt(*, prompt: Prompt, by: User | None, request: HttpRequest | None = None) -> None:
    """Delete it."""
    row = locked(prompt, seen_revision=None)
    row.server = prompt.server
    part_saving.delete(row, before=part_saving.plain_facts(row, FIELDS), by=by, request=request)


def _checked(row: Prompt, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of the row become. Raises Invalid with all that is wrong."""
    findings = Findings()
    given = {name: values.get(name, getattr(row, name)) for name in FIELDS}
    clean = rules.clean_prompt(given, findings, check_content=check_text)
    findings.refuse()
    return clean


def _taken(row: Prompt) -> list[FieldError]:
    same = Prompt.objects.select_related("provider").filter(server=row.server_id, name=row.name).exclude(pk=row.pk)
    if (other := same.first()) is None:
        return []
    words = f"There is already a prompt {row.name} on this server, in {other.provider}. Choose another name."
    return [FieldError("name", words)]
