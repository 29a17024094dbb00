"""Windows that outlive what they show: signed out elsewhere, or returned to with Back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.browser


@pytest.fixture
def notes(team: Team, forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/notes")
    hosted.git.commit({"one.md": "# One\n"})
    team.connects(hosted, forge)
    return hosted


def test_who_was_signed_out_in_another_tab_is_led_to_sign_in_by_a_click_and_not_into_the_table(
    team: Team, open_window: OpenWindow, notes: HostedRepository
) -> None:
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    other = window.context.new_page()
    other.goto(team.home)
    other.get_by_role("button", name="Your account").click()
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()

    page.get_by_role("button", name="Refresh acme/notes", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_role("table")).to_have_count(0)
    window.picture("signed out by a click")


def test_back_shows_the_table_as_it_is_and_not_as_it_was(
    team: Team, open_window: OpenWindow, notes: HostedRepository
) -> None:
    notes.git.commit({"two.md": "# Two\n"})
    window = open_window(team.alice)
    window.open(team.integrations_page)
    page = window.open(team.integrations_page)  # with every cookie, so that the browser may keep it
    steps.refresh(window, "acme/notes")
    row = steps.row_of(page, "acme/notes")
    expect(row.get_by_role("cell", name="2", exact=True)).to_be_visible()
    row.get_by_role("link", name="See what changed").click()
    expect(page.get_by_role("region", name="What changed")).to_be_visible()
    page.go_back()
    expect(row.get_by_role("cell", name="2", exact=True)).to_be_visible()
