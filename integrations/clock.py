"""By the clock: which refreshes are due, and when the next one is."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from forges.models import HookStatus
from integrations import timing
from integrations.models import Integration
from integrations.refreshing import REFRESH, request_automatic
from integrations.webhook import hook_of, told_by_app
from jobs.models import Run, Status, Trigger

BATCH = 200
"""Integrations that one tick asks Runs for; the next tick is a minute later."""
_GIVEN_UP = ("auth_failed", "credential_missing", "forbidden")
"""How a Run failed that is not asked for again by itself before a person changed something: forges lock accounts."""


def next_refresh(integration: Integration, now: datetime) -> datetime | None:
    """By its schedule; None without one."""
    return timing.next_refresh(
        schedule=integration.schedule,
        cron=integration.cron,
        zone=integration.time_zone,
        after=now,
        key=integration.pk,
    )


def next_poll(integration: Integration, now: datetime) -> datetime | None:
    """When to look for pushes that nobody told; None where pushes do not matter."""
    if not integration.on_push:
        return None
    hook = hook_of(integration)
    told = told_by_app(integration) or (hook is not None and hook.status == HookStatus.ACTIVE)
    minutes = settings.FORGE_POLL_MINUTES if told else settings.FORGE_POLL_WITHOUT_HOOK_MINUTES
    return timing.next_poll(minutes=minutes, after=now, key=integration.pk)


def tick() -> str:
    """What the schedule calls every minute: ask for the Runs that are due. Returns how many, in words."""
    now = timezone.now()
    due = (
        Integration.objects.filter(Q(next_refresh_at__lte=now) | Q(next_poll_at__lte=now))
        .select_related("server__organization", "connection")
        .order_by("next_refresh_at", "next_poll_at")
    )
    asked = sum(_when_due(integration, now) for integration in due[:BATCH])
    return f"{asked} refreshes asked for"


def _when_due(integration: Integration, now: datetime) -> bool:
    due = Integration.objects.filter(
        pk=integration.pk, next_refresh_at=integration.next_refresh_at, next_poll_at=integration.next_poll_at
    )
    moments: dict[str, datetime | None] = {}
    if integration.next_refresh_at is not None and integration.next_refresh_at <= now:
        moments["next_refresh_at"] = next_refresh(integration, now)
    # A refresh by the clock is a look, too.
    moments["next_poll_at"] = next_poll(integration, now)
    with transaction.atomic():
        if not due.update(**moments):
            return False  # another worker's tick was first, or somebody edited it
        if not may_run(integration) or _awaits_confirmation(integration):
            return False
        request_automatic(integration, trigger=Trigger.SCHEDULE)
    return True


def may_run(integration: Integration) -> bool:
    """Whether asking by itself makes sense: it has its credential, and that was not refused since it was edited."""
    if integration.credential_lost or integration.credential_missing:
        return False
    if integration.connection is not None:
        return integration.connection.is_connected
    ended = Run.objects.about(integration).filter(kind=REFRESH, finished_at__isnull=False)
    code, asked_at = ended.values_list("error_code", "created_at").first() or ("", None)
    return asked_at is None or code not in _GIVEN_UP or integration.updated_at > asked_at


def _awaits_confirmation(integration: Integration) -> bool:
    """Looking again would only hold another Run for the same list. A push, which is news, does look again."""
    held: bool = Run.objects.about(integration).filter(kind=REFRESH, status=Status.HELD).exists()
    return held
