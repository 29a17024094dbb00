"""The way to django-q2, which carries a Run's id to a worker and knows nothing else of it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

from jobs.models import Run

EXECUTE = "jobs.execution.execute"
TICK = "jobs.sweeper.tick"


def in_database() -> bool:
    """Whether the queue is a table beside ours, so that enqueueing is part of our transaction."""
    return bool(settings.Q_CLUSTER.get("orm") == "default")


def enqueue(run: Run) -> None:
    """Send a queued Run to the workers, with the transaction that queued it.

    A queue in the database gets its row within that transaction: both are kept, or neither. Any other is told after
    the commit; should the process die between the two, or the broker not answer, the sweeper finds the Run by its
    empty `enqueued_at`. To enqueue twice does no harm: a Run is claimed once.
    """
    if in_database():
        with transaction.atomic():
            _send(run.pk)
    else:
        transaction.on_commit(partial(_send, run.pk), robust=True)


def _send(run_id: uuid.UUID) -> None:
    # The Run is the record of how it went; django-q2 need not keep another.
    async_task(EXECUTE, str(run_id), q_options={"save": False})
    Run.objects.filter(pk=run_id, status="queued").update(enqueued_at=timezone.now())


def enqueue_tick() -> None:
    """Ask the workers for a sweep and a sign of life."""
    async_task(TICK, q_options={"save": False})


def is_empty() -> bool:
    """Whether nothing waits to be fetched by a worker."""
    broker: Any = get_broker()
    return not broker.queue_size()
