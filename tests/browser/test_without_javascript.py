"""The main job with plain links and forms: scripts are comfort, not a condition."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from catalog.models import Content
from integrations.models import Integration
from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.wire.forge import Forge
from tests.wire.repos import File

pytestmark = pytest.mark.browser


def chapters(*numbers: int) -> dict[str, File]:
    return {f"chapters/{number:02}.md": f"# Chapter {number}\n" for number in numbers}


def test_connect_refresh_confirm_and_delete_work_without_javascript(
    team: Team, open_window: OpenWindow, forge: Forge
) -> None:
    book = forge.repository("acme/book", private=True)
    book.git.commit(chapters(*range(1, 13)))
    window = open_window(team.alice, javascript=False)
    page = window.open(team.integrations_page)

    # Connect: a token that is refused is an error on its field, then a good one.
    page.get_by_role("link", name="Connect a repository").first.click()
    steps.fill_in_the_repository(window, forge, repository="acme/book", token="ghp_wrong")
    page.get_by_role("button", name="Connect and import").click()
    expect(page.locator("#id_token_error")).to_contain_text("does not accept this token")
    steps.the_token_field(page).fill(forge.token("acme"))
    page.get_by_role("button", name="Connect and import").click()
    row = steps.row_of(page, "acme/book")
    steps.expect_outcome(row, "Succeeded", {"added": 12})
    window.picture("no script, connected")

    # Refresh, and what it changed.
    book.git.commit({"chapters/01.md": "# The first chapter\n"})
    page.get_by_role("button", name="Refresh acme/book", exact=True).click()
    steps.expect_outcome(row, "Succeeded", {"changed": 1})
    row.get_by_role("link", name="See what changed").click()
    page.locator("summary").filter(has_text="chapters/01.md").click()
    page.get_by_role("link", name="See the difference").click()
    expect(page.locator(".diff ins")).to_contain_text("The first chapter")

    # Keep, by the menu.
    book.git.commit({"chapters/12.md": None})
    page.goto(team.integrations_page)
    page.get_by_role("button", name="How to refresh acme/book").click()
    page.get_by_role("button", name="Refresh and keep").click()
    steps.expect_outcome(row, "Succeeded", {"stale": 1})

    # A held refresh, confirmed; the worker does it, and one looks again by hand.
    book.git.commit(dict.fromkeys(chapters(*range(1, 8))))
    page.get_by_role("button", name="Refresh acme/book", exact=True).click()
    row.get_by_role("link", name=re.compile("Confirm 8 removals")).click()
    window.picture("no script, held")
    expect(page.get_by_role("list", name="Files that would be removed").get_by_role("listitem")).to_have_count(8)
    page.get_by_role("button", name="Remove 8 files").click()
    steps.look_again_until_it_ended(window)
    expect(page.locator("#run-status")).to_have_text("Succeeded")
    assert Content.objects.filter(server=team.docs).count() == 4

    # Delete, asked on a page of its own; then what it left.
    page.goto(team.integrations_page)
    steps.choose_in_the_menu(window, "acme/book", "Delete…")
    window.picture("no script, delete")
    page.get_by_role("button", name="Delete integration").click()
    expect(page.locator("#messages")).to_contain_text("4 of its files are kept.")
    page.get_by_role("link", name="Remove the files of acme/book").click()
    page.get_by_role("button", name="Remove 4 files").click()
    expect(page.locator("#messages")).to_contain_text("4 files are removed.")
    assert not Integration.objects.filter(server=team.docs).exists()
    assert not Content.objects.filter(server=team.docs).exists()


def test_a_key_is_made_changed_and_revoked_without_javascript(team: Team, open_window: OpenWindow) -> None:
    window = open_window(team.alice, javascript=False)
    page = window.open(f"{team.home}api-keys/")
    page.get_by_role("link", name="Make key").click()
    page.get_by_label("Name", exact=True).fill("Build")
    page.get_by_label("Docs").check()
    page.get_by_role("button", name="Make key").click()
    key = page.get_by_role("region", name="The new key").locator("code").first
    expect(key).to_have_text(re.compile("^mr_"))
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    key.click()  # which selects all of it
    page.locator("summary").filter(has_text="curl").click()
    expect(page.locator("#curl")).to_contain_text(f"Authorization: Bearer {key.inner_text()}")
    window.picture("no script, key made")
    page.get_by_role("link", name="Done").click()

    page.get_by_role("link", name="Edit Build").click()
    page.get_by_label("Name", exact=True).fill("Nightly build")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Revoke Nightly build").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.locator("#messages")).to_contain_text("“Nightly build” is revoked.")


def test_a_client_is_let_in_and_disconnected_without_javascript(
    team: Team, open_window: OpenWindow, installation: Installation
) -> None:
    page = open_window(team.bob, javascript=False).open(steps.a_client_asks_for(team.docs, at=installation.url))
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(re.compile(r"/healthz\?code="))
    page.goto("/profile/clients/")
    page.get_by_role("link", name="Disconnect Editor from Docs").click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#messages")).to_contain_text("Editor can no longer use Docs.")
