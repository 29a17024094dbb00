"""What somebody deletes in the moment in which somebody else saves or deletes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.db.models.signals import post_init

from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from orgs.models import User
from tests import factories
from tests.catalog.pages import words
from tests.conftest import Browse

HOME = "/o/acme/servers/docs"
FORMS: dict[str, dict[str, str]] = {
    "providers": {"name": "Mine", "visibility": "public"},
    "tools": {"name": "mine", "method": "GET", "path": "/mine"},
    "resources": {"name": "Mine", "uri": "docs://mine", "source": "text"},
    "prompts": {"name": "mine", "messages-0-role": "user", "messages-0-text": "Mine"},
    "variables": {"name": "MINE", "is_secret": "plain", "value": "mine"},
}
KINDS: dict[str, type[Model]] = {
    "providers": Provider,
    "tools": Tool,
    "resources": Resource,
    "prompts": Prompt,
    "variables": Variable,
}


@pytest.fixture
def rows(docs: Server) -> dict[str, Any]:
    weather = factories.provider(docs, base_url="https://api.example.com")
    return {
        "providers": weather,
        "tools": factories.tool(weather),
        "resources": factories.resource(weather),
        "prompts": factories.prompt(weather),
        "variables": factories.variable(docs, "A", "1"),
    }


def deleted_once_read(row: Any) -> Callable[[], None]:
    """Somebody else deletes the row as soon as the page has read it."""
    model = type(row)

    def delete(instance: Any, **_: Any) -> None:
        if instance.pk == row.pk:
            post_init.disconnect(delete, sender=model)
            model._default_manager.filter(pk=row.pk).delete()

    post_init.connect(delete, sender=model, weak=False)
    return lambda: assert_gone(post_init.disconnect(delete, sender=model))


def assert_gone(still_waiting: bool | None) -> None:
    assert not still_waiting, "the page did not read the row"


@pytest.mark.parametrize("kind", KINDS)
def test_who_deletes_what_was_just_deleted_is_told_and_shown_the_list(
    browse: Browse, bob: User, rows: dict[str, Any], kind: str
) -> None:
    row = rows[kind]
    done = deleted_once_read(row)
    response = browse(bob).post(f"{HOME}/{kind}/{row.pk}/delete/", follow=True)
    done()
    assert response.redirect_chain == [(f"{HOME}/{'variables' if kind == 'variables' else 'tools'}/", 302)]
    assert f"{row.name} was deleted meanwhile" in words(response)


@pytest.mark.parametrize("kind", KINDS)
def test_who_saves_what_was_just_deleted_keeps_what_was_typed(
    browse: Browse, bob: User, rows: dict[str, Any], kind: str
) -> None:
    row = rows[kind]
    done = deleted_once_read(row)
    response = browse(bob).post(f"{HOME}/{kind}/{row.pk}/edit/", {**FORMS[kind], "seen_revision": row.revision})
    done()
    assert response.status_code == 409
    assert "Somebody deleted this while you were editing it" in words(response)
    assert f'value="{FORMS[kind]["name"]}"' in words(response)
    assert not KINDS[kind]._default_manager.exists()


@pytest.mark.parametrize("kind", ["tools", "resources", "prompts"])
def test_what_goes_with_its_provider_is_told_too(browse: Browse, bob: User, rows: dict[str, Any], kind: str) -> None:
    row = rows[kind]
    done = deleted_once_read(rows["providers"])
    response = browse(bob).post(f"{HOME}/{kind}/{row.pk}/edit/", {**FORMS[kind], "seen_revision": row.revision})
    done()
    assert response.status_code == 409
    assert f'value="{FORMS[kind]["name"]}"' in words(response)


@pytest.mark.parametrize("kind", ["tools", "resources", "prompts"])
def test_nothing_is_made_in_a_provider_that_was_just_deleted(
    browse: Browse, bob: User, rows: dict[str, Any], kind: str
) -> None:
    weather = rows["providers"]
    done = deleted_once_read(weather)
    response = browse(bob).post(f"{HOME}/providers/{weather.pk}/{kind}/new/", FORMS[kind])
    done()
    assert response.status_code == 409
    assert f'value="{FORMS[kind]["name"]}"' in words(response)
    assert not KINDS[kind]._default_manager.exists()


def test_a_tool_that_was_just_deleted_is_not_switched_off(browse: Browse, bob: User, rows: dict[str, Any]) -> None:
    tool = rows["tools"]
    done = deleted_once_read(tool)
    response = browse(bob).post(f"{HOME}/tools/{tool.pk}/enable/", {"enabled": "0"}, follow=True)
    done()
    assert f"{tool.name} was deleted meanwhile" in words(response)


@pytest.mark.parametrize("kind", ["providers", "tools", "resources", "prompts"])
def test_of_two_who_save_the_same_the_second_has_nothing_left_to_do(
    browse: Browse, alice: User, bob: User, rows: dict[str, Any], kind: str
) -> None:
    row = rows[kind]
    if kind == "providers":
        Tool.objects.all().delete()
    sent = {**FORMS[kind], "seen_revision": row.revision}
    for person in (alice, bob):
        response = browse(person).post(f"{HOME}/{kind}/{row.pk}/edit/", sent, follow=True)
        assert response.status_code == 200
        assert f"{FORMS[kind]['name']} is saved." in words(response)
    row.refresh_from_db()
    assert row.revision == 2
