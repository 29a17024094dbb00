"""Texts are stored once, whoever stores them, and collected when nothing refers to them."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import models, transaction
from django.utils import timezone

from catalog import blobs, collecting, contents, versions
from catalog.models import Blob, Server
from tests import factories
from tests.catalog.conftest import together

LONG_AGO = timedelta(days=30)


def age(*texts: str) -> None:
    """Make it so that these texts were stored long ago."""
    digests = [Blob.of(text).sha256 for text in texts]
    Blob.objects.filter(sha256__in=digests).update(stored_at=timezone.now() - LONG_AGO)


def test_each_text_is_stored_once_under_its_digest(db: None) -> None:
    ids = blobs.store_texts(["a", "ü", "a"])
    assert set(ids) == {hashlib.sha256(text.encode()).hexdigest() for text in ("a", "ü")}
    assert Blob.objects.get(sha256=Blob.of("ü").sha256).size == 2
    assert blobs.store_texts(["a", "b"])[Blob.of("a").sha256] == ids[Blob.of("a").sha256]
    assert Blob.objects.count() == 3


def test_texts_are_taken_from_a_generator_in_batches(db: None) -> None:
    ids = blobs.store_texts((f"text {number}" for number in range(25)), batch_size=10)
    assert len(ids) == Blob.objects.count() == 25


def test_no_texts_are_no_blobs(db: None) -> None:
    assert blobs.store_texts([]) == {}


@pytest.mark.django_db(transaction=True)
def test_the_same_texts_stored_at_the_same_moment_are_one_blob_each() -> None:
    texts = [f"text {number}" for number in range(300)]
    results = together(
        *(lambda order=order: blobs.store_texts(order, batch_size=50) for order in (texts, texts[::-1], texts))
    )
    assert results[0] == results[1] == results[2]
    assert Blob.objects.count() == 300


def test_only_what_nothing_refers_to_is_collected(docs: Server) -> None:
    live = factories.content(docs, "a.md", "live")
    versioned = factories.content(docs, "b.md", "versioned")
    versions.cut_version(server=docs)
    versioned.delete()
    blobs.store_texts(["unused"])
    age("live", "versioned", "unused")
    assert blobs.collect_unused() == 1
    assert set(Blob.objects.values_list("text", flat=True)) == {"live", "versioned"}
    live.refresh_from_db()


def test_every_foreign_key_to_a_blob_counts_as_a_use() -> None:
    used_by = {
        (relation.related_model._meta.label, relation.field.name)
        for relation in Blob._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
    }
    assert {
        ("catalog.Content", "blob"),
        ("catalog.VersionFile", "blob"),
        ("integrations.FileChange", "after"),
    } <= used_by


def test_a_fresh_text_is_spared_because_an_import_may_be_about_to_use_it(db: None) -> None:
    blobs.store_texts(["fresh"])
    assert blobs.collect_unused() == 0
    assert blobs.collect_unused(timedelta(0)) == 1


def test_storing_an_old_text_again_spares_it(db: None) -> None:
    blobs.store_texts(["old"])
    age("old")
    blobs.store_texts(["old"])
    assert blobs.collect_unused() == 0


def test_more_than_a_batch_is_collected(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "BATCH", 4)
    texts = [f"text {number}" for number in range(11)]
    blobs.store_texts(texts)
    age(*texts)
    assert blobs.collect_unused() == 11


@pytest.mark.django_db(transaction=True)
def test_no_content_loses_its_text_while_collecting_and_using_meet() -> None:
    docs = factories.server(factories.organization())
    texts = [f"text {number}" for number in range(60)]
    blobs.store_texts(texts)
    age(*texts)

    def use() -> None:
        for number, text in enumerate(texts):
            with transaction.atomic():
                contents.create_content(server=docs, path=f"{number}.md", text=text, by=None)

    used, collected = together(use, blobs.collect_unused)
    assert used is None
    assert isinstance(collected, int)
    assert sorted(docs.contents.values_list("blob__text", flat=True)) == sorted(texts)


def test_the_command_says_how_many_went(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    blobs.store_texts(["unused"])
    call_command("collect_blobs", older_than=0)
    assert capsys.readouterr().out == "1 unused text deleted.\n"
