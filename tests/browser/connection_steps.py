"""What people do to connect accounts, here and at the forge, in their words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.window import Window


def open_connections(window: Window) -> Page:
    window.page.get_by_role("navigation", name="Main").get_by_role("link", name="Connections").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Connections")
    return window.page


def add_a_connection(window: Window) -> Page:
    page = open_connections(window)
    page.get_by_role("link", name="Add connection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a connection")
    return page


def leave_for_the_forge(window: Window, button: str) -> Page:
    """Press a button of ours that leads to a page of the forge."""
    page = window.page
    page.get_by_role("button", name=button).click()
    page.wait_for_url(lambda url: not url.startswith(window.installation.url))
    return page


def say_yes_at_the_forge(window: Window, button: str = "Authorise") -> Page:
    return _press_there(window, button)


def say_no_at_the_forge(window: Window) -> Page:
    return _press_there(window, "Cancel")


def install_at_github(window: Window, account: str) -> Page:
    section = window.page.locator("section").filter(has=window.page.get_by_role("heading", name=account, exact=True))
    section.get_by_role("button", name="Install").click()
    window.page.wait_for_url(f"{window.installation.url}/**")
    return window.page


def _press_there(window: Window, button: str) -> Page:
    window.page.get_by_role("button", name=button, exact=True).click()
    window.page.wait_for_url(f"{window.installation.url}/**")
    return window.page


def row_of(page: Page, account: str) -> Locator:
    """The row of the table of connections."""
    return page.get_by_role("table", name="Connections").get_by_role("row").filter(has_text=account)


def choose_in_the_menu(window: Window, account: str, item: str) -> None:
    row_of(window.page, account).get_by_role("button", name=f"Actions for {account}").click()
    window.page.locator(".menu:popover-open").get_by_text(item, exact=True).click()


def expect_told(page: Page, words: str) -> None:
    expect(page.locator("#messages")).to_contain_text(words)
