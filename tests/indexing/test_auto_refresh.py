"""An organisation chooses when its sources are refreshed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from catalog.models import Server
from indexing import automation
from indexing.models import AutoRefresh
from orgs.models import AuditEvent, User
from tests import factories
from tests.conftest import Browse
from tests.indexing.pages import said

PAGE = "/o/acme/sources/refreshing/"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_without_a_choice_it_is_seven_in_chicago(alice: User, browse: Browse) -> None:
    shown = browse(alice).get(PAGE).content.decode()
    assert 'value="07:00"' in shown
    assert '<option value="America/Chicago" selected>' in shown
    assert not AutoRefresh.objects.exists()


@time_machine.travel(NOON, tick=False)
def test_another_time_and_zone_plan_all_sources_anew_and_are_in_the_log(
    docs: Server, alice: User, browse: Browse, settings: Settings
) -> None:
    settings.INDEX_REFRESH_JITTER_MINUTES = 0
    source = factories.source(docs)
    other = factories.source(factories.server(factories.organization("Other")))
    answer = browse(alice).post(PAGE, {"enabled": "on", "at": "22:30", "time_zone": "Asia/Tokyo"})
    assert said(answer) == ["The settings are saved."]
    source.refresh_from_db()
    other.refresh_from_db()
    assert source.next_refresh_at == datetime(2026, 11, 20, 13, 30, tzinfo=UTC)
    assert other.next_refresh_at is None
    event = AuditEvent.objects.get(action="auto_refresh.changed")
    assert event.before == {"enabled": 1, "at": "07:00", "time_zone": "America/Chicago"}
    assert event.after == {"enabled": 1, "at": "22:30", "time_zone": "Asia/Tokyo"}


def test_switched_off_no_source_is_planned_and_pages_say_so(docs: Server, alice: User, browse: Browse) -> None:
    source = factories.source(docs, next_refresh_at=NOON)
    client = browse(alice)
    client.post(PAGE, {"at": "07:00", "time_zone": "America/Chicago"})
    source.refresh_from_db()
    assert source.next_refresh_at is None
    assert (
        "The organisation has switched this off." in client.get(f"/o/acme/sources/{source.pk}/edit/").content.decode()
    )


@pytest.mark.parametrize("values", [{"at": "25:00"}, {"at": ""}, {"time_zone": "Mars/Olympus"}])
def test_what_is_no_time_or_zone_is_told_beside_its_field(alice: User, browse: Browse, values: dict[str, str]) -> None:
    answer = browse(alice).post(PAGE, {"enabled": "on", "at": "07:00", "time_zone": "UTC", **values})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not AutoRefresh.objects.exists()


def test_the_same_again_changes_nothing(alice: User) -> None:
    chosen: dict[str, Any] = {"enabled": True, "at": time(7, 0), "time_zone": "America/Chicago"}
    automation.choose(**chosen, by=alice.memberships.get())
    assert not AuditEvent.objects.exists()


def test_it_is_reached_from_the_settings(alice: User, browse: Browse) -> None:
    assert f'href="{PAGE}"' in browse(alice).get("/o/acme/settings/").content.decode()
