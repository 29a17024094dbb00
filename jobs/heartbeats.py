"""Signs of life of what runs in the background."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from jobs.models import Heartbeat

SWEEPER = "sweeper"
WORKER = "worker"
NAME_VARIABLE = "MILLRACE_WORKER"
"""The environment variable by which `manage.py worker` tells its cluster under which name to show life."""

_last_beat = float("-inf")


def worker_name() -> str:
    """Under which name this process shows life: each supervised cluster has its own, `worker` is for others."""
    return os.environ.get(NAME_VARIABLE, WORKER)


def beat(name: str, detail: str = "") -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now(), "detail": detail[:254]})


def beat_worker(*, at_once: bool = False) -> None:
    """Say that this cluster's workers work, at most a few times within the time after which it counts as dead."""
    global _last_beat
    now = time.monotonic()
    if at_once or now - _last_beat >= min(10.0, settings.JOB_STALE / 6):
        _last_beat = now
        beat(worker_name())


def last_beat(name: str) -> datetime | None:
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def worker_is_alive() -> bool:
    """Whether any worker showed life within `JOB_STALE` seconds."""
    since = timezone.now() - timedelta(seconds=settings.JOB_STALE)
    return Heartbeat.objects.filter(name__startswith=WORKER, at__gte=since).exists()


def forget_old(*, before: datetime) -> int:
    """Forget the workers that have not been seen since; returns how many."""
    return Heartbeat.objects.filter(name__startswith=f"{WORKER}:", at__lt=before).delete()[0]
