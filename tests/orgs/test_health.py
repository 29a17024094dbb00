"""The address that monitors ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import Error, InterfaceError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgs.models import User
from tests.conftest import Browse


def test_monitors_are_told_that_all_is_well(client: Client, db: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content, response.headers["Content-Type"]) == (200, b"ok\n", "text/plain")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("trouble", [OperationalError, InterfaceError])
def test_without_a_database_it_says_so_to_somebody_signed_in_too(
    alice: User, browse: Browse, trouble: type[Error]
) -> None:
    def fail(*_: Any) -> None:
        raise trouble("couldn't get a connection after 10.00 sec")

    for client in (Client(), browse(alice)):
        with connection.execute_wrapper(fail):
            response = client.get("/healthz")
        assert response.status_code == 503
        assert response.content == b"The database cannot be reached.\n"


def test_it_asks_the_database_one_thing_whoever_asks(alice: User, browse: Browse) -> None:
    client = browse(alice)
    with CaptureQueriesContext(connection) as queries:
        client.get("/healthz")
    assert [query["sql"] for query in queries] == ["SELECT 1"]


def test_nothing_is_written_there(client: Client, db: None) -> None:
    assert client.post("/healthz").status_code == 405
