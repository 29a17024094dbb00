"""From what was saved to the Run that pushes it: saves within a few seconds become one commit."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from gitsync.models import PendingChange, PushTarget
from gitsync.requesting import request_push
from jobs.models import Trigger

QUIET_TIMES = 4
"""Times as long as it waits for a quiet moment, it waits for one at most."""


def ask_for_pushes() -> int:
    """Ask for a Run for each server that was saved and that nobody saved any more for GITSYNC_QUIET_SECONDS; how many.

    `jobs.outbox` calls it every two seconds. In Millrace's own name: who saved might do so, and need not be allowed to
    any more.
    """
    now, quiet = timezone.now(), timedelta(seconds=settings.GITSYNC_QUIET_SECONDS)
    due = (
        PendingChange.objects.filter(asked=False, target__credential_lost="")
        .order_by()
        .values("target")
        .annotate(first=Min("at"), last=Max("at"))
        .filter(Q(last__lte=now - quiet) | Q(first__lte=now - QUIET_TIMES * quiet))
    )
    asked = 0
    for each in due:
        with transaction.atomic():
            target = PushTarget.objects.select_related("organization").filter(pk=each["target"]).first()
            if target is not None:
                request_push(target, trigger=Trigger.SAVE, by=None)
                asked += 1
    return asked
