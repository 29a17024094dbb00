"""Pages of skills: SKILL.md in fields, its preview, and whose it is."""

from __future__ import annotations

import html
import io
import zipfile
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Skill
from orgs.models import Organization, User
from tests import factories
from tests.catalog.pages import page, queries_of, words
from tests.conftest import Browse

SKILLS = "/o/acme/skills"
FORM = {
    "name": "pdf-forms",
    "slug": "",
    "description": "Fills in PDF forms.",
    "instructions": "# Fill\r\n\r\nRun [it](scripts/fill.py).\r\n",
    "license": "MIT",
    "compatibility": "",
    "allowed_tools": "Bash(python:*) Read",
    "metadata": "author: Acme\r\nversion: 1.0\r\n",
    "who": "organization",
}
FRONT = {
    "license": "MIT",
    "allowed-tools": "Bash(python:*) Read",
    "metadata": {"author": "Acme", "version": "1.0"},
}


def at(row: Skill, name: str = "") -> str:
    return f"{SKILLS}/{row.pk}/{name}"


@pytest.fixture
def forms(acme: Organization) -> Skill:
    return factories.skill(
        acme,
        "PDF forms",
        {"scripts/fill.py": b"print(1)\n", "scripts/lib/a.py": b"", "assets/logo.bin": b"\0\1"},
        instructions="# Fill\n\nRun [it](scripts/fill.py).",
        front_matter=FRONT,
    )


def test_a_skill_is_made_of_its_fields(browse: Browse, bob: User) -> None:
    shown = words(browse(bob).post(f"{SKILLS}/new/", FORM, follow=True))
    row = Skill.objects.get()
    assert (row.slug, row.owner) == ("pdf-forms", None)
    assert row.front_matter == FRONT
    assert row.instructions == "# Fill\n\nRun [it](scripts/fill.py)."
    assert "Agents expect a skill to be named as its folder is" not in shown


def test_a_personal_skill_and_its_files_are_seen_by_its_owner_alone(
    browse: Browse, alice: User, bob: User, charlie: User
) -> None:
    browse(bob).post(f"{SKILLS}/new/", {**FORM, "who": "me"})
    row = Skill.objects.get()
    assert row.owner == bob
    browse(bob).post(at(row, "file/new/"), {"path": "a.txt", "text": "mine"})
    assert page(browse(bob), at(row, "file/?path=a.txt"))
    for person in (alice, charlie):
        for name in ("", "edit/", "zip/", "file/?path=a.txt", "file/raw/?path=a.txt", "file/new/", "file/upload/"):
            assert browse(person).get(at(row, name)).status_code == 404
        for name in ("edit", "rename", "replace", "delete"):
            assert browse(person).get(at(row, f"file/{name}/?path=a.txt")).status_code == 404
            assert browse(person).post(at(row, f"file/{name}/?path=a.txt"), {"text": "x"}).status_code == 404
    assert row.name not in page(browse(alice), f"{SKILLS}/")


def test_the_page_shows_instructions_rendered_and_clean_with_links_to_files(
    browse: Browse, carol: User, acme: Organization, forms: Skill
) -> None:
    shown = page(browse(carol), at(forms))
    assert '<h1 id="section-fill">Fill</h1>' in shown
    assert f'href="{at(forms, "file/")}?path=scripts%2Ffill.py"' in shown
    assert "Agents expect a skill to be named as its folder is" in shown
    assert "# Fill" in page(browse(carol), at(forms) + "?source")
    bad = factories.skill(acme, "Bad", instructions="<script>alert(1)</script><img src=x onerror=y> [x](javascript:y)")
    shown = page(browse(carol), at(bad))
    assert "alert(1)</script>" not in shown.replace("&lt;", "<").split('id="written"')[0]
    assert "onerror" not in shown.split('id="written"')[0]
    assert 'href="javascript' not in shown


def test_the_page_lists_files_as_a_tree_with_sizes_and_what_is_left(browse: Browse, carol: User, forms: Skill) -> None:
    shown = page(browse(carol), at(forms))
    assert "3 of 500 files" in shown
    assert "<span>scripts/</span>" in shown
    assert "<span>lib/</span>" in shown
    assert f'href="{at(forms, "file/")}?path=scripts%2Flib%2Fa.py"' in shown


def test_the_page_shows_skill_md_as_it_is_written(browse: Browse, carol: User, forms: Skill) -> None:
    shown = html.unescape(browse(carol).get(at(forms)).content.decode())
    written = shown.split('<code id="skill-md">')[1].split("</code>")[0]
    assert written.startswith("---\nname: PDF forms\ndescription: Fills in forms.\n")
    assert f"millrace-id: {forms.pk}" in written
    assert written.endswith("# Fill\n\nRun [it](scripts/fill.py).\n")


def test_editing_keeps_the_order_and_what_the_form_cannot_hold(browse: Browse, bob: User, acme: Organization) -> None:
    front = {"version": 3, "metadata": {"nested": {"a": [1]}}, "license": "MIT", "allowed-tools": ["Read", "Bash"]}
    row = factories.skill(acme, "Odd", front_matter=front)
    shown = html.unescape(page(browse(bob), at(row, "edit/")))
    assert 'name="license"' in shown
    assert 'name="metadata"' not in shown
    assert '"nested"' in shown
    sent = {**FORM, "slug": "odd", "seen_revision": 1, "license": "Apache-2.0", "compatibility": "Python 3"}
    browse(bob).post(at(row, "edit/"), sent)
    saved = Skill.objects.get().front_matter
    assert saved == {**front, "license": "Apache-2.0", "compatibility": "Python 3"}
    assert list(saved) == ["version", "metadata", "license", "allowed-tools", "compatibility"]


def test_saving_the_form_as_it_was_read_changes_nothing(browse: Browse, bob: User, forms: Skill) -> None:
    client = browse(bob)
    form = client.get(at(forms, "edit/")).context["form"]
    client.post(
        at(forms, "edit/"),
        {each.html_name: each.value() or "" for each in form if each.name != "metadata"}
        | {"metadata": "author: Acme\nversion: 1.0"},
    )
    assert Skill.objects.get().revision == 1


def test_emptying_a_field_takes_its_member_out(browse: Browse, bob: User, forms: Skill) -> None:
    sent = {**FORM, "slug": "pdf-forms", "seen_revision": 1, "metadata": "", "license": " "}
    browse(bob).post(at(forms, "edit/"), sent)
    assert Skill.objects.get().front_matter == {"allowed-tools": FRONT["allowed-tools"]}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"description": " "}, "This field is required"),
        ({"name": ""}, "This field is required"),
        ({"slug": "A b"}, "A slug has small letters"),
        ({"slug": "pdf-forms"}, "pdf-forms"),
        ({"metadata": "author Acme"}, "Line 1 is not of the form"),
        ({"metadata": "a: 1\n\na: 2"}, "Line 3: there is already a “a”"),
        ({"metadata": "millrace-id: mine"}, "is written by Millrace"),
        ({"compatibility": "x" * 501}, "at most 500 characters"),
    ],
)
def test_what_is_wrong_stands_beside_the_fields_and_nothing_is_saved(
    browse: Browse, bob: User, forms: Skill, values: dict[str, Any], expected: str
) -> None:
    response = browse(bob).post(f"{SKILLS}/new/", {**FORM, **values})
    shown = html.unescape(words(response))
    assert response.status_code == 200
    assert expected in shown
    assert 'class="errorlist"' in shown
    assert "Bash(python:*) Read" in shown
    assert Skill.objects.count() == 1


def test_of_two_edits_the_second_sees_both_and_loses_neither(
    browse: Browse, alice: User, bob: User, forms: Skill
) -> None:
    seen = {**FORM, "slug": "pdf-forms", "seen_revision": 1}
    browse(alice).post(at(forms, "edit/"), {**seen, "instructions": "Words of Alice", "metadata": "by: Alice"})
    response = browse(bob).post(at(forms, "edit/"), {**seen, "instructions": "Words of Bob"})
    shown = html.unescape(words(response))
    assert response.status_code == 409
    assert "Words of Alice</pre>" in shown
    assert "by: Alice</pre>" in shown
    assert "Words of Bob</textarea>" in shown
    assert Skill.objects.get().instructions == "Words of Alice"
    browse(bob).post(at(forms, "edit/"), {**seen, "instructions": "Words of Bob", "seen_revision": 2})
    assert Skill.objects.get().instructions == "Words of Bob"


def test_a_file_saved_meanwhile_is_no_reason_to_lose_words(
    browse: Browse, alice: User, bob: User, forms: Skill
) -> None:
    browse(alice).post(at(forms, "file/new/"), {"path": "b.txt", "text": "x"})
    sent = {**FORM, "slug": "pdf-forms", "seen_revision": 1, "instructions": "Words of Bob"}
    shown = html.unescape(words(browse(bob).post(at(forms, "edit/"), sent)))
    assert "Words of Bob</textarea>" in shown
    browse(bob).post(at(forms, "edit/"), {**sent, "seen_revision": 2})
    row = Skill.objects.get()
    assert row.instructions == "Words of Bob"
    assert row.files.filter(path="b.txt").exists()


def test_the_zip_file_is_the_folder_and_always_the_same(browse: Browse, carol: User, forms: Skill) -> None:
    def packed() -> bytes:
        response = browse(carol).get(at(forms, "zip/"))
        assert response["Content-Disposition"] == 'attachment; filename="pdf-forms.zip"'
        assert response["X-Content-Type-Options"] == "nosniff"
        return b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a stream

    first = packed()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == [
            "pdf-forms/SKILL.md",
            "pdf-forms/assets/logo.bin",
            "pdf-forms/scripts/fill.py",
            "pdf-forms/scripts/lib/a.py",
        ]
        assert archive.read("pdf-forms/assets/logo.bin") == b"\0\1"
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("pdf-forms/SKILL.md").startswith(b"---\nname: PDF forms\n")
    assert packed() == first


def test_a_viewer_reads_and_changes_nothing(browse: Browse, carol: User, forms: Skill) -> None:
    assert "entities.edit" in page(browse(carol), at(forms))
    for address in (
        at(forms, "edit/"),
        f"{SKILLS}/new/",
        f"{SKILLS}/upload/",
        at(forms, "file/new/"),
        at(forms, "file/upload/"),
        *(at(forms, f"file/{name}/?path=scripts/fill.py") for name in ("edit", "rename", "replace", "delete")),
    ):
        assert browse(carol).post(address, FORM).status_code == 403
        assert browse(carol).get(address).status_code == 403
    assert Skill.objects.get().revision == 1


def test_ids_of_others_lead_nowhere(browse: Browse, bob: User, charlie: User, forms: Skill) -> None:
    for name in ("", "edit/", "zip/", "file/?path=scripts/fill.py", "file/raw/?path=scripts/fill.py"):
        assert browse(charlie).get(at(forms, name)).status_code == 404
        assert browse(charlie).get(at(forms, name).replace("/acme/", "/other/")).status_code == 404
    assert browse(bob).get(f"{SKILLS}/{uuid4()}/").status_code == 404


def test_a_list_and_a_page_take_as_many_queries_for_many_as_for_few(
    browse: Browse, bob: User, acme: Organization
) -> None:
    client = browse(bob)
    client.get(f"{SKILLS}/")
    row = factories.skill(acme, "One", {"a.txt": b"1"})
    factories.toolkit(acme, skills=[row])
    few, few_of_page = queries_of(lambda: client.get(f"{SKILLS}/")), queries_of(lambda: client.get(at(row)))
    many = factories.skill(acme, "Many", {f"references/{number}/a.txt": b"%d" % number for number in range(30)})
    for _ in range(6):
        factories.toolkit(acme, skills=[factories.skill(acme, owner=bob), many])
    assert queries_of(lambda: client.get(f"{SKILLS}/")) == few
    assert queries_of(lambda: client.get(at(many))) == few_of_page
