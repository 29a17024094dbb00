"""The secrets that an organisation's rows keep, for comparing with what is about to be pushed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models

from catalog.models import Variable
from forges import standing
from forges.models import Connection
from gitsync.scanning import KnownSecret
from lib.crypto import Secret, secret_fields
from orgs.models import Organization

_WAYS = {"organization": "organization", "server": "server__organization"}
"""From a row with a secret to its organisation, by the field that begins the way; the first that there is."""
_BESIDE: dict[type[models.Model], tuple[str, ...]] = {Variable: ("server",), Connection: ("user",)}
"""What is read along, to say whose a secret is."""


class NoWay(TypeError):
    """A model has a secret, and nothing tells whose organisation it is."""


def known_secrets(organization: Organization) -> list[KnownSecret]:
    """Values of secret variables, tokens of connections and integrations, secrets of webhooks: each Secret of a model.

    They are found by what they are, so that a new one is compared from its first day, also of apps above this one. One
    query for each. CryptoError for a secret that does not open: what cannot be compared must not be pushed past.
    """
    return [secret for model, name in secret_fields() for secret in _of_model(model, name, organization)]


def _of_model(model: type[models.Model], name: str, organization: Organization) -> Iterator[KnownSecret]:
    secret: Secret = getattr(model, name)
    rows: models.QuerySet[Any] = model._base_manager.filter(**{_way(model): organization})
    if beside := _BESIDE.get(model):
        rows = rows.select_related(*beside)
    for row in rows.exclude(**{secret.columns[2]: ""}).order_by("pk"):
        yield KnownSecret(_kind(row, name), getattr(row, name))


def _way(model: type[models.Model]) -> str:
    names = {each.name for each in model._meta.get_fields()}
    for field, way in _WAYS.items():
        if field in names:
            return way
    raise NoWay(f"{model._meta.label} keeps a secret, and has neither an organization nor a server.")


def _kind(row: models.Model, name: str) -> str:
    """What every member may read: somebody's own account, or server, is nobody else's business."""
    if isinstance(row, Variable):
        return "value of a variable of a personal server" if row.server.owner_id else f"value of the variable {row}"
    if isinstance(row, Connection):
        return f"{name.replace('_', ' ')} of {standing.named(row)}"
    return f"{name.replace('_', ' ')} of the {row._meta.verbose_name} {row}"
