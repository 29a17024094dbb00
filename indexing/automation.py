"""When an organisation's sources are refreshed by themselves: what it chooses."""

from __future__ import annotations

from datetime import time

from django.db import transaction
from django.http import HttpRequest

from indexing import clock
from indexing.models import AutoRefresh
from orgs import access, audit
from orgs.models import Membership

NEEDED = "organization.manage"


@transaction.atomic
def choose(
    *, enabled: bool, at: time, time_zone: str, by: Membership, request: HttpRequest | None = None
) -> AutoRefresh:
    """Refresh at this time of day of a zone from now on, or not at all; all sources are planned anew."""
    access.require(by, NEEDED)
    kept, _ = AutoRefresh.objects.select_for_update().get_or_create(organization=by.organization)
    before = _facts(kept)
    kept.enabled, kept.at, kept.time_zone = enabled, at, time_zone
    if _facts(kept) == before:
        return kept
    kept.save()
    clock.plan(by.organization)
    audit.record(
        "auto_refresh.changed",
        organization=by.organization,
        actor=by.user,
        target=by.organization,
        before=before,
        after=_facts(kept),
        request=request,
    )
    return kept


def _facts(auto: AutoRefresh) -> dict[str, object]:
    return {"enabled": auto.enabled, "at": f"{auto.at:%H:%M}", "time_zone": auto.time_zone}
