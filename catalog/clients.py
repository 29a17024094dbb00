"""Client applications: create, edit, delete. They are the organisation's, and refer only to what is.

A client's document names servers and toolkits by their slugs: it changes when one of them is renamed or deleted,
without a save of its own (see `catalog.documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from catalog import entity_saving
from catalog.checking.entities import clean_entity
from catalog.checking.problems import Findings
from catalog.entity_saving import Act, chosen, set_relation
from catalog.models import Client, Server, Toolkit
from catalog.revisions import Source
from orgs.models import Organization, User

FIELDS = ("name", "slug", "description", "kind")
_RELATIONS = ("servers", "toolkits")
VALUES = (*FIELDS, *_RELATIONS)
"""`servers` and `toolkits` are primary keys."""
_PAGE = Source()


def create_client(
    *,
    organization: Organization,
    values: Mapping[str, Any],
    by: User | None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Client:
    """Make a client of VALUES; without a slug it gets one made of its name. Raises Invalid."""
    row = Client(organization=organization)
    return entity_saving.insert(row, values=values, clean=clean, act=Act(by, request, source))


def edit_client(
    *,
    client: Client,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Client:
    """Save VALUES. Raises Invalid and Stale."""
    act = Act(by, request, source)
    return entity_saving.change(client, values=values, seen_revision=seen_revision, clean=clean, act=act)


def delete_client(
    *, client: Client, by: User | None, request: HttpRequest | None = None, source: Source = _PAGE
) -> None:
    """Delete it."""
    entity_saving.delete(client, act=Act(by, request, source))


def among(organization: Organization) -> dict[str, QuerySet[Any]]:
    """What a client can refer to, by the names of VALUES."""
    return {
        "servers": Server.objects.for_org(organization).filter(owner=None),
        "toolkits": Toolkit.objects.for_org(organization),
    }


def clean(row: Client, values: Mapping[str, Any]) -> tuple[dict[str, Any], entity_saving.Relate]:
    """An `entity_saving.Clean`."""
    findings = Findings()
    fields = clean_entity({name: values.get(name, getattr(row, name)) for name in FIELDS}, findings)
    fields["kind"] = str(values.get("kind", row.kind))
    if fields["kind"] not in Client.Kind.values:
        findings.add("kind", f"A client’s kind is one of: {', '.join(Client.Kind.values)}.")
    rows = among(row.organization)
    given = {name: list(values[name]) for name in _RELATIONS if name in values}
    wanted = {name: chosen(findings, name, keys, rows[name], owner=None) for name, keys in given.items()}
    findings.refuse()

    def relate(saved: Client) -> bool:
        changes = [set_relation(saved, name, keys) for name, keys in wanted.items()]
        return any(changes)

    return fields, relate
