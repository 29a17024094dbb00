"""Connecting a client and trying it, as people do it: with the keyboard, and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from catalog.models import Server
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import expect_visible_focus

pytestmark = pytest.mark.browser


@pytest.fixture
def server(team: Team) -> Server:
    factories.content(team.docs, "guides/rain.md", "# Rain\n\nBring an umbrella.\n")
    provider = factories.provider(team.docs, "Weather", base_url="http://127.0.0.1:9/")
    factories.tool(provider, "dropAll", method="DELETE", path="/all")
    return team.docs


def test_a_snippet_is_found_with_the_keyboard_alone(team: Team, server: Server, open_window: OpenWindow) -> None:
    window = open_window(team.carol)
    page = window.open(f"{team.home}servers/{server.slug}/connect/")
    cursor = page.locator("summary").filter(has_text="Cursor")
    cursor.focus()
    expect_visible_focus(cursor)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Install in Cursor")).to_be_visible()
    expect(page.locator("details.client[open]")).to_have_count(1)
    page.keyboard.press("Tab")
    expect_visible_focus(page.get_by_role("link", name="Install in Cursor"))
    window.picture("connect cursor")


def test_a_tool_is_called_without_loading_a_page_and_one_that_destroys_asks(
    team: Team, server: Server, open_window: OpenWindow
) -> None:
    window = open_window(team.carol)
    page = window.open(f"{team.home}servers/{server.slug}/connect/playground/?do=tool:fetch")
    page.get_by_label("path", exact=False).fill("guides/rain.md")
    with window.without_loading_a_page():
        page.keyboard.press("Enter")
        expect(page.locator("#play-reply")).to_contain_text("Bring an umbrella.")
    reply = page.get_by_role("heading", name="Reply")
    expect(reply).to_be_focused()
    expect(reply).to_be_in_viewport()
    window.picture("playground reply")
    page.get_by_label("Try", exact=True).select_option("tool:dropAll")
    page.get_by_role("button", name="Choose").click()
    expect(page.get_by_role("heading", name="Call dropAll")).to_be_visible()
    page.get_by_role("button", name="Call").focus()
    page.keyboard.press("Enter")
    sure = page.get_by_role("button", name="Call it")
    expect_visible_focus(sure)
    with window.without_loading_a_page():
        page.keyboard.press("Enter")
        expect(page.get_by_text("The tool tells of an error")).to_be_visible()
    expect(reply).to_be_focused()
    window.picture("playground error")


def test_what_is_wrong_with_a_call_leaves_the_focus_on_its_button(
    team: Team, server: Server, open_window: OpenWindow
) -> None:
    page = open_window(team.carol).open(f"{team.home}servers/{server.slug}/connect/playground/?do=tool:search")
    call = page.get_by_role("button", name="Call")
    call.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 field needs your attention")).to_be_visible()
    expect_visible_focus(call)


def test_the_playground_works_without_a_script(team: Team, server: Server, open_window: OpenWindow) -> None:
    window = open_window(team.carol, javascript=False)
    page = window.open(f"{team.home}servers/{server.slug}/connect/playground/")
    page.get_by_label("Try", exact=True).select_option("resource:millrace://docs/guides/rain.md")
    page.get_by_role("button", name="Choose").click()
    page.get_by_role("button", name="Read").click()
    expect(page.locator("#play-reply")).to_contain_text("Bring an umbrella.")
    expect(page.get_by_text("HTTP 200")).to_be_visible()
