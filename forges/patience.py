"""Which of a forge's errors a Run waits for by itself, and until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from forges.clients.errors import ForgeError, RateLimited
from jobs.context import RunContext
from jobs.models import Trigger
from jobs.outcomes import Waiting

RATE_LIMIT, AN_ANSWER = "the forge's rate limit to reset", "the forge to answer again"
"""Each finishes “Waiting for …”."""
AGAIN_AFTER = timedelta(minutes=1)
_AT_LEAST = timedelta(seconds=5)


def waits_for(
    context: RunContext, error: ForgeError, *, tries_for: timedelta, triggers: Collection[str] = tuple(Trigger)
) -> Waiting | None:
    """For a forge that counts anew, or answers again: as long as `tries_for`, and by these triggers. None for the rest.

    A push is told once, and with a webhook nobody looks for an hour: so a moment's outage must not lose it. It is tried
    after a minute, and then each time after as long as it has been tried already.
    """
    now = timezone.now()
    if isinstance(error, RateLimited):
        return Waiting(until=max(error.reset_at or now + AGAIN_AFTER, now + _AT_LEAST), for_what=RATE_LIMIT)
    tried_for = now - context.run.created_at
    if not error.retryable or error.workers_can or context.run.trigger not in triggers or tried_for >= tries_for:
        return None
    context.log(f"{error} It is tried again by itself.", level="warning")
    return Waiting(until=now + max(AGAIN_AFTER, tried_for), for_what=AN_ANSWER)
