"""Mistyped words, and what they may have been meant to be."""

from __future__ import annotations

import random

import pytest

from catalog.models import Server
from indexing.models import Chunk, ServerIndex, Word
from indexing.search import vocabulary
from indexing.search.stems import stem
from indexing.search.vocabulary import near
from orgs.models import Organization
from tests import factories
from tests.indexing.searched import put_file

WORDS = ["retention", "snapshot", "deduplication", "kubernetes", "configuration", "vault", "agent", "token", "webhook"]


@pytest.fixture
def index(docs: Server) -> int:
    put_file(docs, "words.md", "# Words\n\n" + "\n\n".join(f"## About {word}\n\nText." for word in WORDS))
    return ServerIndex.objects.get(server=docs).number


def edited(word: str, chance: random.Random) -> str:
    """One edit: a letter gone, another, one more, or two swapped."""
    at = chance.randrange(len(word) - 1)
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def test_a_slip_of_one_letter_is_forgiven_in_every_word_and_two_in_a_long_one(index: int) -> None:
    chance = random.Random(1)
    missed = []
    for word in WORDS:
        for _ in range(6):
            once = edited(word, chance)
            # One with the same stem is found without help.
            if stem(once) != stem(word) and word not in near(once, indexes=[index]):
                missed.append(once)
    assert missed == []
    assert near("kubrnets", indexes=[index]) == ["kubernetes"]
    assert near("cofigurtion", indexes=[index]) == ["configuration"]
    assert near("retnetion", indexes=[index]) == ["retention"]


def test_nothing_is_offered_for_what_is_too_far_too_short_or_found_anyway(index: int) -> None:
    for word in ("kubernightly", "tok", "x" * 60, "", "zzzzzz", "snapshots", "snapshot"):
        assert near(word, indexes=[index]) == [], word


def test_words_of_another_server_are_never_offered(index: int, acme: Organization) -> None:
    other = factories.server(acme, "Other")
    put_file(other, "other.md", "# Retentive\n\nWith `secretproject_name`.")
    there = ServerIndex.objects.get(server=other).number
    assert near("secretprojekt", indexes=[there]) == ["secretproject"]
    assert near("secretprojekt", indexes=[index]) == near("secretprojekt", indexes=[]) == []


def test_words_of_identifiers_are_known_in_parts_and_joined(docs: Server, index: int) -> None:
    put_file(docs, "code.md", "# Code\n\nCall `runMigrations()` or set `max_retry_delay`. A plainword is not learnt.")
    assert near("runmigratoins", indexes=[index]) == ["runmigrations"]
    assert near("migratoins", indexes=[index]) == ["migrations"]
    assert near("dellay", indexes=[index]) == ["delay"]
    assert near("plainwrod", indexes=[index]) == []


def test_a_word_is_forgotten_once_no_chunk_of_its_server_has_it(docs: Server, index: int) -> None:
    put_file(docs, "gone.md", "# Ephemeral retention\n\nText.")
    Word.objects.filter(word="retention").update(chunk_id=0)  # as if the chunk that is known to have it had gone
    assert near("ephemerel", indexes=[index]) == ["ephemeral"]
    Chunk.objects.filter(title="Ephemeral retention").delete()
    assert vocabulary.forget() == 1
    assert near("ephemerel", indexes=[index]) == []
    assert near("retenton", indexes=[index]) == ["retention"]
    assert vocabulary.forget() == 0
    docs.delete()
    assert not Word.objects.exists()


def test_learning_twice_adds_nothing(docs: Server, index: int) -> None:
    chunks = list(Chunk.objects.all())
    before = Word.objects.count()
    vocabulary.learn(index, chunks)
    vocabulary.learn(index, chunks * 2)
    assert Word.objects.count() == before
