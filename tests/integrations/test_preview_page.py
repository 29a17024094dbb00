"""Preview: what a refresh would do, on a page, with nothing written."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from catalog.models import Content
from integrations.refreshing import PREVIEW
from jobs.models import Run, Status
from orgs.models import User
from tests.conftest import Browse
from tests.integrations.conftest import Connect, Connection
from tests.integrations.pages import run_of
from tests.wire.forge import Forge
from tests.wire.samples import PNG
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    """The book, imported, and changed since in every way."""
    made = connect(book)
    made.refresh()
    book.git.commit(
        {
            "chapters/01.md": "# Chapter 1\n\nRewritten.\n",
            "chapters/02.md": None,
            "chapters/13.md": "# Chapter 13\n",
            "cover.png": PNG,
            "link.md": None,
        }
    )
    book.git.move("chapters/03.md", "chapters/third.md")
    return made


def address(connection: Connection) -> str:
    return f"/o/acme/integrations/{connection.integration.pk}/preview/"


def look(client: Client, connection: Connection, choice: str = "prune") -> str:
    response = client.post(address(connection), {"deleted": choice}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_every_kind_of_change_is_counted_and_listed_and_nothing_is_written(
    connection: Connection, adam: User, browse: Browse
) -> None:
    before = list(Content.objects.order_by("pk").values())
    shown = look(browse(adam), connection)

    for words in ("Added 2", "Changed 1", "Moved 1", "Removed 1"):
        assert words in shown
    assert "chapters/13.md" in shown
    assert "chapters/03.md → chapters/third.md" in shown
    assert "chapters/02.md" in shown
    assert "cover.png" in shown, "what a file's bytes say is known when they are fetched, and the page says so"
    assert "found when it is fetched" in shown
    assert list(Content.objects.order_by("pk").values()) == before


def test_keeping_shows_what_would_be_marked_instead(connection: Connection, adam: User, browse: Browse) -> None:
    shown = look(browse(adam), connection, "keep")
    assert "Kept, though gone in git 1" in shown
    assert "Removed 1" not in shown
    assert "Refresh now, keeping files" in shown


def test_the_text_of_a_change_is_loaded_when_it_is_opened_and_has_a_page_of_its_own(
    connection: Connection, adam: User, browse: Browse
) -> None:
    client = browse(adam)
    look(client, connection)
    run = Run.objects.get(kind=PREVIEW)
    plan = run.result["plans"][0]
    diff = f"{address(connection)}{run.pk}/diff/?" + urlencode({"track": plan["track"], "path": "chapters/01.md"})

    page = client.get(diff).content.decode()
    fragment = client.get(diff, headers={"HX-Request": "true"}).content.decode()

    for shown in (page, fragment):
        assert "diff-add" in shown
        assert "Rewritten." in shown
    assert "<html" in page
    assert "<html" not in fragment


def test_opening_a_file_tells_that_it_would_be_skipped(connection: Connection, adam: User, browse: Browse) -> None:
    client = browse(adam)
    look(client, connection)
    run = Run.objects.get(kind=PREVIEW)
    track = run.result["plans"][0]["track"]
    diff = f"{address(connection)}{run.pk}/diff/?" + urlencode({"track": track, "path": "cover.png"})
    assert "It would be skipped. It is a binary file" in client.get(diff).content.decode()


def test_only_files_of_the_preview_can_be_asked_for(connection: Connection, adam: User, browse: Browse) -> None:
    client = browse(adam)
    look(client, connection)
    run = Run.objects.get(kind=PREVIEW)
    plan = run.result["plans"][0]
    diff = f"{address(connection)}{run.pk}/diff/?"
    assert client.get(diff + urlencode({"track": plan["track"], "path": "chapters/05.md"})).status_code == 404
    assert client.get(diff + urlencode({"track": "nonsense", "path": "chapters/01.md"})).status_code == 404


def test_a_text_that_the_forge_does_not_hand_out_is_told_in_its_place(
    connection: Connection, adam: User, browse: Browse
) -> None:
    client = browse(adam)
    look(client, connection)
    run = Run.objects.get(kind=PREVIEW)
    track = run.result["plans"][0]["track"]
    connection.forge.world.revoke(connection.integration.token)
    diff = f"{address(connection)}{run.pk}/diff/?" + urlencode({"track": track, "path": "chapters/01.md"})
    response = client.get(diff, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "does not accept this token" in response.content.decode()


def test_a_refresh_that_would_wait_for_a_confirmation_says_so(
    connection: Connection, adam: User, browse: Browse
) -> None:
    connection.repository.git.commit({f"chapters/{n:02}.md": None for n in range(4, 12)})
    assert "This refresh would wait for a confirmation" in look(browse(adam), connection)


def test_a_refresh_that_would_stop_says_so(connection: Connection, adam: User, browse: Browse) -> None:
    connection.repository.git.force_push({"only.png": PNG})
    track = connection.track
    track.include = "*.md"
    track.save()
    assert "This refresh would stop and change nothing" in look(browse(adam), connection)


def test_an_incomplete_listing_says_that_nothing_would_be_pruned(
    connection: Connection, forge: Forge, adam: User, browse: Browse, settings: Any
) -> None:
    forge.caps.tree_entries = 3
    settings.FORGE_MAX_TREE_REQUESTS = 1
    assert "The listing is incomplete, so nothing would be pruned" in look(browse(adam), connection)


def test_refresh_now_does_what_was_shown(connection: Connection, adam: User, browse: Browse) -> None:
    client = browse(adam)
    assert '<button class="button button-primary" type="submit" name="deleted" value="prune">' in look(
        client, connection
    )
    client.post(f"/o/acme/integrations/{connection.integration.pk}/refresh/", {"deleted": "prune"})
    assert "Nothing would change" in look(client, connection)


def test_who_may_only_keep_sees_what_pruning_would_do_and_cannot_do_it(
    connection: Connection, bob: User, browse: Browse
) -> None:
    shown = look(browse(bob), connection)
    assert "Removed 1" in shown
    assert 'aria-disabled="true"' in shown
    assert '<button class="button button-primary" type="submit" name="deleted" value="prune">' not in shown
    assert "contents.can_delete" in shown


def test_a_preview_that_runs_in_the_background_is_followed_until_it_ends(
    connection: Connection, adam: User, browse: Browse
) -> None:
    run = run_of(connection.integration, Status.RUNNING, stage="Listing main")
    Run.objects.filter(pk=run.pk).update(kind=PREVIEW)
    page = f"{address(connection)}{run.pk}/"
    assert "every 1500ms" in browse(adam).get(page, headers={"HX-Request": "true"}).content.decode()
    Run.objects.filter(pk=run.pk).update(status=Status.FAILED, error_text="The forge is gone.")
    ended = browse(adam).get(page).content.decode()
    assert "every 1500ms" not in ended
    assert "The forge is gone." in ended


def test_the_menu_without_a_post_leads_to_the_last_preview(connection: Connection, adam: User, browse: Browse) -> None:
    client = browse(adam)
    assert "See what a refresh would do" in client.get(address(connection)).content.decode()
    look(client, connection)
    run = Run.objects.get(kind=PREVIEW)
    assert client.get(address(connection))["Location"] == f"{address(connection)}{run.pk}/"


def test_a_refresh_is_no_preview(connection: Connection, adam: User, browse: Browse) -> None:
    run = connection.refresh()
    assert browse(adam).get(f"{address(connection)}{run.pk}/").status_code == 404
