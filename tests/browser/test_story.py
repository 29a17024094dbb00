"""The main job, as an operator does it: connect a repository, change it, click Refresh, see exactly what changed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.wire import samples
from tests.wire.forge import Forge

pytestmark = pytest.mark.browser

GUIDE = """\
# Quickstart

Ask for the **forecast** of a place:

| place | tomorrow |
|-------|----------|
| Oslo  | rain     |
"""


def test_the_first_person_connects_a_repository_changes_it_and_sees_what_each_refresh_did(
    new_installation: Installation, open_window: OpenWindow, forge: Forge
) -> None:
    weather = forge.repository("acme/weather", private=True)
    weather.git.commit(
        {
            "README.md": samples.markdown("Read me"),
            "docs/quickstart.md": GUIDE,
            "docs/limits.md": samples.markdown("Limits"),
            "docs/drafts/next.md": samples.markdown("Next"),
            "docs/logo.png": samples.PNG,
        }
    )
    weather.git.branch("next")
    window = open_window(at=new_installation)
    page = window.page

    steps.sign_up_as_the_first_person(
        window,
        name="Olga",
        organization="Acme Weather",
        email="olga@acme.example",
        password="correct horse battery staple",
    )
    window.picture("dashboard of a new organisation")
    steps.create_a_server(window, "Handbook")
    window.picture("server, new")
    steps.open_the_tab(window, "Integrations")
    window.picture("integrations, none yet")
    page.get_by_role("link", name="Connect a repository").first.click()
    window.picture("connect")

    # A token that the forge refuses is an error on its field, and nothing is written.
    steps.fill_in_the_repository(window, forge, repository="acme/weather", token="ghp_wrong", include="docs/")
    page.get_by_role("button", name="Connect and import").click()
    token = page.locator(".field").filter(has=steps.the_token_field(page))
    expect(token.locator(".errorlist")).to_contain_text("does not accept this token")
    expect(steps.the_repository_field(page)).to_have_value("acme/weather")
    window.picture("connect, the token is refused")

    # With a good one the pickers offer what it sees, and the filter is counted as it is typed.
    steps.the_token_field(page).fill(forge.token("acme"))
    steps.the_token_field(page).blur()
    expect(token.locator(".errorlist")).to_be_hidden()
    expect(page.get_by_text("needs your attention")).to_have_count(0)
    expect(page.locator("#repository-choices option[value='acme/weather']")).to_be_attached()
    expect(page.locator("#branch-choices option")).to_have_count(2)
    expect(page.locator("#branches")).to_contain_text("Default branch: main")
    expect(page.locator("#filter-count")).to_contain_text("4 of 5 files on main match")
    page.get_by_role("textbox", name="Exclude").press_sequentially("docs/drafts/")
    expect(page.locator("#filter-count")).to_contain_text("3 of 5 files on main match")
    window.picture("connect, filled in")
    page.get_by_role("button", name="Connect and import").click()

    row = steps.row_of(page, "acme/weather")
    steps.expect_outcome(row, "Succeeded", {"added": 2})
    expect(page.locator("#messages")).to_contain_text("acme/weather is connected.")
    window.picture("integrations, connected")

    # Its files are content now, and Markdown is shown as people read it.
    steps.open_the_tab(window, "Content")
    page.get_by_role("link", name="docs").click()
    window.picture("content")
    page.get_by_role("link", name="quickstart.md").click()
    expect(page.get_by_role("cell", name="rain")).to_be_visible()
    expect(page.get_by_text("Imported files are read-only here")).to_be_visible()
    window.picture("content, a file")

    # The repository changes; one click in the table brings the change in, and the row alone is replaced.
    steps.open_the_tab(window, "Versions")
    steps.cut_a_version_and_serve_it(window)
    weather.git.commit(
        {"docs/quickstart.md": GUIDE.replace("rain", "sunshine"), "docs/new.md": "# New\n", "docs/limits.md": None}
    )
    steps.open_the_tab(window, "Integrations")
    steps.refresh(window, "acme/weather")
    steps.expect_outcome(row, "Succeeded", {"added": 1, "changed": 1, "removed": 1})
    expect(page.locator("#version-notice")).to_contain_text("The live content is newer than the active version")
    window.picture("integrations, refreshed")

    row.get_by_role("link", name="See what changed").click()
    changes = page.get_by_role("region", name="What changed").get_by_role("listitem")
    expect(changes).to_have_count(3)
    changes.filter(has_text="docs/quickstart.md").locator("summary").click()
    difference = page.locator(".difference-body .diff")
    expect(difference.locator("del")).to_contain_text("rain")
    expect(difference.locator("ins")).to_contain_text("sunshine")
    window.picture("run, what changed")

    # A refresh changes the live content; agents get it once a version is cut.
    page.get_by_role("link", name="acme/weather").click()
    page.get_by_role("link", name="Cut a version").click()
    page.get_by_role("button", name="Cut version").click()
    window.picture("versions")

    # Nothing changed: nothing happens, and the row says so.
    steps.open_the_tab(window, "Integrations")
    steps.refresh(window, "acme/weather")
    expect(row).to_contain_text("Nothing changed")
