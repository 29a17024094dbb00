"""Versions: snapshots that stay as they are, numbers given once, and what is served."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from catalog import contents, versions
from catalog.models import Content, Server, Version, VersionFile
from orgs.models import AuditEvent, User
from tests import factories
from tests.catalog.conftest import together

News = list[dict[str, Any]]


def fresh(server: Server) -> Server:
    return Server.objects.get(pk=server.pk)


def test_a_version_holds_the_content_as_it_was(docs: Server, bob: User) -> None:
    file = factories.content(docs, "a.md", "old", origin="imported", provenance={"repository": "acme/handbook"})
    factories.content(docs, "b.md", "b")
    factories.content(factories.server(docs.organization), "elsewhere.md", "no")
    version = versions.cut_version(server=docs, note="First", by=bob)
    Content.objects.filter(pk=file.pk).delete()
    contents.create_content(server=docs, path="c.md", text="new", by=bob)
    assert (version.number, version.files, version.size) == (1, 2, 4)
    rows = version.entries.values_list("path", "blob__text", "origin", "provenance")
    assert list(rows) == [
        ("a.md", "old", "imported", {"repository": "acme/handbook"}),
        ("b.md", "b", "typed", {}),
    ]


def test_an_empty_server_can_be_cut(docs: Server) -> None:
    version = versions.cut_version(server=docs)
    assert (version.files, version.size) == (0, 0)


def test_cutting_takes_as_many_queries_for_many_files_as_for_few(docs: Server) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            versions.cut_version(server=docs)
        return len(queries)

    factories.content(docs)
    few = cost()
    for _ in range(30):
        factories.content(docs)
    assert cost() == few


def test_the_number_of_a_deleted_version_is_not_given_again(docs: Server) -> None:
    versions.cut_version(server=docs)
    versions.delete_version(version=versions.cut_version(server=docs), by=None)
    assert versions.cut_version(server=docs).number == 3


@pytest.mark.django_db(transaction=True)
def test_versions_cut_at_the_same_moment_get_numbers_of_their_own() -> None:
    server = factories.server(factories.organization())
    factories.content(server)
    cut = together(*[lambda: versions.cut_version(server=server)] * 6)
    assert sorted(version.number for version in cut) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db(transaction=True)
def test_a_version_holds_a_change_of_many_files_whole_or_not_at_all() -> None:
    server = factories.server(factories.organization())
    for number in range(40):
        factories.content(server, f"{number}.md", "before")
    after = factories.blob("after")

    def change() -> None:
        with transaction.atomic():
            for pk in server.contents.values_list("pk", flat=True):
                Content.objects.filter(pk=pk).update(blob=after)
            contents.touch(server)

    results = together(change, *[lambda: versions.cut_version(server=server)] * 4)
    for version in results[1:]:
        texts = set(VersionFile.objects.filter(version=version).values_list("blob__text", flat=True))
        assert texts == ({"after"} if version.content_revision else {"before"})


def test_active_is_served_then_default_then_the_live_content(docs: Server, bob: User) -> None:
    one, two = versions.cut_version(server=docs), versions.cut_version(server=docs)
    assert versions.served(fresh(docs)) is None
    versions.point(version=one, pointer="default", by=bob)
    assert versions.served(fresh(docs)) == one
    versions.point(version=two, pointer="active", by=bob)
    assert versions.served(fresh(docs)) == two
    versions.clear(server=docs, pointer="active", by=bob)
    assert versions.served(fresh(docs)) == one


def test_live_is_newer_once_content_changed_after_the_served_version_was_cut(docs: Server, bob: User) -> None:
    contents.create_content(server=docs, path="a.md", text="a", by=bob)
    assert not versions.live_is_newer(fresh(docs))
    versions.cut_version(server=docs, activate=True, by=bob)
    assert not versions.live_is_newer(fresh(docs))
    contents.create_content(server=docs, path="b.md", text="b", by=bob)
    assert versions.live_is_newer(fresh(docs))
    versions.cut_version(server=docs, by=bob)
    assert versions.live_is_newer(fresh(docs)), "a version that is not served changes nothing for agents"


def test_a_served_version_is_deleted_only_when_confirmed(docs: Server, bob: User) -> None:
    one, two = versions.cut_version(server=docs), versions.cut_version(server=docs)
    versions.point(version=one, pointer="default", by=bob)
    versions.point(version=two, pointer="active", by=bob)
    with pytest.raises(versions.InUse, match=r"v2 is the active version\. Agents then get v1"):
        versions.delete_version(version=two, by=bob)
    versions.delete_version(version=two, by=bob, confirmed=True)
    with pytest.raises(versions.InUse, match=r"v1 is the default version\. Agents then get the live content"):
        versions.delete_version(version=one, by=bob)
    assert fresh(docs).active_version is None
    assert VersionFile.objects.filter(version=two.pk).count() == 0


def test_deleting_a_version_leaves_content_and_other_versions(docs: Server, bob: User) -> None:
    factories.content(docs, "a.md")
    kept, gone = versions.cut_version(server=docs), versions.cut_version(server=docs)
    versions.delete_version(version=gone, by=bob)
    assert docs.contents.count() == kept.entries.count() == 1
    assert Version.objects.get() == kept


def test_news_is_sent_when_what_is_served_changes_and_only_then(
    docs: Server, served_news: News, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    one = versions.cut_version(server=docs)
    with django_capture_on_commit_callbacks(execute=True):
        versions.point(version=one, pointer="active", by=None)
    assert len(served_news) == 1
    with django_capture_on_commit_callbacks(execute=True):
        versions.point(version=one, pointer="active", by=None)
        versions.point(version=one, pointer="default", by=None)
        versions.clear(server=docs, pointer="active", by=None)
    assert len(served_news) == 1


def test_every_change_of_versions_is_in_the_audit_log(docs: Server, bob: User) -> None:
    version = versions.cut_version(server=docs, by=bob, activate=True)
    versions.clear(server=docs, pointer="active", by=bob)
    versions.delete_version(version=version, by=bob)
    actions = AuditEvent.objects.filter(scope=str(docs.pk), actor=bob).values_list("action", flat=True)
    assert list(actions)[::-1] == ["version.cut", "version.made_active", "version.active_cleared", "version.deleted"]
