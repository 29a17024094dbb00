"""Resources of a server: create, edit, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog import part_saving
from catalog.checking.problems import FieldError, Findings
from catalog.checking.resources import clean_resource
from catalog.contents import check_text
from catalog.models import Provider, Resource
from catalog.saving import locked
from orgs.models import User

FIELDS = ("name", "uri", "description", "mime_type", "text", "upstream_path")
"""What people edit. With an `upstream_path` there is no text of our own."""


@transaction.atomic
def create_resource(
    *, provider: Provider, values: Mapping[str, Any], by: User | None, request: HttpRequest | None = None
) -> Resource:
    """Make a resource of FIELDS. Raises Invalid, and DoesNotExist when the provider was deleted."""
    current = locked(provider, seen_revision=None)
    current.server = provider.server
    row = Resource(server=provider.server, provider=current)
    for name, value in _checked(row, values).items():
        setattr(row, name, value)
    return part_saving.create(row, fields=FIELDS, taken=_taken, by=by, request=request)


@transaction.atomic
def edit_resource(
    *,
    resource: Resource,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
) -> Resource:
    """Save FIELDS. Raises Invalid and Stale."""
    row = locked(resource, seen_revision=seen_revision)
    row.server = resource.server
    return part_saving.edit(row, values=_checked(row, values), taken=_taken, by=by, request=request)


@transaction.atomic
def delete_resource(*, resource: Resource, by: User | None, request: HttpRequest | None = None) -> None:
    """Delete it."""
    row = locked(resource, seen_revision=None)
    row.server = resource.server
    part_saving.delete(row, before=part_saving.plain_facts(row, FIELDS), by=by, request=request)


def _checked(row: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of the row become. Raises Invalid with all that is wrong."""
    findings = Findings()
    given = {name: str(values.get(name, getattr(row, name))) for name in FIELDS}
    clean = clean_resource(given, findings, check_content=check_text)
    if clean["upstream_path"] and not row.provider.base_url:
        findings.add("upstream_path", f"{row.provider} has no base URL to ask below. Give it one, or keep a text here.")
    findings.refuse()
    return clean


def _taken(row: Resource) -> list[FieldError]:
    found = []
    others = Resource.objects.exclude(pk=row.pk)
    if others.filter(provider=row.provider_id, name=row.name).exists():
        words = f"There is already a resource named “{row.name}” in {row.provider}. Choose another name."
        found.append(FieldError("name", words))
    same = others.select_related("provider").filter(server=row.server_id, uri=row.uri).first()
    if same is not None:
        words = f"{same} of {same.provider} has this URI already; agents could not tell them apart. Choose another."
        found.append(FieldError("uri", words))
    return found
