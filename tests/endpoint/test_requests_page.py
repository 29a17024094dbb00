"""The request log of a server or toolkit."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from endpoint.models import ApiKey, RequestLog, Setup
from endpoint.recording import looking
from endpoint.recording.looking import Position
from endpoint.recording.writing import write
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.endpoint.events import event

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LOG = "/o/acme/servers/docs/requests/log/"


@pytest.fixture
def key(acme: Organization) -> ApiKey:
    return ApiKey.objects.create(organization=acme, name="CI robot", digest="d", hint="mr_abc", everything=True)


def _row(server: Server, **fields: Any) -> RequestLog:
    values = {"organization": server.organization, "at": timezone.now(), "method": "tools/call", "subject": "search"}
    return RequestLog.objects.create(server=server, **{**values, **fields})


def _text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_log_says_when_what_and_how_it_ended(docs: Server, carol: User, browse: Browse) -> None:
    _row(docs, outcome="tool_error", code="timeout", client="claude-code 2.1", milliseconds=1234, bytes_out=2048)
    page = _text(browse(carol), LOG)
    assert "search" in page
    assert "Tool error" in page
    assert "timeout" in page
    assert "claude-code 2.1" in page
    assert "1,234 ms" in page
    assert "2.0 KB" in page.replace("\xa0", " ")


def test_an_empty_log_leads_to_the_connect_page(docs: Server, carol: User, browse: Browse) -> None:
    response = browse(carol).get(LOG)
    assert b"No request yet" in response.content
    assert b'href="/o/acme/servers/docs/connect/"' in response.content


def test_who_asked_is_told_to_those_who_may_read_the_audit_log_or_manage_keys(
    docs: Server, adam: User, bob: User, carol: User, key: ApiKey, browse: Browse
) -> None:
    row = _row(docs, caller="CI robot", key=key)
    for person, told in ((adam, True), (bob, False), (carol, False)):
        for url in (LOG, f"{LOG}{row.pk}/"):
            assert ("CI robot" in _text(browse(person), url)) is told, (person, url)
    assert "a key" in _text(browse(carol), LOG)
    carol.memberships.update(granted=["keys.manage"])
    assert "CI robot" in _text(browse(carol), LOG)


def test_somebody_who_may_not_know_callers_cannot_find_them_by_filtering(
    docs: Server, carol: User, key: ApiKey, browse: Browse
) -> None:
    _row(docs, caller="CI robot", key=key)
    _row(docs)
    page = browse(carol).get(LOG, {"key": str(key.pk)}).content.decode()
    assert page.count('data-label="Who"') == 2


def test_keys_that_are_only_for_what_is_personal_are_offered_to_nobody_else(
    acme: Organization, docs: Server, alice: User, adam: User, key: ApiKey, browse: Browse
) -> None:
    _row(docs)
    values = {"organization": acme, "hint": "mr_abc", "created_by": alice}
    secretly = ApiKey.objects.create(name="Secret project", digest="s", **values)
    secretly.servers.add(factories.server(acme, "Diary", owner=alice))
    shared = ApiKey.objects.create(name="Build", digest="b", **values)
    shared.servers.add(docs, factories.server(acme, "Notes", owner=alice))
    for person, offered in ((adam, ["Build", "CI robot"]), (alice, ["Build", "CI robot", "Secret project"])):
        page = browse(person).get(LOG).content.decode()
        assert [name for name in ("Build", "CI robot", "Secret project") if name in page] == offered, person


def test_arguments_are_shown_to_those_who_may_say_that_they_are_kept(
    docs: Server, bob: User, carol: User, browse: Browse
) -> None:
    Setup.objects.create(server=docs, log_arguments=True)
    row = _row(docs, arguments='{"query": "pumps"}')
    assert "pumps" in _text(browse(bob), f"{LOG}{row.pk}/")
    page = _text(browse(carol), f"{LOG}{row.pk}/")
    assert "pumps" not in page
    assert "They were kept." in page


def test_what_a_client_sent_is_text(docs: Server, alice: User, browse: Browse) -> None:
    evil = "<script>alert(1)</script>"
    row = _row(docs, subject=evil, client=evil, caller=evil, code=evil[:40], arguments=evil, method=evil)
    for url in (LOG, f"{LOG}{row.pk}/"):
        assert b"<script>alert" not in browse(alice).get(url).content


def test_a_request_of_another_server_is_not_on_this_one(
    docs: Server, acme: Organization, alice: User, browse: Browse
) -> None:
    other = _row(factories.server(acme, "Other"))
    assert browse(alice).get(f"{LOG}{other.pk}/").status_code == 404
    assert browse(alice).get(f"{LOG}{10**30}/").status_code == 404
    assert "No request yet" in _text(browse(alice), LOG)


def test_the_log_can_be_narrowed(docs: Server, alice: User, key: ApiKey, browse: Browse) -> None:
    at = timezone.now()
    write([event(docs, at=at, subject=name) for name in ("fetch", "search")])
    RequestLog.objects.all().delete()
    wanted = _row(docs, subject="fetch", outcome="error", key=key, at=at)
    _row(docs, subject="search")
    _row(docs, subject="fetch", at=at - timedelta(days=3), outcome="ok")
    today = at.date().isoformat()
    for query in ({"tool": "fetch", "since": today}, {"status": "error"}, {"status": "failed"}, {"key": str(key.pk)}):
        rows = browse(alice).get(LOG, query).context["look"].rows
        assert [row.pk for row in rows] == [wanted.pk], query


def test_days_are_those_of_the_person(docs: Server, alice: User, browse: Browse) -> None:
    alice.time_zone = "Pacific/Auckland"
    alice.save()
    row = _row(docs, at=datetime(2026, 11, 20, 11, 30, tzinfo=UTC))  # 0:30 on the 21st
    client = browse(alice)
    assert [each.pk for each in client.get(LOG, {"since": "2026-11-21"}).context["look"].rows] == [row.pk]
    assert not client.get(LOG, {"until": "2026-11-20"}).context["look"].rows
    assert "21 Nov, 00:30:00" in _text(client, LOG)
    assert client.get(LOG, {"until": "9999-12-31"}).status_code == 200


def test_pages_go_on_where_the_last_one_ended_and_show_each_request_once(
    docs: Server, alice: User, browse: Browse
) -> None:
    moments = [NOW - timedelta(seconds=number // 3) for number in range(120)]
    RequestLog.objects.bulk_create(
        RequestLog(organization=docs.organization, server=docs, at=at, method="ping") for at in moments
    )
    client, seen, query = browse(alice), [], ""
    for _ in range(3):
        context = client.get(LOG + query).context
        seen += [row.pk for row in context["look"].rows]
        query = context["older"]
    assert query == ""
    assert len(seen) == len(set(seen)) == 120
    for nonsense in ("x", "2026-13-01_1", "2026-11-21T12:00:00_5", "_", "2026-11-21T12:00:00+00:00_-1", "\0_1"):
        assert client.get(LOG, {"before": nonsense}).status_code == 200


def test_a_filter_that_finds_little_reads_only_so_much_at_once(
    docs: Server, alice: User, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST", 10)
    oldest = _row(docs, at=NOW - timedelta(hours=1), outcome="error")
    for number in range(25):
        _row(docs, at=NOW - timedelta(seconds=number))
    client, query, looks = browse(alice), "?status=error", 0
    while True:
        context = client.get(LOG + query).context
        looks += 1
        if context["look"].rows:
            break
        query = context["older"]
    assert (looks, context["look"].rows[0].pk, context["older"]) == (3, oldest.pk, "")


def test_the_log_takes_as_many_queries_for_one_request_as_for_fifty(
    docs: Server, alice: User, key: ApiKey, browse: Browse
) -> None:
    client = browse(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(LOG)
        return len(caught)

    _row(docs, key=key)
    queries()
    before = queries()
    for _ in range(49):
        _row(docs, key=key)
    assert queries() == before


def test_a_toolkit_has_a_log_of_its_own(acme: Organization, docs: Server, alice: User, browse: Browse) -> None:
    toolkit = factories.toolkit(acme)
    row = RequestLog.objects.create(organization=acme, toolkit=toolkit, method="tools/call", subject="docs__fetch")
    page = f"/o/acme/toolkits/{toolkit.pk}/requests/log/"
    assert "docs__fetch" in _text(browse(alice), page)
    assert "docs__fetch" in _text(browse(alice), f"{page}{row.pk}/")
    assert "docs__fetch" not in _text(browse(alice), LOG)


def test_a_position_is_read_as_it_was_written() -> None:
    position = Position(NOW, 5)
    assert Position.parse(str(position)) == position
