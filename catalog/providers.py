"""Providers of a server: create, edit, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog import part_saving
from catalog.checking.problems import FieldError, Findings
from catalog.checking.providers import clean_provider
from catalog.checking.templates import only_reference, references
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from catalog.saving import locked
from catalog.servers import Removal
from orgs import audit
from orgs.models import User

FIELDS = (
    "name",
    "description",
    "base_url",
    "documentation_url",
    "icon_url",
    "visibility",
    "oauth2_token_url",
    "oauth2_client_id",
    "oauth2_client_secret",
    "oauth2_scopes",
)
"""What people edit."""


@transaction.atomic
def create_provider(
    *, server: Server, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Provider:
    """Make a provider of FIELDS. Raises Invalid."""
    row = Provider(server=server)
    for name, value in checked(row, values).items():
        setattr(row, name, value)
    return part_saving.create(row, fields=FIELDS, taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def edit_provider(
    *,
    provider: Provider,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
) -> Provider:
    """Save FIELDS. Raises Invalid and Stale."""
    row = _locked(provider, seen_revision)
    return part_saving.edit(row, values=checked(row, values), taken=_taken, by=by, request=request, facts=_facts)


@transaction.atomic
def delete_provider(*, provider: Provider, by: User | None, request: HttpRequest | None = None) -> None:
    """Delete it with its tools, resources and prompts."""
    row = _locked(provider, None)
    removed = {each.label: each.count for each in removals(row)}
    part_saving.delete(row, before={**_facts(row, FIELDS), "removed": removed}, by=by, request=request)


def removals(provider: Provider) -> list[Removal]:
    """What goes with it: tools, resources and prompts, of which there are any."""
    found = []
    for model in (Tool, Resource, Prompt):
        if count := model._default_manager.filter(provider=provider).count():
            name = str(model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural)
            found.append(Removal(name, count))
    return found


def _locked(provider: Provider, seen_revision: int | None) -> Provider:
    row = locked(provider, seen_revision=seen_revision)
    row.server = provider.server
    return row


def checked(row: Provider, values: Mapping[str, Any]) -> dict[str, Any]:
    """All fields as they are to be kept. Raises Invalid with all that is wrong."""
    findings = Findings()
    given = {name: values.get(name, getattr(row, name)) for name in FIELDS}
    clean = clean_provider(given, findings)
    if clean["visibility"] not in Server.Visibility.values:
        findings.add("visibility", "A provider is public or private.")
    if not findings.errors:
        _check_variables(row.server, clean, findings)
        if row.base_url and not clean["base_url"]:
            _check_unused(row, findings)
    findings.refuse()
    return clean


def _check_variables(server: Server, clean: Mapping[str, Any], findings: Findings) -> None:
    """Secrets stay out of addresses, which logs hold, and a client secret is one."""
    secret = dict(Variable.objects.filter(server=server).values_list("name", "is_secret"))
    for field in ("base_url", "oauth2_token_url"):
        for name in references(clean[field]):
            if secret.get(name):
                findings.add(field, f"{name} is a secret variable, and secrets are never put into addresses.")
    name = only_reference(clean["oauth2_client_secret"])
    if secret.get(name) is False:
        findings.add("oauth2_client_secret", f"{name} is a plain variable. Make it secret first, or choose another.")


def _check_unused(row: Provider, findings: Findings) -> None:
    tools = Tool.objects.filter(provider=row).count()
    upstream = Resource.objects.filter(provider=row).exclude(upstream_path="").count()
    if tools or upstream:
        held = f"{tools:,} tool{'' if tools == 1 else 's'}" if tools else "resources that it answers"
        findings.add("base_url", f"It has {held}, which need the base URL. Delete them first, or enter another.")


def _taken(row: Provider) -> list[FieldError]:
    others = Provider.objects.filter(server=row.server, name__iexact=row.name).exclude(pk=row.pk)
    words = f"There is already a provider “{row.name}” on this server. Choose another name."
    return [FieldError("name", words)] if others.exists() else []


def _facts(row: Provider, fields: tuple[str, ...]) -> dict[str, Any]:
    facts = part_saving.plain_facts(row, fields)
    if facts.get("oauth2_client_id") and not only_reference(row.oauth2_client_id):
        facts["oauth2_client_id"] = audit.MASK
    return facts
