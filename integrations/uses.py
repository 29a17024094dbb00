"""What integrations tell the apps below: which connections they use, and who can speak for a repository's webhook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from django.db.models import QuerySet
from django.urls import reverse

from forges.clients.base import Client
from forges.models import Connection, Hook
from forges.usage import Use, personal
from integrations.credentials import open_client
from integrations.models import Integration
from integrations.webhook import told_by_app


def uses_of(connections: Iterable[Connection]) -> dict[object, list[Use]]:
    """The integrations that work through each connection, by its primary key, in one query."""
    found: dict[object, list[Use]] = defaultdict(list)
    integrations = (
        Integration.objects.filter(connection__in=connections)
        .select_related("server__organization")
        .order_by("server__name", "repository")
    )
    for each in integrations:
        found[each.connection_id].append(_use(each))
    return found


def _use(integration: Integration) -> Use:
    server = integration.server
    if server.owner_id is not None:
        return personal("integration", "refreshes")
    return Use(
        kind="integration",
        label=f"{integration.short_name} on {server}",
        url=reverse("integrations:integration", args=[server.organization.slug, integration.pk]),
        stops=f"refreshes of {integration.short_name} on {server}",
    )


def following(hook: Hook) -> QuerySet[Integration]:
    """The integrations that refresh when this webhook tells of a push."""
    return Integration.objects.filter(
        server__organization=hook.organization_id,
        forge=hook.forge,
        base_url=hook.base_url,
        repository_id=hook.repository_id,
        on_push=True,
    ).select_related("server__organization", "connection")


def followers_of(hook: Hook) -> list[Use]:
    """What waits for its deliveries; those of a GitHub App's connection are told of pushes by the App itself."""
    return [_use(each) for each in following(hook).order_by("server__name") if not told_by_app(each)]


def clients_for_hook(hook: Hook, *, seconds: float | None) -> Iterator[AbstractContextManager[Client]]:
    """Clients that may be able to manage it, those of connections first: they renew themselves.

    Entering one can raise what `open_client` does.
    """
    found = [each for each in following(hook) if each.connection is not None or Integration.token.is_set(each)]
    for integration in sorted(found, key=lambda each: each.connection is None):
        yield open_client(integration, seconds=seconds)
