"""The table of sources: of a server and of the organisation, its rows, and what is done with them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from indexing.models import Source
from jobs.models import Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.indexing.pages import HTMX, indexed, page_of, run_of, said

SERVER = "/o/acme/servers/docs/sources/"
ORGANIZATION = "/o/acme/sources/"


def page(client: Client, address: str = SERVER) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def of(source: Source, action: str = "") -> str:
    return f"/o/acme/sources/{source.pk}/{f'{action}/' if action else ''}"


def test_a_server_without_sources_says_what_to_do(docs: Server, bob: User, browse: Browse) -> None:
    shown = page(browse(bob))
    assert "No source yet" in shown
    assert f'href="{SERVER}add/"' in shown
    assert "Refresh all" not in shown


def test_a_viewer_sees_rows_and_the_reason_why_nothing_can_be_done(docs: Server, carol: User, browse: Browse) -> None:
    source = factories.source(docs, name="Handbook", error_code="network")
    shown = page(browse(carol))
    assert "Handbook" in shown
    assert "sources.edit" in shown
    assert of(source, "refresh") not in shown
    assert of(source, "delete") not in shown


def test_a_row_says_how_much_of_it_is_indexed_and_since_when(docs: Server, bob: User, browse: Browse) -> None:
    source = indexed(factories.source(docs, name="Handbook"), pages=1234, chunks=5678, skipped=12)
    shown = page(browse(bob))
    for words in ("Complete", "1,234", "5,678", f'href="{of(source, "skipped")}"', "Web site", "Refresh Handbook"):
        assert words in shown


def test_a_running_index_shows_its_page_and_asks_for_itself(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs)
    run_of(source, Status.RUNNING, stage="https://docs.example.com/guide", done=3, total=1200)
    shown = page(browse(bob))
    for words in (
        "Indexing…",
        "https://docs.example.com/guide",
        "3 of 1,200",
        f'hx-get="{of(source, "row")}?table=server"',
    ):
        assert words in shown
    assert "It is being indexed." in shown
    assert f'action="{of(source, "refresh")}"' not in shown


def test_a_row_is_its_cell_while_the_run_lives_and_all_of_it_afterwards(
    docs: Server, bob: User, browse: Browse
) -> None:
    source = factories.source(docs, name="Handbook")
    run = run_of(source, Status.RUNNING, done=3, total=10)
    client = browse(bob)
    during = client.get(f"{of(source, 'row')}?table=server", headers=HTMX)
    assert during.content.decode().strip().startswith("<div")
    assert "HX-Retarget" not in during.headers
    Run.objects.filter(pk=run.pk).update(status=Status.SUCCEEDED)
    indexed(source)
    after = client.get(f"{of(source, 'row')}?table=server", headers=HTMX)
    assert after.headers["HX-Retarget"] == f"#row-{source.pk}"
    shown = after.content.decode()
    assert shown.lstrip().startswith("<tr")
    assert "Handbook is indexed." in shown
    assert "hx-trigger" not in shown


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("auth_required", "Only pages that anyone can read are indexed."),
        ("not_found", "Check the address"),
        ("network", "Refresh again."),
        ("robots_refused", "robots.txt"),
        ("blocked_address", "Enter a public address, or ask the operator to allow this one."),
        ("empty", "Check the address and the patterns"),
        ("too_large", "Narrow it down"),
        ("too_many_failures", "What was indexed before stays."),
        ("needs_javascript", "Add the site&#x27;s repository."),
        ("unknown", "tell support the reference"),
    ],
)
def test_an_error_says_what_to_do(docs: Server, bob: User, browse: Browse, code: str, words: str) -> None:
    factories.source(docs, error_code=code, error_text="What happened.", error_reference="1a2b3c4d")
    shown = page(browse(bob))
    assert "What happened." in shown
    assert words in shown
    assert "1a2b3c4d" in shown


def test_a_waiting_run_says_until_when_and_for_what(docs: Server, bob: User, browse: Browse) -> None:
    run_of(factories.source(docs), Status.WAITING, wait_until=timezone.now(), waiting_for="the rate limit")
    shown = page(browse(bob))
    assert "Waiting until" in shown
    assert "for the rate limit" in shown


def test_what_sites_say_of_themselves_is_no_markup(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs, name="<b>bold</b>", url="javascript:alert(1)", notice="<i>look</i>")
    run_of(source, Status.RUNNING, stage="<script>alert(1)</script>")
    page_of(source, "x", title="<u>here</u>", skip_reason="robots", skip_detail="<s>no</s>")
    for address in (SERVER, of(source), of(source, "skipped")):
        shown = page(browse(bob), address)
        assert not any(tag in shown for tag in ("<b>bold", "<i>look", "<script>alert", "<u>here", "<s>no"))
        assert 'href="javascript' not in shown


def test_refresh_asks_for_a_run_and_the_row_says_so(docs: Server, bob: User, browse: Browse) -> None:
    source = indexed(factories.source(docs))
    answer = browse(bob).post(of(source, "refresh"), {"table": "server"}, headers=HTMX)
    assert "Indexing…" in answer.content.decode()
    run = Run.objects.about(source).get()
    assert (run.status, run.requested_by) == (Status.QUEUED, bob)


def test_refresh_without_a_script_leads_back_to_where_it_was_asked(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs, name="Handbook")
    answer = browse(bob).post(of(source, "refresh"), {"next": of(source)})
    assert answer.headers["Location"] == of(source)
    assert said(answer) == ["Handbook is being indexed."]
    elsewhere = browse(bob).post(of(source, "refresh"), {"next": "https://evil.example/"})
    assert elsewhere.headers["Location"] == SERVER


def test_a_paused_source_is_not_refreshed_until_it_goes_on(docs: Server, bob: User, browse: Browse) -> None:
    source = indexed(factories.source(docs, name="Handbook"))
    client = browse(bob)
    paused = client.post(of(source, "pause"), {"table": "server"}, headers=HTMX).content.decode()
    assert "Paused" in paused
    assert "Go on with Handbook" in paused
    assert "It is paused." in paused
    client.post(of(source, "refresh"))
    assert not Run.objects.exists()
    going_on = client.post(of(source, "go_on").replace("go_on", "go-on"), {"table": "server"}, headers=HTMX)
    assert "Pause Handbook" in going_on.content.decode()
    assert Run.objects.about(source).count() == 1


def test_refresh_all_leaves_out_what_is_paused_and_other_servers(
    docs: Server, acme: Organization, bob: User, browse: Browse
) -> None:
    for _ in range(3):
        factories.source(docs)
    factories.source(docs, paused_at=timezone.now())
    factories.source(factories.server(acme))
    answer = browse(bob).post(f"{SERVER}refresh/")
    assert said(answer) == ["3 sources are being indexed. 1 is paused and left out."]
    assert Run.objects.count() == 3


def test_deleting_asks_first_and_says_what_goes(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs, name="Handbook")
    page_of(source, "a")
    client = browse(bob)
    for headers in ({}, HTMX):
        asked = client.get(of(source, "delete"), headers=headers).content.decode()
        assert "Delete Handbook?" in asked
        assert "1 page and 0 chunks" in asked
    answer = client.post(of(source, "delete"))
    assert answer.headers["Location"] == SERVER
    assert said(answer) == ["Handbook is deleted. 1 page went with it."]
    assert not Source.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("action", ["refresh", "pause", "go-on", "edit", "delete"])
def test_what_is_done_to_a_source_that_somebody_deletes_in_that_moment_says_so(
    docs: Server, bob: User, browse: Browse, action: str, headers: dict[str, str]
) -> None:
    source = factories.source(docs, name="Handbook", paused_at=timezone.now() if action == "go-on" else None)
    client = browse(bob)

    def deleted_once_found(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if sql.startswith("SELECT") and 'FROM "indexing_source"' in sql and not gone:
            gone.append(sql)
            Source.objects.filter(pk=source.pk).delete()
        return found

    gone: list[str] = []
    with connection.execute_wrapper(deleted_once_found):
        answer = client.post(of(source, action), {"name": "Manual", "table": "server"}, headers=headers)
    assert gone
    assert answer.headers["HX-Redirect" if headers else "Location"] in (ORGANIZATION, SERVER)
    if (action, headers) != ("refresh", {}):  # nobody looks whether it is there yet: its Run finds nothing to do
        assert said(answer) == ["This source was deleted meanwhile, by somebody else. Nothing was changed."]


def test_a_servers_own_content_is_refreshed_and_nothing_else(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs, Source.Kind.CONTENT, name="Content")
    client = browse(bob)
    shown = page(client)
    assert of(source, "refresh") in shown
    assert of(source, "pause") not in shown
    assert of(source, "delete") not in shown
    for action in ("pause", "go-on", "edit", "delete"):
        assert client.post(of(source, action)).status_code == 404
    assert "Content tab" in page(client, of(source))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=hand", {"Handbook"}),
        ("?q=blog.example", {"Blog"}),
        ("?kind=mcp", {"Tools"}),
        ("?status=error", {"Blog"}),
        ("?status=complete", {"Handbook"}),
        ("?status=pending", {"Tools"}),
        ("?status=paused", {"Tools"}),
        ("?status=indexing", set()),
    ],
)
def test_sources_are_filtered(docs: Server, bob: User, browse: Browse, query: str, names: set[str]) -> None:
    indexed(factories.source(docs, name="Handbook"))
    factories.source(docs, name="Blog", url="https://blog.example.com/", error_code="network")
    factories.source(docs, Source.Kind.MCP, name="Tools", paused_at=timezone.now())
    for address in (SERVER, ORGANIZATION):
        shown = page(browse(bob), f"{address}{query}")
        assert {name for name in ("Handbook", "Blog", "Tools") if f">{name}</a>" in shown} == names


def test_the_organisations_page_counts_how_sources_stand_and_the_dashboard_shows_it(
    docs: Server, bob: User, browse: Browse
) -> None:
    for number in range(3):
        factories.source(docs, error_code="network" if number else "")
    client = browse(bob)
    shown = page(client, ORGANIZATION)
    assert '<span class="stat-label">Error</span><span class="stat-value">2</span>' in shown
    assert f'href="{ORGANIZATION}?status=error"' in shown
    assert f'hx-get="{ORGANIZATION}"' in page(client, "/o/acme/")


@pytest.mark.parametrize("address", [SERVER, ORGANIZATION])
def test_the_table_asks_as_many_queries_for_fifty_rows_as_for_one(
    docs: Server, bob: User, browse: Browse, address: str
) -> None:
    client = browse(bob)
    factories.source(docs)
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for number in range(49):
        source = factories.source(docs, error_code="network" if number % 5 == 0 else "")
        if number % 3 == 0:
            run_of(source, Status.RUNNING)
    with CaptureQueriesContext(connection) as fifty:
        page(client, address)
    assert len(fifty) == len(one)


def test_pages_are_listed_and_filtered_and_so_are_skipped_ones(docs: Server, bob: User, browse: Browse) -> None:
    source = factories.source(docs, name="Handbook")
    page_of(source, "a", skip_reason="robots")
    page_of(source, "b", skip_reason="too_large", skip_detail="61 MB")
    client = browse(bob)
    assert "Nothing is indexed yet" in page(client, of(source))
    skipped = page(client, of(source, "skipped"))
    for words in ("robots.txt", "Too large", "61 MB", f"{source.url}a"):
        assert words in skipped
    only = page(client, f"{of(source, 'skipped')}?reason=robots")
    assert ">a</a>" in only
    assert ">b</a>" not in only
