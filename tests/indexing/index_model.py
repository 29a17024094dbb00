"""A server that changes at random, and a simple model of what a search in it has to find."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection
from django.db.models import Count, F
from django.utils import timezone

from catalog import contents, versions
from catalog.models import Content, Server, Version
from indexing import sources, texts
from indexing.contents import source_of_content
from indexing.models import Chunk, Source, Text
from indexing.requesting import request_index
from indexing.search.model import Filters, Hit
from indexing.search.searching import search
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import User
from tests.indexing import repository_sources, site_sources
from tests.indexing.site_sources import page
from tests.site import Page
from tests.wire.messages import Reply, Request
from tests.wire.world import HostedRepository

Places = set[tuple[str, str]]
"""Where a text may be found: kind of the source, and path."""
LIVE = None
KINDS = (Source.Kind.CONTENT, Source.Kind.SITE, Source.Kind.REPOSITORY)
FILES = ("a.md", "b.md", "c.txt", "docs/a.md", "docs/guide.rst", "docs/d.md")


@dataclass
class Web:
    """A page of the site as it is now. `word` is what it says; `status` other than 200 says nothing."""

    word: str
    status: int = 200
    to: int | None = None
    """Where it redirects to."""
    names: int | None = None
    """The page that it names as its own address; one with a smaller number, so that there is no circle."""
    noindex: bool = False
    links: set[int] = field(default_factory=set)


class Machine:
    """Change something with `step`; `settle` and everything is compared."""

    def __init__(
        self,
        seed: int,
        *,
        server: Server,
        by: User,
        crawled: site_sources.Indexed,
        read: repository_sources.Indexed,
        hosted: HostedRepository,
        stop: Path,
        pages: int = 8,
    ) -> None:
        self.random = random.Random(seed)
        self.server, self.by, self.hosted, self.stop = server, by, hosted, stop
        self.crawled, self.read, self.site = crawled, read, crawled.site
        self.words: list[str] = []
        self.live: dict[str, str] = {}
        self.versions: dict[int, dict[str, str]] = {}
        self.repository: dict[str, str] = {}
        self.web = [Web(self._new()) for _ in range(pages)]
        self.web[0].links = set(range(1, pages // 2 + 1))
        self.has_site = self.has_repository = True
        self.paused: set[str] = set()
        self.log: list[str] = []
        self._commit({"README.md": self._new(), "a.md": self._new()})
        for number in range(pages):
            self._serve(number)

    # -- what happens --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        acts = [self._write, self._write, self._rename, self._delete, self._cut, self._point, self._drop_version]
        acts += [self._change_page, self._change_page, self._change_page, self._link, self._link, self._crawl_now]
        acts += [self._interrupt, self._burst, self._commit_some, self._commit_some, self._read_now, self._pause]
        act = self.random.choice(acts)
        self.log.append(act.__name__)
        act()

    def _new(self, others: list[str] | None = None) -> str:
        """A word of its own mostly, sometimes one that is or was somewhere."""
        if others and self.random.random() < 0.3:
            return self.random.choice(others)
        self.words.append("".join(self.random.choice("bcdfghjklmnpqrtvwxz") for _ in range(14)))
        return self.words[-1]

    def _write(self) -> None:
        path, word = self.random.choice(FILES), self._new(self.words)
        there = Content.objects.filter(server=self.server, path=path).first()
        if there is None:
            contents.create_content(server=self.server, path=path, text=said(word), by=self.by)
        else:
            contents.edit_content(content=there, text=said(word), by=self.by)
        self.live[path] = word

    def _rename(self) -> None:
        free = sorted(set(FILES) - set(self.live))
        if self.live and free:
            before, path = self.random.choice(sorted(self.live)), self.random.choice(free)
            contents.rename_content(content=Content.objects.get(server=self.server, path=before), path=path, by=self.by)
            self.live[path] = self.live.pop(before)

    def _delete(self) -> None:
        if self.live:
            path = self.random.choice(sorted(self.live))
            contents.delete_content(content=Content.objects.get(server=self.server, path=path), by=self.by)
            del self.live[path]

    def _cut(self) -> None:
        if len(self.versions) < 4:
            version = versions.cut_version(server=self.server, by=self.by, activate=self.random.random() < 0.5)
            self.versions[version.number] = dict(self.live)

    def _point(self) -> None:
        if self.versions:
            version = self._version(self.random.choice(sorted(self.versions)))
            versions.point(version=version, pointer="active", by=self.by)

    def _drop_version(self) -> None:
        if self.versions:
            number = self.random.choice(sorted(self.versions))
            versions.delete_version(version=self._version(number), by=self.by, confirmed=True)
            del self.versions[number]

    def _version(self, number: int) -> Version:
        return Version.objects.get(server=self.server, number=number)

    def _change_page(self) -> None:
        number = self.random.randrange(1, len(self.web))
        it = self.web[number]
        it.status, it.to = 200, None
        match self.random.randrange(7):
            case 0:
                it.status = self.random.choice((404, 410))
            case 1:
                it.status, it.to = self.random.choice((301, 302)), self.random.randrange(number)
            case 2:
                it.noindex = not it.noindex
            case 3:
                it.names = self.random.choice((None, *range(1, number)))
            case 4:
                it.word = self.random.choice(self.web).word
            case _:
                it.word = self._new()
        self.log.append(f"{number}: {it}")
        self._serve(number)

    def _link(self) -> None:
        number, other = self.random.randrange(len(self.web)), self.random.randrange(1, len(self.web))
        self.web[number].links ^= {other}
        self.log.append(f"{number} <> {other}")
        self._serve(number)

    def _serve(self, number: int) -> None:
        path, it = at(number), self.web[number]
        if it.to is not None:
            self.site.redirect(path, at(it.to), status=it.status)
        elif it.status != 200:
            self.site.pages.setdefault(path, Page(""))
            self.site.remove(path, status=it.status)
        else:
            head = '<meta name="robots" content="noindex">' if it.noindex else ""
            if it.names is not None:
                head += f'<link rel="canonical" href="{self.site.url}{at(it.names)}">'
            links = [at(link) for link in sorted(it.links)]
            self.site.add(path, Page(page("Page", *links, text=f"Here {it.word} is said.", head=head)))

    def _burst(self) -> None:
        """A crawl while some pages fail: nothing goes because of that."""
        fault = self.site.fail(f"/p/{self.random.randrange(1, len(self.web))}", status=self.random.choice((500, 503)))
        before = self._seen(LIVE) & self._sure()
        self._crawl_now()
        self.site.disarm(fault)
        assert before <= self._seen(LIVE), self.log

    def _interrupt(self) -> None:
        """The worker is stopped within a crawl, which goes on with the next one."""
        path = at(self.random.randrange(1, len(self.web)))
        if path in self.site.pages and self.has_site:
            page_there = self.site.pages.pop(path)

            def answer(request: Request) -> Reply:
                self.stop.touch()
                self.site.pages[path] = page_there
                self.site.routes.pop(path, None)
                return self.site.respond(request)

            self.site.routes[path] = answer
            self._crawl_now()
            self.site.pages[path] = page_there
            self.site.routes.pop(path, None)
            self.stop.unlink(missing_ok=True)

    def _crawl_now(self) -> None:
        if self.has_site:
            self._run(self.crawled.source)

    def _read_now(self) -> None:
        if self.has_repository:
            self._run(self.read.source)

    def _commit_some(self) -> None:
        paths = self.random.sample(FILES, 2)
        match self.random.randrange(3):
            case 0 if there := sorted(set(paths) & set(self.repository)):
                self._commit(dict.fromkeys(there))
            case 1 if paths[0] in self.repository:
                self._commit({paths[1]: self.repository[paths[0]], paths[0]: None})
            case _:
                self._commit({path: self._new(self.words) for path in paths})

    def _commit(self, files: dict[str, str | None]) -> None:
        self.hosted.git.commit({path: word and said(word) for path, word in files.items()})
        for path, word in files.items():
            if word is None:
                self.repository.pop(path, None)
            else:
                self.repository[path] = word

    def _pause(self) -> None:
        source = self.random.choice((self.crawled, self.read)).source
        (sources.pause if source.paused_at is None else sources.go_on)(source, by=self.by)

    def _run(self, source: Source) -> Run:
        run = request_index(source, by=self.by)
        execute(str(run.pk))
        run.refresh_from_db()
        assert run.error_code in ("", None) or run.status == Status.WAITING, (run.error_text, self.log)
        return run

    # -- what there is then --------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Run all until nothing changes, and compare."""
        for each, there in ((self.crawled, self.has_site), (self.read, self.has_repository)):
            if there and each.source.paused_at is not None:
                sources.go_on(each.source, by=self.by)
        order = [self._settle_content, self._settle_site, self._read_now]
        self.random.shuffle(order)
        for act in order:
            act()
        self.log.append("-- settled")
        self.compare()

    def _settle_content(self) -> None:
        self._run(source_of_content(self.server))

    def _settle_site(self) -> None:
        for _ in range(4):  # two come away without a page before it goes, then what it stood for comes
            self._crawl_now()

    def compare(self) -> None:
        for number in (LIVE, *self.versions):
            wanted = self.wanted(number)
            for word in self.words:
                places, hits = wanted.get(word, set()), self.hits(number, word)
                assert {place(hit) for hit in hits} <= places, (number, word, hits, self.log)
                assert len({hit.chunk_id for hit in hits}) == len(hits), (number, word, hits)
                kinds = {hit.kind for kind in KINDS for hit in self.hits(number, word, Filters(kinds=(kind,)))}
                assert kinds == {kind for kind, _ in places}, (number, word, places, kinds, self.log)
                for kind, path in places:
                    if kind != Source.Kind.SITE:
                        assert self.hits(number, word, Filters(kinds=(kind,), path=path)), (number, word, path)
        self._compare_site()
        check_rows(self.server)

    def wanted(self, number: int | None) -> dict[str, Places]:
        """By word: where it may be found. At one of them at least it has to be, of each kind."""
        found: defaultdict[str, Places] = defaultdict(set)
        for path, word in (self.live if number is LIVE else self.versions[number]).items():
            found[word].add((Source.Kind.CONTENT, path))
        for path, word in self.repository.items() if self.has_repository else ():
            found[word].add((Source.Kind.REPOSITORY, path))
        for page_number in self._shown() if self.has_site else ():
            found[self.web[page_number].word].add((Source.Kind.SITE, at(page_number)))
        return found

    def _reached(self) -> set[int]:
        reached, left = {0}, [0]
        while left:
            it = self.web[left.pop()]
            leads = {it.to} if it.to is not None else {*it.links, it.names} if it.status == 200 else set()
            new = {number for number in leads if number is not None} - reached
            reached |= new
            left += new
        return reached

    def _shown(self) -> list[int]:
        """Pages whose text is in the index, be it by a page that says the same."""
        reached = self._reached()
        shown: list[int] = []
        for number, it in enumerate(self.web):
            says = number in reached and it.status == 200 and it.to is None and not it.noindex
            if says and (it.names is None or not self._stands(it.names, reached)):
                shown.append(number)
        return shown

    def _stands(self, number: int, reached: set[int]) -> bool:
        """Whether that address leads to a page in the index."""
        it = self.web[number]
        if it.to is not None:
            return self._stands(it.to, reached)
        return number in reached and it.status == 200 and not it.noindex

    def _compare_site(self) -> None:
        if self.has_site:
            bodies = {self.web[number].word for number in self._shown()}
            assert len(self.crawled.paths) == len(bodies), (self.crawled.paths, self.log)

    def _sure(self) -> set[str]:
        return {self.web[number].word for number in self._shown()}

    def _seen(self, number: int | None) -> set[str]:
        return {word for word in self.words if self.hits(number, word, Filters(kinds=(Source.Kind.SITE,)))}

    def hits(self, number: int | None, word: str, filters: Filters | None = None) -> tuple[Hit, ...]:
        version = None if number is None else self._version(number)
        return search(self.server, version, word, filters=filters or Filters(), limit=50, elsewhere=False).hits

    def forget(self) -> None:
        """Time goes on: what nothing uses is deleted, and nothing else."""
        Text.objects.update(stored_at=timezone.now() - 2 * texts.GRACE)
        texts.forget_unused(texts.index_of(self.server))
        self.compare()
        in_use = {word for number in (LIVE, *self.versions) for word in self.wanted(number)}
        bodies = list(Chunk.objects.filter(text__index__server=self.server).values_list("body", flat=True))
        gone = [word for word in self.words if word not in in_use and any(word in body for body in bodies)]
        # A page that stands for another one keeps its text by it no longer.
        assert not gone, (gone, self.log)


def said(word: str) -> str:
    return f"Here {word} is said.\n"


def at(number: int) -> str:
    return f"/p/{number}" if number else "/"


def place(hit: Hit) -> tuple[str, str]:
    return (hit.kind, urlsplit(hit.url).path if hit.kind == Source.Kind.SITE else hit.path)


def check_rows(server: Server) -> None:
    """Rows agree with each other, counters with rows, and the engine's index with the chunks."""
    of_server = Text.objects.filter(index__server=server)
    assert not of_server.annotate(there=Count("pieces")).exclude(there=F("chunks")).exists()
    for source in Source.objects.filter(server=server).exclude(kind=Source.Kind.CONTENT):
        mine = source.known_pages.filter(text__isnull=False)
        used = Text.objects.filter(pk__in=mine.values("text"))
        assert (source.pages, source.chunks) == (mine.count(), sum(used.values_list("chunks", flat=True))), source.kind
        assert source.skipped == source.known_pages.exclude(skip_reason="").count()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO indexing_chunk_words(indexing_chunk_words, rank) VALUES ('integrity-check', 1)")
        else:
            cursor.execute("SELECT DISTINCT (server::bigint << 32) | n FROM indexing_posting")
            posted = {chunk for (chunk,) in cursor.fetchall()}
            assert posted == set(Chunk.objects.values_list("pk", flat=True))
