"""Git push sync: a repository is assigned on the General tab, and what is saved from then on is in its history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from catalog.exchange.document import render
from catalog.exchange.snapshot import snapshot
from catalog.models import Server
from gitsync.models import PushTarget
from orgs.models import Role, User
from tests import factories
from tests.browser import connection_steps, steps
from tests.browser.abroad import Abroad, at_work
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import Window, expect_visible_focus
from tests.gitsync.pages import account, choice
from tests.wire.world import HostedRepository

__all__ = ["at_work"]

pytestmark = pytest.mark.browser

OLD, NEW = "The weather of a city.", "The weather of a city, now."


@pytest.fixture
def team(at_work: Abroad) -> Team:
    at_work.forge.world.oauth.person = "octo"
    return Team.new()


@pytest.fixture
def adam(team: Team) -> User:
    """An admin."""
    person = factories.user(f"adam@{team.organization.slug}.example", name="Adam")
    factories.membership(person, team.organization, Role.ADMIN)
    return person


@pytest.fixture
def config(at_work: Abroad, team: Team) -> HostedRepository:
    """A repository of octo's, with somebody's own file in it."""
    hosted = at_work.forge.repository(f"octo/config-of-{team.organization.slug}")
    hosted.git.commit({"README.md": "# Ours\n"})
    return hosted


@pytest.fixture
def weather(team: Team) -> Server:
    """The server, with a tool that needs a secret."""
    factories.variable(team.docs, "WEATHER_KEY", secret="s3cret-of-the-weather-service")
    provider = factories.provider(team.docs, "Weather", base_url="https://api.example.com/v1")
    factories.tool(provider, "getWeather", path="/weather", description=OLD, headers={"X-Key": "${WEATHER_KEY}"})
    factories.resource(provider, "Guide")
    factories.prompt(provider, "greet")
    return team.docs


def git(*arguments: str, at: Path | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Git Push Sync")


def expect_pushed(page: Page, config: HostedRepository, *, after: str = "") -> str:
    """Wait until the panel says so; the commit that it names, which is another one than `after`."""
    if after:
        expect(panel(page).get_by_role("link", name=after[:7])).to_have_count(0)
    expect(panel(page).get_by_role("status").first).to_contain_text("Up to date")
    target = PushTarget.objects.get(repository=config.full_name)
    link = panel(page).get_by_role("link", name=target.last_commit[:7])
    expect(link).to_have_attribute("href", target.last_commit_url)
    return target.last_commit


def choose(page: Page, name: str) -> None:
    """Open the list, search, and click."""
    panel(page).get_by_role("button", name="Assigned Repository").click()
    page.get_by_role("searchbox", name="Search the repositories").fill(name.partition("/")[2])
    page.get_by_role("radio", name=name).click()
    expect(panel(page).get_by_role("button", name="Assigned Repository")).to_contain_text(name)
    expect(page.get_by_role("combobox", name="Branch")).to_have_value("main")


def test_what_is_saved_is_in_the_history_and_can_be_imported_again(
    at_work: Abroad,
    team: Team,
    adam: User,
    config: HostedRepository,
    weather: Server,
    open_window: OpenWindow,
    tmp_path: Path,
) -> None:
    window = at_work.window(open_window, adam)
    window.open(team.home)
    connection_steps.add_a_connection(window)
    connection_steps.leave_for_the_forge(window, f"Connect {at_work.label('github')}")
    connection_steps.say_yes_at_the_forge(window)

    page = window.open(team.server_page)
    with window.without_loading_a_page():
        choose(page, config.full_name)
        panel(page).get_by_role("button", name="Save").click()
        first = expect_pushed(page, config)
    assert git("rev-parse", "main", at=config.git.path).strip() == first
    assert "README.md" in git("ls-tree", "--name-only", "main", at=config.git.path).split(), "others' files stay"
    expect_no_barrier(window)
    window.picture("server, pushed")

    change_the_description(window)
    page = window.open(team.server_page)
    second = expect_pushed(page, config, after=first)
    expect_exactly_the_change(config, first, second)

    clone = tmp_path / "clone"
    git("clone", "--quiet", at_work.forge.clone_url(config.full_name), str(clone))
    exported = clone / "docs" / "export.json"
    assert "s3cret" not in git("log", "-p", "--all", at=clone)
    imported = import_into_an_empty_organization(at_work, open_window, exported)
    assert render(snapshot(imported)) == exported.read_bytes()


def change_the_description(window: Window) -> None:
    page = window.page
    steps.open_the_tab(window, "Tools")
    page.get_by_role("link", name="getWeather").click()
    page.get_by_role("link", name="Edit tool").click()
    page.get_by_role("textbox", name="Description").fill(NEW)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("getWeather is saved")


def expect_exactly_the_change(config: HostedRepository, first: str, second: str) -> None:
    said = git("log", "-p", "-U0", "--format=%an <%ae>%n%s", f"{first}..{second}", at=config.git.path)
    assert said.startswith("Adam <adam@"), said
    assert "Update tool `getWeather` of Docs (Adam)" in said
    assert git("rev-list", "--count", f"{first}..{second}", at=config.git.path).strip() == "1"
    lines = said.splitlines()
    removed = [line[1:] for line in lines if line.startswith("-") and not line.startswith("---")]
    added = [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]
    version = Server.objects.get(push_target__repository=config.full_name).config_revision
    told = {line.replace(OLD, NEW).replace(f'"version": {version - 1}', f'"version": {version}') for line in removed}
    assert told == set(added)
    assert all(OLD in line or '"version"' in line for line in removed), removed
    named = git("diff", "--name-only", first, second, at=config.git.path).split()
    assert set(named) == {
        "docs/config.json",
        "docs/export.json",
        "docs/Weather/README.md",
        "docs/Weather/tools/get-weather.json",
        "docs/Weather/tools/get-weather.md",
    }


def import_into_an_empty_organization(at_work: Abroad, open_window: OpenWindow, exported: Path) -> Server:
    empty = factories.organization("Empty", slug=f"empty-of-{exported.stat().st_ino}")
    owner = factories.user(f"dora@{empty.slug}.example", name="Dora")
    factories.membership(owner, empty, Role.OWNER)
    window = at_work.window(open_window, owner)
    page = window.open(f"/o/{empty.slug}/servers/import/")
    page.get_by_label("File").set_input_files(exported)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import server").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Docs")
    return Server.objects.get(organization=empty)


def test_a_repository_is_assigned_without_javascript(
    at_work: Abroad, team: Team, adam: User, config: HostedRepository, weather: Server, open_window: OpenWindow
) -> None:
    account(at_work.forge, team.organization, adam, "octo")
    window = at_work.window(open_window, adam, javascript=False)
    page = window.open(team.server_page)
    page.get_by_role("link", name="Git Push Sync").click()
    page.get_by_role("link", name="Choose among the repositories").click()
    page.get_by_role("searchbox", name="Part of the name").fill("config-of")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name=config.full_name).check()
    page.get_by_role("button", name="Choose").click()
    expect(panel(page)).to_contain_text(config.full_name)
    page.get_by_role("radio", name="Open a pull request").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text(f"is pushed to {config.full_name} as a pull request")
    target = PushTarget.objects.get(server=weather)
    assert (target.repository_id, target.branch, target.mode) == (str(config.id), "main", "pull_request")


def test_the_list_is_gone_through_by_keyboard(
    at_work: Abroad, team: Team, adam: User, config: HostedRepository, open_window: OpenWindow
) -> None:
    hers = account(at_work.forge, team.organization, adam, "octo")
    window = at_work.window(open_window, adam)
    page = window.open(f"{team.server_page}push/")
    button = panel(page).get_by_role("button", name="Assigned Repository")
    button.focus()
    page.keyboard.press("Enter")
    found = page.locator(f'[value="{choice(hers, config)}"]')
    expect(found).to_be_visible()
    page.keyboard.press("Tab")
    expect_visible_focus(page.get_by_role("searchbox", name="Search the repositories"))
    page.keyboard.type(f"of-{team.organization.slug}")
    page.keyboard.press("Enter")
    expect(page.locator(".chooser-list .chooser-choice")).to_have_count(1)
    expect_no_barrier(window)
    page.keyboard.press("Tab")
    expect_visible_focus(page.get_by_role("radio", name="None (Disable Auto-Push)"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(found).to_be_checked()
    page.keyboard.press("Enter")
    expect(found).to_be_hidden()
    expect_visible_focus(button)
    expect(button).to_contain_text(config.full_name)
    assert not PushTarget.objects.filter(server=team.docs).exists(), "nothing was sent yet"
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect_visible_focus(button)
