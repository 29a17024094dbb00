"""What those see who may not do everything: the choice they lack, disabled, with the reason."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from catalog.models import Content
from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.browser


@pytest.fixture
def notes(team: Team, forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/notes")
    hosted.git.commit({"one.md": "# One\n", "two.md": "# Two\n"})
    team.connects(hosted, forge)
    return hosted


def test_an_operator_refreshes_but_cannot_prune_and_reads_why(
    team: Team, open_window: OpenWindow, notes: HostedRepository
) -> None:
    notes.git.commit({"two.md": None})
    window = open_window(team.bob)
    page = window.open(team.integrations_page)
    page.get_by_role("button", name="How to refresh acme/notes").click()
    menu = page.locator(".menu:popover-open")
    prune = menu.locator("[aria-disabled=true]")
    expect(prune).to_contain_text("Refresh and prune")
    expect(prune).to_contain_text("It needs the entitlement “contents.can_delete”")
    window.picture("integrations, menu of an operator")
    page.keyboard.press("Escape")

    steps.refresh(window, "acme/notes")  # without a choice it keeps
    steps.expect_outcome(steps.row_of(page, "acme/notes"), "Succeeded", {"stale": 1})
    assert Content.objects.filter(server=team.docs, path="two.md").exists()


def test_an_operator_sees_a_held_refresh_but_cannot_confirm_it(
    team: Team, open_window: OpenWindow, forge: Forge
) -> None:
    book = forge.repository("acme/book")
    book.git.commit({f"{number:02}.md": f"# {number}\n" for number in range(12)})
    integration = team.connects(book, forge, mount_path="book")
    book.git.commit({f"{number:02}.md": None for number in range(7)})
    held = team.refreshes(integration)
    window = open_window(team.bob)
    page = window.open(f"{team.home}runs/{held.pk}/")
    expect(page.get_by_role("list", name="Files that would be removed").get_by_role("listitem")).to_have_count(7)
    expect(page.get_by_role("button", name="Remove 7 files")).to_have_count(0)
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    expect(page.get_by_text("It needs the entitlement “contents.can_delete”").first).to_be_visible()
    window.picture("run, held, for an operator")


def test_a_viewer_sees_everything_and_changes_nothing(
    team: Team, open_window: OpenWindow, notes: HostedRepository
) -> None:
    window = open_window(team.carol)
    page = window.open(team.integrations_page)
    steps.expect_outcome(steps.row_of(page, "acme/notes"), "Succeeded", {"added": 2})
    expect(page.get_by_role("button", name="Refresh")).to_have_count(0)
    expect(page.get_by_text("It needs the entitlement “integrations.import”").first).to_be_visible()
    window.picture("integrations, for a viewer")
    page.get_by_role("button", name="Actions for acme/notes").click()
    expect(page.locator(".menu:popover-open").get_by_role("link")).to_have_text(["History"])
    page.keyboard.press("Escape")
    steps.open_the_tab(window, "Content")
    expect(page.get_by_role("link", name="New file")).to_have_count(0)
    page.get_by_role("link", name="one.md").click()
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    window.picture("content, for a viewer")
