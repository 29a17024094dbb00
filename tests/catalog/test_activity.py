"""The Activity tab: changes and runs in one list."""

from __future__ import annotations

import pytest

from catalog import contents, servers
from catalog.models import Server
from jobs.models import Status
from orgs.models import User
from tests import factories
from tests.catalog.conftest import run
from tests.catalog.test_server_pages import page, queries_of
from tests.conftest import Browse

ACTIVITY = "/o/acme/servers/docs/activity/"


@pytest.fixture
def busy(docs: Server, bob: User) -> Server:
    contents.create_content(server=docs, path="first.md", text="1", by=bob)
    run(docs, label="between")
    contents.create_content(server=docs, path="last.md", text="2", by=bob)
    return docs


def test_changes_and_runs_are_interleaved_with_the_newest_first(browse: Browse, carol: User, busy: Server) -> None:
    shown = page(browse(carol), ACTIVITY)
    assert shown.index("last.md") < shown.index("between") < shown.index("first.md")


def test_one_kind_can_be_shown_alone(browse: Browse, carol: User, busy: Server) -> None:
    assert "between" not in page(browse(carol), f"{ACTIVITY}?kind=events")
    shown = page(browse(carol), f"{ACTIVITY}?kind=runs")
    assert "between" in shown
    assert "first.md" not in shown


def test_a_failed_run_says_what_to_do(browse: Browse, carol: User, docs: Server) -> None:
    run(docs, status=Status.FAILED, error_text="The token was refused. Enter a new one.")
    assert "Enter a new one" in page(browse(carol), ACTIVITY)


def test_the_list_takes_as_many_queries_for_much_as_for_little(
    browse: Browse, carol: User, bob: User, busy: Server
) -> None:
    client = browse(carol)
    client.get(ACTIVITY)
    few = queries_of(lambda: client.get(ACTIVITY))
    for number in range(10):
        run(busy, requested_by=bob)
        contents.create_content(server=busy, path=f"{number}.md", text="x", by=bob)
    assert queries_of(lambda: client.get(ACTIVITY)) == few


def test_it_is_paged(browse: Browse, carol: User, docs: Server) -> None:
    for number in range(60):
        run(docs, label=f"run-{number}.")
    assert "run-59." in page(browse(carol), ACTIVITY)
    assert "run-0." not in page(browse(carol), ACTIVITY)
    assert "run-0." in page(browse(carol), f"{ACTIVITY}?page=2")


def test_what_happened_on_another_server_is_not_shown(browse: Browse, carol: User, docs: Server) -> None:
    other = factories.server(docs.organization, "Other")
    run(other, label="elsewhere")
    contents.create_content(server=other, path="elsewhere.md", text="", by=None)
    assert "elsewhere" not in page(browse(carol), ACTIVITY)


def test_values_are_shown_to_those_who_may_read_the_audit_log(
    browse: Browse, carol: User, adam: User, docs: Server
) -> None:
    values = {"name": "Renamed", "slug": "docs", "description": "", "instructions": "", "visibility": "private"}
    servers.edit_server(server=docs, values=values, seen_revision=1, by=adam)
    assert "<del>Docs</del>" in page(browse(adam), ACTIVITY)
    assert "<del>" not in page(browse(carol), ACTIVITY)
