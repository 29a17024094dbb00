"""News from the forges' side: pushes, repositories that changed, and connections that come and go."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from forges import standing
from forges.models import Connection
from integrations.clock import may_run, next_poll, next_refresh
from integrations.models import Integration, Track
from integrations.refreshing import request_automatic
from jobs import runs
from jobs.models import Run, Status, Trigger
from orgs import audit
from orgs.models import Organization

_TO_ASK = (
    *("server__organization", "repository", "private", "automatic_prune", "updated_at"),
    *("credential_lost", "connection__status", Integration.token.columns[2]),
)
"""Columns that asking for a Run reads."""


def _of_repository(organization: Organization, forge: str, base_url: str, repository_id: str) -> QuerySet[Integration]:
    return Integration.objects.filter(
        server__organization=organization, forge=forge, base_url=base_url, repository_id=repository_id
    ).select_related("server__organization", "connection")


def on_pushed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    branches: tuple[str, ...],
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_pushed`: a Run for each integration that follows one of these branches."""
    # No more than it takes: a forge waits for the answer to its webhook.
    found = _of_repository(organization, forge, base_url, repository_id).filter(on_push=True).only(*_TO_ASK)
    if branches:
        found = found.filter(pk__in=Track.objects.filter(branch__in=branches).values("integration"))
    return [request_automatic(each, trigger=Trigger.WEBHOOK) for each in found if may_run(each)]


def on_changed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    kind: str,
    repository: str,
    branches: tuple[str, ...] = (),
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_changed`: follows renames by the forge's id, and says what is gone."""
    found = _of_repository(organization, forge, base_url, repository_id)
    match kind:
        case "renamed" | "transferred" if repository:
            for integration in found.exclude(repository=repository):
                follow_rename(integration, repository)
        case "deleted":
            found.update(notice="The repository was deleted at the forge. What it brought stays here.")
        case "branch_deleted":
            Track.objects.filter(integration__in=found, branch__in=branches).update(
                notice="This branch was deleted at the forge. What it brought stays here."
            )
    return []


def follow_rename(integration: Integration, repository: str) -> None:
    """Take over the name that the repository has at the forge now; by its id it is the same one."""
    former, integration.repository = integration.repository, repository
    with transaction.atomic():
        Integration.objects.filter(pk=integration.pk).update(repository=repository)
        audit.record(
            "integration.renamed",
            organization=integration.server.organization,
            actor=None,
            target=integration,
            scope=integration.server,
            before={"repository": former},
            after={"repository": repository},
        )


def on_connection_changed(*, connection: Connection, kind: str, **_: object) -> None:
    """Receives `forges.connection_changed`: what waited for it goes on, what lost it stops and says so."""
    using = Integration.objects.filter(connection=connection)
    if kind == "connected":
        go_on(using.values_list("pk", flat=True))
        # Pushes that came meanwhile were not taken.
        using.filter(on_push=True).update(next_poll_at=timezone.now())
    elif kind == "deleted":
        name = standing.named(connection)
        using.update(
            credential_lost=f"{name[:1].upper()}{name[1:]} that it used was deleted.",
            next_refresh_at=None,
            next_poll_at=None,
        )


def go_on(integrations: Iterable[uuid.UUID]) -> None:
    """Resume the Runs of these integrations that wait: for a credential, or for the limits of the one before.

    One that still has to wait asks its forge once, and waits again.
    """
    waiting = Run.objects.filter(
        subject_type=ContentType.objects.get_for_model(Integration),
        subject_id__in=[str(pk) for pk in integrations],
        status=Status.WAITING,
    )
    for run in list(waiting):
        runs.resume(run)


def credential_given(integration: Integration) -> None:
    """A person gave it another credential: its clock runs again, and what waited for one goes on."""
    now = timezone.now()
    Integration.objects.filter(pk=integration.pk).update(
        credential_lost="", next_refresh_at=next_refresh(integration, now), next_poll_at=next_poll(integration, now)
    )
    integration.credential_lost = ""
    go_on([integration.pk])
