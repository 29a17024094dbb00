"""A request that waits for a forge does not keep a connection that others wait for."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import connection as tested
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from lib.database import release

needs_a_pool = pytest.mark.skipif(tested.vendor != "postgresql", reason="only PostgreSQL's connections are pooled")


@pytest.fixture
def pooled(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A connection out of a pool of one, to the database of the tests."""
    settings = deepcopy(tested.settings_dict)
    settings["CONN_MAX_AGE"] = 0
    settings["OPTIONS"] = {**settings["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 1}}
    connection = ConnectionHandler({"default": settings})["default"]
    assert isinstance(connection, BaseDatabaseWrapper)
    yield connection
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone has it


def free(connection: BaseDatabaseWrapper) -> int:
    return int(connection.pool.get_stats()["pool_available"])  # type: ignore[attr-defined]


@needs_a_pool
def test_a_released_connection_is_there_for_others_and_comes_back_by_itself(pooled: BaseDatabaseWrapper) -> None:
    pooled.ensure_connection()
    assert free(pooled) == 0

    release(pooled)

    assert free(pooled) == 1
    with pooled.cursor() as cursor:
        assert cursor.execute("SELECT 1").fetchone() == (1,)


@needs_a_pool
def test_nothing_is_given_back_within_a_transaction(pooled: BaseDatabaseWrapper) -> None:
    pooled.ensure_connection()
    pooled.set_autocommit(False)
    pooled.in_atomic_block = True

    release(pooled)

    assert free(pooled) == 0
    pooled.in_atomic_block = False
    pooled.rollback()


def test_a_connection_without_a_pool_stays_open(db: None) -> None:
    tested.ensure_connection()
    release(tested)
    assert tested.connection is not None
