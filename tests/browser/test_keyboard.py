"""Everything without a mouse: Tab, Enter and Escape, with the focus visible and where one expects it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from endpoint import keys
from orgs.models import Membership
from tests import factories
from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.browser.window import expect_visible_focus
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.browser


@pytest.fixture
def notes(forge: Forge) -> HostedRepository:
    hosted = forge.repository("acme/notes")
    hosted.git.commit({"one.md": "# One\n", "two.md": "# Two\n"})
    return hosted


def tab_to(page: Page, element: Locator, *, within: int = 60) -> None:
    """Press Tab until the element has the focus; every stop on the way shows where one is."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if page.locator(":focus").count() == 0:
            continue  # past the last element comes the browser's own frame, and then the first
        expect_visible_focus(page.locator(":focus"))
        if element.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"{element} is not reached by {within} Tabs")


def test_one_signs_in(team: Team, open_window: OpenWindow) -> None:
    page = open_window().open(team.integrations_page)
    tab_to(page, page.get_by_label("Email"))
    page.keyboard.type(team.alice.email)
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(factories.PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.partition('/accounts/')[0]}{team.integrations_page}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Docs")


def test_the_first_tab_offers_to_skip_to_the_content(team: Team, open_window: OpenWindow) -> None:
    page = open_window(team.alice).open(team.home)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect_visible_focus(skip)
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_one_refreshes_with_a_choice_from_the_menu_and_stays_where_one_was(
    team: Team, open_window: OpenWindow, forge: Forge, notes: HostedRepository
) -> None:
    team.connects(notes, forge)
    notes.git.commit({"two.md": None})
    window = open_window(team.alice)
    page = window.open(team.integrations_page)
    choose = page.get_by_role("button", name="How to refresh acme/notes")
    tab_to(page, choose)
    page.keyboard.press("Enter")
    menu = page.locator(".menu:popover-open")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect_visible_focus(choose)

    page.keyboard.press("Enter")
    tab_to(page, menu.get_by_role("button", name="Refresh and keep"), within=3)
    page.keyboard.press("Enter")
    row = steps.row_of(page, "acme/notes")
    steps.expect_outcome(row, "Succeeded", {"stale": 1})
    expect(row.locator(":focus")).to_have_count(1)

    tab_to(page, page.get_by_role("button", name="Refresh acme/notes", exact=True))
    page.keyboard.press("Enter")
    steps.expect_outcome(row, "Succeeded", {"removed": 1})
    expect_visible_focus(page.get_by_role("button", name="Refresh acme/notes", exact=True))


def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(
    team: Team, open_window: OpenWindow, forge: Forge, notes: HostedRepository
) -> None:
    team.connects(notes, forge)
    page = open_window(team.alice).open(team.integrations_page)
    more = page.get_by_role("button", name="Actions for acme/notes")
    tab_to(page, more)
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".menu:popover-open").get_by_role("link", name="Delete…"), within=6)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete the integration of acme/notes?")
    expect(dialog).not_to_have_class(re.compile("htmx"))  # it has settled: a moment before, the focus is set once more
    expect_visible_focus(dialog.get_by_role("link", name="Cancel"))
    page.keyboard.press("Tab")
    expect_visible_focus(dialog.get_by_role("button", name="Delete integration"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect_visible_focus(more)

    page.keyboard.press("Enter")
    tab_to(page, page.locator(".menu:popover-open").get_by_role("link", name="Delete…"), within=6)
    page.keyboard.press("Enter")
    expect(dialog).not_to_have_class(re.compile("htmx"))
    tab_to(page, dialog.get_by_role("button", name="Delete integration"), within=3)
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("The integration of acme/notes is deleted.")


def test_a_key_is_made_for_what_one_chooses_and_its_form_shows_what_the_choice_asks_for(
    team: Team, open_window: OpenWindow
) -> None:
    page = open_window(team.alice).open(f"{team.home}api-keys/new/")
    page.get_by_label("Name", exact=True).fill("Build")
    servers, last_day = page.get_by_role("group", name="Servers and toolkits"), page.get_by_label("Last day")
    expect(servers).to_be_visible()
    expect(last_day).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(servers).to_be_hidden()
    tab_to(page, page.get_by_label("Good for"), within=3)
    page.keyboard.type("until the day")
    expect(last_day).to_be_visible()
    page.keyboard.press("Tab")
    expect(last_day).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose its last day.")).to_be_visible()
    page.get_by_role("link", name="Last day").focus()
    page.keyboard.press("Enter")
    expect_visible_focus(last_day)


def test_keys_are_sorted_and_revoked_and_the_focus_stays_where_one_was(team: Team, open_window: OpenWindow) -> None:
    alice = Membership.objects.get(user=team.alice, organization=team.organization)
    for name in ("Build", "Archive"):
        keys.make_key(by=alice, values={"name": name, "everything": True})
    window = open_window(team.alice)
    page = window.open(f"{team.home}api-keys/")
    by_name = page.get_by_role("link", name="Name", exact=True)
    tab_to(page, by_name)
    with window.without_loading_a_page():
        page.keyboard.press("Enter")
        expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    expect_visible_focus(by_name)

    revoke = page.get_by_role("link", name="Revoke Archive")
    tab_to(page, revoke, within=10)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Revoke “Archive”?")
    expect(dialog).not_to_have_class(re.compile("htmx"))
    expect_visible_focus(dialog.get_by_role("link", name="Cancel"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect_visible_focus(revoke)
    page.keyboard.press("Enter")
    expect(dialog).not_to_have_class(re.compile("htmx"))
    tab_to(page, dialog.get_by_role("button", name="Revoke key"), within=3)
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("“Archive” is revoked.")
    expect(page.get_by_role("row").filter(has_text="Archive")).to_contain_text("Revoked")


def test_a_client_is_let_in_to_search_and_not_to_call(
    team: Team, open_window: OpenWindow, installation: Installation
) -> None:
    page = open_window(team.bob).open(steps.a_client_asks_for(team.docs, at=installation.url))
    tab_to(page, page.get_by_role("checkbox"), within=5)
    page.keyboard.press("Space")
    deny, allow = (page.get_by_role("button", name=name) for name in ("Deny", "Allow"))
    page.keyboard.press("Tab")
    expect_visible_focus(deny)
    page.keyboard.press("Tab")
    expect_visible_focus(allow)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/healthz\?code="))
    page.goto("/profile/clients/")
    expect(page.get_by_role("row").filter(has_text="Editor")).to_contain_text("search and read")
