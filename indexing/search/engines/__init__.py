"""The engine of the database in use."""

from __future__ import annotations

from functools import cache

from django.db import connection

from indexing.search.engines.base import Engine


def engine() -> Engine:
    return _engine(connection.vendor)


@cache
def _engine(vendor: str) -> Engine:
    if vendor == "postgresql":
        from indexing.search.engines.postgres import PostgresEngine

        return PostgresEngine()
    from indexing.search.engines.sqlite import SQLiteEngine

    return SQLiteEngine()
