"""Two ways: what is edited in the page is in git, what is edited in git is on the page, and what breaks says where."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catalog.models import Command
from gitsync.models import Mirror
from orgs.models import Role, User
from tests import factories
from tests.browser.abroad import Abroad, at_work
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import PATIENCE_MS, OpenWindow
from tests.browser.team import Team
from tests.browser.window import DESK, PHONE, Window, expect_visible_focus
from tests.wire.world import HostedRepository

__all__ = ["at_work"]

pytestmark = pytest.mark.browser

HELLO = {"name": "Hello", "slug": "hello", "description": "Greets.", "prompt": "Say hello."}
SCOPES = ["account", "repository:write", "pullrequest:write", "webhook"]


@pytest.fixture
def team(at_work: Abroad) -> Team:
    return Team.new()


@pytest.fixture
def adam(team: Team) -> User:
    """An admin."""
    person = factories.user(f"adam@{team.organization.slug}.example", name="Adam")
    factories.membership(person, team.organization, Role.ADMIN)
    return person


@pytest.fixture
def hosted(at_work: Abroad, team: Team) -> HostedRepository:
    """A repository of the workspace, with a command that somebody wrote."""
    made = at_work.forge.repository(f"{team.organization.slug}/entities", private=True, owner_kind="Organization")
    made.git.commit({"README.md": "# Ours\n", "commands/hello.json": dumps(HELLO)}, "Begin")
    return made


def dumps(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def git(hosted: HostedRepository, *words: str, at: Path | None = None) -> str:
    done = subprocess.run(["git", *words], cwd=at or hosted.git.path, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def file(hosted: HostedRepository) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(git(hosted, "show", "main:commands/hello.json"))
    return found


def wait_for(happened: Any, what: str, window: Window) -> None:
    """For what no page shows by itself: a commit of the worker's."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen\n{window.installation.log[-3000:]}"
        time.sleep(0.1)


def look_until(page: Page, text: str | re.Pattern[str], *, there: bool = True) -> None:
    """Load the page again until it has the text, or has it no more."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while True:
        page.reload()
        found = page.locator("main").get_by_text(text).count() > 0
        if found == there:
            return
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        time.sleep(0.2)


def connect(window: Window, at_work: Abroad, team: Team, hosted: HostedRepository) -> None:
    workspace = team.organization.slug
    consumer = at_work.forge.world.oauth.app("bitbucket", owner=workspace, scopes=SCOPES)
    page = window.open(f"{team.home}settings/sync/bitbucket/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bitbucket Integration")
    page.get_by_label("Workspace").fill(workspace)
    page.get_by_label("Repository", exact=True).fill(hosted.name)
    page.get_by_label("Client ID").fill(f" {consumer.client_id}\n")
    page.get_by_label("Client Secret").fill("wrong")
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("#test-failed")).to_be_in_viewport()
    page.set_viewport_size(DESK)
    said = "Connection test failed. Please verify your Workspace, Client ID, and Client Secret are correct."
    expect(page.locator("main")).to_contain_text(said)
    expect_no_barrier(window)
    window.picture("mirror, refused")
    page.get_by_label("Client Secret").fill(f"{consumer.client_secret} ")
    page.get_by_role("button", name="Connect", exact=True).click()
    wait_for(lambda: Mirror.objects.filter(organization=team.organization).exists(), "connecting", window)
    wait_for(lambda: Command.objects.filter(organization=team.organization).exists(), "the first sync", window)


def test_a_command_goes_both_ways_breaks_in_git_and_is_mended(
    at_work: Abroad, team: Team, adam: User, hosted: HostedRepository, open_window: OpenWindow
) -> None:
    window = at_work.window(open_window, adam)
    connect(window, at_work, team, hosted)
    page = window.open(f"{team.home}settings/sync/")
    look_until(page, re.compile(r"Synced \d+ entit"))
    expect_no_barrier(window)
    window.picture("mirror, synced")
    hooks = at_work.forge.world.hooks.of(hosted)
    assert [each.url.startswith(at_work.installation.url) for each in hooks] == [True], "it was made by us"

    # Edited in the page: a commit.
    wait_for(lambda: "id" in file(hosted), "the commit of the id", window)
    before = git(hosted, "rev-parse", "main")
    page = window.open(f"{team.home}commands/")
    page.get_by_role("link", name="Hello", exact=True).click()
    page.get_by_role("link", name=re.compile("Edit")).first.click()
    page.get_by_role("textbox", name="Prompt").fill("Say hello, from the page.")
    page.get_by_role("button", name="Save command").last.click()
    expect(page.locator("#messages")).to_contain_text("saved")
    wait_for(lambda: git(hosted, "rev-parse", "main") != before, "the commit", window)
    assert file(hosted)["prompt"] == "Say hello, from the page."
    assert git(hosted, "log", "-1", "--format=%an", "main") == "Adam"
    assert "Hello" in git(hosted, "log", "-1", "--format=%s", "main")
    assert git(hosted, "rev-list", "--count", f"{before}..main") == "1"
    command_page = page.url

    # Edited in git: the page changes.
    push(at_work, hosted, {**file(hosted), "prompt": "Say hello, from git."})
    look_until(page, "Say hello, from git.")

    # Broken in git: the sign, with line and column.
    good = file(hosted)
    push(at_work, hosted, dumps(good).replace('"Hello",', '"Hello"'))
    line, column = broken_at(dumps(good))
    page = window.open(f"{team.home}commands/")
    sign = page.get_by_role("button", name=re.compile("Hello"))
    wait_for(lambda: page.reload() is not None and sign.count() == 1, "the sign", window)
    sign.focus()
    expect_visible_focus(sign)
    details = page.locator(".git-state-details")
    expect(details).to_contain_text("INVALID_JSON")
    expect(details).to_contain_text(re.compile(rf"{line}\D+{column}\b"))
    expect_no_barrier(window)
    window.picture("commands, one broken in git")
    page.goto(command_page)
    expect(page.locator("main")).to_contain_text("INVALID_JSON")
    expect(page.locator("main")).to_contain_text("Say hello, from git.")
    window.picture("command, broken in git")

    # Mended: it clears.
    push(at_work, hosted, {**good, "description": "Greets again."})
    look_until(page, "INVALID_JSON", there=False)
    expect(page.locator("main")).to_contain_text("Greets again.")
    page = window.open(f"{team.home}commands/")
    expect(page.get_by_role("button", name=re.compile("Hello"))).to_have_count(0)
    assert file(hosted) == {**good, "description": "Greets again."}


def push(at_work: Abroad, hosted: HostedRepository, content: dict[str, Any] | str) -> None:
    """As somebody else, told to the webhook."""
    text = content if isinstance(content, str) else dumps(content)
    at_work.forge.push(hosted.full_name, {"commands/hello.json": text}, "Edit by hand")


def broken_at(text: str) -> tuple[int, int]:
    """Line and column of the member behind the one whose comma is taken away."""
    lines = text.splitlines()
    number = next(at for at, line in enumerate(lines, start=1) if '"Hello",' in line)
    return number + 1, 3
