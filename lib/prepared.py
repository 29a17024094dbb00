"""Queries of the ORM that are composed once, and asked with other values each time.

Composing a query and its SQL takes the ORM several times as long as asking it takes the database. Where each request
asks the same, it is written as ever, with `Given` in place of what differs, and is made into SQL when it is first
asked. Planning it takes PostgreSQL longer than running it, too, so that each connection keeps plans of what it is asked
often (`cursor_with_plans`). Nothing of an answer is kept. ::

    _named = Prepared(lambda: Server.objects.select_related("organization").filter(slug=Given("slug", SlugField())))
    _named.first(slug="docs")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)


class Given(Expression):
    """A value that is told when the query is asked. None is equal to nothing, as in SQL."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:  # noqa: ARG002  # as Django calls it
        return "%s", [self]  # to be found again among the parameters

    def adapted(self, values: Mapping[str, Any], connection: Any) -> Any:
        """As the database takes it."""
        return self.output_field.get_db_prep_value(values[self.name], connection)


@dataclass(frozen=True, slots=True)
class _Plan:
    """SQL, and how a row becomes a model and what came with it."""

    sql: str
    parameters: Sequence[Any]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]
    """The position of a column, and what makes its value Python's."""
    model: type[models.Model]
    start: int
    end: int
    names: Sequence[str]
    """Of the model's own columns, which are those from `start` to `end`."""
    populators: Sequence[Any]
    """Of what `select_related` brings."""


class Prepared(Generic[M]):
    """A query, which `compose` makes when it is first asked."""

    def __init__(self, compose: Callable[[], models.QuerySet[M]]) -> None:
        self._compose = compose
        self._plans: dict[tuple[str, int], _Plan] = {}
        """By the kind of database, and how many rows are asked for."""

    def first(self, **values: Any) -> M | None:
        """The first row with these values, None where there is none. One query."""
        rows = self.rows(1, **values)
        return rows[0] if rows else None

    def rows(self, limit: int, /, **values: Any) -> list[M]:
        """So many rows with these values at most. One query."""
        connection = connections[DEFAULT_DB_ALIAS]  # once: a look for this thread's takes time
        plan = self._plans.get((connection.vendor, limit))
        if plan is None:
            plan = self._plans[connection.vendor, limit] = _plan(self._compose()[:limit], connection)
        given = [each.adapted(values, connection) if isinstance(each, Given) else each for each in plan.parameters]
        with cursor_with_plans(connection) as cursor:
            cursor.execute(plan.sql, given)
            found = cursor.fetchall()
        return [_instance(plan, list(row), connection) for row in found]


def cursor_with_plans(connection: Any) -> Any:
    """A cursor of Django's for statements that are asked often, each with the same text.

    PostgreSQL plans them once in each connection, if DATABASE_PREPARE lets it: Django puts the parameters into the text
    of a statement, so that each is another one to PostgreSQL; here they are sent beside it. For SQLite the text is made
    its own once. https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            cursor: Any = psycopg.Cursor(connection.connection)
        else:
            cursor = connection.connection.cursor(factory=_SQLiteCursor)
        return connection._prepare_cursor(cursor)


class _SQLiteCursor(SQLiteCursorWrapper):
    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        return (
            _with_question_marks(query)
            if param_names is None
            else super().convert_query(query, param_names=param_names)
        )


@lru_cache(maxsize=200)
def _with_question_marks(query: str) -> str:
    """Looking for each %s takes longer than the statement."""
    converted: str = SQLiteCursorWrapper.convert_query(None, query)  # type: ignore[arg-type]  # it looks at no cursor
    return converted


def _plan(queryset: models.QuerySet[Any], connection: Any) -> _Plan:
    compiler = queryset.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    information = compiler.klass_info
    fields = information["select_fields"]
    start, end = fields[0], fields[-1] + 1
    converters = compiler.get_converters([column for column, *_ in compiler.select])
    return _Plan(
        sql,
        tuple(parameters),
        [(position, tuple(functions), column) for position, (functions, column) in converters.items()],
        information["model"],
        start,
        end,
        [column.target.attname for column, *_ in compiler.select[start:end]],
        get_related_populators(information, compiler.select, connection.alias),  # type: ignore[call-arg]  # of Django 6
    )


def _instance(plan: _Plan, row: list[Any], connection: Any) -> Any:
    """As `django.db.models.query.ModelIterable` makes it."""
    for position, functions, column in plan.converters:
        value = row[position]
        for function in functions:
            value = function(value, column, connection)
        row[position] = value
    made = plan.model.from_db(connection.alias, plan.names, row[plan.start : plan.end])
    for populator in plan.populators:
        populator.populate(row, made)
    return made
