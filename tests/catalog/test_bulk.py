"""Many rows of one table in few statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from catalog.bulk import insert_rows
from catalog.models import Blob, Content, Origin, Server
from tests import factories

pytestmark = pytest.mark.django_db

COLUMNS = ("path", "blob", "provenance")


def rows(blob: Blob, count: int) -> Iterator[tuple[str, int, dict[str, str]]]:
    return ((f"docs/{n:04}.md", blob.pk, {"oid": str(n)}) for n in range(count))


def test_rows_hold_what_was_given_what_is_the_same_and_their_fields_defaults(docs: Server) -> None:
    blob = factories.blob("text")
    then = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)

    insert_rows(Content, COLUMNS, rows(blob, 2), same={"server": docs.pk, "updated_at": then})

    first, second = Content.objects.order_by("path")
    assert (first.path, first.blob, first.server, first.provenance) == ("docs/0000.md", blob, docs, {"oid": "0"})
    assert (second.path, second.provenance) == ("docs/0001.md", {"oid": "1"})
    assert first.pk != second.pk
    assert first.updated_at == then
    assert first.origin == Origin.TYPED
    assert first.updated_by is None
    assert first.created_at == second.created_at


def test_many_rows_go_in_with_a_statement_for_each_few_hundred(docs: Server) -> None:
    blob = factories.blob("text")

    with CaptureQueriesContext(connection) as queries:
        insert_rows(Content, COLUMNS, rows(blob, 2345), same={"server": docs.pk})

    found = Content.objects.order_by("path").values_list("path", "provenance")
    assert list(found) == [(f"docs/{n:04}.md", {"oid": str(n)}) for n in range(2345)]
    assert len([query for query in queries if query["sql"].startswith("INSERT")]) <= 2345 / 100 + 1


def test_nothing_is_asked_of_the_database_for_no_rows(docs: Server) -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_rows(Content, COLUMNS, [], same={"server": docs.pk})

    assert not queries.captured_queries


def test_one_row_that_breaks_a_constraint_keeps_all_out() -> None:
    with pytest.raises(IntegrityError):
        insert_rows(Blob, ("sha256", "size", "text"), [*((f"{n:064}", 1, "a") for n in range(800)), ("0" * 64, 1, "b")])


def test_rows_that_are_there_already_can_be_left_as_they_are() -> None:
    there = factories.blob("there")

    new = [(there.sha256, 5, "other"), (Blob.digest("new"), 3, "new")]
    insert_rows(Blob, ("sha256", "size", "text"), new, ignore_conflicts=True)

    assert set(Blob.objects.values_list("text", flat=True)) == {"there", "new"}


def test_a_field_that_does_not_exist_is_an_error(docs: Server) -> None:
    with pytest.raises(KeyError):
        insert_rows(Content, ("path", "colour"), [("a.md", "red")], same={"server": docs.pk})
