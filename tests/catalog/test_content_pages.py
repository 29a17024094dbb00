"""The content browser and the pages that change files."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import Content, Origin, Server
from orgs.models import User
from tests import factories
from tests.catalog.test_server_pages import page, queries_of
from tests.conftest import Browse

CONTENT = "/o/acme/servers/docs/content/"
PROVENANCE = {
    "repository": "acme/handbook",
    "branch": "main",
    "commit": "c" * 40,
    "oid": "b" * 40,
    "path": "docs/guide.md",
    "url": "https://forge.example/acme/handbook/blob/guide.md",
    "commit_url": "https://forge.example/acme/handbook/commit/c",
}


@pytest.fixture
def guide(docs: Server) -> Content:
    return factories.content(
        docs, "guides/guide.md", "# Guide\n\n[next](next.md)\n", origin="imported", provenance=PROVENANCE
    )


def address(file: Content, action: str = "") -> str:
    return f"{CONTENT}{file.pk}/{action}"


def test_the_browser_shows_folders_and_files(browse: Browse, carol: User, docs: Server, guide: Content) -> None:
    factories.content(docs, "README.md")
    shown = page(browse(carol), CONTENT)
    assert f'href="{CONTENT}?folder=guides"' in shown
    assert "README.md" in shown
    assert "guide.md" not in shown
    assert "guide.md" in page(browse(carol), f"{CONTENT}?folder=guides")


def test_the_browser_takes_as_many_queries_for_many_files_as_for_few(browse: Browse, carol: User, docs: Server) -> None:
    client = browse(carol)
    for number in range(2):
        factories.content(docs, f"{number}/a.md", updated_by=carol)
        factories.content(docs, f"{number}.md", updated_by=carol)
    client.get(CONTENT)
    few = queries_of(lambda: client.get(CONTENT))
    for number in range(2, 20):
        factories.content(docs, f"{number}/a.md", updated_by=carol)
        factories.content(docs, f"{number}.md", updated_by=carol)
    assert queries_of(lambda: client.get(CONTENT)) == few


def test_the_search_finds_a_part_of_a_path_in_any_case(
    browse: Browse, carol: User, docs: Server, guide: Content
) -> None:
    factories.content(docs, "other.md")
    shown = page(browse(carol), f"{CONTENT}?q=GUIDES/G")
    assert "guides/guide.md" in shown
    assert "1 file found" in shown
    assert "other.md" not in shown


@pytest.mark.parametrize(
    "query", ["q=%25", "q=_", "q=%00", "origin=nonsense", "page=x", "folder=%00", "folder=..%2F..", "q=" + "x" * 300]
)
def test_a_strange_question_finds_nothing_and_breaks_nothing(
    browse: Browse, carol: User, guide: Content, query: str
) -> None:
    page(browse(carol), f"{CONTENT}?{query}")


def test_files_can_be_filtered_by_origin_and_staleness(
    browse: Browse, carol: User, docs: Server, guide: Content
) -> None:
    factories.content(docs, "typed.md")
    stale = {**PROVENANCE, "stale_since": "2026-11-01T10:00:00+00:00"}
    factories.content(docs, "gone.md", origin=Origin.IMPORTED, provenance=stale)
    client = browse(carol)
    assert "typed.md" not in page(client, f"{CONTENT}?origin=imported")
    shown = page(client, f"{CONTENT}?stale=on")
    assert "gone.md" in shown
    assert "guide.md" not in shown
    assert "gone in its repository" in page(client, address(Content.objects.get(path="gone.md")))


def test_a_file_shows_its_text_and_where_it_came_from(browse: Browse, carol: User, guide: Content) -> None:
    shown = page(browse(carol), address(guide))
    assert '<h1 id="section-guide">Guide</h1>' in shown
    assert f'href="{CONTENT}at/?path=guides%2Fnext.md"' in shown
    assert "acme/handbook" in shown
    assert PROVENANCE["url"] in shown
    assert PROVENANCE["commit_url"] in shown
    assert "cccccccccc" in shown


def test_an_address_of_provenance_that_is_not_of_the_web_is_not_linked(
    browse: Browse, carol: User, docs: Server
) -> None:
    file = factories.content(
        docs, "a.md", origin="imported", provenance={**PROVENANCE, "url": "javascript:alert(1)", "commit_url": {"x": 1}}
    )
    shown = page(browse(carol), address(file))
    assert "javascript:" not in shown
    assert "bbbbbbbbbb" in shown


def test_hostile_markdown_and_paths_are_shown_and_do_nothing(browse: Browse, carol: User, docs: Server) -> None:
    nasty = "<script>alert(1)</script>"
    file = factories.content(
        docs, f'"><img src=x onerror=alert(1)>/{nasty}.md', nasty + "\n\n<img src=x onerror=alert(1)>"
    )
    for query in ("", "?source"):
        shown = page(browse(carol), address(file) + query)
        assert nasty not in shown
        assert "<img" not in shown
    for query in ("", "?q=script", "?folder=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E/<script>alert(1)<"):
        shown = page(browse(carol), CONTENT + query)
        assert nasty not in shown
        assert "<img" not in shown


def test_raw_is_text_to_keep_that_no_browser_runs(browse: Browse, carol: User, docs: Server) -> None:
    file = factories.content(docs, "a/\"é'<.html", "<script>alert(1)</script>")
    response = browse(carol).get(address(file, "raw/"))
    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment;")
    assert "\n" not in response["Content-Disposition"]


def test_a_long_source_is_cut_with_a_way_to_the_whole(browse: Browse, carol: User, docs: Server) -> None:
    file = factories.content(docs, "long.txt", "x" * 250_000)
    response = browse(carol).get(address(file))
    assert len(response.content) < 240_000
    assert b"Only the beginning is shown" in response.content


def test_links_inside_markdown_lead_to_the_file_or_the_folder(browse: Browse, carol: User, guide: Content) -> None:
    client = browse(carol)
    assert client.get(f"{CONTENT}at/?path=guides/guide.md")["Location"] == address(guide)
    assert client.get(f"{CONTENT}at/?path=guides/")["Location"] == f"{CONTENT}?folder=guides"
    assert "There is no file at nowhere.md" in client.get(f"{CONTENT}at/?path=nowhere.md", follow=True).content.decode()


def test_a_file_of_another_server_is_not_found_by_its_id(browse: Browse, alice: User, docs: Server) -> None:
    other = factories.content(factories.server(docs.organization, "Other"), "a.md")
    for action in ("", "raw/", "edit/", "rename/", "delete/", "detach/"):
        assert browse(alice).get(address(other, action)).status_code == 404


def test_a_file_is_written_and_edited_in_the_browser(browse: Browse, bob: User, docs: Server) -> None:
    client = browse(bob)
    client.post(f"{CONTENT}new/", {"path": "notes/a.md", "text": " one\r\ntwo\r\n"})
    file = docs.contents.get()
    assert file.blob.text == " one\ntwo\n"
    client.post(address(file, "edit/"), {"text": "three\n", "seen_blob": file.blob_id})
    file.refresh_from_db()
    assert file.blob.text == "three\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [("../x", "cannot have"), ("/x", "not with a slash"), ("", "required"), ("taken.md", "already a file")],
)
def test_a_bad_path_is_an_error_beside_its_field(
    browse: Browse, bob: User, docs: Server, path: str, words: str
) -> None:
    factories.content(docs, "taken.md")
    response = browse(bob).post(f"{CONTENT}new/", {"path": path, "text": "my long text"})
    assert words in response.content.decode()
    assert "my long text" in response.content.decode()
    assert docs.contents.count() == 1


def test_of_two_who_edit_one_file_the_second_sees_the_difference_and_loses_nothing(
    browse: Browse, alice: User, bob: User, docs: Server
) -> None:
    file = factories.content(docs, "a.md", "first\n")
    seen = file.blob_id
    browse(alice).post(address(file, "edit/"), {"text": "alices\n", "seen_blob": seen})
    response = browse(bob).post(address(file, "edit/"), {"text": "bobs\n", "seen_blob": seen})
    shown = response.content.decode()
    assert response.status_code == 409
    assert "alices" in shown
    assert "bobs\n</textarea>" in shown
    file.refresh_from_db()
    assert file.blob.text == "alices\n"
    browse(bob).post(address(file, "edit/"), {"text": "both\n", "seen_blob": file.blob_id})
    file.refresh_from_db()
    assert file.blob.text == "both\n"


def test_an_imported_file_is_detached_before_it_is_edited(browse: Browse, bob: User, guide: Content) -> None:
    client = browse(bob)
    assert client.get(address(guide, "edit/"))["Location"] == address(guide, "detach/")
    assert "no longer reach it" in page(client, address(guide, "detach/"))
    guide.refresh_from_db()
    assert guide.origin == Origin.IMPORTED, "asking detaches nothing"
    assert client.post(address(guide, "detach/"))["Location"] == address(guide, "edit/")
    guide.refresh_from_db()
    assert guide.origin == Origin.TYPED


def test_an_imported_file_cannot_be_edited_by_a_forged_form(browse: Browse, bob: User, guide: Content) -> None:
    browse(bob).post(address(guide, "edit/"), {"text": "forged", "seen_blob": guide.blob_id})
    browse(bob).post(address(guide, "rename/"), {"path": "forged.md"})
    guide.refresh_from_db()
    assert (guide.path, guide.blob.text[:7]) == ("guides/guide.md", "# Guide")


def test_a_file_is_renamed_in_the_browser(browse: Browse, bob: User, docs: Server) -> None:
    file = factories.content(docs, "a.md")
    browse(bob).post(address(file, "rename/"), {"path": "b/c.md"})
    file.refresh_from_db()
    assert file.path == "b/c.md"


def test_deleting_needs_its_entitlement_and_says_so(browse: Browse, adam: User, bob: User, docs: Server) -> None:
    file = factories.content(docs, "a.md")
    assert "contents.can_delete" in page(browse(bob), address(file))
    assert browse(bob).post(address(file, "delete/")).status_code == 403
    assert docs.contents.exists()
    assert "Delete a.md?" in page(browse(adam), address(file, "delete/"))
    browse(adam).post(address(file, "delete/"))
    assert not docs.contents.exists()


def test_deleting_an_imported_file_says_that_the_next_refresh_brings_it_back(
    browse: Browse, adam: User, guide: Content
) -> None:
    assert "the next refresh brings it back" in page(browse(adam), address(guide, "delete/"))


def test_a_viewer_sees_what_they_may_not_do_and_why(browse: Browse, carol: User, docs: Server) -> None:
    shown = page(browse(carol), address(factories.content(docs, "a.md")))
    assert "contents.edit" in shown
    assert "contents.can_delete" in shown
    assert "/edit/" not in shown


def test_the_upload_page_begins_without_errors_and_in_the_folder_it_was_opened_from(
    browse: Browse, bob: User, docs: Server
) -> None:
    shown = browse(bob).get(f"{CONTENT}upload/?folder=guides").content.decode()
    assert "needs your attention" not in shown
    assert "This field is required" not in shown
    assert 'value="guides"' in shown


def test_an_upload_keeps_the_good_files_and_names_the_bad_ones(browse: Browse, bob: User, docs: Server) -> None:
    files = [
        SimpleUploadedFile("good.md", b"good"),
        SimpleUploadedFile("empty.md", b""),
        SimpleUploadedFile("bad.png", b"\x89\0"),
    ]
    response = browse(bob).post(f"{CONTENT}upload/", {"uploads": files, "folder": "in"})
    assert "bad.png" in response.content.decode()
    assert "binary file" in response.content.decode()
    assert list(docs.contents.values_list("path", flat=True)) == ["in/empty.md", "in/good.md"]


def test_a_large_upload_is_refused_without_being_read_whole(
    browse: Browse, bob: User, docs: Server, settings: Any
) -> None:
    settings.CONTENT_MAX_FILE_BYTES = 10
    upload = SimpleUploadedFile("large.md", b"x" * 1000)
    shown = browse(bob).post(f"{CONTENT}upload/", {"uploads": [upload]}).content.decode()
    assert "too large" in shown
    assert not docs.contents.exists()


def test_an_upload_of_good_files_leads_back_to_the_content(browse: Browse, bob: User, docs: Server) -> None:
    files = [SimpleUploadedFile("a.md", b"x")]
    assert browse(bob).post(f"{CONTENT}upload/", {"uploads": files})["Location"] == CONTENT
    files = [SimpleUploadedFile("a.md", b"x")]
    response = browse(bob).post(f"{CONTENT}upload/", {"uploads": files, "folder": "a b"})
    assert response["Location"] == f"{CONTENT}?folder=a+b"


def test_an_upload_of_nothing_is_an_error_beside_its_field(browse: Browse, bob: User, docs: Server) -> None:
    assert "This field is required" in browse(bob).post(f"{CONTENT}upload/", {}).content.decode()
