"""What all of it is for: somebody pushes, and the page shows the new file by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import connection_steps, steps
from tests.browser.abroad import Abroad, at_work
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team

__all__ = ["at_work"]

pytestmark = pytest.mark.browser


@pytest.fixture
def team(at_work: Abroad) -> Team:
    at_work.forge.world.oauth.person = "octo"
    return Team.new()


@pytest.mark.parametrize(
    ("kind", "button"), [("github", "Authorise"), ("gitlab", "Authorise"), ("bitbucket", "Grant access")]
)
def test_a_push_is_seen_without_a_click(
    kind: str, button: str, at_work: Abroad, team: Team, open_window: OpenWindow
) -> None:
    repository = f"octo/handbook-{kind}"
    hosted = at_work.forge.repository(repository, private=True)
    hosted.git.commit({"docs/start.md": "# Start\n"})
    window = at_work.window(open_window, team.alice)
    page = window.open(f"{team.integrations_page}connect/")
    steps.choose_the_forge(page, kind)
    steps.the_repository_field(page).fill(repository)
    connection_steps.leave_for_the_forge(window, f"Connect with {at_work.label(kind)}")
    connection_steps.say_yes_at_the_forge(window, button)
    webhook = page.get_by_role("region", name="Webhook")
    expect(webhook.locator(".status").first).to_have_text("Active")
    (hook,) = at_work.forge.world.hooks.of(hosted)
    assert hook.url.startswith(at_work.installation.url), "it was made by us"

    with window.without_loading_a_page():
        at_work.forge.push(repository, {"docs/new.md": "# New\n"})
        changed = page.get_by_role("list", name="Files that it changed")
        expect(changed.get_by_role("link", name="docs/new.md")).to_be_visible()

    told = [each for each in at_work.forge.world.hooks.deliveries if each.hook.url == hook.url]
    delivered = told[-1]  # GitHub says hello first
    assert delivered.status == 202
    expect(page.get_by_role("region", name="Last refresh")).to_contain_text("Webhook")
    window.picture(f"integration, after a push at {kind}")
