"""The bytes of skills' files: stored once, kept as long as a skill or its history has them."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from django.db import models
from django.utils import timezone
from django_q.models import Schedule

from catalog import collecting, file_blobs, skills
from catalog.models import FileBlob, SkillFile
from jobs import schedules
from orgs.models import Organization, User
from tests import factories
from tests.catalog.conftest import together


def age() -> None:
    """Make it so that all of them were stored long ago."""
    FileBlob.objects.update(stored_at=timezone.now() - timedelta(days=30))


def test_the_id_is_the_one_that_git_gives() -> None:
    told = subprocess.run(["git", "hash-object", "--stdin"], input=b"a\0\xff\n", capture_output=True, check=True)
    assert told.stdout.decode().strip() == file_blobs.oid_of(b"a\0\xff\n")


def test_each_file_is_stored_once_in_its_organisation(acme: Organization, charlie: User) -> None:
    ids = file_blobs.store(acme, [b"a", b"\0\xff", b"a"])
    assert ids.keys() == {file_blobs.oid_of(b"a"), file_blobs.oid_of(b"\0\xff")}
    assert file_blobs.store(acme, [b"a"]).items() <= ids.items()
    assert file_blobs.store(charlie.memberships.get().organization, [b"a"]).items().isdisjoint(ids.items())
    assert file_blobs.store(acme, []) == {}
    assert file_blobs.bytes_of({"x": ids[file_blobs.oid_of(b"\0\xff")]}) == {"x": b"\0\xff"}
    assert FileBlob.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_files_stored_at_the_same_moment_are_one_each() -> None:
    acme = factories.organization("Acme")
    files = [f"file {number}".encode() for number in range(60)]
    results = together(*(lambda order=order: file_blobs.store(acme, order) for order in (files, files[::-1], files)))
    assert results[0] == results[1] == results[2]
    assert FileBlob.objects.count() == 60


def test_only_what_neither_a_skill_nor_its_history_has_is_collected(acme: Organization) -> None:
    row = skills.create_skill(
        organization=acme, values={"name": "A", "description": "A", "files": {"now": b"now", "then": b"then"}}, by=None
    )
    skills.edit_skill(skill=row, values={"files": {"then": None}}, seen_revision=1, by=None)
    file_blobs.store(acme, [b"unused"])
    age()
    assert file_blobs.collect_unused() == 1
    assert {bytes(data) for data in FileBlob.objects.values_list("data", flat=True)} == {b"now", b"then"}


def test_every_foreign_key_to_a_file_counts_as_a_use() -> None:
    used_by = {
        (relation.related_model._meta.label, relation.field.name)
        for relation in FileBlob._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
    }
    assert used_by == {("catalog.SkillFile", "blob"), ("catalog.RevisionFile", "blob")}


def test_fresh_ones_and_those_stored_again_are_spared(acme: Organization) -> None:
    file_blobs.store(acme, [b"old"])
    assert file_blobs.collect_unused() == 0
    age()
    file_blobs.store(acme, [b"old"])
    assert file_blobs.collect_unused() == 0
    assert file_blobs.collect_unused(timedelta(0)) == 1


def test_more_than_a_batch_is_collected(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "BATCH", 4)
    file_blobs.store(acme, [str(number).encode() for number in range(11)])
    age()
    assert file_blobs.collect_unused() == 11


@pytest.mark.django_db(transaction=True)
def test_no_skill_loses_a_file_while_collecting_and_using_meet() -> None:
    acme = factories.organization("Acme")
    files = {f"{number}.txt": f"file {number}".encode() for number in range(20)}
    file_blobs.store(acme, files.values())
    age()

    def use() -> None:
        row = factories.skill(acme)
        for path, data in files.items():
            skills.edit_skill(skill=row, values={"files": {path: data}}, seen_revision=None, by=None)

    used, collected = together(use, file_blobs.collect_unused)
    assert used is None
    assert isinstance(collected, int)
    assert {path: bytes(data) for path, data in SkillFile.objects.values_list("path", "blob__data")} == files


def test_it_is_done_once_a_day(db: None) -> None:
    schedules.ensure()
    assert Schedule.objects.get(func="catalog.file_blobs.collect_unused").minutes == 24 * 60
