"""Searching a server: what is found, where it is, and what nobody sees."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Content, Origin, Server
from catalog.versions import cut_version
from indexing import texts
from indexing.models import Chunk, EmptyQuery, Page, Source
from indexing.search import misses
from indexing.search.model import BadCursor, Filters
from indexing.search.searching import search, search_many
from orgs.models import Organization
from tests import factories
from tests.indexing.searched import put_file, put_page, shown, stored, where

PROVENANCE = {
    "repository": "acme/docs",
    "branch": "main",
    "commit": "c0ffee",
    "path": "docs/install.md",
    "url": "https://github.com/acme/docs/blob/c0ffee/docs/install.md",
}


@pytest.fixture
def site(docs: Server) -> Source:
    return factories.source(docs, name="Handbook", url="https://docs.example.com/")


def long_text(title: str, *sections: str, filling: str = "Nothing to see in these lines, they only fill. ") -> str:
    """A document of one chunk a section."""
    return f"# {title}\n\n" + "\n\n".join(f"## Part {at}\n\n{text} {filling * 30}" for at, text in enumerate(sections))


# --------------------------------------------------------------------------------------------- what is found, and where


def test_a_natural_question_finds_the_text_that_answers_it(docs: Server) -> None:
    put_file(docs, "guides/migrate.md", "# Migrating\n\nCall `run_migrations()` before the first start.\n")
    put_file(docs, "guides/backup.md", "# Backing up\n\nHow to do it is told in the manual.\n")
    results = search(docs, None, "How do I run the migrations?")
    assert where(results) == ["guides/migrate.md"]
    assert shown(results.hits[0]) == "# [Migrating] Call `[run]_[migrations]()` before the first start."
    assert (results.hits[0].kind, results.hits[0].source_id) == (Source.Kind.CONTENT, None)
    assert results.cursor == ""


def test_a_hit_is_cited_by_path_lines_and_text(docs: Server) -> None:
    source = factories.source(docs, Source.Kind.CONTENT, name="This server's content")
    text = long_text("Guide", "alpha", "bravo", "charlie")
    put_file(docs, "guide.md", text)
    hit = search(docs, None, "bravo").hits[0]
    lines = text.split("\n")[hit.start_line - 1 : hit.end_line]
    assert any("bravo" in line for line in lines)
    assert hit.heading == ("Part 1",)
    assert hit.blob == factories.blob(text).sha256
    assert (hit.source_id, hit.source_name, hit.server_id) == (source.pk, source.name, docs.pk)


def test_an_imported_file_is_cited_at_its_forge(docs: Server) -> None:
    put_file(docs, "docs/install.md", "# Install\n\nOne\ntwo\n", origin=Origin.IMPORTED, provenance=PROVENANCE)
    hit = search(docs, None, "install").hits[0]
    assert (hit.repository, hit.commit) == ("acme/docs", "c0ffee")
    assert re.fullmatch(re.escape(PROVENANCE["url"]) + r"\?plain=1#L1-L[45]", hit.url)


def test_a_detached_file_is_no_longer_cited_at_its_forge(docs: Server) -> None:
    put_file(docs, "docs/install.md", "# Install\n", origin=Origin.TYPED, provenance=PROVENANCE)
    hit = search(docs, None, "install").hits[0]
    assert (hit.path, hit.url, hit.repository) == ("docs/install.md", "", "")


def test_a_page_is_cited_by_its_address_and_anchor(site: Source) -> None:
    put_page(site, "https://docs.example.com/start", long_text("Start", "alpha", "bravo"))
    hit = search(site.server, None, "bravo").hits[0]
    assert hit.url == "https://docs.example.com/start#part-1"
    assert (hit.kind, hit.source_id, hit.source_name) == (Source.Kind.SITE, site.pk, "Handbook")
    assert (hit.path, hit.start_line) == ("", 0)


def test_a_repository_s_file_is_cited_at_its_lines(docs: Server) -> None:
    source = factories.source(docs, Source.Kind.REPOSITORY, repository="acme/tool", last_commit="abc")
    put_page(
        source,
        "https://gitlab.com/acme/tool/-/blob/abc/doc/use.rst",
        "Use\n===\n\nTurn the crank.\n",
        path="doc/use.rst",
    )
    hit = search(docs, None, "crank").hits[0]
    assert (hit.path, hit.repository, hit.commit) == ("doc/use.rst", "acme/tool", "abc")
    assert re.search(r"\?plain=1#L1-\d$", hit.url)


def test_what_has_the_query_as_its_title_comes_first(docs: Server) -> None:
    put_file(docs, "a.md", "# Webhooks and secrets\n\nWebhooks webhooks webhooks.\n")
    put_file(docs, "b.md", "# About us\n\nHe said: webhooks are webhooks, and webhooks they remain.\n")
    put_file(docs, "c.md", "# Webhooks\n\n" + "Much is to be said of other things. " * 40)
    for number in range(8):
        put_file(docs, f"other{number}.md", f"# Other {number}\n\nNothing.\n")
    assert where(search(docs, None, "the webhooks"))[0] == "c.md"


def test_one_document_does_not_crowd_out_others(docs: Server) -> None:
    put_file(docs, "long.md", long_text("Long", *["quota quota quota quota"] * 12))
    for number in range(3):
        put_file(
            docs, f"short{number}.md", f"# Short {number}\n\nThe quota of one. {'So it is, and so it stays. ' * 20}"
        )
    for number in range(30):
        put_file(docs, f"other{number}.md", f"# Other {number}\n\nNothing.\n")
    assert len(set(where(search(docs, None, "quota", limit=10)))) >= 3


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "'; DROP TABLE",
        "NEAR(",
        "a* OR ^b",
        "{x}:y",
        "\0",
        "\ud800 needle",
        "😀",
        "نص",
        "配置",
        "x" * 10_000,
        "- -- +",
    ],
)
def test_any_query_is_answered(site: Source, query: str) -> None:
    put_page(site, "https://docs.example.com/", "# Needle\n\nIn 配置 of نص.\n")
    results = search(site.server, None, query, explain=True)
    assert len(results.hits) <= 1


# --------------------------------------------------------------------------------------------------------- what is seen


def test_a_version_s_texts_are_searched_and_the_live_ones_are_not(docs: Server, site: Source) -> None:
    file = put_file(docs, "guide.md", "# Guide\n\nThe old widget.\n")
    version = cut_version(server=docs)
    file.blob = stored(docs, "# Guide\n\nThe new gadget.\n", path="guide.md").blob
    file.save()
    put_file(docs, "added.md", "# Added\n\nA gadget.\n")
    put_page(site, "https://docs.example.com/both", "# Both\n\nThe widget and the gadget.\n")
    assert set(where(search(docs, version, "widget"))) == {"guide.md", "https://docs.example.com/both#both"}
    assert where(search(docs, version, "gadget")) == ["https://docs.example.com/both#both"]
    assert set(where(search(docs, None, "gadget"))) == {"guide.md", "added.md", "https://docs.example.com/both#both"}
    assert where(search(docs, None, "widget")) == ["https://docs.example.com/both#both"]


def test_a_moved_file_is_found_where_it_was_in_its_version(docs: Server) -> None:
    file = put_file(docs, "old/name.md", "# Widget\n")
    version = cut_version(server=docs)
    Content.objects.filter(pk=file.pk).update(path="new/name.md")
    assert where(search(docs, version, "widget")) == ["old/name.md"]
    assert where(search(docs, None, "widget")) == ["new/name.md"]


def test_what_nothing_uses_any_more_is_not_found(docs: Server, site: Source) -> None:
    file = put_file(docs, "guide.md", "# Widget\n")
    page = put_page(site, "https://docs.example.com/x", "# Gadget\n")
    file.delete()
    Page.objects.filter(pk=page.pk).update(text=None)
    assert Chunk.objects.count() == 2
    assert search(docs, None, "widget gadget").hits == ()


def test_a_paused_source_is_searched_and_a_deleted_one_is_not(site: Source) -> None:
    put_page(site, "https://docs.example.com/x", "# Gadget\n")
    Source.objects.update(paused_at=site.created_at)
    assert len(search(site.server, None, "gadget").hits) == 1
    site.delete()
    assert search(site.server, None, "gadget").hits == ()


def test_a_text_at_several_paths_is_one_hit_at_the_shortest(docs: Server, site: Source) -> None:
    for path in ("z/deep/notice.md", "notice.md", "a/notice.md"):
        put_file(docs, path, "# Notice\n\nAll rights reserved.\n")
    put_page(site, "https://docs.example.com/n", "# Notice\n\nAll rights reserved.\n")
    assert where(search(docs, None, "rights")) == ["notice.md"]
    assert where(search(docs, None, "rights", filters=Filters(path="z/"))) == ["z/deep/notice.md"]
    assert where(search(docs, None, "rights", filters=Filters(sources=(site.pk,)))) == [
        "https://docs.example.com/n#notice"
    ]


def test_a_text_at_more_paths_than_are_read_at_once_hides_no_other(
    docs: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexing.search.visible.MAX_PLACES", 2)
    for number in range(5):
        put_file(docs, f"n{number}/notice.md", "# Notice of rights\n")
    put_file(docs, "much/longer/path/of/another.md", "# Other rights\n")
    assert sorted(where(search(docs, None, "rights"))) == ["much/longer/path/of/another.md", "n0/notice.md"]


def test_a_file_without_a_title_is_found_by_its_name(docs: Server) -> None:
    put_file(docs, "a/LICENSE", "Do as you like.\n")
    put_file(docs, "b/COPYING", "Do as you like.\n")
    assert where(search(docs, None, "license")) == ["a/LICENSE"]
    assert where(search(docs, None, "copying")) == ["b/COPYING"]


# -------------------------------------------------------------------------------------------------------------- filters


@pytest.fixture
def filled(docs: Server, site: Source) -> dict[str, Source]:
    """A widget in each kind of source."""
    repository = factories.source(docs, Source.Kind.REPOSITORY, name="Tool", repository="acme/tool")
    put_file(docs, "guides/widget.md", "# Widget guide\n")
    put_file(docs, "Guides/widget.md", "# Widget in another folder\n")
    put_page(site, "https://docs.example.com/guides/widget", "# Widget on a site\n")
    put_page(site, "https://docs.example.com/other", "# Widget elsewhere\n")
    put_page(repository, "https://github.com/acme/tool/blob/x/guides/w.md", "# Widget tool\n", path="guides/w.md")
    return {"site": site, "repository": repository}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("guides/", ["Widget guide", "Widget on a site", "Widget tool"]),
        ("/guides/", ["Widget guide", "Widget on a site", "Widget tool"]),
        ("guides/widget.md", ["Widget guide"]),
        ("Guides", ["Widget in another folder"]),
        ("https://docs.example.com/o", ["Widget elsewhere"]),
        ("guides/%", []),
        ("guides/_", []),
        ("gu\0ides/", []),
        ("../", []),
    ],
)
def test_a_path_is_a_prefix_of_files_and_pages(docs: Server, filled: object, path: str, found: list[str]) -> None:
    results = search(docs, None, "widget", filters=Filters(path=path))
    assert sorted(hit.title for hit in results.hits) == found


def test_sources_and_kinds_confine_hits(docs: Server, filled: dict[str, Source]) -> None:
    def titles(**filters: object) -> list[str]:
        return sorted(hit.title for hit in search(docs, None, "widget", filters=Filters(**filters)).hits)  # type: ignore[arg-type]

    assert titles(kinds=("site",)) == ["Widget elsewhere", "Widget on a site"]
    assert titles(kinds=("content", "repository")) == ["Widget guide", "Widget in another folder", "Widget tool"]
    assert titles(sources=(filled["repository"].pk,)) == ["Widget tool"]
    assert titles(sources=(filled["repository"].pk,), kinds=("site",)) == []
    assert titles(kinds=("nonsense",)) == []
    assert titles(sources=(filled["site"].pk,), path="/other") == ["Widget elsewhere"]


@pytest.mark.parametrize("few", [2_000, 0])
def test_a_filter_finds_what_stands_far_below(docs: Server, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexing.search.ranking.FEW", few)
    monkeypatch.setattr("indexing.search.ranking.WINDOWS", (3, 5))
    for number in range(20):
        put_file(docs, f"a/{number}.md", f"# Widget {number}\n\nwidget widget widget\n")
    put_file(docs, "b/last.md", "# Last\n\nOf the widget, " + "as of much else, little is to be said. " * 20)
    assert where(search(docs, None, "widget", filters=Filters(path="b/"))) == ["b/last.md"]


# -------------------------------------------------------------------------------------------------------------- cursors


def pages_of(docs: Server, query: str, *, limit: int, filters: Filters = Filters()) -> list[list[str]]:  # noqa: B008
    pages, cursor = [], ""
    while True:
        results = search(docs, None, query, limit=limit, cursor=cursor, filters=filters)
        pages.append([str(hit.chunk_id) for hit in results.hits])
        cursor = results.cursor
        if not cursor:
            return pages


@pytest.mark.parametrize("windows", [(60, 300), (4, 7)])
@pytest.mark.parametrize("filters", [Filters(), Filters(kinds=("content",))])
def test_pages_give_each_hit_once(
    docs: Server, windows: tuple[int, ...], filters: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexing.search.ranking.WINDOWS", windows)
    put_file(docs, "long.md", long_text("Widget", *["widget"] * 5))
    for number in range(18):
        put_file(docs, f"{number}.md", f"# File {number}\n\nA widget. {'And more of it. ' * number}")
    whole = pages_of(docs, "widget", limit=50, filters=filters)
    parts = pages_of(docs, "widget", limit=4, filters=filters)
    assert len(whole) == 1
    assert [hit for page in parts for hit in page] == whole[0]
    assert len(set(whole[0])) == len(whole[0]) == Chunk.objects.filter(body__contains="widget").count()
    assert all(len(page) == 4 for page in parts[:-1])
    assert parts[-1]


def test_a_page_goes_on_after_the_last_hit_when_others_come_and_go(docs: Server) -> None:
    files = [put_file(docs, f"{number}.md", f"# Widget\n\n{'Word. ' * number * 9}") for number in range(8)]
    first = search(docs, None, "widget", limit=3)
    seen = where(first)
    Content.objects.filter(path=seen[0]).delete()
    rest = where(search(docs, None, "widget", limit=20, cursor=first.cursor))
    assert set(seen) | set(rest) == {file.path for file in files}
    assert not set(seen) & set(rest)


def test_a_cursor_of_another_search_is_refused(docs: Server, acme: Organization, charlie: object) -> None:
    for number in range(4):
        put_file(docs, f"{number}.md", f"# Widget {number}\n")
    version = cut_version(server=docs)
    cursor = search(docs, None, "widget", limit=2).cursor
    other = factories.server(acme)
    put_file(other, "x.md", "# Widget\n")
    for server, of, query, filters in (
        (docs, None, "gadget", Filters()),
        (docs, version, "widget", Filters()),
        (docs, None, "widget", Filters(path="1")),
        (other, None, "widget", Filters()),
    ):
        with pytest.raises(BadCursor, match="belongs to another search"):
            search(server, of, query, cursor=cursor, filters=filters)


@pytest.mark.parametrize("cursor", ["x", "x" * 100_000, "\0", "é:é:é", "eyJ9", ":", "W10:1tXy:abc"])
def test_what_is_no_cursor_is_refused_with_a_sentence(docs: Server, cursor: str) -> None:
    with pytest.raises(BadCursor, match=r"^This is no cursor of a search\. Ask again without one\.$"):
        search(docs, None, "widget", cursor=cursor)


# ---------------------------------------------------------------------------------------------------------- corrections


def test_a_mistyped_word_is_corrected_by_the_words_of_the_server(docs: Server) -> None:
    put_file(docs, "deploy.md", "# Deploying to Kubernetes\n\nUse the cluster.\n")
    put_file(docs, "other.md", "# Other\n\nNothing of it.\n")
    results = search(docs, None, "kuberntes deploy")
    assert where(results) == ["deploy.md"]
    assert dict(results.corrected) == {"kuberntes": "kubernetes"}
    assert "[Kubernetes]" in shown(results.hits[0])


def test_a_correction_holds_on_later_pages(docs: Server) -> None:
    for number in range(5):
        put_file(docs, f"{number}.md", f"# Kubernetes {number}\n")
    first = search(docs, None, "kuberntes", limit=2)
    second = search(docs, None, "kuberntes", limit=2, cursor=first.cursor)
    assert len(second.hits) == 2
    assert dict(second.corrected) == {"kuberntes": "kubernetes"}


def test_a_known_word_is_not_corrected(docs: Server) -> None:
    put_file(docs, "a.md", "# Deploys\n\nNothing.\n")
    put_file(docs, "b.md", "# Deplore\n\nDeplored be it.\n")
    assert dict(search(docs, None, "deplored").corrected) == {}


def test_words_of_other_servers_are_never_offered(docs: Server, charlie: object) -> None:
    theirs = factories.server(Organization.objects.get(slug="other"))
    put_file(theirs, "secret.md", "# Project Nightingale\n")
    put_file(docs, "a.md", "# Project list\n")
    results = search(docs, None, "project nightingal")
    assert dict(results.corrected) == {}
    assert where(results) == ["a.md"]


def test_words_of_what_is_not_seen_are_never_offered(docs: Server) -> None:
    put_file(docs, "a.md", "# Project list\n")
    version = cut_version(server=docs)
    put_file(docs, "b.md", "# Project Nightingale\n")
    assert dict(search(docs, version, "nightingal").corrected) == {}
    assert dict(search(docs, None, "nightingal").corrected) == {"nightingal": "nightingale"}


# -------------------------------------------------------------------------------------------------------------- tenants


def test_nothing_of_another_server_is_found(docs: Server, acme: Organization, charlie: object) -> None:
    theirs = factories.server(Organization.objects.get(slug="other"))
    neighbour = factories.server(acme)
    mine = put_file(docs, "mine.md", "# Widget of mine\n")
    for server in (theirs, neighbour):
        put_file(server, "theirs.md", "# Widget of theirs\n")
        # The same text, so the same blob, at a path that only they have.
        put_file(server, "secret/same.md", mine.blob.text)
        put_page(factories.source(server), "https://theirs.example.com/", "# Widget on their site\n")
        factories.source(server, Source.Kind.CONTENT, name="Theirs")
    found = search(docs, None, "widget")
    assert where(found) == ["mine.md"]
    assert (found.hits[0].source_id, found.hits[0].server_id) == (None, docs.pk)
    for filters in (
        Filters(sources=tuple(Source.objects.exclude(server=docs).values_list("pk", flat=True))),
        Filters(sources=(uuid.uuid4(),)),
        Filters(path="secret/"),
        Filters(path="https://theirs.example.com/"),
        Filters(kinds=("site",)),
    ):
        assert search(docs, None, "widget", filters=filters).hits == ()


def test_another_server_s_version_is_refused(docs: Server, acme: Organization) -> None:
    other = factories.server(acme)
    put_file(other, "x.md", "# Widget\n")
    texts.index_of(docs)
    with pytest.raises(ValueError, match="another server's"):
        search(docs, cut_version(server=other), "widget")


def test_several_servers_are_searched_as_one(docs: Server, acme: Organization) -> None:
    other, third = factories.server(acme), factories.server(acme)
    put_file(docs, "a.md", "# Widget\n")
    file = put_file(other, "b.md", "# Widget here\n")
    version = cut_version(server=other)
    file.delete()
    put_file(third, "c.md", "# Widget there\n")
    results = search_many([(docs, None), (other, version)], "widget")
    assert [(hit.path, hit.server_id) for hit in results.hits] == [("a.md", docs.pk), ("b.md", other.pk)]
    first = search_many([(docs, None), (other, version)], "widget", limit=1)
    second = search_many([(docs, None), (other, version)], "widget", limit=1, cursor=first.cursor)
    assert where(first) + where(second) == ["a.md", "b.md"]


# --------------------------------------------------------------------------------------------------- how it is answered


def test_scores_are_explained_to_the_last(docs: Server) -> None:
    put_file(docs, "a.md", "# Run migrations\n\nCall run_migrations.\n")
    put_file(docs, "long.md", long_text("Other", "run this", "run that"))
    for number in range(9):
        put_file(docs, f"o{number}.md", "# Nothing\n")
    results = search(docs, None, "run migrations", explain=True)
    assert len(results.hits) >= 3
    for hit in results.hits:
        assert hit.explanation is not None
        told = sum(hit.explanation.terms.values()) + sum(hit.explanation.others.values())
        assert told == pytest.approx(hit.score, rel=1e-4)
    assert results.hits[0].explanation
    assert set(results.hits[0].explanation.terms) == {"run", "migrations", "runmigrations"}
    assert "the query is its title" in results.hits[0].explanation.others
    assert search(docs, None, "run migrations").hits[0].explanation is None


def test_the_number_of_statements_does_not_grow_with_hits(docs: Server, site: Source) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as context:
            search(docs, None, "widget", limit=50)
        return len(context)

    put_file(docs, "a.md", "# Widget\n", origin=Origin.IMPORTED, provenance=PROVENANCE)
    put_page(site, "https://docs.example.com/a", "# Widget page\n")
    few = statements()
    for number in range(20):
        put_file(docs, f"{number}.md", f"# Widget {number}\n", origin=Origin.IMPORTED, provenance=PROVENANCE)
        put_page(site, f"https://docs.example.com/{number}", f"# Widget page {number}\n")
    assert statements() == few <= 9


def test_no_more_is_given_than_is_asked_for(docs: Server) -> None:
    for number in range(3):
        put_file(docs, f"{number}.md", f"# Widget {number}\n")
    assert len(search(docs, None, "widget", limit=0).hits) == 1
    assert len(search(docs, None, "widget", limit=10**9).hits) == 3


def test_queries_that_find_nothing_are_counted(docs: Server) -> None:
    put_file(docs, "a.md", "# Widget\n")
    for query in ("Flux  Capacitor", "flux capacitor", "widget", "???"):
        search(docs, None, query)
    search(docs, None, "flux capacitor", filters=Filters(path="x/"))
    found = EmptyQuery.objects.get()
    assert (found.server, found.query, found.times) == (docs, "flux capacitor", 2)


def test_a_hostile_query_that_finds_nothing_is_kept_short_and_clean(docs: Server) -> None:
    put_file(docs, "a.md", "# Widget\n")
    search(docs, None, "nothing\0 \ud800" + "x" * 20_000)
    assert len(EmptyQuery.objects.get().query) == misses.LONGEST


def test_of_queries_that_found_nothing_the_latest_are_kept(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misses, "KEPT", 3)
    for number in range(6):
        misses.note(docs, f"query {number}")
    assert set(EmptyQuery.objects.values_list("query", flat=True)) == {"query 3", "query 4", "query 5"}


def test_a_server_without_an_index_answers_nothing(docs: Server) -> None:
    assert search(docs, None, "widget").hits == ()
    assert not EmptyQuery.objects.exists()


def test_a_long_query_says_what_was_searched(docs: Server) -> None:
    put_file(docs, "a.md", "# Widget\n")
    results = search(docs, None, "widget " + " ".join(f"w{number}" for number in range(50)))
    assert results.notes == ("The query was long: its 24 longest words were searched.",)
    assert where(results) == ["a.md"]
