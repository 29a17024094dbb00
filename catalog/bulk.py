"""Inserting many rows of one table with little work a row.

SQLite has one writer at a time. An import of 20,000 files writes 60,000 rows in one transaction, and nobody else can
write meanwhile: `bulk_create` spends three quarters of that time on making objects and on compiling them one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from django.db import connections, models, router, transaction
from django.db.models.constants import OnConflict

ROWS = 500
"""Rows in one statement, if the database takes so many parameters."""


def insert_rows(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
    ignore_conflicts: bool = False,
) -> None:
    """Insert `rows`: values of the fields `names`, foreign keys by their ids. `same` are fields equal in all rows.

    Fields in neither get their default, one value for all rows; an automatic primary key is the database's to give.
    All of them or none. As with `bulk_create` no signal is sent and `save` is not called. Takes a generator and holds
    one statement's rows at a time. With `ignore_conflicts` rows that break a unique constraint are left out; without
    it they raise IntegrityError.
    """
    connection = connections[router.db_for_write(model)]
    operations, quote = connection.ops, connection.ops.quote_name
    known = {field.name: field for field in model._meta.local_concrete_fields}
    defaults = {
        name: field.get_default()
        for name, field in known.items()
        if name not in names and not isinstance(field, models.AutoField)
    }
    fixed = {**defaults, **(same or {})}
    prepare = [known[name].get_db_prep_save for name in names]
    tail = [known[name].get_db_prep_save(value, connection) for name, value in fixed.items()]
    columns = [known[name] for name in (*names, *fixed)]
    on_conflict = OnConflict.IGNORE if ignore_conflicts else None
    head = f"{operations.insert_statement(on_conflict=on_conflict)} {quote(model._meta.db_table)} "
    head += f"({', '.join(quote(str(field.column)) for field in columns)}) VALUES "
    hole = f"({', '.join(['%s'] * len(columns))})"
    suffix = operations.on_conflict_suffix_sql(columns, on_conflict, [], [])
    size = max(1, min(ROWS, (connection.features.max_query_params or ROWS * len(columns)) // len(columns)))
    rest = iter(rows)
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        while batch := [
            [*(make(value, connection) for make, value in zip(prepare, row, strict=True)), *tail]
            for row in islice(rest, size)
        ]:
            holes = ", ".join([hole] * len(batch))
            cursor.execute(f"{head}{holes} {suffix}", list(chain.from_iterable(batch)))
