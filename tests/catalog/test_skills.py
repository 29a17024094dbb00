"""Skills: their front matter, instructions and files."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import skills
from catalog.checking.problems import Invalid
from catalog.checking.skills import path_errors
from catalog.documents import document_of
from catalog.file_blobs import oid_of
from catalog.models import EntityRevision, FileBlob, Skill
from catalog.portable import reading, writing
from catalog.portable.model import Kind, Unit
from catalog.saving import Stale
from orgs.models import Organization, User
from tests import factories

FRONT: dict[str, Any] = {"license": "MIT", "metadata": {"author": "Acme", "tags": ["a", 1, None, True]}, "when": "1.10"}
VALUES: dict[str, Any] = {
    "name": "PDF forms",
    "description": "Fills in forms.",
    "front_matter": FRONT,
    "instructions": "\n# Forms\r\n\r\nFill it in.\n\n",
    "files": {"scripts/fill.py": b"print()\n", "assets/logo.png": b"\x89PNG\0\xff"},
}


def make(org: Organization, **values: Any) -> Skill:
    return skills.create_skill(organization=org, values={**VALUES, **values}, by=None)


def edit(skill: Skill, files: dict[str, bytes | None], seen: int | None = None, **values: Any) -> Skill:
    return skills.edit_skill(skill=skill, values={"files": files, **values}, seen_revision=seen, by=None)


def refused(org: Organization, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as invalid:
        make(org, **values)
    assert not Skill.objects.exists()
    return [(error.field, error.pointer) for error in invalid.value.errors]


def test_a_skill_is_saved_with_its_files(acme: Organization) -> None:
    row = make(acme)
    assert document_of(row) == {
        "name": "PDF forms",
        "slug": "pdf-forms",
        "description": "Fills in forms.",
        "frontMatter": FRONT,
        "instructions": "# Forms\n\nFill it in.",
        "files": {"assets/logo.png": oid_of(b"\x89PNG\0\xff"), "scripts/fill.py": oid_of(b"print()\n")},
    }
    assert bytes(row.files.get(path="assets/logo.png").blob.data) == b"\x89PNG\0\xff"


def test_what_is_saved_is_what_its_files_are_read_as(acme: Organization) -> None:
    document = document_of(make(acme))
    files = writing.write(
        Kind.SKILL, id="1", document=document, data=VALUES["files"], schema_url="https://millrace.example.com/x"
    )
    unit = Unit(Kind.SKILL, "pdf-forms", "skills/pdf-forms", {path: oid_of(data) for path, data in files.items()})
    assert reading.read(unit, files).document == document


def test_files_are_added_altered_renamed_and_removed(acme: Organization) -> None:
    row = make(acme)
    kept = row.files.get(path="assets/logo.png").pk
    assert edit(row, {"scripts/fill.py": b"print()\n"}, 1).revision == 1
    row = edit(row, {"scripts/fill.py": None, "scripts/new.py": b"print()\n", "a.md": b"a"}, 1)
    assert (row.revision, list(row.files.values_list("path", flat=True))) == (
        2,
        ["a.md", "assets/logo.png", "scripts/new.py"],
    )
    row = edit(row, {"a.md": b"b", "none.md": None}, 2)
    assert bytes(row.files.get(path="a.md").blob.data) == b"b"
    assert row.files.get(path="assets/logo.png").pk == kept
    with pytest.raises(Stale):
        edit(row, {"a.md": b"c"}, 2)
    history = EntityRevision.objects.order_by("number")
    assert [it.files.count() for it in history] == [2, 3, 3]


def test_a_file_s_bytes_are_kept_once_in_an_organisation_and_apart_from_others(
    acme: Organization, charlie: User
) -> None:
    make(acme, files={"a": b"same", "b": b"same"})
    make(acme, files={"c": b"same"})
    make(charlie.memberships.get().organization, files={"c": b"same"})
    assert FileBlob.objects.count() == 2


def test_the_bytes_of_another_organisation_are_no_ones_to_take(acme: Organization, charlie: User) -> None:
    theirs = factories.skill(charlie.memberships.get().organization, files={"a": b"secret"}).files.get().blob
    with pytest.raises(ValueError, match="its own organisation"):
        make(acme, files={"a": theirs})
    assert not Skill.objects.for_org(acme).exists()


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"name": ""}, ("name", "")),
        ({"slug": "prn"}, ("slug", "")),
        ({"description": " "}, ("description", "")),
        ({"instructions": "a\0"}, ("instructions", "")),
        ({"instructions": "x" * 1_000_001}, ("instructions", "")),
        ({"front_matter": []}, ("front_matter", "")),
        ({"front_matter": {"name": "x"}}, ("front_matter", "")),
        ({"front_matter": {"description": "x"}}, ("front_matter", "")),
        ({"front_matter": {"metadata": {"millrace-id": "x"}}}, ("front_matter", "")),
        ({"front_matter": {"metadata": "x"}}, ("front_matter", "")),
        ({"front_matter": {"a": "\ud800"}}, ("front_matter", "")),
        ({"front_matter": {"a": float("nan")}}, ("front_matter", "")),
        ({"front_matter": {"a": object()}}, ("front_matter", "")),
        ({"front_matter": {"a": "x" * 70_000}}, ("front_matter", "")),
        ({"files": {"../up": b""}}, ("files", "/..~1up")),
        ({"files": {"/etc": b""}}, ("files", "/~1etc")),
        ({"files": {"": b""}}, ("files", "/")),
        ({"files": {"a\\b": b""}}, ("files", "/a\\b")),
        ({"files": {"Skill.MD": b""}}, ("files", "/Skill.MD")),
        ({"files": {"SKILL.md/x": b""}}, ("files", "/SKILL.md~1x")),
        ({"files": {"a/.GIT/config": b""}}, ("files", "/a~1.GIT~1config")),
        ({"files": {"a" * 513: b""}}, ("files", f"/{'a' * 513}")),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field(
    acme: Organization, values: dict[str, Any], where: tuple[str, str]
) -> None:
    assert refused(acme, **values) == [where]


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else 1


def test_front_matter_that_could_not_be_read_again_is_refused(acme: Organization) -> None:
    for value in (nested(500), {"a": [1] * 20_000}, {"a": {1: "number"}}, {"a": b"bytes"}, {"a": (1, 2)}):
        assert refused(acme, front_matter=value) == [("front_matter", "")]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["a.md", "A.md"], "differ in case only"),
        (["straße", "STRASSE"], "differ in case only"),
        (["a", "a/b"], "is a file"),
        (["A/b", "a"], "is a folder"),
        (["a", "A/b/c"], "is a"),
    ],
)
def test_paths_that_some_disk_takes_for_one_are_refused(paths: list[str], words: str) -> None:
    for given in (paths, paths[::-1]):
        assert [words in error.text for error in path_errors(given)] == [True]


def test_many_and_large_files_are_refused_before_they_are_stored(acme: Organization, settings: Any) -> None:
    settings.ENTITY_MAX_FILE_BYTES, settings.SKILL_MAX_BYTES, settings.SKILL_MAX_FILES = 2000, 5000, 6
    assert refused(acme, files={"a": b"x" * 2001}) == [("files", "")]
    assert refused(acme, files={str(number): b"x" * 1700 for number in range(3)}) == [("files", "")]
    assert refused(acme, files={str(number): b"" for number in range(7)}) == [("files", "")]
    assert not FileBlob.objects.exists()
    row = make(acme, files={str(number): b"" for number in range(5)})  # and SKILL.md
    with pytest.raises(Invalid, match="7 files; 6 is the most"):
        edit(row, {"5": b""})
    row = edit(row, {"1": b"x" * 2000, "2": b"y" * 2000})
    with pytest.raises(Invalid, match="is the most for a skill"):
        edit(row, {"3": b"z" * 1000})
    assert edit(row, {"1": None, "3": b"z" * 1000}).files.count() == 4


def test_a_skill_is_deleted_with_its_files_and_an_organisation_with_all_of_it(acme: Organization) -> None:
    row = make(acme)
    skills.delete_skill(skill=row, by=None)
    assert FileBlob.objects.count() == 2, "Its history has them."
    make(acme)
    acme.delete()
    assert not FileBlob.objects.exists()


def test_a_personal_skill_is_shared(acme: Organization, alice: User) -> None:
    row = skills.create_skill(organization=acme, values=VALUES, by=alice, owner=alice)
    shared = skills.share_skill(skill=row, by=alice)
    assert (shared.owner, list(EntityRevision.objects.values_list("verb", "owner"))) == (
        None,
        [("share", None), ("create", alice.pk)],
    )
