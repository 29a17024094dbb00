"""Sources from the Add page to what a search finds in them, as people see it."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from indexing.models import Page as SourcePage
from indexing.models import Source
from tests.browser import connection_steps
from tests.browser.abroad import Abroad, at_work
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import Window
from tests.site.pages import html_page, sentence
from tests.site.server import Site
from tests.wire.forge import Forge

__all__ = ["at_work"]

pytestmark = pytest.mark.browser

AS_LONG_AS_A_CRAWL_MS = 600_000
"""Of 1,200 pages, on a machine that does other things, too."""
NEW = "Zeppelins are moored to the lightning rod on Thursdays."


@pytest.fixture
def team(at_work: Abroad) -> Team:
    at_work.forge.world.oauth.person = "octo"
    return Team.new()


def sources_page(team: Team) -> str:
    return f"{team.server_page}sources/"


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Sources").get_by_role("row").filter(has_text=name)


def begin_to_add(window: Window, team: Team, address: str) -> Page:
    """As far as the page says what it is."""
    page = window.open(sources_page(team))
    page.get_by_role("link", name="Add a source").first.click()
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#source-form")).to_be_visible()
    return page


def add_as(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add source").click()
    expect(page.locator("#messages")).to_contain_text(f"{name} is added")


def search_for(window: Window, team: Team, words: str) -> Locator:
    """The results."""
    page = window.open(f"{team.server_page}search/")
    page.get_by_label("Search for").fill(words)
    page.get_by_role("button", name="Search", exact=True).click()
    return page.get_by_role("list", name="Results").get_by_role("listitem")


def expect_progress_to_move(row: Locator) -> None:
    seen: set[str | None] = set()
    deadline = time.monotonic() + AS_LONG_AS_A_CRAWL_MS / 1000
    while len(seen) < 3:
        bar = row.locator("progress[value]")
        if bar.count():
            seen.add(bar.first.get_attribute("value"))
        assert time.monotonic() < deadline, seen
        row.page.wait_for_timeout(300)


def test_a_site_and_a_private_repository_are_added_found_and_refreshed(
    at_work: Abroad, team: Team, open_window: OpenWindow
) -> None:
    secret = at_work.forge.repository(f"octo/plans-of-{team.organization.slug}", private=True)
    secret.git.commit({"README.md": "# Plans\n\nThe pump is to be painted magenta.\n"})
    with Site(1200, sitemap=True) as site:
        window = at_work.window(open_window, team.alice)

        page = begin_to_add(window, team, f"{site.url}/")
        expect(page.locator("#add")).to_contain_text("1,200 by its sitemap")
        window.picture("source, found out")
        add_as(page, "Handbook")
        expect_progress_to_move(row_of(page, "Handbook"))
        window.picture("sources, indexing")

        # The repository is private: an account is linked, and the form goes on where it was.
        page = begin_to_add(window, team, f"{at_work.forge.url}/{secret.full_name}")
        expect(page.locator("#add")).to_contain_text("Link an account that may read it.")
        connection_steps.leave_for_the_forge(window, f"Link {at_work.label('github')}")
        connection_steps.say_yes_at_the_forge(window)
        expect(page.locator("#add")).to_contain_text("read with octo")
        add_as(page, "Plans")

        for name in ("Handbook", "Plans"):
            row = row_of(page, name)
            expect(row.get_by_text("Complete")).to_be_visible(timeout=AS_LONG_AS_A_CRAWL_MS)
        expect(row_of(page, "Handbook")).to_contain_text("1,200")
        window.picture("sources, complete")

        expect(search_for(window, team, sentence(900)).first).to_contain_text("Chapter 900")
        window.picture("search, page 900")
        expect(search_for(window, team, "magenta pump").first).to_contain_text("README.md")

        # One page changes: it is found after a refresh, and no other is indexed anew.
        handbook = Source.objects.get(server=team.docs, name="Handbook")
        before = dict(SourcePage.objects.filter(source=handbook).values_list("url", "text_id"))
        site.change("/page/900", html_page("Chapter 900", f"<h1>Chapter 900</h1><p>{NEW}</p>"))
        page = window.open(sources_page(team))
        page.get_by_role("button", name="Refresh Handbook").click()
        expect(page.locator("#messages")).to_contain_text("Handbook is indexed.", timeout=AS_LONG_AS_A_CRAWL_MS)
        expect(search_for(window, team, NEW).first).to_contain_text("Zeppelins")
        after = dict(SourcePage.objects.filter(source=handbook).values_list("url", "text_id"))
        assert {url for url in before | after if before.get(url) != after.get(url)} == {f"{site.url}/page/900"}


def test_a_repository_that_lost_its_account_is_linked_beside_its_row(
    at_work: Abroad, team: Team, open_window: OpenWindow
) -> None:
    secret = at_work.forge.repository(f"octo/secrets-of-{team.organization.slug}", private=True)
    secret.git.commit({"README.md": "# Secrets\n\nThe key is under the mat.\n"})
    window = at_work.window(open_window, team.alice)
    page = begin_to_add(window, team, f"{at_work.forge.url}/{secret.full_name}")
    page.get_by_label("Name", exact=True).fill("Secrets")
    page.get_by_role("button", name="Add all the same").click()
    row = row_of(page, "Secrets")
    link = row.get_by_role("link", name=f"Link {at_work.label('github')}")
    expect(link).to_be_visible()
    expect(row).to_contain_text("Error")
    window.picture("source, needs an account")
    link.click()
    connection_steps.say_yes_at_the_forge(window)
    expect(page.locator("#messages")).to_contain_text("Secrets is read with octo from now on")
    expect(page.locator("#state").get_by_text("Complete")).to_be_visible()
    expect(page.get_by_role("table", name="Pages")).to_contain_text("README.md")


@pytest.mark.parametrize("javascript", [True, False], ids=["with a script", "without"])
def test_a_source_is_added_paused_edited_and_deleted_by_keyboard(
    at_work: Abroad, team: Team, open_window: OpenWindow, forge: Forge, javascript: bool
) -> None:
    with Site({"/": html_page("Home", "<h1>Home</h1><p>Nothing but this.</p>")}) as site:
        window = at_work.window(open_window, team.alice, javascript=javascript)
        page = window.open(f"{sources_page(team)}add/")
        press = page.keyboard.press

        page.get_by_label("Address").focus()
        page.keyboard.type(f"{site.url}/")
        press("Enter")
        name = page.get_by_label("Name", exact=True)
        expect(name).to_be_visible()
        name.focus()
        press("Control+a")
        page.keyboard.type("Home")
        press("Enter")
        expect(page.locator("#messages")).to_contain_text("Home is added")

        page.get_by_role("button", name="Pause Home").focus()
        press("Enter")
        go_on = page.get_by_role("button", name="Go on with Home")
        expect(go_on).to_be_visible()
        if javascript:
            expect(go_on).to_be_focused()
        go_on.focus()
        press("Enter")
        expect(page.get_by_role("button", name="Pause Home")).to_be_visible()

        for choice in ("Edit…", "Delete…"):
            page.get_by_role("button", name=re.compile("^Actions for Ho")).focus()
            press("Enter")
            page.locator(".menu:popover-open").get_by_role("link", name=choice).focus()
            press("Enter")
            if choice == "Edit…":
                name = page.get_by_label("Name", exact=True)
                expect(name).to_be_visible()
                name.fill("Homestead")
                press("Enter")
                expect(page.locator("#messages")).to_contain_text("Homestead is saved.")
                if javascript:  # a row that is being indexed is drawn anew, its menu with it
                    expect(page.get_by_role("row", name=re.compile("^Homestead"))).to_contain_text("Complete")
        delete = page.get_by_role("button", name="Delete source")
        expect(delete).to_be_visible()
        expect(page.locator(".htmx-settling")).to_have_count(0)  # until then, a dialog takes the focus for itself
        delete.focus()
        press("Enter")
        expect(page.locator("#messages")).to_contain_text("Homestead is deleted.")
        expect(page.get_by_role("link", name="Homestead")).to_have_count(0)
