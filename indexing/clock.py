"""By the clock: which sources are due, and when the next time is."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from indexing import timing
from indexing.models import AutoRefresh, Source
from indexing.reasons import Reason
from indexing.requesting import request_index
from jobs.models import Trigger
from orgs.models import Organization

BATCH = 500
"""Sources that one tick asks Runs for; the next tick is a minute later."""


def auto_refresh_of(organization: Organization) -> AutoRefresh:
    """What the organisation chose, or else the defaults."""
    return AutoRefresh.objects.filter(organization=organization).first() or AutoRefresh(organization=organization)


def next_refresh(source: Source, auto: AutoRefresh, now: datetime) -> datetime | None:
    """None for what is not refreshed by the clock: a server's own content is indexed as soon as it changes."""
    if not auto.enabled or not source.auto_refresh or source.paused_at or source.kind == Source.Kind.CONTENT:
        return None
    return timing.next_refresh(
        at=auto.at,
        zone=zone_of(auto),
        after=now,
        key=source.pk,
        jitter=timedelta(minutes=settings.INDEX_REFRESH_JITTER_MINUTES),
    )


def zone_of(auto: AutoRefresh) -> tzinfo:
    """UTC where this machine's tz database does not know the name any more."""
    try:
        return zoneinfo.ZoneInfo(auto.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # as in orgs.middleware
        return UTC


def plan(organization: Organization) -> None:
    """Plan all sources of an organisation anew, whose time of day, or zone, has become another."""
    auto, now = auto_refresh_of(organization), timezone.now()
    sources = list(Source.objects.for_org(organization).only("pk", "kind", "auto_refresh", "paused_at"))
    for source in sources:
        source.next_refresh_at = next_refresh(source, auto, now)
    Source.objects.bulk_update(sources, ["next_refresh_at"], batch_size=200)


def tick() -> str:
    """What the schedule calls every minute: ask for the Runs that are due. Returns how many, in words."""
    now = timezone.now()
    due = Source.objects.filter(next_refresh_at__lte=now).select_related("server__organization", "connection")
    sources = list(due.order_by("next_refresh_at")[:BATCH])
    chosen = AutoRefresh.objects.in_bulk(
        {source.server.organization_id for source in sources}, field_name="organization_id"
    )
    asked = 0
    for source in sources:
        organization = source.server.organization
        auto = chosen.get(organization.pk) or AutoRefresh(organization=organization)
        asked += _when_due(source, auto, now)
    return f"{asked} sources asked for"


def _when_due(source: Source, auto: AutoRefresh, now: datetime) -> bool:
    unchanged = Source.objects.filter(pk=source.pk, next_refresh_at=source.next_refresh_at)
    planned = next_refresh(source, auto, now)
    with transaction.atomic():
        if not unchanged.update(next_refresh_at=planned):
            return False  # another worker's tick was first, or somebody edited it
        if planned is None or not may_ask(source):
            return False
        request_index(source, trigger=Trigger.SCHEDULE)
    return True


def may_ask(source: Source) -> bool:
    """Whether asking by itself makes sense: it has what it needs, and that was not refused since it was edited.

    Forges lock the accounts of those who come again and again with what they refused.
    """
    if source.paused_at is not None or source.credential_lost:
        return False
    if source.connection is not None and not source.connection.is_connected:
        return False
    has_credential = source.connection is not None or Source.token.is_set(source)
    if source.kind == Source.Kind.REPOSITORY and source.private and not has_credential:
        return False
    refused = source.error_code == Reason.AUTH_REQUIRED and has_credential
    return not refused or source.checked_at is None or source.updated_at > source.checked_at
