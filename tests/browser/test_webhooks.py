"""The page of a webhook in a browser: seen by everybody, used by keyboard, and without a script."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from forges.models import Delivery, Hook, HookStatus
from tests.browser.conftest import OpenWindow
from tests.browser.installation import Installation
from tests.browser.team import Team
from tests.browser.window import Window, expect_no_sideways_scroll, expect_visible_focus
from tests.forges_app.posting import address, following, hook_of, push, signed
from tests.wire.hooks import post

pytestmark = pytest.mark.browser


def by_hand(team: Team, forge: str = "github") -> Hook:
    reason = "The credential may not manage webhooks of acme/docs."
    return hook_of(team.organization, forge, remote_id="", status=HookStatus.MANUAL, reason=reason)


def page_of(team: Team, hook: Hook) -> str:
    return f"{team.home}hooks/{hook.pk}/"


def deliver(installation: Installation, hook: Hook, body: bytes, event: str = "push", secret: str = "") -> int:
    """As the forge does, over the line to the process that serves pages too."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        **signed("github", secret or hook.secret, body),
    }
    return post(f"{installation.url}{address(hook)}", body, headers)[0]


def everything(team: Team, installation: Installation) -> Hook:
    """One that shows all that there is to show."""
    following(team.docs)
    hook = by_hand(team)
    assert deliver(installation, hook, push("github", "main"), secret="forged") == 401
    for branch in ("main", "main", "a-branch-with-quite-a-long-name/of-its-own"):
        assert deliver(installation, hook, push("github", branch)) == 202
    assert deliver(installation, hook, b"{}") == 202
    Delivery.objects.create(
        organization=team.organization,
        hook=hook,
        event="push",
        digest="0" * 64,
        facts={"kind": "push", "branches": []},
        outcome=Delivery.Outcome.FAILED,
        detail="Something went wrong that Millrace did not expect. The reference is 1A2B3C4D.",
    )
    now = timezone.now()
    Hook.objects.filter(pk=hook.pk).update(silent_since=now, previous_until=now + timedelta(hours=20))
    return hook


def expect_no_barrier(window: Window) -> None:
    for look in window.looks():
        expect_no_sideways_scroll(window.page)
        results = Axe().run(window.page, options={"resultTypes": ["violations"]})
        assert not results.violations_count, f"{look}:\n{results.generate_report()}"


@pytest.mark.parametrize("forge", ["github", "gitlab", "bitbucket"])
def test_an_empty_page_has_no_barrier(team: Team, open_window: OpenWindow, forge: str) -> None:
    window = open_window(team.alice)
    window.open(page_of(team, by_hand(team, forge)))
    expect_no_barrier(window)
    window.picture(f"page webhook empty {forge}")


def test_a_full_page_has_no_barrier(team: Team, installation: Installation, open_window: OpenWindow) -> None:
    hook = everything(team, installation)
    window = open_window(team.alice)
    page = window.open(page_of(team, hook))
    page.locator("summary", has_text="Headers").first.click()
    page.get_by_text("It was added by hand").click()
    page.get_by_role("button", name="Show secret").click()
    expect(page.get_by_text(hook.secret)).to_be_visible()
    expect_no_barrier(window)
    window.picture("page webhook full")
    page.get_by_role("link", name="Rotate secret…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect_no_barrier(window)
    window.picture("dialog webhook rotate")


def reach(page: Page, name: str, *, role: str = "button") -> None:
    """Press Tab until the focus is there."""
    wanted = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            expect_visible_focus(wanted)
            return
    pytest.fail(f"Tab does not lead to {name}")


def test_by_keyboard_alone_one_sees_the_secret_and_rotates_it(team: Team, open_window: OpenWindow) -> None:
    following(team.docs)
    hook = by_hand(team)
    window = open_window(team.alice)
    page = window.open(page_of(team, hook))
    with window.without_loading_a_page():
        reach(page, "Show secret")
        page.keyboard.press("Enter")
        expect(page.get_by_text(hook.secret)).to_be_visible()
    reach(page, "Rotate secret…", role="link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("another 24 hours")
    expect(page.get_by_role("dialog").get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The one before it works until")).to_be_visible()
    assert Hook.objects.get(pk=hook.pk).secret != hook.secret


def test_checking_follows_the_forge_until_it_is_done(team: Team, open_window: OpenWindow) -> None:
    following(team.docs)
    hook = by_hand(team)
    window = open_window(team.bob)
    page = window.open(page_of(team, hook))
    with window.without_loading_a_page():
        page.get_by_role("button", name="Check now").click()
        expect(page.get_by_text("No credential here may manage webhooks")).to_be_visible()
        expect(page.get_by_role("button", name="Check now")).to_be_enabled()


def test_without_a_script_all_of_it_works(team: Team, installation: Installation, open_window: OpenWindow) -> None:
    following(team.docs)
    hook = by_hand(team)
    deliver(installation, hook, push("github"), "ping")
    page = open_window(team.alice, javascript=False).open(page_of(team, hook))
    page.get_by_text("It was added by hand").click()
    page.get_by_role("button", name="Show secret").click()
    expect(page.get_by_text(hook.secret)).to_be_visible()
    page.goto(page_of(team, hook))
    page.get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("Taken again.")).to_be_visible()
    page.get_by_role("link", name="Rotate secret…").click()
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_text("The one before it works until")).to_be_visible()
