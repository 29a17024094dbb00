"""The history of an integration, the files it skips, and what the page of a run shows of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import versions
from catalog.models import Content, Server
from integrations import connecting
from integrations.models import FileChange
from jobs.models import Run, Status, Trigger
from orgs.models import User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import HTMX, run_of
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, github_repo: HostedRepository) -> Connection:
    made = connect(github_repo)
    made.refresh()
    return made


def page_of(connection: Connection, name: str) -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/{name}/"


def test_the_history_tells_what_each_run_did_and_cost(connection: Connection, carol: User, browse: Browse) -> None:
    run = Run.objects.get()
    shown = browse(carol).get(page_of(connection, "history")).content.decode()
    assert f"/o/acme/runs/{run.pk}/" in shown
    assert "Manual" in shown
    assert "Alice" in shown
    assert "<b>+7</b> added" in shown
    assert "<b>5</b> skipped" in shown
    assert f">{run.result['requests']}</td>" in shown
    assert f"{run.result['rate_remaining']:,}" in shown


def test_the_history_shows_why_a_run_failed(connection: Connection, carol: User, browse: Browse) -> None:
    connection.forge.world.revoke(connection.integration.token)
    failed = connection.refresh()
    shown = browse(carol).get(page_of(connection, "history")).content.decode()
    assert failed.error_text[:60] in shown


def test_the_history_is_filtered_by_outcome_and_paged(docs: Server, carol: User, browse: Browse) -> None:
    made = factories.integration(docs)
    for number in range(30):
        run_of(made, Status.SUCCEEDED, created_at=timezone.now() - timedelta(hours=number), trigger=Trigger.SCHEDULE)
    run_of(made, Status.FAILED, error_text="The branch is gone.")
    address = f"/o/acme/integrations/{made.pk}/history/"
    client = browse(carol)

    first = client.get(address).content.decode()
    failed = client.get(f"{address}?status=failed").content.decode()

    assert "1–25 of 31 runs" in first
    assert "The branch is gone." in failed
    assert failed.count("<tr ") == 1
    with CaptureQueriesContext(database) as many:
        client.get(address)
    with CaptureQueriesContext(database) as one:
        client.get(f"{address}?status=failed")
    assert len(many) == len(one)


def test_skipped_files_are_listed_with_their_reason(connection: Connection, carol: User, browse: Browse) -> None:
    shown = browse(carol).get(page_of(connection, "skipped")).content.decode()
    assert "video.mp4" in shown
    assert "Git LFS pointer" in shown
    assert "Not UTF-8 1" in shown
    assert "Save the file as UTF-8 to import it." in shown


def test_skipped_files_are_filtered_by_reason_and_path(connection: Connection, carol: User, browse: Browse) -> None:
    client = browse(carol)
    binary = client.get(page_of(connection, "skipped") + "?reason=binary").content.decode()
    assert "logo.png" in binary
    assert "video.mp4" not in binary
    assert "video.mp4" in client.get(page_of(connection, "skipped") + "?q=VIDEO").content.decode()


def test_a_repository_without_skips_says_so(
    connect: Connect, book: HostedRepository, carol: User, browse: Browse
) -> None:
    made = connect(book)
    made.refresh()
    assert "No file is skipped" in browse(carol).get(page_of(made, "skipped")).content.decode()


def test_a_runs_details_tell_of_each_file_with_its_difference(
    connection: Connection, carol: User, browse: Browse
) -> None:
    connection.repository.git.commit({"README.md": "# Another\n", "docs/guide.md": None, "new.md": "# New\n"})
    run = connection.refresh()
    client = browse(carol)

    shown = client.get(f"/o/acme/runs/{run.pk}/").content.decode()

    assert "requests to the forge" in shown
    assert "left until its limit resets at" in shown
    for change in FileChange.objects.filter(run=run):
        assert change.path in shown
        assert f"/o/acme/runs/{run.pk}/changes/{change.pk}/" in shown
    changed = FileChange.objects.get(run=run, path="README.md")
    difference = client.get(f"/o/acme/runs/{run.pk}/changes/{changed.pk}/", headers=HTMX).content.decode()
    assert "# Another" in difference
    assert "diff-remove" in difference


def test_the_result_of_a_refresh_says_that_agents_still_get_the_version(
    connection: Connection, bob: User, browse: Browse
) -> None:
    def details(run: Run) -> str:
        return browse(bob).get(f"/o/acme/runs/{run.pk}/").content.decode()

    versions.cut_version(server=connection.server, by=bob, activate=True)
    assert "is newer than the active version" not in details(connection.refresh())
    connection.repository.git.commit({"README.md": "# Another\n"})

    shown = details(connection.refresh())

    assert "is newer than the active version v1" in shown
    assert 'href="/o/acme/servers/docs/versions/cut/"' in shown
    assert "is newer" not in details(connection.preview())


def test_without_script_a_difference_is_a_page(connection: Connection, carol: User, browse: Browse) -> None:
    run = Run.objects.get()
    change = FileChange.objects.filter(run=run).first()
    assert change is not None
    response = browse(carol).get(f"/o/acme/runs/{run.pk}/changes/{change.pk}/")
    assert response.status_code == 200
    assert "<html" in response.content.decode()


def test_texts_that_are_no_longer_kept_are_told(connection: Connection, carol: User, browse: Browse) -> None:
    run = Run.objects.get()
    change = FileChange.objects.get(run=run, path="README.md")
    Content.objects.filter(path="README.md").delete()
    assert change.after is not None
    change.after.delete()
    address = f"/o/acme/runs/{run.pk}/changes/{change.pk}/"
    assert "no longer kept" in browse(carol).get(address).content.decode()


def test_the_details_outlive_the_integration(connection: Connection, alice: User, carol: User, browse: Browse) -> None:
    run = Run.objects.get()
    change = FileChange.objects.filter(run=run).first()
    assert change is not None
    connecting.delete_integration(connection.integration, by=alice)
    for address in (f"/o/acme/runs/{run.pk}/", f"/o/acme/runs/{run.pk}/changes/{change.pk}/"):
        assert browse(carol).get(address).status_code == 200


def test_many_changes_are_paged_within_the_run(connection: Connection, carol: User, browse: Browse) -> None:
    run = Run.objects.get()
    FileChange.objects.bulk_create(FileChange(run=run, action="added", path=f"many/{n:03}.md") for n in range(120))
    client = browse(carol)
    with CaptureQueriesContext(database) as asked:
        first = client.get(f"/o/acme/runs/{run.pk}/").content.decode()
    assert len(asked) < 15
    assert "1–50 of 127 files" in first
    last = client.get(f"/o/acme/runs/{run.pk}/?page=3").content.decode()
    assert "many/119.md" in last


def test_a_change_is_found_by_its_own_run_alone(connection: Connection, carol: User, browse: Browse) -> None:
    change = FileChange.objects.first()
    assert change is not None
    other = connection.refresh()
    assert browse(carol).get(f"/o/acme/runs/{other.pk}/changes/{change.pk}/").status_code == 404


def test_what_is_held_is_listed_for_who_may_confirm_it_and_for_who_may_not(
    connect: Connect, book: HostedRepository, adam: User, bob: User, browse: Browse
) -> None:
    made = connect(book)
    made.refresh()
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 9)})
    run = made.refresh()
    address = f"/o/acme/runs/{run.pk}/"

    hers = browse(adam).get(address).content.decode()
    his = browse(bob).get(address).content.decode()

    assert run.status == Status.HELD
    for shown in (hers, his):
        assert "8 of 12 files would be removed" in shown
        assert "chapters/08.md" in shown
    assert hers.count(f'action="/o/acme/runs/{run.pk}/confirm/"') == 1
    assert hers.index("chapters/08.md") < hers.index("Remove 8 files"), "one has seen the list before the button"
    assert f'action="/o/acme/runs/{run.pk}/confirm/"' not in his
    assert "contents.can_delete" in his
