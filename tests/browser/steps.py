"""What people do on the pages, in their words; each step ends when the page shows that it is done."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from playwright.sync_api import Locator, Page, expect

from catalog.models import Server
from endpoint.oauth import clients
from endpoint.oauth.registration import Said
from tests.browser.window import Window
from tests.endpoint import oauth_steps
from tests.wire.forge import Forge


def sign_up_as_the_first_person(window: Window, *, name: str, organization: str, email: str, password: str) -> None:
    page = window.open("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Millrace")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Organisation").fill(organization)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password (again)").fill(password)
    window.picture("signup")
    page.get_by_role("button", name="Create account and organisation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(organization)


def create_a_server(window: Window, name: str) -> None:
    page = window.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Servers").click()
    page.get_by_role("link", name="New server").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create server").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def open_the_tab(window: Window, name: str) -> None:
    window.page.get_by_role("navigation", name="Server").get_by_role("link", name=name).click()


def choose_the_forge(page: Page, forge: str) -> None:
    """On the connect form; what belongs to others is hidden then."""
    page.locator(f"[name=forge][value={forge}]").check()


def fill_in_the_repository(window: Window, forge: Forge, *, repository: str, token: str, include: str = "") -> None:
    """The connect form, as far as the button."""
    page = window.page
    page.get_by_label("Server address").fill(forge.url)
    the_token_field(page).fill(token)
    the_repository_field(page).fill(repository)
    page.get_by_role("textbox", name="Include").fill(include)


def the_token_field(page: Page) -> Locator:
    return page.get_by_label("Access token", exact=True)


def the_repository_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Repository")


def row_of(page: Page, repository: str) -> Locator:
    """The row of the integrations table."""
    return page.get_by_role("row").filter(has_text=repository)


def refresh(window: Window, repository: str) -> None:
    """Click Refresh in the table and nothing else: the row alone is replaced."""
    with window.without_loading_a_page(), window.page.expect_response(re.compile(r"/refresh/$")):
        window.page.get_by_role("button", name=f"Refresh {repository}", exact=True).click()


def choose_how_to_refresh(window: Window, repository: str, choice: str) -> None:
    page = window.page
    page.get_by_role("button", name=f"How to refresh {repository}").click()
    with window.without_loading_a_page(), page.expect_response(re.compile(r"/refresh/$")):
        page.get_by_role("button", name=choice).click()


def expect_outcome(row: Locator, status: str, counts: Mapping[str, int]) -> None:
    """What the row says of its last refresh: the word, and each number that is not nought."""
    expect(row.locator(".last-run .status")).to_have_text(status)
    for name, number in counts.items():
        expect(row.locator(".counts")).to_contain_text(re.compile(rf"\b{number} {name}"))


def choose_in_the_menu(window: Window, repository: str, item: str) -> None:
    """An action of a row."""
    window.page.get_by_role("button", name=f"Actions for {repository}").click()
    window.page.locator(".menu:popover-open").get_by_text(item).click()


def cut_a_version_and_serve_it(window: Window, note: str = "") -> None:
    page = window.page
    page.get_by_role("link", name="Cut a version").first.click()
    page.get_by_label("Note").fill(note)
    window.picture("version, cut")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Cut version").click()
    expect(page.get_by_role("table", name="Versions")).to_contain_text("Active")


def look_again_until_it_ended(window: Window, *, patience: float = 30.0) -> None:
    """On the page of a run that does not follow it by itself. `patience` is in seconds."""
    deadline = time.monotonic() + patience
    while window.page.locator("#run-status").inner_text().strip() in ("Queued", "Running"):
        assert time.monotonic() < deadline, window.installation.log
        window.page.reload()


def a_client_asks_for(server: Server, at: str) -> str:
    """The address of the page on which people let a client that just registered use the server, of the installation
    `at` (its URL). They are sent back to `/healthz` there."""
    back = f"{at}/healthz"
    client, _ = clients.register(Said("Editor", (back,), "none"))
    resource = f"{at}/mcp/{server.organization.slug}/{server.slug}"
    return oauth_steps.address(oauth_steps.query(client.pk, resource, redirect_uri=back))
