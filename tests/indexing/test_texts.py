"""Texts come into a server's index once, whoever brings them, and go when nothing uses them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import versions
from catalog.models import Server
from indexing import texts
from indexing.chunking import model
from indexing.models import CHUNK_BITS, Chunk, Format, Page, ServerIndex, Text
from indexing.texts import NewText
from tests import factories
from tests.catalog.conftest import together

TITLED = "# Tides\n\nWhen the water is high.\n"


def new(text: str, name: str = "", format: str = Format.MARKDOWN) -> NewText:  # noqa: A002  the field's name
    return NewText(factories.blob(text).pk, text, format, name)


def age(**filters: object) -> None:
    """Make it so that these texts were brought long ago."""
    Text.objects.filter(**filters).update(stored_at=timezone.now() - timedelta(days=2))


def long_text(number: int) -> str:
    return f"# Number {number}\n\n" + "".join(f"## Part {part}\n\n{'word ' * 250}\n\n" for part in range(4))


def test_a_text_is_cut_into_chunks_in_the_range_of_its_server(docs: Server) -> None:
    index = texts.index_of(docs)
    (text,) = texts.store(index, [new(long_text(1), "one.md")])
    chunks = list(Chunk.objects.filter(text=text).order_by("ordinal"))
    assert (text.title, text.name, text.chunks) == ("Number 1", "", 4)
    assert [chunk.heading for chunk in chunks] == ["Part 0", "Part 1", "Part 2", "Part 3"]
    assert [chunk.pk for chunk in chunks] == [(index.number << CHUNK_BITS) | n for n in range(1, 5)]
    assert {chunk.title for chunk in chunks} == {"Number 1"}


def test_a_text_brought_again_is_the_same_one(docs: Server) -> None:
    index = texts.index_of(docs)
    once = texts.store(index, [new(TITLED, "a.md"), new("No title.", "b.md")])
    again = texts.store(index, [new("No title.", "b.md"), new(TITLED, "other.md"), new(TITLED)])
    assert again == [once[1], once[0], once[0]]
    assert Chunk.objects.count() == 2


def test_a_text_with_a_title_of_its_own_that_comes_under_two_names_at_once_is_one(docs: Server) -> None:
    stored = texts.store(texts.index_of(docs), [new(TITLED, "a.md"), new(TITLED, "b.md")])
    assert stored[0] == stored[1]
    assert Chunk.objects.count() == Text.objects.get().chunks == 1


def test_a_text_without_a_title_is_one_for_each_name(docs: Server) -> None:
    index = texts.index_of(docs)
    first, second, third = texts.store(index, [new("Words.", "a.md"), new("Words.", "b.md"), new("Words.", "a.md")])
    assert first == third != second
    assert (first.title, second.title) == ("a.md", "b.md")


def test_the_same_text_is_another_one_on_another_server_and_in_another_format(docs: Server) -> None:
    other = texts.index_of(factories.server(docs.organization))
    index = texts.index_of(docs)
    found = [
        *texts.store(index, [new(TITLED), new(TITLED, "a.txt", Format.PLAIN)]),
        *texts.store(other, [new(TITLED)]),
    ]
    assert len({text.pk for text in found}) == 3


def test_a_blank_text_has_no_chunks_and_is_not_cut_again(docs: Server) -> None:
    index = texts.index_of(docs)
    (text,) = texts.store(index, [new(" \n\n", "empty.md")])
    assert (text.chunks, text.title) == (0, "empty.md")
    assert texts.store(index, [new(" \n\n", "empty.md")]) == [text]


def test_what_was_cut_by_older_rules_is_cut_anew_in_its_place(docs: Server) -> None:
    index = texts.index_of(docs)
    (text,) = texts.store(index, [new(TITLED)])
    old = Chunk.objects.get()
    Text.objects.update(chunker=model.CHUNKER - 1)
    assert texts.store(index, [new(TITLED)]) == [text]
    fresh = Chunk.objects.get()
    assert fresh.pk > old.pk
    assert fresh.body == old.body
    assert Text.objects.get().chunker == model.CHUNKER


def test_a_title_and_an_anchor_longer_than_their_columns_hinder_nothing(docs: Server) -> None:
    long = "x" * 5_000
    (text,) = texts.store(texts.index_of(docs), [new(f"# {long}\n\n## {long}\n\nWords.\n", long)])
    assert len(text.title) <= 300
    assert texts.store(texts.index_of(docs), [new("Words.", long)])[0].title == long[:300]


def test_many_texts_take_several_short_transactions(docs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BATCH_CHUNKS", 10)
    index = texts.index_of(docs)
    brought = [new(long_text(number)) for number in range(7)]
    with CaptureQueriesContext(connection) as queries:
        stored = texts.store(index, brought)
    locks = [query["sql"] for query in queries if 'UPDATE "indexing_serverindex"' in query["sql"]]
    assert len(locks) == 4, "two texts of four chunks fit in each"
    assert [text.title for text in stored] == [f"Number {number}" for number in range(7)]


@pytest.mark.django_db(transaction=True)
def test_several_that_bring_the_same_texts_at_the_same_moment_store_each_once() -> None:
    server = factories.server(factories.organization())
    brought = [new(long_text(number)) for number in range(12)]

    def bring(order: list[NewText]) -> dict[int, int]:
        index = texts.index_of(server)
        return {text.blob_id: text.pk for each in order for text in texts.store(index, [each])}

    results = together(*(lambda order=order: bring(order) for order in (brought, brought[::-1], brought, brought[5:])))
    assert results[0] == results[1] == results[2]
    assert results[3].items() <= results[0].items()
    assert Text.objects.count() == 12
    ids = [pk & ((1 << CHUNK_BITS) - 1) for pk in Chunk.objects.order_by("pk").values_list("pk", flat=True)]
    assert ids == list(range(1, 12 * 4 + 1))
    assert ServerIndex.objects.get().last_chunk == 48


@pytest.mark.django_db(transaction=True)
def test_a_text_that_is_brought_while_it_is_deleted_is_there_afterwards() -> None:
    server = factories.server(factories.organization())
    index = texts.index_of(server)
    brought = [new(f"# Text {number}\n\nWords.\n") for number in range(30)]
    texts.store(index, brought)
    age()
    kept, _ = together(lambda: texts.store(index, brought), lambda: texts.forget_unused(index))
    assert set(kept) == set(Text.objects.all())
    assert Text.objects.count() == Chunk.objects.count() == 30


def test_only_what_nothing_uses_is_forgotten(docs: Server) -> None:
    index = texts.index_of(docs)
    old = factories.content(docs, "old.md", "Versioned.")
    versions.cut_version(server=docs)
    old.delete()
    live = factories.content(docs, "a/live.md", "Live.")
    source = factories.source(docs)
    page, *others = texts.store(
        index,
        [
            new("Of a page."),
            new("Live.", "live.md"),
            new("Versioned.", "old.md"),
            new("Unused."),
            new("Live.", "e.md"),
            new("Live.", "live.txt", Format.PLAIN),
        ],
    )
    Page.objects.create(source=source, key="k", url="https://example.com/", text=page)
    assert texts.forget_unused(index) == 0, "an hour has not passed"
    age()
    assert texts.forget_unused(index) == 3
    assert set(Text.objects.values_list("pk", flat=True)) == {page.pk, others[0].pk, others[1].pk}
    assert Chunk.objects.count() == 3
    live.delete()
    assert texts.forget_unused(index) == 1


def test_what_is_brought_again_counts_as_new(docs: Server) -> None:
    index = texts.index_of(docs)
    texts.store(index, [new("Unused.")])
    age()
    texts.store(index, [new("Unused.")])
    assert texts.forget_unused(index) == 0


def test_files_of_another_server_keep_nothing_here(docs: Server) -> None:
    factories.content(factories.server(docs.organization), "a.md", "Words.")
    index = texts.index_of(docs)
    texts.store(index, [new("Words.", "a.md")])
    age()
    assert texts.forget_unused(index) == 1


def test_forgetting_asks_no_more_the_more_there_is(docs: Server, django_assert_max_num_queries: object) -> None:
    index = texts.index_of(docs)
    texts.store(index, [new(f"Text {number}.") for number in range(40)])
    age()
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        assert texts.forget_unused(index) == 40


@pytest.mark.parametrize(
    ("path", "format_"),
    [
        ("README.md", Format.MARKDOWN),
        ("docs/Guide.MDX", Format.MARKDOWN),
        ("llms-full.txt", Format.MARKDOWN),
        ("notes.txt", Format.PLAIN),
        ("index.rst", Format.RST),
        ("book.adoc", Format.ASCIIDOC),
        ("Makefile", Format.PLAIN),
    ],
)
def test_the_ending_of_a_path_says_how_a_file_is_cut(path: str, format_: Format) -> None:
    assert texts.format_of(path) == format_
