"""What creating, editing and deleting have in common for all that a server offers and the variables in it.

Call them within the transaction of a service that has checked the values. Each change is written once: the row with
its revision counted, one event of the audit log, and the news of it last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from catalog.checking.problems import FieldError, Invalid
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from catalog.saving import Change, tell
from orgs import audit
from orgs.models import User

Part = Provider | Tool | Resource | Prompt | Variable
ROW = TypeVar("ROW", Provider, Tool, Resource, Prompt, Variable)
Facts = Callable[[Any, tuple[str, ...]], dict[str, Any]]
"""What the audit log keeps of a row's fields."""
Taken = Callable[[Any], list[FieldError]]
"""Which fields of an unsaved row another row has already, asked when the database has refused it."""


def plain_facts(row: Part, fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields as they are; those whose names speak of a secret are masked by the log."""
    return {name: getattr(row, name) for name in fields}


def create(
    row: ROW,
    *,
    fields: tuple[str, ...],
    taken: Taken,
    by: User | None,
    request: HttpRequest | None,
    facts: Facts = plain_facts,
) -> ROW:
    """Insert a checked row. Raises Invalid where another row is in its way."""
    _write(row, taken, insert=True)
    _record("created", row, by, request, after=facts(row, fields))
    tell(row.server, Change("create", kind_of(row), row.name), by)
    return row


def edit(
    row: ROW,
    *,
    values: Mapping[str, Any],
    taken: Taken,
    by: User | None,
    request: HttpRequest | None,
    facts: Facts = plain_facts,
) -> ROW:
    """Save checked values in a row that is locked (`catalog.saving.locked`); nothing if they are what it has. Raises
    Invalid where another row is in its way."""
    changed = tuple(name for name, value in values.items() if not same(getattr(row, name), value))
    if not changed:
        return row
    before, former = facts(row, changed), row.name
    for name in changed:
        setattr(row, name, values[name])
    row.revision += 1
    _write(row, taken, insert=False)
    _record("edited", row, by, request, before=before, after=facts(row, changed))
    renamed = former != row.name
    verb = "rename" if renamed else "update"
    tell(row.server, Change(verb, kind_of(row), row.name, former=former if renamed else ""), by)
    return row


def delete(
    row: Part,
    *,
    before: Mapping[str, Any],
    by: User | None,
    request: HttpRequest | None,
) -> None:
    """Delete a row that is locked, and what belongs to it; `before` is what the audit log keeps of it."""
    server = row.server
    _record("deleted", row, by, request, before=before)
    change = Change("delete", kind_of(row), row.name)
    row.delete()
    tell(server, change, by)


def kind_of(row: Part) -> str:
    """provider, tool, resource, prompt, variable"""
    return str(row._meta.model_name)


def same(old: Any, new: Any) -> bool:
    """Whether two values are one, also in the order of their members: people see it and it goes to git."""
    if isinstance(old, dict) and isinstance(new, dict):
        return list(old) == list(new) and all(same(old[name], new[name]) for name in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return type(old) is type(new) and bool(old == new)


def _write(row: Part, taken: Taken, *, insert: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=insert, force_update=not insert)
    except IntegrityError as error:
        if found := taken(row):
            raise Invalid(found) from error
        raise


def _record(
    verb: str,
    row: Part,
    by: User | None,
    request: HttpRequest | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    server: Server = row.server
    audit.record(
        f"{kind_of(row)}.{verb}",
        organization=server.organization,
        actor=by,
        target=row,
        scope=server,
        before=dict(before or {}),
        after=dict(after or {}),
        request=request,
    )
