"""Queries that are composed once: as the ORM answers them, with other values each time."""

from __future__ import annotations

import uuid

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F, QuerySet, SlugField, UUIDField
from pytest_django import DjangoAssertNumQueries

from catalog.models import Server, Version
from lib.prepared import Given, Prepared
from orgs.models import Organization, User
from tests import factories

pytestmark = pytest.mark.django_db
tested = connections[DEFAULT_DB_ALIAS]


def _query() -> QuerySet[Server]:
    rows: QuerySet[Server] = Server.objects.select_related("organization", "active_version", "endpoint_setup")
    return rows.filter(slug=Given("slug", SlugField())).order_by(F("name").desc())


def test_a_row_is_the_one_that_the_orm_finds_with_all_that_came_along(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = factories.server(acme, "Docs", description="“Über” %s", git_integration={"a": [1]})
    version = Version.objects.create(server=made, number=7, content_revision=0)
    Server.objects.filter(pk=made.pk).update(active_version=version)
    prepared = Prepared(_query)
    for _ in range(2):
        with django_assert_num_queries(1):
            found = prepared.first(slug="docs")
            assert found is not None
            assert found.organization.name == acme.name
            assert found.active_version is not None
            assert found.active_version.number == 7
            assert getattr(found, "endpoint_setup", None) is None
        expected = Server.objects.get(pk=made.pk)
        for field in Server._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(expected, field.attname), field.name
        assert not found._state.adding


def test_each_time_other_values_and_the_rows_of_that_moment(acme: Organization) -> None:
    prepared = Prepared(_query)
    assert prepared.first(slug="docs") is None
    factories.server(acme, "Docs A", slug="docs")
    assert str(prepared.first(slug="docs")) == "Docs A"
    factories.server(factories.organization("Other", slug="other"), "Docs B", slug="docs")
    assert str(prepared.first(slug="docs")) == "Docs B", "in its order"
    assert prepared.first(slug="docs' OR 1=1 --") is None
    Server.objects.all().delete()
    assert prepared.first(slug="docs") is None


def test_none_is_equal_to_nothing(acme: Organization, alice: User) -> None:
    factories.server(acme, "Shared")
    hers = factories.server(acme, "Hers", owner=alice)
    prepared = Prepared(lambda: Server.objects.filter(owner=Given("owner", User._meta.pk)))
    assert prepared.first(owner=None) is None
    assert prepared.first(owner=alice.pk) == hers
    by_key = Prepared(lambda: Server.objects.filter(pk=Given("key", UUIDField())))
    assert by_key.first(key=hers.pk) == hers
    assert by_key.first(key=uuid.uuid4()) is None


def test_a_value_that_is_not_told_is_a_mistake(acme: Organization) -> None:
    with pytest.raises(KeyError):
        Prepared(_query).first()


@pytest.mark.skipif(tested.vendor != "postgresql", reason="SQLite's library keeps plans by itself")
def test_postgresql_plans_once_what_is_asked_often_with_other_values(acme: Organization) -> None:
    made = factories.server(acme, "Docs")
    prepared = Prepared(_query)
    tested.ensure_connection()
    before, tested.connection.prepare_threshold = tested.connection.prepare_threshold, 3
    try:
        found = [prepared.first(slug=slug) for slug in ("docs", "none", "docs'", "docs", "no more", "docs")]
        with tested.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            planned = [statement for (statement,) in cursor.fetchall()]
    finally:
        tested.connection.prepare_threshold = before
    assert found == [made, None, None, made, None, made]
    assert any("catalog_server" in statement and "$1" in statement for statement in planned)
