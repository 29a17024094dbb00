"""What follows a refresh: versions, and what became of the repository at the forge."""

from __future__ import annotations

import pytest

from catalog.models import Server, Version
from forges.signals import repository_changed
from integrations.models import AfterRefresh, Integration
from jobs.models import Status
from tests.integrations.automated import automate, connection
from tests.integrations.conftest import Connection
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["connection"]

pytestmark = pytest.mark.django_db


# -- afterwards --------------------------------------------------------------------------------------------------------


def test_a_version_is_cut_after_a_refresh_that_changed_something_and_only_then(
    connection: Connection, book: HostedRepository
) -> None:
    automate(connection, after_refresh=AfterRefresh.CUT)
    connection.refresh()
    assert Version.objects.count() == 0

    book.git.commit({"chapters/13.md": "# Chapter 13\n"})
    run = connection.refresh()
    connection.refresh()

    version = Version.objects.get()
    assert (version.files, run.result["version"]) == (13, version.number)
    assert str(book.git.tip("main"))[:10] in version.note
    assert Server.objects.get().active_version is None


def test_the_version_is_activated_where_that_was_chosen(connection: Connection, book: HostedRepository) -> None:
    automate(connection, after_refresh=AfterRefresh.ACTIVATE)
    book.git.commit({"chapters/13.md": "# Chapter 13\n"})

    connection.refresh()

    assert Server.objects.get().active_version == Version.objects.get()


def test_a_version_that_a_killed_worker_left_due_is_cut_by_the_next_refresh(connection: Connection) -> None:
    automate(connection, after_refresh=AfterRefresh.CUT)
    Integration.objects.update(version_due=True)

    connection.refresh()

    assert Version.objects.count() == 1


# -- what becomes of the repository ------------------------------------------------------------------------------------


def changed(connection: Connection, kind: str, repository: str = "", branches: tuple[str, ...] = ()) -> None:
    it = connection.integration
    repository_changed.send(
        None,
        organization=it.server.organization,
        forge=it.forge,
        base_url=it.base_url,
        repository_id=it.repository_id,
        kind=kind,
        repository=repository,
        branches=branches,
    )


def test_a_rename_that_was_told_is_followed(connection: Connection, forge: Forge) -> None:
    forge.world.rename("acme/book", "acme/novel")

    changed(connection, "renamed", "acme/novel")

    assert Integration.objects.get().repository == "acme/novel"
    assert connection.refresh().status == Status.SUCCEEDED


def test_a_rename_that_nobody_told_is_found_by_the_forges_id(
    connection: Connection, forge: Forge, book: HostedRepository
) -> None:
    forge.world.rename("acme/book", "acme/novel")
    forge.world.moved.clear()  # the former name leads nowhere any more
    book.git.commit({"chapters/13.md": "# Chapter 13\n"})

    run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert Integration.objects.get().repository == "acme/novel"


def test_a_deleted_repository_and_branch_are_told_and_nothing_is_removed(connection: Connection) -> None:
    before = connection.texts()

    changed(connection, "branch_deleted", branches=("main",))
    assert "branch was deleted" in connection.track.notice
    changed(connection, "deleted")
    assert "repository was deleted" in Integration.objects.get().notice

    assert connection.texts() == before
    assert connection.refresh().status == Status.SUCCEEDED
    assert (Integration.objects.get().notice, connection.track.notice) == ("", "")
