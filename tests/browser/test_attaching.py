"""Commands and skills are attached on a server's General tab, with a script and without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from catalog.attaching import attach
from tests import factories
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.browser.window import Window, expect_visible_focus

pytestmark = pytest.mark.browser


@pytest.fixture
def library(team: Team) -> None:
    for number in range(7):
        factories.command(team.organization, f"Summarise part {number}", slug=f"summarise-{number}")
    factories.command(team.organization, "A command with a name that is as long as one can be " * 2, slug="long")
    factories.skill(team.organization, "Fill forms", slug="fill-forms")


@pytest.mark.usefixtures("library")
def test_commands_are_attached_on_the_general_tab_by_keyboard(team: Team, open_window: OpenWindow) -> None:
    window = open_window(team.bob)
    page = window.open(team.server_page)
    panel = page.locator("#attached")
    choice = panel.get_by_role("checkbox", name="Summarise part 3")
    expect(choice).to_be_visible()
    with window.without_loading_a_page():
        choice.focus()
        page.keyboard.press("Space")
        expect_visible_focus(choice)
        panel.get_by_role("button", name="Save").press("Enter")
        expect(page.get_by_text("What Docs offers is saved.")).to_be_visible()
    expect(choice).to_be_checked()
    assert [each.slug for each in team.docs.commands.all()] == ["summarise-3"]
    expect_no_barrier(window)
    window.picture("attached")
    attach(team.docs, commands=[], skills=[], by=None)
    window.watch.expected_statuses.add(422)
    panel.get_by_role("checkbox", name="Fill forms").check()
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else changed what is attached")).to_be_visible()
    expect(choice).not_to_be_checked()
    expect_no_barrier(window)
    window.picture("attached meanwhile")


@pytest.mark.usefixtures("library")
def test_skills_are_attached_without_a_script(team: Team, chromium: Browser, installation: Installation) -> None:
    window = Window(chromium, installation, person=team.bob, javascript=False)
    page = window.open(team.server_page)
    page.get_by_role("link", name="Commands and skills").click()
    page.get_by_role("checkbox", name="Fill forms").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("checkbox", name="Fill forms")).to_be_checked()
    assert [each.slug for each in team.docs.skills.all()] == ["fill-forms"]
    window.close()


def test_the_panel_is_for_everybody_empty_and_to_read(team: Team, open_window: OpenWindow) -> None:
    window = open_window(team.bob)
    window.open(f"{team.server_page}attached/")
    expect(window.page.get_by_text("There are no commands yet.")).to_be_visible()
    expect_no_barrier(window)
    window.picture("attached nothing")
    attach(team.docs, commands=[factories.command(team.organization, "Greet").pk], skills=[], by=None)
    reader = open_window(team.carol)
    reader.open(f"{team.server_page}attached/")
    expect(reader.page.get_by_role("link", name="Greet")).to_be_visible()
    expect_no_barrier(reader)
    reader.picture("attached to read")
