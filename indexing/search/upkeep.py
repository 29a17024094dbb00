"""What the index of words wants by the clock (`indexing.apps` has it in the schedule)."""

from __future__ import annotations

from django.db import connection

from indexing.search import vocabulary
from indexing.search.engines import engine
from indexing.search.engines.postgres import PostgresEngine


def tick() -> None:
    """Every few minutes: statistics anew, if the index has changed much since they were made. SQLite keeps its own."""
    if connection.vendor == "postgresql":
        PostgresEngine().catch_up()


def daily() -> None:
    """Once a day: all that costs more, and words that no chunk has any longer."""
    engine().maintain()
    vocabulary.forget()
