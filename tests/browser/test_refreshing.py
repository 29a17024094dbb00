"""What becomes of a refresh: in the background, held for a confirmation, of all at once; and of what it leaves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from catalog.models import Content
from tests import factories
from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.wire.forge import Forge
from tests.wire.repos import File
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.browser


def chapters(*numbers: int) -> dict[str, File]:
    return {f"chapters/{number:02}.md": f"# Chapter {number}\n" for number in numbers}


@pytest.fixture
def book(forge: Forge) -> HostedRepository:
    """Twelve chapters: one more than ten, so that the gates stand."""
    hosted = forge.repository("acme/book")
    hosted.git.commit(chapters(*range(1, 13)))
    return hosted


def paths(team: Team) -> set[str]:
    return set(Content.objects.filter(server=team.docs).values_list("path", flat=True))


def test_many_files_come_in_the_background_and_the_row_shows_by_itself_how_it_ended(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge)
    book.git.commit(chapters(*range(13, 41)))
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    row = steps.row_of(page, "acme/book")
    forge.latency = 3.0  # long enough to be seen at work, however busy the machine is
    steps.refresh(window, "acme/book")
    expect(row).to_contain_text(re.compile("Queued|Follow this run"))
    expect(row.get_by_text("Follow this run")).to_be_visible()
    forge.latency = 0.0
    with window.without_loading_a_page():
        steps.expect_outcome(row, "Succeeded", {"added": 28})
    window.picture("integrations, after a run in the background")
    expect(page.locator("#messages")).to_contain_text("acme/book: 28 added.")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click()
    window.picture("runs")
    page.get_by_role("row").filter(has_text="acme/book").get_by_role("link", name="Refresh").first.click()
    expect(page.get_by_role("region", name="What changed").get_by_role("listitem").first).to_be_visible()
    window.picture("run, of many files")


def test_what_vanished_in_git_is_kept_or_pruned_as_one_chooses(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge)
    book.git.commit({"chapters/12.md": None})
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    row = steps.row_of(page, "acme/book")
    page.get_by_role("button", name="How to refresh acme/book").click()
    window.picture("integrations, menu of choices")
    page.keyboard.press("Escape")
    steps.choose_how_to_refresh(window, "acme/book", "Refresh and keep")
    steps.expect_outcome(row, "Succeeded", {"stale": 1})
    assert "chapters/12.md" in paths(team)

    row.get_by_role("link", name="1 stale").click()
    expect(page.get_by_role("table", name="Files").get_by_role("link")).to_have_text(["chapters/12.md"])
    window.picture("content, stale")
    steps.open_the_tab(window, "Integrations")
    steps.choose_how_to_refresh(window, "acme/book", "Refresh and prune")
    steps.expect_outcome(row, "Succeeded", {"removed": 1})
    assert "chapters/12.md" not in paths(team)


def test_a_refresh_that_would_remove_most_files_shows_them_and_waits_for_a_confirmation(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge)
    book.git.commit(dict.fromkeys(chapters(*range(1, 8))))
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    steps.refresh(window, "acme/book")
    row = steps.row_of(page, "acme/book")
    expect(row).to_contain_text("Needs confirmation")
    window.picture("integrations, held")
    assert len(paths(team)) == 12

    row.get_by_role("link", name="Confirm 7 removals").click()
    listed = page.get_by_role("list", name="Files that would be removed").get_by_role("listitem")
    expect(listed).to_have_text([f"chapters/{number:02}.md" for number in range(1, 8)])
    window.picture("run, held")
    page.get_by_role("button", name="Remove 7 files").click()
    with window.without_loading_a_page():  # the worker does it, the page follows
        expect(page.locator("#run-status")).to_have_text("Succeeded")
    expect(page.locator("#run .counts")).to_contain_text("7 removed")
    expect(page.get_by_role("region", name="What changed").get_by_role("listitem")).to_have_count(7)
    window.picture("run, confirmed")
    assert len(paths(team)) == 5


def test_all_integrations_of_a_server_are_refreshed_at_once(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge, mount_path="book")
    notes = forge.repository("acme/notes")
    notes.git.commit({"note.md": "# Note\n"})
    team.connects(notes, forge, mount_path="notes")
    book.git.commit(chapters(13))
    notes.git.commit({"note.md": None, "other.md": "# Other\n"})
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    page.get_by_role("button", name="Refresh all integrations").click()
    expect(page.locator("#messages")).to_contain_text("2 refreshes are queued.")
    window.picture("integrations, all queued")
    steps.expect_outcome(steps.row_of(page, "acme/book"), "Succeeded", {"added": 1})
    steps.expect_outcome(steps.row_of(page, "acme/notes"), "Succeeded", {"added": 1, "removed": 1})


def test_a_preview_shows_what_a_refresh_would_do_and_writes_nothing(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge)
    before = paths(team)
    book.git.commit({"chapters/01.md": "# Chapter one\n", "chapters/02.md": None, **chapters(13)})
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    steps.choose_in_the_menu(window, "acme/book", "Preview")
    expect(page.get_by_role("heading", name="A refresh of main with pruning")).to_be_visible()
    page.locator("summary").filter(has_text="chapters/01.md").click()
    expect(page.locator(".diff del")).to_contain_text("Chapter 1")
    expect(page.locator(".diff ins")).to_contain_text("Chapter one")
    window.picture("preview")
    assert paths(team) == before

    page.get_by_role("button", name="Refresh now and prune").click()
    steps.expect_outcome(steps.row_of(page, "acme/book"), "Succeeded", {"added": 1, "changed": 1, "removed": 1})


def test_the_history_tells_of_every_run(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    integration = team.connects(book, forge)
    team.refreshes(integration)
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    steps.choose_in_the_menu(window, "acme/book", "History")
    expect(page.get_by_role("table", name="History").get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("table", name="History")).to_contain_text("Alice")
    window.picture("history")


def test_deleting_an_integration_keeps_its_files_until_a_second_step_removes_them(
    team: Team, open_window: OpenWindow, forge: Forge, book: HostedRepository
) -> None:
    team.connects(book, forge)
    factories.content(team.docs, "own.md", "# Typed\n")
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    with window.without_loading_a_page():
        steps.choose_in_the_menu(window, "acme/book", "Delete…")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Its 12 files stay as content")
    window.picture("integrations, dialog to delete")
    dialog.get_by_role("button", name="Delete integration").click()
    expect(page.locator("#messages")).to_contain_text("12 of its files are kept")
    assert len(paths(team)) == 13
    window.picture("integrations, files of a deleted one")

    page.get_by_role("link", name="Remove the files of acme/book").click()
    expect(dialog).to_contain_text("chapters/07.md")
    window.picture("integrations, dialog to remove files")
    dialog.get_by_role("button", name="Remove 12 files").click()
    expect(page.locator("#messages")).to_contain_text("12 files are removed.")
    assert paths(team) == {"own.md"}
