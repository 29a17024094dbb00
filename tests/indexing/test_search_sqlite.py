"""SQLite's index of words is what the chunks are, whatever becomes of them."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from catalog.models import Server
from indexing import texts
from indexing.models import Chunk, ServerIndex, Text
from indexing.search.engines import engine
from indexing.search.words import TOKENIZER, tokens
from orgs.models import Organization
from tests import factories
from tests.indexing.searched import put_file, stored

pytestmark = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="of SQLite's engine")


def found(words: str, *servers: Server, limit: int = 10, offset: int = 0) -> list[int]:
    numbers = [texts.index_of(server).number for server in servers]
    terms = words.split()
    return [hit.chunk_id for hit in engine().find(terms, indexes=numbers, limit=limit, offset=offset)]


def check_index() -> None:
    """Raises if the index holds anything else than the rows."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO indexing_chunk_words(indexing_chunk_words, rank) VALUES ('integrity-check', 1)")


def test_its_triggers_are_there_after_all_migrations(db: None) -> None:
    # A migration that makes the table anew loses them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'indexing_chunk'")
        names = {name for (name,) in cursor.fetchall()}
    assert names == {"indexing_chunk_came", "indexing_chunk_went", "indexing_chunk_changed"}


def test_nothing_stays_behind_of_what_is_deleted(docs: Server, acme: Organization) -> None:
    other = factories.server(acme)
    put_file(docs, "a.md", "# Widget\n")
    put_file(docs, "b.md", "# Widget too\n")
    put_file(other, "c.md", "# Widget elsewhere\n")
    Text.objects.filter(title="Widget").delete()
    check_index()
    assert len(found("widget")) == 2
    docs.delete()
    check_index()
    assert not ServerIndex.objects.filter(server=docs.pk).exists()
    assert len(found("widget", other)) == len(found("widget")) == 1
    acme.delete()
    check_index()
    assert found("widget") == []


def test_what_is_rolled_back_is_not_found(docs: Server) -> None:
    with pytest.raises(Stopped):
        store_and_stop(docs)
    check_index()
    assert found("gadget") == []


class Stopped(Exception):
    pass


@transaction.atomic
def store_and_stop(server: Server) -> None:
    stored(server, "# Gadget\n", path="b.md")
    assert found("gadget")
    raise Stopped


def test_a_changed_row_is_found_by_what_it_is_now(docs: Server) -> None:
    put_file(docs, "a.md", "# Widget\n")
    Chunk.objects.update(title="Gadget", body="Gizmo")
    check_index()
    assert found("widget") == []
    assert found("gadget") == found("gizmo") == [Chunk.objects.get().pk]


def test_a_server_is_a_range(docs: Server, acme: Organization) -> None:
    servers = [docs, *(factories.server(acme) for _ in range(4))]
    for server in servers:
        put_file(server, "a.md", "# Widget\n")
    assert [len(found("widget", server)) for server in servers] == [1] * 5
    first, third, last = (found("widget", server)[0] for server in (servers[0], servers[2], servers[4]))
    assert found("widget", servers[4], servers[0]) == [first, last]
    assert found("widget", servers[2]) == [third]
    assert len(found("widget")) == 5


def test_equal_scores_stand_in_the_order_of_ids_on_each_page(docs: Server) -> None:
    for number in range(9):
        put_file(docs, f"{number}.md", f"# Widget\n\nNumber {number}.\n")
    whole = found("widget", docs)
    assert whole == sorted(whole)
    pages = [found("widget", docs, limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert pages == [whole[:3], whole[3:6], whole[6:], []]


TOKENS = ['"', '""', '" OR "a', "*", "NEAR", "a-b", "a\0b", "title:x", "^", "(", "x" * 100_000, "'"]


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_never_an_operator(docs: Server, token: str) -> None:
    put_file(docs, "a.md", "# Widget\n")
    assert engine().find([token], indexes=[], limit=5) == []


def test_titles_weigh_more_than_headings_and_those_more_than_bodies(docs: Server) -> None:
    filling = "Of other things. " * 30
    put_file(docs, "body.md", f"# One\n\n## Two\n\nWidget. {filling}")
    put_file(docs, "heading.md", f"# One\n\n## Widget\n\nThree. {filling}")
    put_file(docs, "title.md", f"# Widget\n\n## Two\n\nThree. {filling}")
    for number in range(9):
        put_file(docs, f"{number}.md", f"# Other {number}\n\n{filling}")
    texts_found = [Chunk.objects.get(pk=pk).text for pk in found("widget", docs)]
    assert [text.blob.text.index("Widget") for text in texts_found] == sorted(
        text.blob.text.index("Widget") for text in texts_found
    )


def test_words_are_cut_and_folded_as_in_the_index(db: None) -> None:
    text = "Café e\u0301clair ÅNGSTRÖM straße ΟΔΟΣ Привет й हिन्दी ตัวอย่าง 如何配置 배포 naïve_co-op x² ½ ﬁ 𝒳 _a__b_ it's"
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE VIRTUAL TABLE temp.words USING fts5(x, tokenize="' + TOKENIZER.removeprefix("porter ") + '")'
        )
        cursor.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(temp, words, instance)")
        cursor.execute("INSERT INTO temp.words VALUES (%s)", [text])
        cursor.execute("SELECT term FROM temp.vocabulary ORDER BY offset")
        cut = [term for (term,) in cursor.fetchall()]
        cursor.execute("DROP TABLE temp.vocabulary")
        cursor.execute("DROP TABLE temp.words")
    assert tokens(text) == cut


def test_maintenance_changes_nothing_that_is_found(docs: Server) -> None:
    for number in range(5):
        put_file(docs, f"{number}.md", f"# Widget {number}\n")
    before = found("widget", docs)
    engine().maintain()
    check_index()
    assert found("widget", docs) == before
