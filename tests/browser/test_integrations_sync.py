"""Integrations that keep in step: connected by consent at the forge, on a schedule, with several branches."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Content
from integrations.models import Integration
from tests.browser import connection_steps, steps
from tests.browser.abroad import Abroad, at_work
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import expect_visible_focus
from tests.wire.world import HostedRepository

__all__ = ["at_work"]

pytestmark = pytest.mark.browser

SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])


@pytest.fixture
def team(at_work: Abroad) -> Team:
    at_work.forge.world.oauth.person = "octo"
    return Team.new()


@pytest.fixture
def handbook(at_work: Abroad, team: Team) -> HostedRepository:
    """A private repository of octo's with two branches."""
    hosted = at_work.forge.repository(f"octo/handbook-{team.organization.slug}", private=True)
    hosted.git.commit({"docs/start.md": "# Start\n", "notes.txt": "Notes\n"})
    hosted.git.branch("next", at="main")
    return hosted


def connected(at_work: Abroad, team: Team, repository: HostedRepository) -> str:
    """Connect it with a token, before the browser comes; the address of its page."""
    forge = at_work.forge
    it = team.connects(repository, forge, token=forge.token("octo"))
    return f"{team.home}integrations/{it.pk}/"


def paths(team: Team) -> set[str]:
    return set(Content.objects.filter(server=team.docs).values_list("path", flat=True))


@SCRIPTS
def test_connect_with_gitlab_lands_on_the_integration_with_its_content(
    javascript: bool, at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    window = at_work.window(open_window, team.bob, javascript=javascript)
    page = window.open(f"{team.integrations_page}connect/")
    steps.choose_the_forge(page, "gitlab")
    window.picture("connect, gitlab")
    steps.the_repository_field(page).fill(handbook.full_name)
    page.get_by_role("textbox", name="Include").fill("docs/")
    page.get_by_label("Mount path").fill("handbook")
    connection_steps.leave_for_the_forge(window, f"Connect with {at_work.label('gitlab')}")
    connection_steps.say_yes_at_the_forge(window)

    expect(page.get_by_role("heading", level=2).first).to_contain_text(handbook.full_name)
    expect(page.locator("#messages")).to_contain_text(f"{handbook.full_name} is connected. 1 added.")
    expect(page.get_by_role("region", name="Credential")).to_contain_text("The connection of octo at GitLab")
    expect(page.get_by_role("list", name="Files that it changed")).to_contain_text("handbook/docs/start.md")
    assert paths(team) == {"handbook/docs/start.md"}
    if javascript:
        expect(page.get_by_role("region", name="Webhook").locator(".status").first).to_have_text("Active")
        expect_no_barrier(window)
    window.picture("integration, connected with gitlab")


def test_saying_no_leads_back_to_the_form_as_it_was(
    at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    window = at_work.window(open_window, team.bob)
    page = window.open(f"{team.integrations_page}connect/")
    steps.choose_the_forge(page, "gitlab")
    steps.the_repository_field(page).fill(handbook.full_name)
    connection_steps.leave_for_the_forge(window, f"Connect with {at_work.label('gitlab')}")
    connection_steps.say_no_at_the_forge(window)
    expect(page.locator("#messages")).to_contain_text("You said no at GitLab")
    expect(steps.the_repository_field(page)).to_have_value(handbook.full_name)
    expect(page.get_by_role("radio", name="GitLab")).to_be_checked()


def test_the_new_connection_is_chosen_and_its_repositories_are_offered(
    at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    window = at_work.window(open_window, team.bob)
    page = window.open(f"{team.integrations_page}connect/")
    steps.choose_the_forge(page, "gitlab")
    connection_steps.leave_for_the_forge(window, f"Connect with {at_work.label('gitlab')}")
    connection_steps.say_yes_at_the_forge(window)
    expect(page.get_by_role("radio", name=re.compile("^octo at GitLab"))).to_be_checked()
    expect(steps.the_token_field(page)).to_be_hidden()
    expect(page.get_by_label("Server address")).to_be_hidden()
    expect(page.locator(f"#repository-choices option[value='{handbook.full_name}']")).to_be_attached()
    expect(page.locator("#repositories")).to_contain_text("that this connection sees")
    steps.the_repository_field(page).fill(handbook.full_name)
    steps.the_repository_field(page).blur()
    expect(page.locator("#branches")).to_contain_text("Default branch: main")
    expect(page.locator("#filter-count")).to_contain_text("2 of 2 files on main match")
    expect_no_barrier(window)
    window.picture("connect, with a connection")
    page.get_by_role("button", name="Connect and import").click()
    steps.expect_outcome(steps.row_of(page, handbook.full_name), "Succeeded", {"added": 2})


def test_enter_connects_and_begins_no_flow(
    at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    handbook.private = False
    window = at_work.window(open_window, team.bob)
    page = window.open(f"{team.integrations_page}connect/")
    page.get_by_label("Server address").fill(at_work.forge.url)
    credential = page.get_by_role("group", name="Credential")
    credential.get_by_role("radio", name="An access token").focus()
    page.keyboard.press("ArrowDown")
    expect(credential.get_by_role("radio", name="None")).to_be_checked()
    expect(steps.the_token_field(page)).to_be_hidden()
    steps.the_repository_field(page).fill(handbook.full_name)
    steps.the_repository_field(page).press("Enter")
    steps.expect_outcome(steps.row_of(page, handbook.full_name), "Succeeded", {"added": 2})


@SCRIPTS
def test_a_schedule_is_set(
    javascript: bool, at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    here = connected(at_work, team, handbook)
    window = at_work.window(open_window, team.alice, javascript=javascript)
    page = window.open(here)
    panel = page.get_by_role("region", name="Automatic refresh")
    if javascript:
        expect(panel.get_by_label("Cron expression")).to_be_hidden()
    panel.get_by_label("By the clock").select_option("cron")
    panel.get_by_label("Time zone").select_option("Europe/Berlin")
    panel.get_by_label("Cron expression").fill("* * * * *")
    if javascript:
        expect(panel).to_contain_text("more often than every 15 minutes")
        expect_no_barrier(window)
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".errorlist")).to_contain_text("more often than every 15 minutes")
    window.picture("automatic refresh, cron that is none")
    panel.get_by_label("Cron expression").fill("0 6 * * 1-5")
    if javascript:
        expect(panel.locator("#next-times time")).to_have_count(3)
    panel.get_by_label("Prune them").check()
    panel.get_by_label("Cut a version", exact=False).first.check()
    panel.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("refreshes is saved.")
    expect(page).to_have_url(re.compile(f"{here}$"))
    expect(panel.locator("#next-times time")).to_have_count(3)
    expect(page.get_by_role("region", name="Last refresh")).to_contain_text("from now")
    window.picture("automatic refresh, saved")
    it = Integration.objects.get(server=team.docs)
    assert (it.schedule, it.cron, it.time_zone, it.automatic_prune) == ("cron", "0 6 * * 1-5", "Europe/Berlin", True)
    assert it.next_refresh_at is not None


@SCRIPTS
def test_a_branch_is_added_edited_and_removed(
    javascript: bool, at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    here = connected(at_work, team, handbook)
    window = at_work.window(open_window, team.alice, javascript=javascript)
    page = window.open(here)
    page.get_by_role("link", name="Add branch").click()
    if javascript:
        expect(page.locator("#branch-choices option")).to_have_count(2)
        expect_no_barrier(window)
    page.get_by_label("Branch", exact=True).fill("next")
    page.get_by_role("textbox", name="Include").fill("docs/")
    page.get_by_label("Mount path").fill("next")
    window.picture("add a branch")
    page.get_by_role("button", name="Add and import").click()
    branches = page.get_by_role("table", name="Branches")
    expect(branches.get_by_role("row")).to_have_count(3)
    expect(page.locator("#messages")).to_contain_text("next is followed, too.")
    assert "next/docs/start.md" in paths(team)
    window.picture("integration, two branches")

    branches.get_by_role("link", name="Edit next at next").click()
    page.get_by_role("textbox", name="Include").fill("")
    page.get_by_role("button", name="Save").click()
    expect(branches).to_contain_text("Edited since. Refresh to apply it.")

    branches.get_by_role("link", name="Remove next at next").click()
    asking = page.get_by_role("dialog") if javascript else page.locator("main")
    expect(asking).to_contain_text("Its 1 file stay")
    window.picture("dialog, remove a branch")
    page.get_by_role("button", name="Remove branch").click()
    expect(page.locator("#messages")).to_contain_text("is followed no more. 1 of its files are kept.")
    expect(branches.get_by_role("row")).to_have_count(2)


def test_by_keyboard_one_reaches_what_there_is_to_do(
    at_work: Abroad, team: Team, handbook: HostedRepository, open_window: OpenWindow
) -> None:
    page = at_work.window(open_window, team.alice).open(connected(at_work, team, handbook))
    for role, name in (("link", "Add branch"), ("link", "Change credential"), ("button", "Save"), ("link", "Delete…")):
        reach(page, role, name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Delete the integration of")


def reach(page: Page, role: str, name: str) -> None:
    """Press Tab until the focus is there; every stop on the way shows where one is."""
    wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            expect_visible_focus(wanted)
            return
    pytest.fail(f"Tab does not lead to {name}")
