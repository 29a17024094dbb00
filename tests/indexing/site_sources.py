"""The local site as a source of Acme's server `docs`, and a way to index it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from catalog.models import Server
from indexing.models import Chunk, Page, Source, Text
from indexing.requesting import request_index
from indexing.sites import opening
from jobs.execution import execute
from jobs.models import Run, Trigger
from orgs.models import User
from tests import factories
from tests.site import Site, html_page


@dataclass
class Indexed:
    """A source, seen from the test."""

    site: Site
    pk: Any
    by: User

    @property
    def source(self) -> Source:
        found: Source = Source.objects.select_related("server__organization", "connection").get(pk=self.pk)
        return found

    def change(self, **fields: Any) -> None:
        Source.objects.filter(pk=self.pk).update(**fields)

    def ask(self, *, trigger: str = Trigger.MANUAL) -> Run:
        return request_index(self.source, trigger=trigger, by=self.by if trigger == Trigger.MANUAL else None)

    def index(self, *, trigger: str = Trigger.MANUAL) -> Run:
        """One Run in a worker, to its end; the site counts its requests alone."""
        run = self.ask(trigger=trigger)
        self.site.reset()
        execute(str(run.pk))
        run.refresh_from_db()
        return run

    def page(self, path: str) -> Page:
        found: Page = Page.objects.get(source=self.pk, url=self.site.url + path)
        return found

    @property
    def paths(self) -> list[str]:
        """Of the pages in the index, as people see them."""
        return sorted(self._path(url) for url in self._pages(text__isnull=False).values_list("url", flat=True))

    @property
    def skips(self) -> dict[str, str]:
        found = self._pages().exclude(skip_reason="").values_list("url", "skip_reason")
        return {self._path(url): reason for url, reason in found}

    @property
    def duplicates(self) -> dict[str, str]:
        """Path -> path of the page that is kept in its place."""
        found = self._pages(skip_reason="duplicate").values_list("url", "meta")
        return {self._path(url): self._path(meta["duplicate_of"]) for url, meta in found}

    def text(self, path: str) -> str:
        """What the index has of a page; "" without any."""
        return "\n".join(
            Chunk.objects.filter(text=self.page(path).text_id).order_by("ordinal").values_list("body", flat=True)
        )

    def found(self, words: str) -> list[str]:
        """Paths of the pages that a search could show for these words."""
        chunks = Chunk.objects.filter(body__contains=words, text__pages__source=self.pk)
        return sorted({self._path(url) for url in chunks.values_list("text__pages__url", flat=True)})

    def written(self) -> set[tuple[int, Any]]:
        """Each text of the server, and when it was stored last."""
        return set(Text.objects.filter(index__server=self.source.server_id).values_list("pk", "stored_at"))

    def _pages(self, **which: Any) -> Any:
        return Page.objects.filter(source=self.pk, **which)

    def _path(self, url: str) -> str:
        return url.removeprefix(self.site.url)


Add = Callable[..., Indexed]


@pytest.fixture
def crawled(site: Site, docs: Server, bob: User, monkeypatch: pytest.MonkeyPatch) -> Add:
    """Make a source of the local site; nothing is asked yet: `crawled("/docs/", max_pages=5)`."""
    monkeypatch.setattr(opening, "PAUSE", 0.01)

    def added(path: str = "/", *, server: Server = docs, **fields: Any) -> Indexed:
        return Indexed(site, factories.source(server, url=site.url + path, **fields).pk, bob)

    return added


def page(title: str, *links: str, text: str = "", head: str = "") -> str:
    """A page with a sentence of its own, and links."""
    named = "".join(f'<p><a href="{link}">{link}</a></p>' for link in links)
    body = f"<h1>{title}</h1><p>{text or f'The page called {title} is about {title.lower()} and nothing else.'}</p>"
    return html_page(title, body, head=head, nav=named)
