"""What does not fit a telephone is within reach there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import DESK, PHONE, expect_no_sideways_scroll

pytestmark = pytest.mark.browser


def test_the_current_section_and_tab_are_in_sight(team: Team, open_window: OpenWindow) -> None:
    window = open_window(team.alice)
    window.page.set_viewport_size(PHONE)
    page = window.open(f"{team.home}audit/")
    expect(page.get_by_role("link", name="Audit log", exact=True)).to_be_in_viewport(ratio=1)
    page = window.open(f"{team.home}servers/docs/activity/")
    expect(page.get_by_role("link", name="Activity", exact=True)).to_be_in_viewport(ratio=0.98)  # pixels are whole
    expect(page.get_by_role("link", name="General", exact=True)).not_to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("javascript", [True, False])
def test_filters_are_folded_until_one_filters_and_stand_open_on_a_desk(
    team: Team, open_window: OpenWindow, javascript: bool
) -> None:
    window = open_window(team.alice, javascript=javascript)
    page = window.open(f"{team.home}runs/")
    button, summary = page.get_by_role("button", name="Filter", exact=True), page.locator("summary")
    page.set_viewport_size(PHONE)
    expect(button).to_be_hidden()
    summary.click()
    expect(button).to_be_visible()
    summary.click()
    expect(button).to_be_hidden()
    page.set_viewport_size(DESK)
    expect(summary).to_be_hidden()
    page.get_by_label("Status").select_option("failed")
    button.click()
    page.wait_for_url("**status=failed**")
    page.set_viewport_size(PHONE)
    page.reload()
    expect(button).to_be_visible()


def test_many_connections_are_chosen_in_little_room_and_what_belongs_to_a_token_comes_with_it(
    team: Team, open_window: OpenWindow
) -> None:
    for _ in range(120):
        factories.connection(team.organization, team.alice, shared=True)
    window = open_window(team.bob, javascript=False)
    page = window.open(f"{team.integrations_page}connect/")
    window.picture("many connections to choose from")
    page.set_viewport_size(PHONE)
    choice, token = page.get_by_label("Credential", exact=True).first, page.get_by_label("Access token", exact=True)
    address = page.get_by_label("Server address")
    expect(token).to_be_hidden()
    expect(address).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") < 3 * PHONE["height"]
    expect_no_sideways_scroll(page)
    choice.select_option("token")
    expect(token).to_be_visible()
    expect(address).to_be_visible()
    choice.select_option("none")
    expect(token).to_be_hidden()
    expect(address).to_be_visible()
