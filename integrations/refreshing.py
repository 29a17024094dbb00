"""Asking for a refresh: who may, with which choice, now or in the background."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from integrations.models import Integration
from jobs import runs
from jobs.context import Budget
from jobs.models import Run, Status, Trigger
from orgs import access
from orgs.models import Membership, User

REFRESH = "integrations.refresh"
PREVIEW = "integrations.preview"


def request_refresh(
    integration: Integration, *, prune: bool, membership: Membership, trigger: str = Trigger.MANUAL
) -> Run:
    """Refresh within the request if it is small, else leave it queued; returns the Run as it is then.

    Raises PermissionDenied when the member may not import, or not delete and asks to prune.
    """
    access.require(membership, "integrations.import")
    if prune:
        access.require(membership, "contents.can_delete")
    return run_or_queue(integration, prune=prune, person=membership.user, trigger=trigger)


def request_preview(integration: Integration, *, prune: bool, membership: Membership) -> Run:
    """Work out what a refresh would do, within the request if it is quick."""
    access.require(membership, "integrations.import")
    return run_or_queue(integration, prune=prune, person=membership.user, trigger=Trigger.MANUAL, kind=PREVIEW)


def run_or_queue(
    integration: Integration,
    *,
    prune: bool,
    person: User,
    trigger: str,
    kind: str = REFRESH,
    budget: Budget | None = None,
) -> Run:
    """Do it here and now if it fits the budget (that of a request by default), else leave it queued."""
    if budget is None:
        budget = Budget(seconds=settings.REFRESH_INLINE_SECONDS, items=settings.REFRESH_INLINE_FILES)
    requested = _ask(integration, kind, prune=prune, person=person, trigger=trigger, enqueue=False)
    return runs.run_inline(requested.run, budget=budget)


def request_automatic(integration: Integration, *, trigger: str) -> Run:
    """Ask for a refresh that nobody clicked for; a worker does it, in the caller's transaction's wake.

    One that waits for the forge does it when it goes on: it asks for the head anew then.
    """
    prune = integration.automatic_prune
    waiting = Run.objects.about(integration).filter(kind=REFRESH, status=Status.WAITING, unattended=True)
    asleep: Run | None = waiting.filter(options_key=runs.digest_of({"prune": prune})).first()
    return asleep or _ask(integration, REFRESH, prune=prune, person=None, trigger=trigger, enqueue=True).run


def _ask(
    integration: Integration, kind: str, *, prune: bool, person: User | None, trigger: str, enqueue: bool
) -> runs.Requested:
    server = integration.server
    return runs.request_run(
        kind=kind,
        subject=integration,
        organization=server.organization,
        scope=str(server.pk),
        options={"prune": prune},
        trigger=trigger,
        requested_by=person,
        enqueue=enqueue,
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    integration: Integration
    reason: str


@dataclass(frozen=True, slots=True)
class RefreshAll:
    runs: tuple[Run, ...]
    skipped: tuple[Skipped, ...]
    joined: int
    """How many of the Runs were queued already."""


def request_refresh_all(integrations: Iterable[Integration], *, prune: bool, membership: Membership) -> RefreshAll:
    """One Run for each integration that can be read; those that have no credential are named and left out.

    All of them go to the background: together they would keep a page waiting.
    """
    access.require(membership, "integrations.import")
    if prune:
        access.require(membership, "contents.can_delete")
    asked: list[Run] = []
    skipped: list[Skipped] = []
    joined = 0
    for integration in integrations:
        if integration.credential_lost or integration.credential_missing:
            skipped.append(Skipped(integration, "it has no credential"))
            continue
        requested = _ask(
            integration, REFRESH, prune=prune, person=membership.user, trigger=Trigger.MANUAL, enqueue=True
        )
        asked.append(requested.run)
        joined += requested.joined
    return RefreshAll(tuple(asked), tuple(skipped), joined)
