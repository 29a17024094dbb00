"""How many rows a page has is ours to say."""

from __future__ import annotations

import pytest

from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse


@pytest.fixture
def many(acme: Organization) -> None:
    for number in range(60):
        factories.server(acme, f"Server {number:02}")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("asked", ["1000000", "0", "-1"])
def test_the_address_does_not_say_how_many_rows_a_page_has(carol: User, browse: Browse, asked: str) -> None:
    response = browse(carol).get("/o/acme/servers/", {"per_page": asked})
    assert len(response.context["table"].page.object_list) == 50


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("asked", "given"), [("2", 2), ("99", 2), ("-1", 2), ("x", 1)])
def test_a_page_that_is_not_there_becomes_one_that_is(carol: User, browse: Browse, asked: str, given: int) -> None:
    response = browse(carol).get("/o/acme/servers/", {"page": asked, "sort": "-name"})
    assert response.context["table"].page.number == given
