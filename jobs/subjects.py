"""A row's Runs, inside the query of the row."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Func


class SubjectId(Func):
    """A UUID as Runs name their subject: 36 characters. SQLite keeps UUIDs as 32 hex digits."""

    template = "CAST(%(expressions)s AS varchar)"
    output_field = CharField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        template = " || '-' || ".join(f"substr(%(expressions)s, {start}, {length})" for start, length in parts)
        sql, params = self.as_sql(compiler, connection, template=f"({template})", **context)
        return sql, (*params,) * len(parts)
