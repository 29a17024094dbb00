"""Pages of a skill's files: look, download, write, upload, rename, replace, delete."""

from __future__ import annotations

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from catalog.models import Skill
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, words
from tests.conftest import Browse

SKILLS = "/o/acme/skills"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
FILES = {
    "scripts/fill.py": b"print(1)\n",
    "scripts/run.bat": b"echo 1\r\necho 2\r\n",
    "references/a.md": b"# Title\n\n[fill](../scripts/fill.py)\n",
    "assets/logo.png": PNG,
    "assets/evil.svg": SVG,
    "assets/page.html": b"<script>alert(1)</script>",
    "assets/data.bin": b"\xff\0\1",
}


@pytest.fixture
def forms(acme: Organization) -> Skill:
    return factories.skill(acme, "Forms", FILES, slug="forms", instructions="Fill it in.")


def at(row: Skill, name: str = "", path: str = "") -> str:
    return f"{SKILLS}/{row.pk}/file/{name}" + (f"?path={path}" if path else "")


def files_of(row: Skill) -> dict[str, bytes]:
    return {path: bytes(data) for path, data in row.files.values_list("path", "blob__data")}


def oid(row: Skill, path: str) -> str:
    return row.files.get(path=path).blob.oid


def test_each_kind_of_file_is_shown_as_what_it_is(browse: Browse, carol: User, forms: Skill) -> None:
    client = browse(carol)
    assert "print(1)" in page(client, at(forms, path="scripts/fill.py"))
    shown = page(client, at(forms, path="references/a.md"))
    assert 'id="section-title"' in shown
    assert f"{at(forms)}?path=scripts%2Ffill.py" in shown
    assert "# Title" in page(client, at(forms, path="references/a.md") + "&source")
    assert "<img" in page(client, at(forms, path="assets/logo.png"))
    assert "PNG image" in page(client, at(forms, path="assets/logo.png"))
    shown = page(client, at(forms, path="assets/evil.svg"))
    assert "<img" not in shown
    assert "&lt;svg" in shown
    shown = page(client, at(forms, path="assets/data.bin"))
    assert "A binary file of 3 bytes" in html.unescape(shown).replace("\xa0", " ")
    assert "BIN, binary" in shown


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("assets/evil.svg", "text/plain; charset=utf-8"),
        ("assets/page.html", "text/plain; charset=utf-8"),
        ("assets/logo.png", "image/png"),
        ("assets/data.bin", "application/octet-stream"),
    ],
)
def test_a_download_is_the_bytes_and_nothing_that_a_browser_runs(
    browse: Browse, carol: User, forms: Skill, path: str, kind: str
) -> None:
    response = browse(carol).get(at(forms, "raw/", path))
    assert response.content == FILES[path]
    assert response["Content-Type"] == kind
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_page_named_as_a_picture_is_none(browse: Browse, carol: User, acme: Organization) -> None:
    row = factories.skill(acme, "Named", {"assets/logo.png": b"<script>alert(1)</script>"})
    assert "<img" not in page(browse(carol), at(row, path="assets/logo.png"))
    assert browse(carol).get(at(row, "raw/", "assets/logo.png"))["Content-Type"].startswith("text/plain")


def test_a_path_that_is_not_there_leads_back_to_the_skill(browse: Browse, carol: User, forms: Skill) -> None:
    for path in ("none.txt", "../../settings.py", "/etc/passwd", "%00", "scripts/fill.py/x"):
        response = browse(carol).get(at(forms, path=path), follow=True)
        assert response.redirect_chain == [(f"{SKILLS}/{forms.pk}/#files", 302)]
        assert browse(carol).get(at(forms, "raw/", path)).status_code == 404
    assert "There is no file at" in words(browse(carol).get(at(forms, path="none.txt"), follow=True))
    assert "There is no file at" not in words(browse(carol).get(at(forms, path="scripts"), follow=True))


@pytest.mark.parametrize("name", ["edit/", "rename/", "replace/", "delete/", "raw/"])
def test_a_file_of_another_skill_is_not_reached_through_this_one(
    browse: Browse, bob: User, acme: Organization, forms: Skill, name: str
) -> None:
    other = factories.skill(acme, "Other", {"secret.txt": b"x"}, owner=factories.user())
    assert browse(bob).get(at(forms, name, "secret.txt")).status_code == 404
    assert browse(bob).post(at(forms, name, "secret.txt"), {"text": "y", "path": "b.txt"}).status_code in (404, 405)
    assert files_of(other) == {"secret.txt": b"x"}


def test_a_text_file_is_written(browse: Browse, bob: User, forms: Skill) -> None:
    sent = {"path": "references/new.md", "text": "One\r\nTwo\r\n"}
    shown = words(browse(bob).post(at(forms, "new/"), sent, follow=True))
    assert "references/new.md is saved" in shown
    assert files_of(forms)["references/new.md"] == b"One\nTwo\n"
    assert Skill.objects.get().revision == 2


@pytest.mark.parametrize(
    "path",
    [
        "../a.txt",
        "/a.txt",
        "a//b",
        "a\\b",
        "SKILL.md",
        "skill.MD",
        ".git/config",
        "scripts/.GIT/hooks/x",
        "scripts/fill.py",
        "scripts/FILL.py",
        "scripts/fill.py/x",
        "scripts",
        "a" * 600,
        "",
    ],
)
def test_a_path_that_no_skill_can_have_is_refused_beside_the_field(
    browse: Browse, bob: User, forms: Skill, path: str
) -> None:
    response = browse(bob).post(at(forms, "new/"), {"path": path, "text": "kept words"})
    assert response.status_code == 200
    assert response.context["form"].errors["path"]
    assert "kept words" in words(response)
    rename = {"path": path, "seen": oid(forms, "assets/logo.png")}
    response = browse(bob).post(at(forms, "rename/", "assets/logo.png"), rename)
    assert response.context["form"].errors["path"]
    assert files_of(forms) == FILES


def test_a_text_file_is_edited_and_keeps_its_line_ends(browse: Browse, bob: User, forms: Skill) -> None:
    for path, text, data in (
        ("scripts/fill.py", "print(2)\r\n", b"print(2)\n"),
        ("scripts/run.bat", "echo 3\r\n", b"echo 3\r\n"),
    ):
        browse(bob).post(at(forms, "edit/", path), {"text": text, "seen": oid(forms, path)})
        assert files_of(forms)[path] == data


def test_of_two_edits_of_a_file_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, forms: Skill
) -> None:
    seen, address = oid(forms, "scripts/fill.py"), at(forms, "edit/", "scripts/fill.py")
    browse(alice).post(address, {"text": "alice()", "seen": seen})
    response = browse(bob).post(address, {"text": "bob()", "seen": seen})
    shown = words(response)
    assert response.status_code == 409
    assert "alice()" in shown
    assert "bob()</textarea>" in shown
    assert files_of(forms)["scripts/fill.py"] == b"alice()"
    for forged in ("", "x"):
        assert browse(bob).post(address, {"text": "bob()", "seen": forged}).status_code == 409
    browse(bob).post(address, {"text": "bob()", "seen": oid(forms, "scripts/fill.py")})
    assert files_of(forms)["scripts/fill.py"] == b"bob()"


def test_an_edit_of_another_file_meanwhile_is_no_conflict(browse: Browse, alice: User, bob: User, forms: Skill) -> None:
    seen = oid(forms, "scripts/fill.py")
    browse(alice).post(at(forms, "new/"), {"path": "b.txt", "text": "x"})
    browse(bob).post(at(forms, "edit/", "scripts/fill.py"), {"text": "bob()", "seen": seen})
    assert files_of(forms) == {**FILES, "b.txt": b"x", "scripts/fill.py": b"bob()"}


def test_a_binary_file_is_replaced_and_not_edited(browse: Browse, bob: User, forms: Skill) -> None:
    path = "assets/data.bin"
    assert browse(bob).get(at(forms, "edit/", path)).status_code == 302
    sent = {"upload": SimpleUploadedFile("other.dat", b"\0\2"), "seen": oid(forms, path)}
    browse(bob).post(at(forms, "replace/", path), sent)
    assert files_of(forms)[path] == b"\0\2"
    sent = {"upload": SimpleUploadedFile("other.dat", b"\0\3"), "seen": "0" * 40}
    shown = words(browse(bob).post(at(forms, "replace/", path), sent))
    assert "Somebody else changed this file" in shown
    assert files_of(forms)[path] == b"\0\2"


def test_a_file_is_moved_and_deleted(browse: Browse, bob: User, forms: Skill) -> None:
    moved = {"path": "docs/b.md", "seen": oid(forms, "references/a.md")}
    browse(bob).post(at(forms, "rename/", "references/a.md"), moved)
    found = files_of(forms)
    assert found["docs/b.md"] == FILES["references/a.md"]
    assert "references/a.md" not in found
    assert "Delete docs/b.md?" in page(browse(bob), at(forms, "delete/", "docs/b.md"))
    assert "docs/b.md" in files_of(forms)
    browse(bob).post(at(forms, "delete/", "docs/b.md"))
    assert "docs/b.md" not in files_of(forms)


def test_the_case_of_a_name_can_be_changed(browse: Browse, bob: User, forms: Skill) -> None:
    sent = {"path": "scripts/Fill.py", "seen": oid(forms, "scripts/fill.py")}
    browse(bob).post(at(forms, "rename/", "scripts/fill.py"), sent)
    assert "scripts/Fill.py" in files_of(forms)


def test_uploads_go_into_their_folder_and_each_refused_one_says_why(
    browse: Browse, bob: User, forms: Skill, settings: Settings
) -> None:
    settings.ENTITY_MAX_FILE_BYTES = 99
    sent = {
        "uploads": [
            SimpleUploadedFile("fill.py", b"new"),
            SimpleUploadedFile("big.txt", b"x" * 100),
            SimpleUploadedFile("good.bin", b"\0\1"),
            SimpleUploadedFile("GOOD.bin", b"\0\2"),
            SimpleUploadedFile("run.bat", FILES["scripts/run.bat"]),
            SimpleUploadedFile("empty.txt", b""),
        ],
        "folder": "scripts/",
    }
    shown = html.unescape(words(browse(bob).post(at(forms, "upload/"), sent)))
    assert "3 files were refused, the rest is kept" in shown
    assert "There is a file with this path" in shown
    assert "It has 100 bytes; 99 is the most" in shown
    assert "differ in case only" in shown
    assert "Unchanged scripts/run.bat" in shown
    added = {"scripts/good.bin": b"\0\1", "scripts/empty.txt": b""}
    assert files_of(forms) == {**FILES, **added}
    again = {"uploads": [SimpleUploadedFile("fill.py", b"new")], "folder": "scripts", "replace": "on"}
    assert browse(bob).post(at(forms, "upload/"), again).status_code == 302
    assert files_of(forms)["scripts/fill.py"] == b"new"


@pytest.mark.parametrize("folder", ["../other", "/etc", ".git", "scripts/fill.py"])
def test_a_forged_folder_takes_nothing(browse: Browse, bob: User, forms: Skill, folder: str) -> None:
    sent = {"uploads": [SimpleUploadedFile("a.txt", b"x")], "folder": folder, "replace": "on"}
    response = browse(bob).post(at(forms, "upload/"), sent)
    if folder != "/etc":  # a slash before a folder's name is no mistake
        assert response.status_code == 200
        assert files_of(forms) == FILES
    assert not any(path.startswith(("/", "..")) for path in files_of(forms))


def test_no_file_becomes_skill_md(browse: Browse, bob: User, forms: Skill) -> None:
    sent = {"uploads": [SimpleUploadedFile("SKILL.md", b"---\nname: x\n---\n")], "replace": "on"}
    assert "SKILL.md is made of" in html.unescape(words(browse(bob).post(at(forms, "upload/"), sent)))
    assert files_of(forms) == FILES


def test_the_caps_are_told_before_and_kept(browse: Browse, bob: User, forms: Skill, settings: Settings) -> None:
    settings.SKILL_MAX_BYTES, settings.SKILL_MAX_FILES = 400, 8
    shown = html.unescape(page(browse(bob), at(forms, "upload/"))).replace("\xa0", " ")
    assert "400 bytes and 8 files in the whole skill" in shown
    assert "7 of 8 files" in page(browse(bob), f"{SKILLS}/{forms.pk}/")
    two = {"uploads": [SimpleUploadedFile("a", b"x"), SimpleUploadedFile("b", b"x")]}
    assert "8 is the most for a skill" in words(browse(bob).post(at(forms, "upload/"), two))
    large = {"uploads": [SimpleUploadedFile("a", b"x" * 300)]}
    response = browse(bob).post(at(forms, "upload/"), large)
    assert "is the most for a skill" in words(response)
    assert response.context["form"].errors["uploads"]
    assert files_of(forms) == FILES


def test_more_than_a_skill_can_have_is_refused_before_it_is_read(
    browse: Browse, bob: User, forms: Skill, settings: Settings
) -> None:
    settings.SKILL_MAX_BYTES = settings.ENTITY_MAX_FILE_BYTES = 5
    sent = {"uploads": [SimpleUploadedFile(name, b"abc") for name in ("a", "b")]}
    response = browse(bob).post(at(forms, "upload/"), sent)
    assert "They have 6" in words(response)
    assert files_of(forms) == FILES
