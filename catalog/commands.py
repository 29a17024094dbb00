"""Commands: create, edit, share, delete.

Toolkits and servers name a command by its slug in their documents: those change when it is renamed or deleted, without
a save of their own (see `catalog.documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from catalog import entity_saving
from catalog.checking.commands import clean_command
from catalog.checking.problems import Findings
from catalog.entity_saving import Act
from catalog.models import Command
from catalog.revisions import Source
from orgs.models import Organization, User

FIELDS = ("name", "slug", "description", "arguments", "prompt")
_PAGE = Source()


def create_command(
    *,
    organization: Organization,
    values: Mapping[str, Any],
    by: User | None,
    owner: User | None = None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Command:
    """Make a command of FIELDS; without a slug it gets one made of its name, and with an owner it is personal. Raises
    Invalid."""
    row = Command(organization=organization, owner=owner)
    return entity_saving.insert(row, values=values, clean=clean, act=Act(by, request, source))


def edit_command(
    *,
    command: Command,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Command:
    """Save FIELDS. Raises Invalid and Stale."""
    act = Act(by, request, source)
    return entity_saving.change(command, values=values, seen_revision=seen_revision, clean=clean, act=act)


def share_command(*, command: Command, by: User | None, request: HttpRequest | None = None) -> Command:
    """Make a personal one the organisation's, for good. Raises Invalid where another one has its slug."""
    return entity_saving.share(command, check=lambda _: None, act=Act(by, request))


def delete_command(
    *, command: Command, by: User | None, request: HttpRequest | None = None, source: Source = _PAGE
) -> None:
    """Delete it; toolkits and servers have it no more."""
    entity_saving.delete(command, act=Act(by, request, source))


def clean(row: Command, values: Mapping[str, Any]) -> tuple[dict[str, Any], entity_saving.Relate]:
    """An `entity_saving.Clean`."""
    findings = Findings()
    given = {name: values.get(name, getattr(row, name)) for name in FIELDS}
    fields = clean_command(given, findings)
    findings.refuse()
    return fields, entity_saving.nothing_else
