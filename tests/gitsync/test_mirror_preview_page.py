"""What a sync would do, shown and not done."""

from __future__ import annotations

import pytest
from django.test import Client

from orgs.models import User
from tests.conftest import Browse
from tests.gitsync.mirror_world import ALL, Begin, Mirrored, begin, command
from tests.gitsync.mirrors import SYNC, text_of
from tests.gitsync.pages import HTMX

__all__ = ["begin"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(begin: Begin) -> Mirrored:
    return begin("bitbucket", files=ALL)


@pytest.fixture
def window(bob: User, browse: Browse) -> Client:
    return browse(bob)


def preview(client: Client) -> str:
    response = client.get(f"{SYNC}preview/", headers=HTMX)
    assert response.status_code == 200
    return text_of(response)


def test_where_both_sides_are_the_same_there_is_nothing_to_do(made: Mirrored, window: Client) -> None:
    assert "Nothing to do" in preview(window)


def test_each_direction_is_listed_and_nothing_is_done(made: Mirrored, window: Client) -> None:
    made.save("toolkit", "forecasts", description="Edited here.")
    made.edit("commands/hello.json", description="Edited in git.")
    made.commit({"commands/new.json": command("new"), "commands/bad.json": "{"})
    head, before = made.head, made.here()
    page = preview(window)
    for part in ("Read", "Write", "Error", "commands/new.json", "commands/bad.json", "toolkits/forecasts.json"):
        assert part in page, part
    assert "changed here" in page
    assert (made.head, made.here()) == (head, before)


def test_the_page_asks_for_it_and_works_without_a_script(made: Mirrored, window: Client) -> None:
    page = text_of(window.get(f"{SYNC}preview/"))
    assert 'hx-trigger="load"' in page
    assert f'href="{SYNC}preview/?now=1"' in page
    assert "Nothing to do" in text_of(window.get(f"{SYNC}preview/?now=1"))


def test_what_stands_against_it_is_said(made: Mirrored, window: Client) -> None:
    made.forge.world.delete("octo/entities")
    page = preview(window)
    assert "The preview did not work" in page
