"""A server is searched while its sources are indexed, its files written, and sources or the server itself deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connections

from catalog import contents, servers
from catalog.models import Content, Server
from indexing import sources
from indexing.contents import source_of_content
from indexing.models import Chunk, Source, Text
from indexing.requesting import request_index
from indexing.search.searching import search
from jobs.execution import execute
from jobs.models import Run
from orgs.models import Organization, User
from tests import factories
from tests.indexing.repository_sources import Add, add
from tests.indexing.site_sources import Add as AddSite
from tests.indexing.site_sources import crawled, page
from tests.site import Site
from tests.wire.forge import Forge

__all__ = ["add", "crawled"]
pytestmark = pytest.mark.django_db(transaction=True)

OF_EACH = 20


@dataclass
class Bustle:
    """Everybody at once, each in a thread of its own; what goes wrong anywhere is in `troubles`."""

    docs: Server
    other: Server
    alice: User
    troubles: list[BaseException] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def thread(self, act: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._acted, args=[act])

    def _acted(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # told by the test, whatever it is
            self.troubles.append(error)
        finally:
            connections.close_all()

    def search(self) -> None:
        while not self.done.is_set():
            assert [hit.path for hit in search(self.other, None, "wibble", elsewhere=False).hits] == ["k.md"]
            hits = search(self.docs, None, "wibble number7 number3", limit=50, elsewhere=False).hits
            assert len({hit.chunk_id for hit in hits}) == len(hits)
            assert all(hit.snippet and (hit.path or hit.url) for hit in hits)

    def index(self, source: Source) -> None:
        for _ in range(3):
            try:
                run = request_index(source, by=self.alice)
            except (ObjectDoesNotExist, DatabaseError):
                assert not Source.objects.filter(pk=source.pk).exists()
                return
            execute(str(run.pk))

    def write(self) -> None:
        for number in range(OF_EACH):
            found = Content.objects.filter(server=self.docs, path=f"c{number}.md").first()
            if found is None:
                return
            with suppress(ObjectDoesNotExist, DatabaseError, contents.ContentError):
                contents.edit_content(content=found, text=f"content wibble again number{number}\n", by=self.alice)

    def delete(self, what: list[Source]) -> None:
        """The sources, or the server where there are none, once something is in the index."""
        while not Chunk.objects.filter(text__index__server=self.docs).exists() and not self.troubles:
            time.sleep(0.01)
        for source in what:
            there = Source.objects.select_related("server__organization").get(pk=source.pk)
            sources.delete(there, by=self.alice)
        if not what:
            servers.delete_server(server=Server.objects.get(pk=self.docs.pk), by=self.alice)


@pytest.mark.parametrize("whole", [False, True], ids=["two sources go", "the server goes"])
def test_searches_see_whole_answers_while_everything_changes(
    whole: bool, docs: Server, alice: User, acme: Organization, crawled: AddSite, add: Add, forge: Forge, site: Site
) -> None:
    site.add("/", page("Start", *[f"/p/{number}" for number in range(OF_EACH)]))
    for number in range(OF_EACH):
        site.add(f"/p/{number}", page(f"P{number}", text=f"site wibble number{number}"))
        contents.create_content(server=docs, path=f"c{number}.md", text=f"content wibble number{number}\n", by=alice)
    hosted = forge.repository("acme/book")
    hosted.git.commit({f"r{number}.md": f"repo wibble number{number}\n" for number in range(OF_EACH)})
    bustle = Bustle(docs, factories.server(acme), alice)
    contents.create_content(server=bustle.other, path="k.md", text="other wibble\n", by=alice)
    execute(str(request_index(source_of_content(bustle.other), by=alice).pk))
    there = [crawled().source, add(hosted).source, source_of_content(docs)]

    searchers = [bustle.thread(bustle.search) for _ in range(2)]
    workers = [bustle.thread(partial(bustle.index, source)) for source in there]
    workers += [bustle.thread(bustle.write), bustle.thread(partial(bustle.delete, [] if whole else there[:2]))]
    for each in (*searchers, *workers):
        each.start()
    for each in workers:
        each.join(60)
    bustle.done.set()
    for each in searchers:
        each.join(20)

    assert not [each for each in (*searchers, *workers) if each.is_alive()]
    assert not bustle.troubles, bustle.troubles
    assert not Run.objects.filter(error_code="unknown").exists()
    if whole:
        assert not Text.objects.filter(index__server=docs.pk).exists()
