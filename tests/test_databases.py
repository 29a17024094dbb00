"""What the tests without a transaction leave to each other."""

from __future__ import annotations

import pytest
from django.db import connection

from catalog.models import Content
from tests import factories
from tests.databases import empty

OWN = "indexing_chunk_words"
"""What SQLite keeps of its index of words; the rows in it come and go with chunks."""
LEFT = {"auth_permission", "django_content_type", "django_migrations", "django_q_schedule", "jobs_heartbeat"}


def rows() -> dict[str, int]:
    """How many each table has; those without any are left out."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            found[table] = int(cursor.fetchone()[0])
    return {table: number for table, number in found.items() if number and not table.startswith(OWN)}


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_is_as_after_migrating() -> None:
    migrated = rows()
    assert migrated.keys() == LEFT
    factories.content(factories.server(factories.organization("Acme"), "Docs"), "a.md", "Some words.\n")
    assert Content.objects.exists()
    empty()
    assert rows() == migrated
