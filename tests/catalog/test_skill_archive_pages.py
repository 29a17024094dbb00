"""Whole skills as zip files: made of what people upload, however hostile it is."""

from __future__ import annotations

import html
import io
import stat
import time
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import Skill
from catalog.skill_archives import BadArchive, unpack
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import words
from tests.conftest import Browse

SKILLS = "/o/acme/skills"
FILES = {"scripts/fill.py": b"print(1)\n", "scripts/run.bat": b"echo 1\r\n", "assets/data.bin": b"\xff\0\1"}
SKILL_MD = b"---\nname: made\ndescription: Made of a zip file.\nlicense: MIT\n---\n\n# Made\n"


@pytest.fixture
def forms(acme: Organization) -> Skill:
    return factories.skill(acme, "Forms", FILES, slug="forms", instructions="Fill it in.")


def files_of(row: Skill) -> dict[str, bytes]:
    return {path: bytes(data) for path, data in row.files.values_list("path", "blob__data")}


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out


def send(browse: Browse, bob: User, data: bytes, name: str = "made.zip", **more: str) -> str:
    sent = {"upload": SimpleUploadedFile(name, data), "who": "organization", **more}
    return html.unescape(words(browse(bob).post(f"{SKILLS}/upload/", sent, follow=True)))


@pytest.mark.parametrize("folder", ["", "made/", "deep/er/made/"])
def test_a_skill_is_made_of_a_zip_file(browse: Browse, bob: User, folder: str) -> None:
    files = {"SKILL.md": SKILL_MD, "scripts/a.py": b"a", "assets/b.bin": b"\0"}
    data = packed({**{folder + path: each for path, each in files.items()}, "__MACOSX/._x": b"x"}).getvalue()
    send(browse, bob, data)
    row = Skill.objects.get()
    assert (row.name, row.slug, row.description) == ("made", "made", "Made of a zip file.")
    assert row.front_matter == {"license": "MIT"}
    assert files_of(row) == {"scripts/a.py": b"a", "assets/b.bin": b"\0"}


def test_what_is_downloaded_can_be_uploaded_and_is_the_same(browse: Browse, bob: User, forms: Skill) -> None:
    response = browse(bob).get(f"{SKILLS}/{forms.pk}/zip/")
    data = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a stream
    send(browse, bob, data, slug="copy", who="me")
    copy = Skill.objects.get(slug="copy")
    assert copy.owner == bob
    assert copy.pk != forms.pk
    assert files_of(copy) == FILES
    assert (copy.name, copy.description, copy.instructions, copy.front_matter) == (
        forms.name,
        forms.description,
        forms.instructions,
        forms.front_matter,
    )


def link() -> bytes:
    out = packed({"SKILL.md": SKILL_MD})
    with zipfile.ZipFile(out, "a") as archive:
        member = zipfile.ZipInfo("assets/passwd")
        member.create_system = 3
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return out.getvalue()


HOSTILE = {
    "no zip": (b"PK\x03\x04 nothing", "no zip file that can be read"),
    "empty": (packed({}).getvalue(), "It has no SKILL.md"),
    "without SKILL.md": (packed({"a.txt": b"x"}).getvalue(), "It has no SKILL.md"),
    "several": (packed({"a/SKILL.md": SKILL_MD, "b/SKILL.md": SKILL_MD}).getvalue(), "several skills"),
    "traversal": (packed({"SKILL.md": SKILL_MD, "../../etc/x": b"x"}).getvalue(), "is no path of a skill’s file"),
    "absolute": (packed({"SKILL.md": SKILL_MD, "/etc/x": b"x"}).getvalue(), "is no path of a skill’s file"),
    "link": (link(), "is a link"),
    "bomb": (packed({"SKILL.md": SKILL_MD, "a": bytes(60_000_000)}).getvalue(), "the most of one file"),
    "bombs": (packed({"SKILL.md": SKILL_MD, **{f"{n}": bytes(4 << 20) for n in range(6)}}).getvalue(), "together"),
    "many": (packed({"SKILL.md": SKILL_MD, **{f"{n}": b"" for n in range(600)}}).getvalue(), "a skill can have"),
    "members": (packed({"SKILL.md": SKILL_MD, "a": b"PK\x01\x02" * 20_001}, zipfile.ZIP_STORED).getvalue(), "members"),
    "case": (packed({"SKILL.md": SKILL_MD, "a": b"x", "A": b"y"}).getvalue(), "a: A is there as well"),
    "no name": (packed({"SKILL.md": b"---\ndescription: x\n---\n"}).getvalue(), "SKILL.md, line 1: "),
    "no front matter": (packed({"SKILL.md": b"# Hello"}).getvalue(), "front matter"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_zip_file_that_no_skill_can_be_made_of_says_why_and_leaves_nothing(
    browse: Browse, bob: User, name: str
) -> None:
    data, expected = HOSTILE[name]
    shown = send(browse, bob, data)
    assert expected in shown
    assert 'class="errorlist"' in shown
    assert not Skill.objects.exists()


def test_a_size_that_the_zip_file_lies_about_is_not_believed(browse: Browse, bob: User) -> None:
    data = bytearray(packed({"SKILL.md": SKILL_MD, "big": bytes(6 << 20)}).getvalue())
    size = (6 << 20).to_bytes(4, "little")
    assert data.count(size) >= 2
    shown = send(browse, bob, bytes(data.replace(size, (10).to_bytes(4, "little"))))
    assert 'class="errorlist"' in shown
    assert not Skill.objects.exists()


def test_a_slug_that_is_taken_is_told_beside_its_field(browse: Browse, bob: User, forms: Skill) -> None:
    data = packed({"forms/SKILL.md": SKILL_MD}).getvalue()
    response = browse(bob).post(
        f"{SKILLS}/upload/", {"upload": SimpleUploadedFile("x.zip", data), "who": "organization"}
    )
    assert response.context["form"].errors["slug"]
    assert Skill.objects.count() == 1


def test_a_zip_file_of_nothing_but_skills_is_refused_at_once() -> None:
    data = packed({f"{number}/SKILL.md": b"" for number in range(20_000)}, zipfile.ZIP_STORED)
    before = time.process_time()
    with pytest.raises(BadArchive, match="several skills"):
        unpack(data, max_file_bytes=1, max_bytes=1, max_files=1)
    assert time.process_time() - before < 5


def test_the_outermost_skill_is_the_one_whatever_lies_beside_and_in_it() -> None:
    inside = {"a/SKILL.md": b"1", "a-b/x": b"", "a/b/SKILL.md": b"2", "a/b/c/SKILL.md": b"3"}
    folder, files = unpack(packed(inside), max_file_bytes=9, max_bytes=9, max_files=9)
    assert (folder, files) == ("a", {"SKILL.md": b"1", "b/SKILL.md": b"2", "b/c/SKILL.md": b"3"})
    with pytest.raises(BadArchive, match="several skills"):
        unpack(packed({**inside, "a-b/SKILL.md": b"4"}), max_file_bytes=9, max_bytes=9, max_files=9)
