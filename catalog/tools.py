"""Tools of a provider: create, edit, switch on and off, delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog import part_saving
from catalog.checking.problems import FieldError, Findings
from catalog.checking.tools import clean_tool
from catalog.models import Provider, Tool
from catalog.saving import locked
from orgs import audit
from orgs.models import User

HINTS = ("read_only", "destructive", "idempotent", "open_world")
SCHEMAS = ("path_schema", "query_schema", "body_schema")
FIELDS = (
    "name",
    "title",
    "description",
    "enabled",
    "method",
    "path",
    *SCHEMAS,
    "headers",
    "oauth2_scopes",
    *HINTS,
)
"""What people edit."""


@transaction.atomic
def create_tool(
    *, provider: Provider, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Tool:
    """Make a tool of FIELDS. Raises Invalid, also for a provider that has no base URL."""
    owner = locked(provider, seen_revision=None)
    row = Tool(server=provider.server, provider=owner)
    findings = Findings()
    if not owner.base_url:
        findings.add("", f"{owner.name} has no base URL that a tool could be called at. Give it one first.")
    for name, value in _checked(row, values, findings).items():
        setattr(row, name, value)
    return part_saving.create(row, fields=FIELDS, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def edit_tool(
    *,
    tool: Tool,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
) -> Tool:
    """Save FIELDS. Raises Invalid and Stale."""
    row = _locked(tool, seen_revision)
    wanted = _checked(row, values, Findings())
    return part_saving.edit(row, values=wanted, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def set_enabled(*, tool: Tool, enabled: bool, by: User | None, request: HttpRequest | None = None) -> Tool:
    """Offer it to agents, or no longer."""
    row = _locked(tool, None)
    return part_saving.edit(row, values={"enabled": enabled}, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def delete_tool(*, tool: Tool, by: User | None, request: HttpRequest | None = None) -> None:
    row = _locked(tool, None)
    part_saving.delete(row, before=_facts(row, FIELDS), by=by, request=request)


def _locked(tool: Tool, seen_revision: int | None) -> Tool:
    row = locked(tool, seen_revision=seen_revision)
    row.server = tool.server
    return row


def _checked(row: Tool, values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """All fields as they are to be kept. Raises Invalid with all that is wrong."""
    clean = clean_tool({name: values.get(name, getattr(row, name)) for name in FIELDS}, findings)
    findings.refuse()
    return clean


def _taken(row: Tool) -> list[FieldError]:
    other = Tool.objects.filter(server_id=row.server_id, name=row.name).exclude(pk=row.pk).select_related("provider")
    if found := other.first():
        words = f"{found.provider.name} has a tool “{row.name}” already, and names are unique on a server."
        return [FieldError("name", f"{words} Choose another name.")]
    return []


def _facts(row: Tool, fields: tuple[str, ...]) -> dict[str, Any]:
    """Schemas as texts, which the log cuts, and headers by name alone: a value may be somebody's credential."""
    facts = part_saving.plain_facts(row, fields)
    for name in SCHEMAS:
        if facts.get(name):
            facts[name] = json.dumps(facts[name], ensure_ascii=False)
    if facts.get("headers"):
        facts["headers"] = dict.fromkeys(facts["headers"], audit.MASK)
    return facts
