"""What runs by the clock: each entry is a row of django-q2's schedule, made on `migrate` and when a worker starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections, transaction
from django.utils import timezone
from django_q.models import Schedule

from jobs import queue
from jobs.models import Heartbeat

LOCK = "schedules"


@dataclass(frozen=True)
class Entry:
    """Call `function` (a dotted path, no arguments) every so many minutes."""

    name: str
    function: str
    minutes: int


_entries: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """Add an entry; apps do it in their `ready()`."""
    _entries[entry.name] = entry


register(Entry(name="Sweep the runs", function=queue.TICK, minutes=1))


@transaction.atomic
def ensure() -> None:
    """Make the rows, once each, whoever else is doing it at the same moment; change those that differ."""
    # django-q2 keeps no names unique, so this row's lock lets one in at a time.
    Heartbeat.objects.get_or_create(name=LOCK, defaults={"at": timezone.now()})
    Heartbeat.objects.select_for_update().get(name=LOCK)
    for entry in _entries.values():
        rows = list(Schedule.objects.filter(name=entry.name).order_by("pk"))
        for surplus in rows[1:]:
            surplus.delete()
        fields: dict[str, Any] = {
            "func": entry.function,
            "schedule_type": Schedule.MINUTES,
            "minutes": entry.minutes,
            "repeats": -1,
            "kwargs": "{'q_options': {'save': False}}",
        }
        if not rows:
            Schedule.objects.create(name=entry.name, **fields)
        elif any(getattr(rows[0], field) != value for field, value in fields.items()):
            Schedule.objects.filter(pk=rows[0].pk).update(**fields)


def ensure_after_migrate(using: str, **_: Any) -> None:
    """Receives post_migrate; does nothing while django-q2's table, or ours, is not there (yet, or any more)."""
    if using != "default":
        return
    tables = set(connections[using].introspection.table_names())
    if {Schedule._meta.db_table, Heartbeat._meta.db_table} <= tables:
        ensure()
