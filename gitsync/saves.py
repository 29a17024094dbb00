"""From what was saved to the Run that takes it to git: saves within a few seconds become one commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from gitsync.mirror.requesting import request_sync
from gitsync.models import Mirror, MirrorChange, PendingChange, PushTarget
from gitsync.requesting import request_push
from jobs.models import Trigger

QUIET_TIMES = 4
"""Times as long as it waits for a quiet moment, it waits for one at most."""


def ask_for_pushes() -> int:
    """Ask for a Run for each server that was saved and that nobody saved any more for GITSYNC_QUIET_SECONDS; how many.

    `jobs.outbox` calls it every two seconds. In Millrace's own name: who saved might do so, and need not be allowed to
    any more.
    """
    return _ask(PendingChange, "target", PushTarget, request_push)


def ask_for_syncs() -> int:
    """The same for each organisation whose entities were saved."""
    return _ask(MirrorChange, "mirror", Mirror, request_sync)


def _ask(changes: Any, of: str, destinations: Any, request: Callable[..., object]) -> int:
    """`of` is the changes' field that leads to one of `destinations`."""
    now, quiet = timezone.now(), timedelta(seconds=settings.GITSYNC_QUIET_SECONDS)
    due = (
        changes.objects.filter(asked=False, **{f"{of}__credential_lost": ""})
        .order_by()
        .values(of)
        .annotate(first=Min("at"), last=Max("at"))
        .filter(Q(last__lte=now - quiet) | Q(first__lte=now - QUIET_TIMES * quiet))
    )
    asked = 0
    for each in due:
        with transaction.atomic():
            destination = destinations.objects.select_related("organization").filter(pk=each[of]).first()
            if destination is not None:
                request(destination, trigger=Trigger.SAVE, by=None)
                asked += 1
    return asked
