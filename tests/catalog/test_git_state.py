"""How an entity stands in git: read from its row, shown in lists, on its page and on a server's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from catalog.models import Server
from catalog.standing import Standing, standing_of
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page
from tests.conftest import Browse

BROKEN: dict[str, Any] = {
    "state": "error",
    "code": "INVALID_JSON",
    "status": 400,
    "message": "A comma is missing.",
    "advice": "Mend the file and push it.",
    "path": "toolkits/weather.json",
    "line": 3,
    "column": 14,
    "fields": ["/name"],
    "at": "2026-11-20T10:00:00+00:00",
    "commit": "0123456789abcdef",
    "url": "/o/acme/settings/sync/entities/7/",
}


def told(value: Any) -> Standing | None:
    return standing_of(SimpleNamespace(git_integration=value))


def test_what_is_written_on_a_row_is_read_whole() -> None:
    it = told(BROKEN)
    assert it is not None
    assert (it.code, it.status, it.message, it.advice) == (
        "INVALID_JSON",
        400,
        "A comma is missing.",
        "Mend the file and push it.",
    )
    assert it.place == "toolkits/weather.json, line 3, column 14"
    assert it.at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (it.title, it.tone, it.fields, it.url) == ("Error in git", "error", ("/name",), BROKEN["url"])


@pytest.mark.parametrize("nothing", [{}, None, "", [], "error", 7, ["error"]])
def test_nothing_is_told_where_nothing_is_written(nothing: Any) -> None:
    assert told(nothing) is None


def test_what_is_malformed_is_left_out_and_the_rest_is_told() -> None:
    it = told(
        {
            "state": ["error"],
            "code": 7,
            "status": "400",
            "message": {"a": 1},
            "path": "toolkits/weather.json",
            "line": True,
            "column": -1,
            "fields": ["/name", 3, None],
            "at": "2026-13-41T10:00:00",
            "url": None,
        }
    )
    assert it is not None
    assert (it.state, it.code, it.message, it.url) == ("", "", "", "")
    assert (it.status, it.line, it.column, it.at) == (0, 0, 0, None)
    assert (it.title, it.place, it.fields) == ("Not in step with git", "toolkits/weather.json", ("/name",))


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "o/acme/", " /o/"]
)
def test_only_a_page_of_this_site_is_linked(url: str) -> None:
    it = told({**BROKEN, "url": url})
    assert it is not None
    assert it.url == ""


def test_a_time_without_a_zone_is_no_error() -> None:
    it = told({**BROKEN, "at": "2026-11-20T10:00:00"})
    assert it is not None
    assert it.at is not None
    assert it.at.tzinfo is not None


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_a_list_shows_the_sign_beside_the_name_with_all_there_is_to_know(
    browse: Browse, carol: User, acme: Organization, kind: str
) -> None:
    row = getattr(factories, kind)(acme, "Weather", git_integration=BROKEN)
    getattr(factories, kind)(acme, "Fine")
    shown = page(browse(carol), f"/o/acme/{kind}s/")
    assert shown.count('class="git-state-sign"') == 1
    assert f'aria-label="Error in git: Weather" aria-describedby="git-state-{row.pk}-text"' in shown
    assert f'id="git-state-{row.pk}-text">A comma is missing. Mend the file and push it.<' in shown
    assert "toolkits/weather.json, line 3, column 14" in shown
    assert "0123456789<" in shown
    assert f'href="{BROKEN["url"]}"' in shown


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_its_page_says_it_in_a_callout(browse: Browse, carol: User, acme: Organization, kind: str) -> None:
    row = getattr(factories, kind)(acme, "Weather", git_integration=BROKEN)
    shown = page(browse(carol), f"/o/acme/{kind}s/{row.pk}/")
    assert 'class="callout git-state-details tone-error"' in shown
    assert "INVALID_JSON" in shown
    assert "A comma is missing." in shown


def test_what_git_says_is_text_and_no_html(browse: Browse, carol: User, acme: Organization) -> None:
    evil = {"state": "error", "message": "<script>alert(1)</script>", "path": '"><img src=x>', "fields": ["<b>"]}
    factories.toolkit(acme, "Weather", git_integration=evil)
    shown = page(browse(carol), "/o/acme/toolkits/")
    assert "<script>alert" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown


def test_the_list_of_servers_and_each_page_of_one_show_the_sign(browse: Browse, carol: User, docs: Server) -> None:
    assert "git-state" not in page(browse(carol), "/o/acme/servers/")
    Server.objects.update(git_integration={**BROKEN, "state": "conflict"})
    for address in ("/o/acme/servers/", "/o/acme/servers/docs/", "/o/acme/servers/docs/content/"):
        assert 'aria-label="Conflict with git: Docs"' in page(browse(carol), address)
    assert 'class="callout git-state-details tone-error"' in page(browse(carol), "/o/acme/servers/docs/")


@pytest.mark.parametrize("kind", ["toolkit", "command", "skill", "client"])
def test_a_list_can_be_narrowed_to_what_is_not_in_step(
    browse: Browse, carol: User, acme: Organization, kind: str
) -> None:
    getattr(factories, kind)(acme, "Weather", git_integration=BROKEN)
    getattr(factories, kind)(acme, "Sunny")
    shown = page(browse(carol), f"/o/acme/{kind}s/?show=problems")
    assert ">Weather<" in shown
    assert ">Sunny<" not in shown
