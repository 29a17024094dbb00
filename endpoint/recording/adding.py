"""Many rows at once: new ones, and sums that are added to, whoever else adds to the same ones at the moment.

`INSERT … ON CONFLICT … DO UPDATE SET calls = calls + …` is one statement to both databases: nothing is read first, so
nothing is lost between. Rows come in one order from everybody, or two who add to the same ones would
wait for each other.
https://www.postgresql.org/docs/current/sql-insert.html, https://www.sqlite.org/lang_upsert.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

Key = tuple[Any, ...]


def insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """New rows: values by the names of fields, the same fields in each. `bulk_create` takes several times as long, as
    it composes the values of each row into SQL."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]  # once: a look for this thread's takes time
    names = list(rows[0])
    fields: list[models.Field[Any, Any]] = [model._meta.get_field(name) for name in names]  # type: ignore[misc]  # no relation backwards
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                [field.get_db_prep_save(row[name], connection) for name, field in zip(names, fields, strict=True)]
                for row in rows
            ],
        )


def add(
    model: type[models.Model],
    key: Sequence[str],
    counted: Sequence[str],
    sums: Mapping[Key, Mapping[str, float]],
    facts: Mapping[Key, Key],
) -> None:
    """Add `sums` to the rows, making those that lack: for each value of the unique fields `key`, numbers by field.

    `counted` are all fields with numbers, `facts` (organization, server, toolkit) of each, for rows that are made.
    """
    if not sums:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    names = [*key, "organization", "server", "toolkit", *counted]
    fields: list[models.Field[Any, Any]] = [model._meta.get_field(name) for name in names]  # type: ignore[misc]  # no relation backwards
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = [quote(str(field.column)) for field in fields]
    unique = ", ".join(columns[: len(key)])
    added = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in columns[-len(counted) :])
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "  # noqa: S608
        f"ON CONFLICT ({unique}) DO UPDATE SET {added}"
    )
    rows = [
        [
            field.get_db_prep_save(value, connection)
            for field, value in zip(
                fields, (*at, *facts[at], *(sums[at].get(name, 0) for name in counted)), strict=True
            )
        ]
        for at in sorted(sums, key=lambda at: tuple(map(str, at)))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
