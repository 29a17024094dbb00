"""The Versions tab: cut, browse, serve, compare, delete; and the notice that the live content is newer."""

from __future__ import annotations

import pytest

from catalog import contents, versions
from catalog.models import Server, Version
from orgs.models import User
from tests import factories
from tests.catalog.test_server_pages import page, queries_of
from tests.conftest import Browse

DOCS = "/o/acme/servers/docs/"
VERSIONS = f"{DOCS}versions/"
NOTICE = "The live content is newer than"


@pytest.fixture
def v1(docs: Server, bob: User) -> Version:
    """The active version; the live content has changed since."""
    file = contents.create_content(server=docs, path="guides/a.md", text="# One\n", by=bob)
    version = versions.cut_version(server=docs, note="First", activate=True, by=bob)
    contents.edit_content(content=file, text="# Two\n", by=bob)
    return version


def fresh(server: Server) -> Server:
    return Server.objects.select_related("active_version", "default_version").get(pk=server.pk)


def test_the_list_takes_as_many_queries_for_many_versions_as_for_few(browse: Browse, carol: User, v1: Version) -> None:
    client = browse(carol)
    client.get(VERSIONS)
    few = queries_of(lambda: client.get(VERSIONS))
    for _ in range(10):
        versions.cut_version(server=v1.server, by=carol)
    assert queries_of(lambda: client.get(VERSIONS)) == few


def test_each_page_of_a_server_says_that_the_live_content_is_newer(browse: Browse, carol: User, v1: Version) -> None:
    for tab in ("", "content/", "versions/", "activity/"):
        assert f"{NOTICE} the active version v1" in page(browse(carol), DOCS + tab)


def test_the_notice_is_a_fragment_for_other_apps_and_empty_when_there_is_nothing_to_say(
    browse: Browse, carol: User, v1: Version
) -> None:
    client = browse(carol)
    shown = page(client, f"{VERSIONS}notice/", htmx=True)
    assert NOTICE in shown
    assert "<html" not in shown
    versions.cut_version(server=v1.server, activate=True)
    assert page(client, f"{VERSIONS}notice/", htmx=True) == ""
    assert client.get(f"{VERSIONS}notice/")["Location"] == VERSIONS


def test_who_may_not_cut_sees_the_notice_and_what_is_needed(
    browse: Browse, bob: User, carol: User, v1: Version
) -> None:
    assert f'href="{VERSIONS}cut/"' in page(browse(bob), DOCS)
    shown = page(browse(carol), VERSIONS)
    assert NOTICE in shown
    assert f'href="{VERSIONS}cut/"' not in shown
    assert "Needs the entitlement “versions.publish”" in shown


def test_a_version_is_cut_and_served_at_once_when_asked(browse: Browse, bob: User, v1: Version, docs: Server) -> None:
    browse(bob).post(f"{VERSIONS}cut/", {"note": "Second"})
    assert fresh(docs).served_version == v1
    browse(bob).post(f"{VERSIONS}cut/", {"note": "Third", "activate": "on"})
    assert str(fresh(docs).served_version) == "v3"
    assert NOTICE not in page(browse(bob), VERSIONS)


def test_pointers_are_set_and_cleared(browse: Browse, bob: User, v1: Version, docs: Server) -> None:
    client = browse(bob)
    client.post(f"{VERSIONS}1/point/", {"pointer": "default"})
    client.post(f"{VERSIONS}clear/", {"pointer": "active"})
    server = fresh(docs)
    assert (server.active_version, server.default_version) == (None, v1)
    assert "the default version, v1, because none is active" in page(client, VERSIONS)


def test_a_pointer_that_does_not_exist_is_not_found(browse: Browse, bob: User, v1: Version, docs: Server) -> None:
    assert browse(bob).post(f"{VERSIONS}1/point/", {"pointer": "organization"}).status_code == 404
    assert browse(bob).post(f"{VERSIONS}clear/").status_code == 404


def test_pointers_are_not_moved_by_following_a_link(browse: Browse, bob: User, v1: Version) -> None:
    assert browse(bob).get(f"{VERSIONS}1/point/?pointer=default").status_code == 405
    assert browse(bob).get(f"{VERSIONS}clear/?pointer=active").status_code == 405


def test_deleting_the_served_version_says_what_is_served_then_and_wants_a_yes(
    browse: Browse, bob: User, v1: Version, docs: Server
) -> None:
    client = browse(bob)
    assert "Agents then get the live content." in page(client, f"{VERSIONS}1/delete/")
    client.post(f"{VERSIONS}1/delete/")
    assert Version.objects.exists()
    client.post(f"{VERSIONS}1/delete/", {"confirmed": "1"})
    assert not Version.objects.exists()
    assert fresh(docs).served_version is None


def test_the_files_of_a_version_are_browsed_as_they_were(browse: Browse, carol: User, v1: Version) -> None:
    client = browse(carol)
    assert f'href="{VERSIONS}1/?folder=guides"' in page(client, f"{VERSIONS}1/")
    entry = v1.entries.get()
    assert f"{VERSIONS}1/file/{entry.pk}/" in page(client, f"{VERSIONS}1/?folder=guides")
    assert '<h1 id="section-one">One</h1>' in page(client, f"{VERSIONS}1/file/{entry.pk}/")
    assert client.get(f"{VERSIONS}1/file/{entry.pk}/raw/").content == b"# One\n"


def test_a_file_is_found_in_its_own_version_alone(browse: Browse, carol: User, v1: Version) -> None:
    versions.cut_version(server=v1.server)
    assert browse(carol).get(f"{VERSIONS}2/file/{v1.entries.get().pk}/").status_code == 404
    assert browse(carol).get(f"{VERSIONS}9/").status_code == 404


def test_comparing_starts_with_what_is_served_and_the_live_content(browse: Browse, carol: User, v1: Version) -> None:
    shown = page(browse(carol), f"{VERSIONS}compare/")
    assert "v1 → Live content" in shown
    assert "guides/a.md" in shown
    assert "before=1&amp;after=live&amp;path=guides%2Fa.md" in shown


def test_a_files_difference_is_loaded_when_asked_and_is_a_page_too(browse: Browse, carol: User, v1: Version) -> None:
    address = f"{VERSIONS}compare/file/?before=1&after=live&path=guides/a.md"
    fragment = page(browse(carol), address, htmx=True)
    assert "# Two" in fragment
    assert "<html" not in fragment
    assert "<html" in page(browse(carol), address)


@pytest.mark.parametrize(
    "query", ["before=9&after=live", "before=x&after=1", "before=1&after=²", "before=1&after=" + "9" * 40]
)
def test_comparing_with_what_is_not_there_is_not_found(browse: Browse, carol: User, v1: Version, query: str) -> None:
    page(browse(carol), f"{VERSIONS}compare/file/?{query}&path=guides/a.md", status=404)
    page(browse(carol), f"{VERSIONS}compare/?{query}")


def test_a_version_of_another_server_cannot_be_compared(browse: Browse, carol: User, v1: Version) -> None:
    other = factories.server(v1.server.organization, "Other")
    factories.content(other, "secret.md", "secret")
    versions.cut_version(server=other)
    versions.cut_version(server=other)
    page(browse(carol), f"{VERSIONS}compare/file/?before=2&after=live&path=secret.md", status=404)


def test_a_server_without_versions_says_what_they_are_for(browse: Browse, bob: User, docs: Server) -> None:
    assert "Agents get the live content" in page(browse(bob), VERSIONS)
    assert "Cut a version first" in page(browse(bob), f"{VERSIONS}compare/")
