"""Database connections and waiting for others."""

from __future__ import annotations

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def release_connections() -> None:
    """Give this thread's pooled connections back before waiting for the network: the next query takes one again.

    Otherwise a request holds on to its connection while a forge is silent, and a few of them hold all there are.
    Without a pool nothing happens, and within a transaction neither.
    """
    for connection in connections.all(initialized_only=True):
        release(connection)


def release(connection: BaseDatabaseWrapper) -> None:
    """The same for one connection."""
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()
