"""The Library in a browser: the sign ⚠ by mouse, keyboard, touch and without a script; one tool among hundreds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from catalog.models import Toolkit
from catalog.toolkits import create_toolkit, edit_toolkit
from tests import factories
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.browser.window import PHONE, expect_visible_focus

pytestmark = pytest.mark.browser

BROKEN = {
    "state": "error",
    "code": "INVALID_JSON",
    "status": 400,
    "message": "A comma is missing.",
    "advice": "Mend the file in git and push it.",
    "path": "toolkits/weather.json",
    "line": 3,
    "column": 14,
    "at": "2026-11-20T10:00:00+00:00",
    "url": "/profile/",
}


@pytest.fixture
def toolkits(team: Team) -> str:
    """The address of a list with one that is broken in git."""
    factories.toolkit(team.organization, "Weather", git_integration=BROKEN)
    factories.toolkit(team.organization, "Wind")
    return f"{team.home}toolkits/"


def sign(page: Page) -> Locator:
    return page.get_by_role("button", name="Error in git: Weather")


def details(page: Page) -> Locator:
    return page.locator(".git-state-details")


def test_the_sign_tells_more_to_the_mouse(toolkits: str, team: Team, open_window: OpenWindow) -> None:
    page = open_window(team.carol).open(toolkits)
    page.clock.install()
    expect(details(page)).to_be_hidden()
    sign(page).hover()
    expect(details(page)).to_be_visible()
    expect(details(page)).to_contain_text("toolkits/weather.json, line 3, column 14")
    sign(page).click()
    expect(details(page)).to_be_visible()
    details(page).hover()  # on the way to its link it stays
    page.clock.run_for(1_000)
    expect(details(page)).to_be_visible()
    page.get_by_role("heading", name="Toolkits").hover()
    page.clock.run_for(1_000)
    expect(details(page)).to_be_hidden()


def test_the_sign_tells_more_to_the_keyboard(toolkits: str, team: Team, open_window: OpenWindow) -> None:
    page = open_window(team.carol).open(toolkits)
    page.get_by_role("link", name="Weather").focus()
    page.keyboard.press("Tab")
    expect_visible_focus(sign(page))
    expect(details(page)).to_be_visible()
    expect(sign(page)).to_have_accessible_description("A comma is missing. Mend the file in git and push it.")
    page.keyboard.press("Escape")
    expect(details(page)).to_be_hidden()
    page.keyboard.press("Enter")
    expect(details(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect_visible_focus(details(page).get_by_role("link"))
    page.keyboard.press("Tab")
    expect(details(page)).to_be_hidden()


def test_the_sign_tells_more_to_a_finger(
    toolkits: str, team: Team, open_window: OpenWindow, chromium: Browser, installation: Installation
) -> None:
    cookies = open_window(team.carol).context.cookies()
    context = chromium.new_context(base_url=installation.url, viewport=PHONE, has_touch=True, is_mobile=True)
    context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gives is what it takes
    page = context.new_page()
    page.goto(toolkits)
    sign(page).tap()
    expect(details(page)).to_be_visible()
    sign(page).tap()
    expect(details(page)).to_be_hidden()
    context.close()


def test_the_sign_tells_more_without_a_script(toolkits: str, team: Team, open_window: OpenWindow) -> None:
    page = open_window(team.carol, javascript=False).open(toolkits)
    sign(page).click()
    expect(details(page)).to_be_visible()
    details(page).get_by_role("link").click()
    expect(page).to_have_url("/profile/")


def test_the_list_with_its_details_open_has_no_barrier(toolkits: str, team: Team, open_window: OpenWindow) -> None:
    window = open_window(team.carol)
    page = window.open(toolkits)
    page.get_by_role("link", name="Weather").focus()
    page.keyboard.press("Tab")
    expect(details(page)).to_be_visible()
    expect_no_barrier(window)


def test_a_tool_is_found_among_hundreds_and_chosen(team: Team, open_window: OpenWindow) -> None:
    for name in ("Weather", "Maps"):
        provider = factories.provider(factories.server(team.organization, name))
        for number in range(100):
            factories.tool(provider, f"do{name}{number}")
    window = open_window(team.bob)
    page = window.open(f"{team.home}toolkits/new/")
    page.get_by_label("Name", exact=True).fill("Cities")
    find = page.get_by_role("searchbox", name="Find a tool")
    find.fill("doMaps42")
    expect(page.locator(".pick:visible")).to_have_count(1)
    page.get_by_label("doMaps42").check()
    expect(page.locator("summary").filter(has_text="Maps")).to_contain_text("1 of 100 chosen")
    find.fill("nothing of the kind")
    expect(page.get_by_text("Nothing has this")).to_be_visible()
    find.press("Enter")  # sends nothing
    find.fill("")
    expect_no_barrier(window)
    page.get_by_role("button", name="Create toolkit").click()
    expect(page.get_by_role("heading", name="Cities")).to_be_visible()
    expect(page.get_by_role("link", name="doMaps42")).to_be_visible()


def test_a_command_is_found_among_hundreds_on_a_telephone(team: Team, open_window: OpenWindow) -> None:
    for number in range(300):
        factories.command(team.organization, f"Command {number:03}")
    factories.skill(team.organization, "pdf-forms")
    window = open_window(team.bob)
    page = window.page
    page.set_viewport_size({"width": 390, "height": 844})
    window.open(f"{team.home}toolkits/new/")
    assert page.evaluate("document.documentElement.scrollHeight") < 2500
    page.get_by_label("Name", exact=True).fill("Greetings")
    page.get_by_role("searchbox", name="Find a command or skill").fill("command 142")
    expect(page.locator(".pick:visible")).to_have_count(1)
    page.get_by_label("Command 142").check()
    expect(page.locator("#id_commands > summary")).to_contain_text("1 of 300 chosen")
    page.get_by_role("searchbox", name="Find a command or skill").fill("")
    assert page.evaluate("document.documentElement.scrollHeight") < 2500
    expect_no_barrier(window)
    page.get_by_role("button", name="Create toolkit").click()
    expect(page.get_by_role("link", name="Command 142")).to_be_visible()


def test_a_version_is_restored_in_a_dialog(team: Team, open_window: OpenWindow) -> None:
    row = create_toolkit(
        organization=team.organization, values={"name": "Weather", "description": "Before"}, by=team.bob
    )
    edit_toolkit(toolkit=row, values={"description": "After"}, seen_revision=None, by=team.bob)
    window = open_window(team.bob)
    page = window.open(f"{team.home}toolkits/{row.pk}/history/")
    expect_no_barrier(window)
    with window.without_loading_a_page():
        page.get_by_role("link", name="Version 1", exact=True).click()
        expect(page.get_by_role("heading", name="What version 1 changed")).to_be_visible()
    page.get_by_role("link", name="Restore version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("restored as it was in version 1")).to_be_visible()
    assert Toolkit.objects.get(pk=row.pk).description == "Before"
