"""Every type of page is for everybody: no barrier that axe finds, in light and dark, on a desk and on a telephone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.furnished import Furnished
from tests.browser.installation import Installation
from tests.wire.forge import Forge

pytestmark = pytest.mark.browser

OTHER_CONFIGURATION = json.dumps(
    {
        "formatVersion": 1,
        "server": {"name": "Docs", "slug": "docs", "visibility": "private", "version": 1},
        "variables": [
            {"name": "API_KEY", "secret": True, "hosts": ["api.example.com", "other.example.com"]},
            {"name": "NEW_KEY", "secret": True, "hosts": ["api.example.com"]},
        ],
        "providers": [{"name": "News", "visibility": "public", "baseUrl": "https://news.example.com"}],
    }
)
"""Brings something of each kind of news to a preview."""
Path = Callable[[Furnished], str]
Step = Callable[[Page], object]


@dataclass(frozen=True)
class Case:
    path: Path
    """Where the page is, from the organisation's address on; from the top with a slash in front."""
    person: Literal["alice", "carol", ""] = "alice"
    status: int = 200
    then: Step | None = None
    """What is done there before one looks."""


def open_the_menu(page: Page) -> None:
    page.get_by_role("button", name="Actions for acme/book").click()
    expect(page.locator(".menu:popover-open")).to_be_visible()


def open_the_dialog(page: Page) -> None:
    open_the_menu(page)
    page.locator(".menu:popover-open").get_by_text("Delete…").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def open_the_edit_dialog(page: Page) -> None:
    page.get_by_role("button", name="Actions for Handbook").click()
    page.locator(".menu:popover-open").get_by_text("Edit…").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def say_no_address(page: Page) -> None:
    page.get_by_label("Address").fill("no address")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("1 field needs your attention")).to_be_visible()


def say_an_inward_address(page: Page) -> None:
    page.get_by_label("Address").fill("http://10.0.0.1/")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("ask the operator to allow this one")).to_be_visible()


def ask_why(page: Page) -> None:
    page.locator(".hit summary").first.click()
    expect(page.locator(".weights").first).to_be_visible()


def send_nothing(page: Page) -> None:
    page.locator("#connect-form").evaluate("(form) => { form.noValidate = true; form.requestSubmit(); }")
    expect(page.get_by_text("2 fields need your attention")).to_be_visible()


def choose_a_token(page: Page) -> None:
    page.get_by_role("radio", name="Another access token").check()
    expect(page.get_by_label("New access token")).to_be_visible()


def choose_cron(page: Page) -> None:
    page.get_by_label("By the clock").select_option("cron")
    page.get_by_label("Cron expression").fill("0 6 * * 1-5")
    expect(page.locator("#next-times time")).to_have_count(3)


def open_a_difference(page: Page) -> None:
    page.locator("summary").filter(has_text="docs/").first.click()
    expect(page.locator(".diff").first).to_be_visible()


def add_rows(page: Page) -> None:
    page.get_by_role("button", name="Add an argument").click()
    expect(page.get_by_role("group", name="Argument 2")).to_be_visible()
    page.get_by_role("button", name="Add a message").click()
    expect(page.get_by_role("group", name="Message 2")).to_be_visible()


def choose_secret(page: Page) -> None:
    page.get_by_role("radio", name="Secret").check()
    page.get_by_role("button", name="Save variable").click()
    expect(page.get_by_text("1 field needs your attention")).to_be_visible()


def open_each_client(page: Page) -> None:
    for name in ("Claude Desktop", "VS Code", "curl"):
        page.locator("summary").filter(has_text=name).click()
    expect(page.locator("details.client[open]")).to_have_count(1)


def fetch_a_file(page: Page) -> None:
    page.get_by_label("path", exact=False).first.fill("docs/everything.md")
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()


def call_list(page: Page) -> None:
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("heading", name="Reply")).to_be_focused()
    expect(page.get_by_text("Clients are refused until next month")).to_be_visible()


def call_what_destroys(page: Page) -> None:
    page.get_by_role("button", name="Call").click()
    expect(page.get_by_role("button", name="Call it")).to_be_focused()


def make_a_key(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Nightly build")
    page.get_by_role("radio", name="All servers and toolkits").check()
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_text("it is shown only once")).to_be_visible()


def unfold_what_it_reaches(page: Page) -> None:
    page.locator("summary").filter(has_text="and 2 more").click()
    expect(page.get_by_text("Server with quite a long name 4")).to_be_visible()


def ask_to_revoke(page: Page) -> None:
    page.get_by_role("link", name="Revoke Editor of the writers").click()
    expect(page.get_by_role("button", name="Revoke key")).to_be_visible()


def make_no_key(page: Page) -> None:
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_text("1 field needs your attention")).to_be_visible()


def choose_a_name_twice(page: Page) -> None:
    for group in ("search", "list"):
        page.get_by_label(f"Name of {group}").fill("same")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2 fields need your attention")).to_be_visible()


def preview_an_import(page: Page) -> None:
    page.get_by_label("Or its text").fill(OTHER_CONFIGURATION)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("I know these hosts")).to_be_visible()


def about_the_integration(page: str) -> Path:
    return lambda it: f"integrations/{it.integration.pk}/{page}/"


def of_the_server(page: str = "") -> Path:
    return lambda _it: f"servers/docs/{page}"


def at(path: str) -> Path:
    return lambda _it: path


CASES: dict[str, Case] = {
    "sign in": Case(at("/accounts/login/"), person=""),
    "sign-up closed": Case(at("/accounts/signup/"), person=""),
    "invitation": Case(lambda it: f"/invitations/{it.invitation}/", person=""),
    "reset password": Case(at("/accounts/password/reset/"), person=""),
    "dashboard": Case(at("")),
    "servers": Case(at("servers/")),
    "new server": Case(at("servers/new/")),
    "server general": Case(of_the_server()),
    "server edit": Case(of_the_server("edit/")),
    "server variables": Case(of_the_server("variables/")),
    "new variable with errors": Case(of_the_server("variables/new/"), then=choose_secret),
    "server tools": Case(of_the_server("tools/")),
    "tool to be tried": Case(lambda it: f"servers/docs/tools/{it.tool.pk}/"),
    "prompt edit with rows": Case(lambda it: f"servers/docs/prompts/{it.prompt.pk}/edit/", then=add_rows),
    "export": Case(of_the_server("export/")),
    "import previewed": Case(of_the_server("import/"), then=preview_an_import),
    "server content": Case(of_the_server("content/")),
    "server sources": Case(of_the_server("sources/")),
    "server sources, dialog": Case(of_the_server("sources/"), then=open_the_edit_dialog),
    "server sources for a viewer": Case(of_the_server("sources/"), person="carol"),
    "sources": Case(at("sources/")),
    "source": Case(lambda it: f"sources/{it.source.pk}/"),
    "source in error": Case(lambda it: f"sources/{it.repository.pk}/"),
    "source skipped pages": Case(lambda it: f"sources/{it.source.pk}/skipped/"),
    "source edit": Case(lambda it: f"sources/{it.repository.pk}/edit/"),
    "source delete": Case(lambda it: f"sources/{it.source.pk}/delete/"),
    "add a source with errors": Case(of_the_server("sources/add/"), then=say_no_address),
    "add a source, refused": Case(of_the_server("sources/add/"), then=say_an_inward_address),
    "search": Case(of_the_server("search/?q=a+line+that+is+long"), then=ask_why),
    "search without a result": Case(of_the_server("search/?q=zeppelin")),
    "queries without a result": Case(of_the_server("search/misses/")),
    "refreshing sources": Case(at("sources/refreshing/")),
    "connect": Case(of_the_server("connect/"), then=open_each_client),
    "connect without a key": Case(of_the_server("connect/?with=none"), person="carol"),
    "playground": Case(of_the_server("connect/playground/?do=tool:fetch"), then=fetch_a_file),
    "playground asks": Case(of_the_server("connect/playground/?do=tool:sendReport"), then=call_what_destroys),
    "endpoint settings with errors": Case(of_the_server("connect/settings/"), then=choose_a_name_twice),
    "playground with nothing to try": Case(at("servers/bare/connect/playground/")),
    "playground used up": Case(at("servers/used-up/connect/playground/?do=tool:list"), then=call_list),
    "API key made": Case(at("api-keys/new/"), then=make_a_key),
    "API keys": Case(at("api-keys/"), then=unfold_what_it_reaches),
    "API key with errors": Case(at("api-keys/new/"), then=make_no_key),
    "API key edit": Case(lambda it: f"api-keys/{it.key.pk}/"),
    "API key revoke": Case(lambda it: f"api-keys/{it.key.pk}/revoke/"),
    "API key revoke, dialog": Case(at("api-keys/"), then=ask_to_revoke),
    "client to be let in": Case(lambda it: it.consent),
    "connected clients": Case(at("connected-clients/")),
    "connected clients of one person": Case(at("/profile/clients/")),
    "usage": Case(of_the_server("requests/")),
    "usage of the organisation": Case(at("usage/?span=12m")),
    "request log": Case(of_the_server("requests/log/")),
    "request": Case(lambda it: f"servers/docs/requests/log/{it.asked.pk}/"),
    "toolkit connect": Case(lambda it: f"toolkits/{it.toolkit.pk}/connect/"),
    "toolkit playground": Case(lambda it: f"toolkits/{it.toolkit.pk}/connect/playground/"),
    "toolkit endpoint settings": Case(lambda it: f"toolkits/{it.toolkit.pk}/connect/settings/"),
    "server integrations": Case(of_the_server("integrations/")),
    "server integrations, menu": Case(of_the_server("integrations/"), then=open_the_menu),
    "server integrations, dialog": Case(of_the_server("integrations/"), then=open_the_dialog),
    "server versions": Case(of_the_server("versions/")),
    "server activity": Case(of_the_server("activity/")),
    "compare": Case(of_the_server("versions/compare/")),
    "version": Case(of_the_server("versions/1/")),
    "content page": Case(lambda it: f"servers/docs/content/{it.content.pk}/"),
    "new file": Case(of_the_server("content/new/")),
    "upload": Case(of_the_server("content/upload/")),
    "connect with errors": Case(of_the_server("integrations/connect/"), then=send_nothing),
    "integrations": Case(at("integrations/")),
    "integration": Case(lambda it: f"integrations/{it.integration.pk}/"),
    "integration that failed": Case(lambda it: f"integrations/{it.failed.subject_id}/"),
    "integration for a viewer": Case(lambda it: f"integrations/{it.integration.pk}/", person="carol"),
    "integration credential": Case(about_the_integration("edit"), then=choose_a_token),
    "integration add a branch": Case(about_the_integration("branches/add")),
    "integration automation": Case(about_the_integration("automation"), then=choose_cron),
    "integration history": Case(about_the_integration("history")),
    "integration skipped files": Case(about_the_integration("skipped")),
    "integration preview": Case(
        lambda it: f"integrations/{it.integration.pk}/preview/{it.preview.pk}/", then=open_a_difference
    ),
    "runs": Case(at("runs/")),
    "run succeeded": Case(lambda it: f"runs/{it.succeeded.pk}/", then=open_a_difference),
    "run running": Case(lambda it: f"runs/{it.running.pk}/"),
    "run failed": Case(lambda it: f"runs/{it.failed.pk}/"),
    "run held": Case(lambda it: f"runs/{it.held.pk}/"),
    "broken in git": Case(lambda it: f"settings/sync/entities/{it.broken.pk}/"),
    "changed on both sides": Case(lambda it: f"settings/sync/entities/{it.torn.pk}/"),
    "members": Case(at("members/")),
    "invitations": Case(at("invitations/")),
    "audit log": Case(at("audit/")),
    "organisation settings": Case(at("settings/")),
    "profile": Case(at("/profile/")),
    "e-mail addresses": Case(at("/accounts/email/")),
    "change password": Case(at("/accounts/password/change/")),
    "two-factor": Case(at("/accounts/2fa/")),
    "may not": Case(of_the_server("integrations/connect/"), person="carol", status=403),
    "not found": Case(at("nowhere/"), status=404),
}


@pytest.fixture(scope="package")
def furnished(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Made once: no test changes it."""
    with Forge(tmp_path_factory.mktemp("forge")) as forge:
        yield Furnished.new(forge, installation.url)


@pytest.mark.parametrize("name", CASES)
def test_a_page_has_no_barrier_and_fits_its_window(furnished: Furnished, open_window: OpenWindow, name: str) -> None:
    case = CASES[name]
    window = open_window(getattr(furnished.team, case.person) if case.person else None)
    window.watch.expected_statuses.add(case.status)
    path = case.path(furnished)
    response = window.page.goto(path if path.startswith("/") else furnished.team.home + path)
    assert response is not None
    assert response.status == case.status
    expect(window.page.locator(".htmx-request")).to_have_count(0)
    if case.then:
        case.then(window.page)
    expect_no_barrier(window)
    window.picture(f"page {name}")
