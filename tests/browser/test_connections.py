"""Each way to connect an account, walked through with real clicks, at the local forge's own pages too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker

from forges.models import Connection, ConnectionStatus, Method
from tests import factories
from tests.browser import connection_steps as steps
from tests.browser.abroad import Abroad
from tests.browser.barriers import expect_no_barrier
from tests.browser.conftest import OpenWindow
from tests.browser.team import Team
from tests.browser.window import expect_visible_focus
from tests.databases import Databases

pytestmark = pytest.mark.browser

CONSENT = [("github", "Authorise"), ("gitlab", "Authorise"), ("bitbucket", "Grant access")]
"""Each forge, and its word for letting an application in."""
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])


@pytest.fixture(scope="module")
def abroad(
    chromium: object,
    static_files: Path,
    tmp_path_factory: pytest.TempPathFactory,
    databases: Databases,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Abroad]:
    folder = tmp_path_factory.mktemp("connections")
    with Abroad.running(
        folder, static_files, databases, django_db_blocker, name="connections", worker=False
    ) as running:
        running.forge.repository("octo/docs", private=True).git.commit({"a.md": "# A\n"})
        yield running


@pytest.fixture
def team(abroad: Abroad) -> Team:
    abroad.forge.world.oauth.person = "octo"
    return Team.new()


@SCRIPTS
@pytest.mark.parametrize(
    ("kind", "button"), [("github", "Authorise"), ("gitlab", "Authorise"), ("bitbucket", "Grant access")]
)
def test_an_account_is_connected_by_oauth(
    kind: str, button: str, javascript: bool, abroad: Abroad, team: Team, open_window: OpenWindow
) -> None:
    window = abroad.window(open_window, team.bob, javascript=javascript)
    window.open(team.home)
    page = steps.add_a_connection(window)

    steps.leave_for_the_forge(window, f"Connect {abroad.label(kind)}")
    expect(page.get_by_text("octo")).to_be_visible()
    steps.say_yes_at_the_forge(window, button)

    expect(page.get_by_role("heading", level=1)).to_have_text("Connections")
    steps.expect_told(page, f"octo at {abroad.label(kind)} is connected.")
    row = steps.row_of(page, "octo")
    expect(row.locator(".status")).to_have_text("Connected")
    expect(row).to_contain_text("renews itself")
    assert Connection.objects.get(organization=team.organization).user == team.bob


def test_gitlab_is_asked_for_more_where_one_ticks_it(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    window = abroad.window(open_window, team.alice)
    window.open(team.home)
    page = steps.add_a_connection(window)
    panel = page.get_by_role("region", name=f"{abroad.label('gitlab')} account")
    panel.get_by_label("Also for webhooks and pushes").check()
    panel.get_by_label("Share with the organisation").check()
    steps.leave_for_the_forge(window, f"Connect {abroad.label('gitlab')}")
    expect(page.get_by_role("listitem").filter(has_text="api")).to_have_count(1)
    steps.say_yes_at_the_forge(window)
    row = steps.row_of(page, "octo")
    expect(row).to_contain_text("Shared")
    row.get_by_role("link", name="octo").click()
    expect(page.get_by_role("region", name="Permissions")).to_contain_text(
        "It has what reading, webhooks and pushes need"
    )
    window.picture("connection")


def test_saying_no_leads_back_with_a_sentence(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    window = abroad.window(open_window, team.bob)
    window.open(team.home)
    page = steps.add_a_connection(window)
    steps.leave_for_the_forge(window, f"Connect {abroad.label('github')}")
    steps.say_no_at_the_forge(window)
    steps.expect_told(page, f"You said no at {abroad.label('github')}. Nothing was connected.")
    expect(page.get_by_text("No connection yet")).to_be_visible()


@SCRIPTS
def test_the_github_app_is_installed_and_then_found_again(
    javascript: bool, abroad: Abroad, team: Team, open_window: OpenWindow
) -> None:
    window = abroad.window(open_window, team.alice, javascript=javascript)
    window.open(team.home)
    page = steps.add_a_connection(window)
    page.get_by_role("link", name="Connect the GitHub App").click()
    window.picture("connect the github app")
    steps.leave_for_the_forge(window, "Install at GitHub")
    steps.install_at_github(window, "octo")
    steps.expect_told(page, f"octo at {abroad.label('github')} is connected.")
    row = steps.row_of(page, "octo")
    expect(row).to_contain_text("GitHub App")
    expect(row).to_contain_text("The organisation’s")

    abroad.forge.world.join("platform", "octo", "admin")
    abroad.forge.world.apps.install(abroad.app, "platform")
    page = steps.add_a_connection(window)
    page.get_by_role("link", name="Connect the GitHub App").click()
    steps.leave_for_the_forge(window, "Choose an installation")
    steps.say_yes_at_the_forge(window)
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose an installation")
    if javascript:
        expect_no_barrier(window)
    window.picture("choose an installation")
    steps.leave_for_the_forge(window, "Connect platform")
    steps.say_yes_at_the_forge(window)
    expect(steps.row_of(page, "platform").locator(".status")).to_have_text("Connected")


@SCRIPTS
def test_a_token_is_entered(javascript: bool, abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    window = abroad.window(open_window, team.alice, javascript=javascript)
    window.open(team.home)
    page = steps.add_a_connection(window)
    page.get_by_role("link", name="Enter a token").click()
    page.get_by_label("GitLab").check()
    page.get_by_label("Server address").fill(abroad.forge.url)
    expect(page.get_by_label("E-mail address")).to_be_hidden()
    page.get_by_role("textbox", name="Access token").fill("glpat-wrong")
    page.get_by_role("button", name="Connect").click()
    field = page.locator(".field").filter(has=page.get_by_role("textbox", name="Access token"))
    expect(field.locator(".errorlist")).to_contain_text("does not accept this token")
    expect(page.get_by_role("textbox", name="Access token")).to_have_value("")
    window.picture("connection token, refused")
    page.get_by_role("textbox", name="Access token").fill(abroad.forge.gitlab_token("octo", scopes=["read_api"]))
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("octo")
    steps.expect_told(page, f"octo at {abroad.label('gitlab')} is connected.")


def test_a_consumer_is_entered(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    consumer = abroad.forge.world.oauth.app("bitbucket", owner="octo", scopes=["account", "repository"])
    window = abroad.window(open_window, team.alice)
    window.open(team.home)
    page = steps.add_a_connection(window)
    page.get_by_role("link", name="Enter a consumer").click()
    page.get_by_label("Key").fill(consumer.client_id)
    page.get_by_label("Secret").fill(consumer.client_secret)
    page.get_by_role("button", name="Connect").click()
    steps.expect_told(page, f"octo at {abroad.label('bitbucket')} is connected.")


@SCRIPTS
def test_one_is_disconnected_connected_again_and_deleted(
    javascript: bool, abroad: Abroad, team: Team, open_window: OpenWindow
) -> None:
    window = abroad.window(open_window, team.bob, javascript=javascript)
    window.open(team.home)
    page = steps.add_a_connection(window)
    steps.leave_for_the_forge(window, f"Connect {abroad.label('gitlab')}")
    steps.say_yes_at_the_forge(window)
    before = Connection.objects.get(organization=team.organization)

    steps.choose_in_the_menu(window, "octo", "Disconnect…")
    window.picture("dialog disconnect")
    page.get_by_role("button", name="Disconnect", exact=True).click()
    steps.expect_told(page, "octo is disconnected.")
    expect(page.locator(".callout")).to_contain_text("Bob disconnected it.")

    page.get_by_role("link", name="Reconnect").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reconnect octo")
    window.picture("reconnect")
    steps.leave_for_the_forge(window, f"Reconnect {abroad.label('gitlab')}")
    steps.say_yes_at_the_forge(window)
    expect(steps.row_of(page, "octo").locator(".status")).to_have_text("Connected")
    after = Connection.objects.get(organization=team.organization)
    assert after.pk == before.pk
    assert after.token != before.token

    steps.choose_in_the_menu(window, "octo", "Delete…")
    expect(page.get_by_text("The authorisation is taken back at GitLab")).to_be_visible()
    window.picture("dialog delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    steps.expect_told(page, "Its authorisation was taken back there.")
    assert abroad.forge.world.find_token(after.token, "gitlab") is None
    assert not Connection.objects.filter(organization=team.organization).exists()


def test_it_is_shared_and_kept_again(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    _made(team, account="octo")
    window = abroad.window(open_window, team.alice)
    window.open(team.home)
    page = steps.open_connections(window)
    steps.choose_in_the_menu(window, "octo", "Share")
    steps.expect_told(page, "octo is shared")
    steps.open_connections(window)
    steps.choose_in_the_menu(window, "octo", "Stop sharing")
    steps.expect_told(page, "octo is personal")


def test_an_account_is_connected_without_a_mouse(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    window = abroad.window(open_window, team.bob)
    page = window.open(f"{team.home}connections/add/")
    button = page.get_by_role("button", name=f"Connect {abroad.label('github')}")
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("(it) => it === document.activeElement"):
            break
    expect_visible_focus(button)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{abroad.forge.url}/**")
    page.get_by_role("button", name="Authorise").press("Enter")
    page.wait_for_url(f"{abroad.installation.url}/**")
    steps.expect_told(page, "is connected.")


# -- every page, for everybody -----------------------------------------------------------------------------------------


def _made(team: Team, **facts: Any) -> Connection:
    facts = {"forge": "github", "base_url": "https://api.github.com", "method": Method.TOKEN, **facts}
    return Connection.objects.create(organization=team.organization, user=facts.pop("user", team.alice), **facts)


NOTES = (
    "The token can do more than anything here needs: delete_repo.\n"
    "The token can write, although reading is enough here. A fine-grained token with “Contents: Read-only” would do."
)
REFUSED = "GitHub does not accept the token any more: it expired or was revoked. Connect again."
WRONG = (
    "127.0.0.1 does not accept the id and secret of the application that is set up for it. "
    "Ask the operator to check the settings of this forge's application."
)


@pytest.fixture(scope="module")
def full(abroad: Abroad) -> Team:
    """One of each state. No test changes it."""
    team, soon = Team.new(), timezone.now() + timedelta(days=5)
    lost, error = ConnectionStatus.DISCONNECTED, ConnectionStatus.ERROR
    octo = _made(team, account="octo", scopes="repo delete_repo", expires_at=soon, shared=True, notes=NOTES)
    _made(
        team,
        account="a-long-name-of-an-organisation-at-github",
        method=Method.GITHUB_APP,
        shared=True,
        installation_id="7",
        scopes="contents:write metadata:read",
    )
    _made(team, account="gone", status=lost, reason_code="refused", reason=REFUSED)
    _made(
        team,
        account="wrong",
        forge="gitlab",
        base_url=f"{abroad.forge.url}/api/v4",
        method=Method.OAUTH,
        status=error,
        reason_code="misconfigured",
        reason=WRONG,
    )
    _made(team, account="left", user=factories.user("gwen@gone.example", name="Gwen"), shared=True)
    for number in range(3):
        factories.integration(team.docs, f"octo/repository-{number}", connection=octo)
    return team


def _open_the_menu(page: Page) -> None:
    page.get_by_role("button", name="Actions for octo").click()
    expect(page.locator(".menu:popover-open")).to_be_visible()


def _ask_to_delete(page: Page) -> None:
    _open_the_menu(page)
    page.locator(".menu:popover-open").get_by_text("Delete…").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _unfold(page: Page) -> None:
    page.locator("summary").filter(has_text="3 integrations").click()


def _send_nothing(page: Page) -> None:
    page.locator("#token-form").evaluate("(form) => { form.noValidate = true; form.requestSubmit(); }")
    expect(page.get_by_text("1 field needs your attention")).to_be_visible()


def _for_bitbucket(page: Page) -> None:
    page.get_by_label("Bitbucket").check()
    expect(page.get_by_label("E-mail address")).to_be_visible()


PAGES: dict[str, tuple[str, Callable[[Page], None] | None, int]] = {
    "connections": ("connections/", _unfold, 200),
    "connections, menu": ("connections/", _open_the_menu, 200),
    "connections, dialog": ("connections/", _ask_to_delete, 200),
    "connections, add": ("connections/add/", None, 200),
    "connections, app": ("connections/add/app/", None, 200),
    "connections, token": ("connections/add/token/", _for_bitbucket, 200),
    "connections, token missing": ("connections/add/token/", _send_nothing, 200),
    "connections, consumer": ("connections/add/consumer/", None, 200),
    "connections, one": ("connections/{octo}/", None, 200),
    "connections, failing": ("connections/{wrong}/", None, 200),
    "connections, disconnect": ("connections/{octo}/disconnect/", None, 200),
    "connections, start": ("connections/add/{gitlab}/?into={wrong}", None, 200),
    "connections, lost": ("/connections/callback/{gitlab}/?state=unknown&code=x", None, 400),
    "dashboard, attention": ("", None, 200),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_barrier_and_fits_its_window(
    name: str, abroad: Abroad, full: Team, open_window: OpenWindow
) -> None:
    path, then, status = PAGES[name]
    keys = {each.account: str(each.pk) for each in Connection.objects.filter(organization=full.organization)}
    keys["gitlab"] = f"gitlab-127-0-0-1-{abroad.forge.url.rpartition(':')[2]}"
    window = abroad.window(open_window, full.alice)
    window.watch.expected_statuses.add(status)
    path = path.format(**keys)
    response = window.page.goto(path if path.startswith("/") else full.home + path)
    assert response is not None
    assert response.status == status
    expect(window.page.locator(".htmx-request")).to_have_count(0)
    if then:
        then(window.page)
    expect_no_barrier(window)
    window.picture(f"page {name}")


def test_an_empty_list_has_no_barrier(abroad: Abroad, team: Team, open_window: OpenWindow) -> None:
    window = abroad.window(open_window, team.bob)
    window.open(f"{team.home}connections/")
    expect(window.page.get_by_text("No connection yet")).to_be_visible()
    expect_no_barrier(window)
    window.picture("page connections, none yet")
