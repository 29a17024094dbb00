"""How many Runs read from one forge at the same moment, and how many requests automatic ones may use up.

turns.spare(run, connection)
with turns.take(run, keys_with_limits=turns.places(forge=…, base_url=…, connection=…)):
    …

Both raise `jobs.outcomes.Waiting`, so that the Run goes on by itself later.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from forges import standing
from forges.clients import FORGES
from forges.models import Connection, Turn
from jobs import runs
from jobs.models import Run, Status, Trigger
from jobs.outcomes import Waiting
from lib.database import release_connections

AUTOMATIC = (Trigger.WEBHOOK, Trigger.SCHEDULE)
_SHORTEST_WAIT, _LONGEST_WAIT = 5.0, 20.0
"""Seconds until a Run that found no place looks again, if nobody who leaves one calls it before."""
_MARK = " #"
"""Parts what people read of a key from the id that makes it unique."""
_AFTER_RESET = 60.0
"""Seconds over which the Runs that waited for a forge's limit to be reset begin."""


def places(*, forge: str, base_url: str, connection: Connection | None = None) -> dict[str, int]:
    """What a Run has to have a place at, and how many there are: at the forge's server, and in its connection.

    Plain git's repositories are each their own server, and have no limit.
    """
    found = {}
    if base_url := base_url or FORGES[forge].base_url:
        found[_host(base_url)] = settings.FORGE_CONCURRENCY
    if connection is not None:
        found[standing.named(connection)[:250] + _MARK + str(connection.pk)] = settings.CONNECTION_CONCURRENCY
    return found


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc.removeprefix("api.")


@contextmanager
def take(run: Run, *, keys_with_limits: Mapping[str, int]) -> Iterator[None]:
    """All of the places or none, for a `with`. Raises Waiting where there is no free one.

    A place belongs to its Run while that is running under its lease, so one whose worker was killed is free once the
    lease is over. Who leaves a place calls the Run that waits for it longest.
    """
    held: list[int] = []
    full = _take_all(run, keys_with_limits, held)
    if full:
        raise Waiting(until=_soon(), for_what=_words(full))
    release_connections()
    try:
        yield
    finally:
        # By their ids: should the lease be lost, the Run's next worker has places of its own.
        Turn.objects.filter(pk__in=held).delete()
        for key in keys_with_limits:
            _call_next(key)
        release_connections()


def _take_all(run: Run, keys_with_limits: Mapping[str, int], held: list[int]) -> str:
    """The key that is full; "" when all are taken, their ids in `held`."""
    Turn.objects.filter(run=run).delete()  # of this Run's former worker
    with transaction.atomic():
        # Always in the same order, so that two Runs do not wait for each other's rows.
        for key in sorted(keys_with_limits):
            turn = _take_one(run, key, keys_with_limits[key])
            if turn is None:
                transaction.set_rollback(True)
                return key
            held.append(turn.pk)
    return ""


def _take_one(run: Run, key: str, limit: int) -> Turn | None:
    dead = ~Q(run__status=Status.RUNNING) | Q(run__lease_until__lt=timezone.now())
    Turn.objects.filter(pk__in=list(Turn.objects.filter(dead, key=key).values_list("pk", flat=True))).delete()
    taken = set(Turn.objects.filter(key=key).values_list("slot", flat=True))
    for slot in range(max(limit, 1)):
        if slot in taken:
            continue
        try:
            with transaction.atomic():
                return Turn.objects.create(run=run, key=key, slot=slot)
        except IntegrityError:  # one_run_in_a_slot: another Run was faster
            continue
    return None


def _call_next(key: str) -> None:
    waiting = Run.objects.filter(status=Status.WAITING, waiting_for=_words(key)).order_by("created_at").first()
    if waiting is not None:
        runs.resume(waiting)


def _words(key: str) -> str:
    """How people read it in “Waiting for …”."""
    return f"a turn at {key.rpartition(_MARK)[0] or key}"


def _soon() -> datetime:
    return timezone.now() + timedelta(seconds=random.uniform(_SHORTEST_WAIT, _LONGEST_WAIT))  # noqa: S311  # jitter


def spare(run: Run, connection: Connection | None) -> None:
    """Raise Waiting, until the forge counts anew, for a Run that nobody waits for when its connection has few requests
    left: FORGE_RATE_RESERVE per cent are people's."""
    if connection is None or run.trigger not in AUTOMATIC:
        return
    told = Connection.objects.filter(pk=connection.pk).values_list("rate_limit", "rate_remaining", "rate_reset_at")
    limit, remaining, reset_at = told.first() or (None, None, None)
    release_connections()
    now = timezone.now()
    if not limit or remaining is None or reset_at is None or reset_at <= now:
        return
    if remaining * 100 < limit * settings.FORGE_RATE_RESERVE:
        jitter = timedelta(seconds=random.uniform(1, _AFTER_RESET))  # noqa: S311  # jitter
        raise Waiting(
            until=reset_at + jitter,
            for_what=f"{_host(connection.base_url)} to count the requests of {standing.named(connection)} anew",
        )
