"""200 clients at once: nobody is refused, nobody gets what is another's, and the database is not overrun."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings as configured
from django.db import connection
from pytest_django import Settings

from tests import factories
from tests.endpoint.crowd import Expected, crowd
from tests.endpoint.live import Live


def test_two_hundred_clients_of_servers_with_the_same_slugs_are_never_mixed(live: Live, settings: Settings) -> None:
    settings.MCP_RATE_ANONYMOUS = 1_000_000
    expected = [_public(f"org{number}", slug) for number in range(2) for slug in ("docs", "guide")]

    with _connections() as counted:
        seen = asyncio.run(crowd(live.url, expected, clients=200, rounds=1))

    assert not seen.wrong
    assert seen.requests == 600
    # A quick thread has one; besides, this one looks, the tests' own is open, and the request log is written.
    assert max(counted) <= configured.MCP_THREADS + 3


def test_what_a_server_is_called_and_says_is_told_anew_after_a_change(live: Live) -> None:
    it = _public("org", "docs")
    assert not asyncio.run(crowd(live.url, [it], clients=2, rounds=1)).wrong
    from catalog.models import Server

    Server.objects.update(name="Renamed", instructions="Ask something else.")
    changed = Expected(it.path, "Renamed", "Ask something else.", it.uri, it.text)
    assert not asyncio.run(crowd(live.url, [changed], clients=2, rounds=1)).wrong


def _public(org: str, slug: str) -> Expected:
    from orgs.models import Organization

    organization = Organization.objects.filter(slug=org).first() or factories.organization(org, slug=org)
    title, instructions, text = f"{slug} of {org}", f"Only for {org}/{slug}.", f"The text of {org}/{slug}.\n"
    server = factories.server(organization, title, slug=slug, visibility="public", instructions=instructions)
    factories.content(server, f"{org}.md", text)
    return Expected(f"/mcp/{org}/{slug}", title, instructions, f"millrace://{slug}/{org}.md", text)


@contextmanager
def _connections() -> Iterator[list[int]]:
    """How many connections this database has, looked at again and again; on SQLite, where nothing limits them, none."""
    counted = [0]
    if connection.vendor != "postgresql":
        yield counted
        return
    over = threading.Event()

    def count() -> None:
        with connection.cursor() as cursor:
            while not over.wait(0.02):
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                counted.append(cursor.fetchone()[0])
        connection.close()

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield counted
    finally:
        over.set()
        thread.join()
