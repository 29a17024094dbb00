"""How much a server, a toolkit, an organisation is used."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from endpoint.recording.writing import write
from endpoint.usage import counting
from endpoint.usage.spans import days, hours, months
from indexing.models import EmptyQuery
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.endpoint.events import event

USAGE = "/o/acme/servers/docs/requests/"


def _text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    text = re.sub(r"<svg.*?</svg>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_server_that_nobody_asked_leads_to_the_connect_page(docs: Server, carol: User, browse: Browse) -> None:
    page = browse(carol).get(USAGE).content.decode()
    assert "No request yet" in page
    assert 'href="/o/acme/servers/docs/connect/"' in page
    assert "chart-picture" not in page


@pytest.mark.parametrize("span", ["24h", "30d", "12m", "nonsense"])
def test_the_page_tells_calls_errors_times_tools_and_queries(
    docs: Server, carol: User, browse: Browse, span: str
) -> None:
    write(
        [event(docs, subject="fetch", milliseconds=10)] * 8
        + [event(docs, subject="getWeather", outcome="tool_error", milliseconds=900)] * 2
        + [event(docs, method="ping", subject="", outcome="limited")] * 3
        + [event(docs, query="Pump  speed", found=0), event(docs, query="pump speed", found=3)]
    )
    EmptyQuery.objects.create(server=docs, query="impeller", times=4)
    EmptyQuery.objects.create(server=docs, query="long ago", last_at=timezone.now() - timedelta(days=800))
    page = _text(browse(carol), f"{USAGE}?span={span}")
    assert "Requests 15 " in page
    assert "Errors 2 16.7 %" in page
    assert "Turned away 3" in page
    assert "getWeather 2 2 (100.0 %) 900 ms" in page
    assert "pump speed 2 1" in page
    assert "impeller 4" in page
    assert "long ago" not in page


def test_a_picture_has_its_numbers_as_a_table(docs: Server, carol: User, browse: Browse) -> None:
    write([event(docs)] * 3)
    page = browse(carol).get(USAGE).content.decode()
    assert page.count('<svg class="chart-picture"') == 2
    table = re.findall(r'<table class="table" aria-label="Requests by hour">.*?</table>', page, flags=re.DOTALL)
    assert len(table) == 1
    assert table[0].count('<th scope="row">') == 24
    assert re.search(r'<th scope="row">[^<]+</th><td class="num">3</td><td class="num">0</td>', table[0])


def test_requests_are_counted_in_the_day_that_it_was_for_the_person(docs: Server) -> None:
    """Half past midnight in Auckland is half past eleven the morning before in Greenwich."""
    at = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
    write([event(docs, at=at), event(docs, at=at - timedelta(hours=1))])
    bars = days(datetime(2026, 11, 21, 3, tzinfo=UTC), ZoneInfo("Pacific/Auckland"))
    found = counting.usage(counting.of_target(docs), bars)
    by_day = {bar.begins.date().isoformat(): numbers.calls for bar, numbers in zip(bars, found.by_bar, strict=True)}
    assert (by_day["2026-11-20"], by_day["2026-11-21"]) == (1, 1)


def test_each_request_is_in_one_bar_when_clocks_change(docs: Server) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
    write([event(docs, at=begin + timedelta(hours=number)) for number in range(28)])
    bars = days(datetime(2026, 10, 26, 12, tzinfo=UTC), berlin)
    found = counting.usage(counting.of_target(docs), bars)
    by_day = {bar.begins.day: numbers.calls for bar, numbers in zip(bars, found.by_bar, strict=True) if numbers.calls}
    assert by_day == {24: 1, 25: 25, 26: 2}


def test_the_bars_add_up_to_the_total(docs: Server) -> None:
    now = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    write([event(docs, at=now - timedelta(hours=number * 7), milliseconds=number + 1) for number in range(400)])
    for span in (hours, days, months):
        found = counting.usage(counting.of_target(docs), span(now, UTC))
        assert sum(each.calls for each in found.by_bar) == found.total.calls
        assert sum(found.total.buckets.values()) == found.total.calls
    assert found.total.calls == 400


def test_percentiles_of_a_page_are_those_of_all_its_hours(docs: Server) -> None:
    now = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    write([event(docs, at=now - timedelta(hours=number % 20), milliseconds=float(number)) for number in range(1, 1001)])
    latencies = counting.usage(counting.of_target(docs), hours(now, UTC)).total.latencies
    for found, exact in zip(latencies, (500, 950, 990), strict=True):
        assert found is not None
        assert abs(found - exact) < exact * 0.19


def test_the_page_takes_as_many_queries_for_a_year_as_for_an_hour(docs: Server, alice: User, browse: Browse) -> None:
    client = browse(alice)

    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(url)
        return len(caught)

    write([event(docs)])
    for url in (USAGE, "/o/acme/usage/"):
        queries(url)
        before = queries(url)
        write(
            [
                event(docs, at=timezone.now() - timedelta(days=number), subject=f"tool{number}", query=f"q{number}")
                for number in range(0, 300, 7)
            ]
        )
        assert queries(f"{url}?span=12m") == before, url


def test_a_toolkit_has_numbers_of_its_own(acme: Organization, docs: Server, alice: User, browse: Browse) -> None:
    toolkit = factories.toolkit(acme)
    write([event(toolkit, subject="docs__fetch")])
    assert "docs__fetch 1 0" in _text(browse(alice), f"/o/acme/toolkits/{toolkit.pk}/requests/")
    assert "No request yet" in _text(browse(alice), USAGE)


def test_an_organisation_sees_its_servers_and_toolkits_together(
    acme: Organization, docs: Server, carol: User, charlie: User, browse: Browse
) -> None:
    write([event(docs)] * 5 + [event(factories.toolkit(acme, "Kit"))] * 2)
    page = _text(browse(carol), "/o/acme/usage/")
    assert "Requests 7 " in page
    assert "Docs 5 0" in page
    assert "Kit 2 0" in page
    assert "No request yet" in _text(browse(charlie), "/o/other/usage/")


def test_requests_to_what_is_personal_are_counted_for_its_owner_alone(
    acme: Organization, docs: Server, alice: User, carol: User, browse: Browse
) -> None:
    mine = factories.server(acme, "Diary", owner=carol)
    write([event(docs)] * 5 + [event(mine)] * 2)
    for person, number, named in ((carol, 7, True), (alice, 5, False)):
        page = _text(browse(person), "/o/acme/usage/")
        assert f"Requests {number} " in page
        assert ("Diary" in page) is named


def test_a_query_is_text(docs: Server, alice: User, browse: Browse) -> None:
    evil = "<script>alert(1)</script>"
    write([event(docs, query=evil, subject=evil)])
    assert b"<script>alert" not in browse(alice).get(USAGE).content
