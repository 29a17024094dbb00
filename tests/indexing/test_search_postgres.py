"""PostgreSQL's index: what is found, nothing left behind, and writers that do not get in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection, transaction

from catalog.models import Server
from indexing.models import CHUNK_BITS, Chunk, ServerIndex, Text
from indexing.search.engines import postgres
from indexing.search.engines.postgres import PostgresEngine
from orgs.models import Organization
from tests import factories

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="of PostgreSQL's engine")


def index_of(server: Server) -> ServerIndex:
    return ServerIndex.objects.get_or_create(server=server)[0]


def rows(index: ServerIndex, *bodies: str, title: str = "Page") -> list[Chunk]:
    """A text of these chunks, not in the index of words yet."""
    text = Text.objects.create(
        index=index, blob=factories.blob(f"{title} {bodies}"), format="markdown", title=title, chunker=1
    )
    first = (index.number << CHUNK_BITS) + index.last_chunk + 1
    chunks = [
        Chunk(id=first + at, text=text, ordinal=at, start=0, end=1, start_line=1, end_line=1, title=title, body=body)
        for at, body in enumerate(bodies)
    ]
    index.last_chunk += len(bodies)
    index.save()
    return Chunk.objects.bulk_create(chunks)


def add(index: ServerIndex, *bodies: str, title: str = "Page") -> list[int]:
    chunks = rows(index, *bodies, title=title)
    PostgresEngine().add(chunks)
    return [chunk.pk for chunk in chunks]


def find(words: str, *indexes: int, limit: int = 10, offset: int = 0) -> list[int]:
    terms = words.split()
    return [hit.chunk_id for hit in PostgresEngine().find(terms, indexes=indexes, limit=limit, offset=offset)]


def asked(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def postings() -> int:
    return len(asked("SELECT 1 FROM indexing_posting"))


def row_by_row() -> None:
    for chunk in Chunk.objects.all():
        chunk.delete()


DELETE: dict[str, Callable[[Server], object]] = {
    "queryset": lambda _: Chunk.objects.all().delete(),
    "row by row": lambda _: row_by_row(),
    "texts": lambda _: Text.objects.all().delete(),
    "server": lambda server: server.delete(),
    "raw": lambda _: Chunk.objects.all()._raw_delete("default"),
    "SQL": lambda _: connection.cursor().execute("DELETE FROM indexing_chunk"),
    # As a test's end does it; what was inserted in the same transaction has checks outstanding.
    "truncated": lambda _: connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE indexing_chunk"),
}


def test_the_rarer_word_the_title_and_the_shorter_chunk_count_for_more(docs: Server) -> None:
    index = index_of(docs)
    common = add(index, "running a migration", "migrations of a table " + "and more words " * 30, "nothing of it")
    (titled,) = add(index, "what is asked of it", title="Migrations")
    (rare,) = add(index, "a migration of zebras")
    assert find("migration", index.number)[:2] == [titled, common[0]]
    assert find("migrations zebra", index.number)[0] == rare
    assert find("migrations", index.number)[-1] == common[1]


def test_words_are_found_in_every_form_and_only_on_the_servers_that_are_asked(docs: Server, acme: Organization) -> None:
    here, there = index_of(docs), index_of(factories.server(acme, "Other"))
    (mine,), (other,) = add(here, "Überprüfungen possibly configured"), add(there, "überprüfungen, configuring")
    assert find("uberprufungen possible", here.number) == [mine]
    assert find("configure", there.number) == [other]
    assert set(find("configuration", here.number, there.number)) == set(find("configures")) == {mine, other}
    assert find("absent", here.number) == find("", here.number) == []


def test_two_pages_of_an_answer_fit_together_also_where_scores_are_equal(docs: Server) -> None:
    index = index_of(docs)
    ids = add(index, *(["the same words in each"] * 30))
    pages = [find("same words", index.number, limit=7, offset=offset) for offset in range(0, 35, 7)]
    assert [each for page in pages for each in page] == ids


def test_what_is_found_by_the_rarest_words_is_weighed_by_all(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of(docs)
    ids = add(index, *(f"common word number{at} {'rare' if at % 4 == 0 else 'other'}" for at in range(40)))
    best = add(index, "common common word rare")
    add(index, *(["nothing of all that"] * 60))
    exact = find("rare common word", index.number, limit=5)
    monkeypatch.setattr(postgres, "CANDIDATES", 15)
    monkeypatch.setattr(postgres, "WEIGHED", 20)
    assert find("rare common word", index.number, limit=5) == exact
    assert exact[0] == best[0]
    # Where the rare ones are too few for what is asked, the common ones are looked for as well.
    assert set(find("rare common word", index.number, limit=50)) == {*ids, *best}


def test_the_weights_that_are_told_add_up_to_the_score(docs: Server) -> None:
    index = index_of(docs)
    add(index, "words to weigh", "weighing words twice, words", "no such thing")
    terms = ["words", "weigh", "absent"]
    hits = PostgresEngine().find(terms, indexes=[index.number], limit=10)
    weighed = PostgresEngine().weigh(terms, [hit.chunk_id for hit in hits])
    assert len(hits) == 2
    for hit in hits:
        assert sum(weighed[hit.chunk_id].values()) == pytest.approx(hit.score)
        assert set(weighed[hit.chunk_id]) == {"words", "weigh"}


def test_counting_anew_changes_no_order_and_happens_when_the_index_has_grown(docs: Server) -> None:
    index = index_of(docs)
    add(index, "alpha beta", "beta gamma", "gamma", "delta")
    # Nothing was counted yet: a new installation counts as it is asked.
    before = find("alpha beta gamma", index.number)
    PostgresEngine().catch_up()
    assert find("alpha beta gamma", index.number) == before
    assert asked("SELECT documents FROM indexing_term WHERE token = ''") == [(4,)]
    assert asked("SELECT documents FROM indexing_term WHERE token = 'beta'") == [(2,)]
    (new,) = add(index, "epsilon beta")  # one that came since is counted as it is asked for
    assert find("epsilon", index.number) == [new]
    PostgresEngine().catch_up()
    assert asked("SELECT documents FROM indexing_term WHERE token = 'beta'") == [(3,)]


@pytest.mark.parametrize("way", ["queryset", "row by row", "texts", "server", "raw", "SQL", "truncated"])
def test_nothing_stays_behind_of_a_chunk_however_it_goes(docs: Server, way: str) -> None:
    index = index_of(docs)
    add(index, "one chunk of two", "and the other")
    assert postings()
    DELETE[way](docs)
    assert postings() == 0
    assert find("chunk other") == []


def test_terms_that_no_chunk_has_are_forgotten_at_night(docs: Server) -> None:
    index = index_of(docs)
    (gone,) = add(index, "ephemeral words")
    add(index, "lasting words")
    Chunk.objects.filter(pk=gone).delete()
    PostgresEngine().maintain()
    assert asked("SELECT token FROM indexing_term ORDER BY token") == [("",), ("last",), ("page",), ("word",)]


def test_a_text_of_any_characters_is_taken(docs: Server) -> None:
    index = index_of(docs)
    (long,) = add(index, "x" * 5_000 + " \u200b\ufeff emoji 🦀 'quotes' \\ \t end")
    assert find("x" * 5_000, index.number) == find("end", index.number) == [long]
    add(index, "")
    assert find("'; -- %s", index.number) == []


@pytest.mark.django_db(transaction=True)
def test_writers_that_bring_the_same_new_words_wait_for_each_other_and_never_in_a_circle(acme: Organization) -> None:
    """Each in two steps of one transaction, in opposite orders."""
    indexes = [index_of(factories.server(acme, f"Server {number}")) for number in range(2)]
    between, failed = threading.Barrier(2), []

    def write(index: ServerIndex, *steps: str) -> None:
        try:
            with transaction.atomic():
                add(index, f"{steps[0]} {index.number}")  # not the same blob, too
                # Both get here only if neither waits for the other; then each goes on to the other's word.
                with suppress(threading.BrokenBarrierError):
                    between.wait(timeout=1)
                add(index, f"{steps[1]} {index.number}")
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    orders = (("newalpha", "newbeta"), ("newbeta", "newalpha"))
    threads = [
        threading.Thread(target=write, args=[index, *order]) for index, order in zip(indexes, orders, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failed == []
    assert len(find("newalpha")) == len(find("newbeta")) == 2
    assert asked("SELECT token FROM indexing_term WHERE token LIKE 'new%' ORDER BY token") == [
        ("newalpha",),
        ("newbeta",),
    ]
