"""Whether this process can answer: its database is there, and has the tables that this code expects.

That a worker is there is told, too, and that the cache answers, and decides nothing: without them, pages and agents are
answered as before. A load balancer that took every web process away for it would make an outage of what is a delay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from jobs import heartbeats
from lib import shared_cache

OK = "ok"


@dataclass(frozen=True)
class Readiness:
    """Each is OK or a sentence that says what to do."""

    database: str
    migrations: str = "not looked at"
    worker: str = "not looked at"
    cache: str = OK

    @property
    def ready(self) -> bool:
        return self.database == OK and self.migrations == OK


_all_applied = False
"""Once they are, they stay so: this process knows no later ones."""


def look() -> Readiness:
    return replace(_look(), cache=_cache())


def _look() -> Readiness:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except Error:  # also InterfaceError, which is no DatabaseError
        return Readiness("The database cannot be reached. See the log of the web process.")
    try:
        migrations = _migrations()
        return Readiness(OK, migrations, _worker() if migrations == OK else "not looked at")
    except Error:
        return Readiness("The database went away while it was asked. See the log of the web process.")


def _migrations() -> str:
    global _all_applied
    if not _all_applied:
        executor = MigrationExecutor(connection)
        if number := len(executor.migration_plan(executor.loader.graph.leaf_nodes())):
            return f"{number} are not applied. Run “manage.py migrate”."
        _all_applied = True
    return OK


def _worker() -> str:
    if heartbeats.worker_is_alive():
        return OK
    return f"None has shown life for {settings.JOB_STALE} seconds. Start one with “manage.py worker”."


def _cache() -> str:
    if shared_cache.answers():
        return OK
    return (
        "It does not answer. Until it does, each web process counts rates by itself. Look after the Redis of CACHE_URL."
    )
