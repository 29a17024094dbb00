"""What becomes of repositories, branches and installations at the forge, told or not: followed, said, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from forges import hook_runs
from forges.connecting import connect_installation
from forges.models import Connection, ConnectionStatus, HookStatus
from integrations.models import Integration
from jobs.models import Status
from orgs.models import User
from tests.conftest import Browse
from tests.forges_app.conftest import Registered, UserToken, of
from tests.system.conftest import CHAPTERS, FORGES, OWNER, Follow, Synced, strike, work
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

pytestmark = pytest.mark.django_db(transaction=True)

OAuth = Callable[[str], Registered]
TOLD = ("github", "bitbucket")
"""Forges that tell a repository's webhook of its names: GitLab has that for administrators of the server alone."""


@pytest.fixture
def made(request: pytest.FixtureRequest, live: LiveServer, oauth: OAuth, follow: Follow, alice: User) -> Synced:
    """A book that is followed at the forge that the test is parametrized with, its webhook delivering to this site."""
    return follow(oauth(request.node.callspec.params["key"]).connect(alice))


def add(number: int) -> dict[str, str]:
    return {f"chapters/{number}.md": f"# Chapter {number}\n"}


def row(made: Synced) -> Integration:
    return Integration.objects.get(pk=made.integration.pk)


# -- branches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_a_force_push_ends_at_the_new_head(key: str, made: Synced) -> None:
    """Keeping is the rule for automatic refreshes: what vanished stays, marked."""
    made.push({**CHAPTERS, "chapters/01.md": "# Rewritten\n", "chapters/12.md": "# Rewritten, too\n"}, force=True)

    (run,) = work()

    assert (run.status, run.counts["changed"]) == (Status.SUCCEEDED, 2)
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_a_force_push_while_it_is_read_starts_again_at_the_new_head(key: str, made: Synced) -> None:
    made.push(add(13))

    def rewrite() -> None:
        made.hosted.git.force_push({**CHAPTERS, "chapters/01.md": "# Rewritten\n"})
        made.hosted.git.forget_unreachable()

    with made.forge.fault(faults.first(rewrite), on="*", skip=1, times=1) as armed:
        (run,) = work()

    assert (armed.hits, run.status) == (1, Status.SUCCEEDED)
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_a_deleted_branch_is_said_and_nothing_is_lost_and_made_again_it_goes_on(
    key: str, made: Synced, browse: Browse, alice: User
) -> None:
    made.hosted.git.branch("trunk", at="main")
    made.forge.delete_branch(made.hosted.full_name, "main")

    assert "was deleted at the forge" in made.integration.tracks.get().notice
    page = browse(alice).get(reverse("integrations:server", args=["acme", "docs"])).content.decode()
    assert "was deleted at the forge" in page
    run = made.refresh()
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert made.texts() == CHAPTERS

    made.push({**CHAPTERS, **add(13)})
    (run,) = work()

    assert (run.status, run.counts["added"]) == (Status.SUCCEEDED, 1)
    assert made.at_head()
    assert made.integration.tracks.get().notice == ""


# -- repositories ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", TOLD)
@pytest.mark.parametrize("to", [f"{OWNER}/novel", "publisher/book"], ids=["renamed", "transferred"])
def test_a_new_name_that_is_told_is_taken_over_at_once(to: str, key: str, made: Synced, forge: Forge) -> None:
    forge.world.join("publisher", OWNER)

    forge.rename(f"{OWNER}/book", to)

    assert (row(made).repository, made.hook.repository) == (to, to)
    made.push(add(13))
    (run,) = work()
    assert run.status == Status.SUCCEEDED
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
@pytest.mark.parametrize("to", [f"{OWNER}/novel", "publisher/book"], ids=["renamed", "transferred"])
def test_a_new_name_that_nobody_told_is_found_by_the_forges_id(to: str, key: str, made: Synced, forge: Forge) -> None:
    forge.world.join("publisher", OWNER)
    forge.world.rename(f"{OWNER}/book", to)
    forge.world.moved.clear()  # the former name leads nowhere any more
    made.hosted.git.commit(add(13))

    run = strike(made.integration)[0]

    assert run.status == Status.SUCCEEDED
    assert row(made).repository == to
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_a_new_name_is_known_everywhere_after_the_nightly_look_although_nothing_changed(
    key: str, made: Synced, forge: Forge
) -> None:
    forge.world.rename(f"{OWNER}/book", f"{OWNER}/novel")

    hook_runs.nightly()
    work()

    assert (row(made).repository, made.hook.repository) == (f"{OWNER}/novel", f"{OWNER}/novel")


@pytest.mark.parametrize("key", FORGES)
def test_another_repository_under_the_former_name_is_not_taken_for_it(key: str, made: Synced, forge: Forge) -> None:
    """Somebody renames theirs and makes a new one in its place: the id tells them apart."""
    forge.world.rename(f"{OWNER}/book", f"{OWNER}/novel")
    forge.world.moved.clear()
    forge.repository(f"{OWNER}/book", private=True).git.commit({"spam.md": "# Spam\n"})
    made.hosted.git.commit(add(13))

    for _ in range(2):
        strike(made.integration)

    assert "spam.md" not in made.texts()
    assert made.at_head()


@pytest.mark.parametrize("key", TOLD)
def test_a_deletion_that_is_told_is_said_and_nothing_is_lost(key: str, made: Synced, forge: Forge) -> None:
    forge.delete(f"{OWNER}/book")

    if key == "github":
        assert "was deleted at the forge" in row(made).notice
        assert made.hook.status == HookStatus.FAILED
    run = made.refresh()
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert made.texts() == CHAPTERS


@pytest.mark.parametrize("key", FORGES)
def test_a_deletion_that_nobody_told_fails_with_the_reason_and_nothing_is_lost(
    key: str, made: Synced, forge: Forge
) -> None:
    forge.world.delete(f"{OWNER}/book")

    (run,) = strike(made.integration)

    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert made.texts() == CHAPTERS
    assert made.connection.status == ConnectionStatus.CONNECTED


# -- the GitHub App ----------------------------------------------------------------------------------------------------


@pytest.fixture
def through_app(
    live: LiveServer,
    settings: Settings,
    forge: Forge,
    app: HostedApp,
    install: Callable[[], Connection],
    follow: Follow,
) -> Synced:
    """The book, followed through the GitHub App, whose webhook delivers to this site."""
    address, secret = f"{live.url}/hooks/github/app", settings.GITHUB_APP_WEBHOOK_SECRET
    forge.world.hooks.add(
        "github", None, address, secret=secret, events=app.events, app_id=app.app_id, content_type="json"
    )
    return follow(install())


def number_of(made: Synced) -> int:
    return int(made.connection.installation_id)


@pytest.mark.parametrize(
    ("what", "code"), [("uninstall", "uninstalled"), ("suspend", "suspended")], ids=["uninstalled", "suspended"]
)
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_an_app_that_goes_in_mid_sync_disconnects_and_the_run_waits(
    what: str, code: str, told: bool, through_app: Synced, forge: Forge
) -> None:
    made = through_app
    made.push(add(13))
    if not told:
        forge.world.hooks.hold()
    gone: Any = getattr(forge.world.apps, what)

    with forge.fault(faults.first(lambda: gone(number_of(made))), on="GET *", skip=1, times=1) as armed:
        (run,) = work()

    assert armed.hits == 1
    assert (made.connection.status, made.connection.reason_code) == (ConnectionStatus.DISCONNECTED, code)
    assert (run.status, run.waiting_for) == (Status.WAITING, f"the connection of {OWNER} to be connected again")
    assert made.texts() == CHAPTERS


def test_a_suspension_that_is_lifted_lets_what_waited_go_on(through_app: Synced, forge: Forge) -> None:
    made = through_app
    forge.world.apps.suspend(number_of(made))
    made.hosted.git.commit(add(13))
    assert made.refresh().status == Status.WAITING

    forge.world.apps.suspend(number_of(made), False)
    work()

    assert made.connection.status == ConnectionStatus.CONNECTED
    assert made.at_head()


def test_an_app_that_is_installed_again_takes_its_old_place_and_what_waited_goes_on(
    through_app: Synced, forge: Forge, app: HostedApp, user_token: UserToken, alice: User
) -> None:
    """GitHub gives the same App at the same account another number then."""
    made = through_app
    forge.world.apps.uninstall(number_of(made))
    made.hosted.git.commit(add(13))
    assert made.refresh().status == Status.WAITING

    number = str(forge.world.install(app, OWNER))
    connect_installation(of(alice), installation_id=number, user_token=user_token(OWNER), into=made.connection)
    work()

    assert (made.connection.status, made.connection.installation_id) == (ConnectionStatus.CONNECTED, number)
    assert made.at_head()


def test_what_an_app_is_not_let_see_any_more_fails_with_the_reason(through_app: Synced, forge: Forge) -> None:
    made = through_app
    forge.repository(f"{OWNER}/other", private=True)
    forge.world.apps.choose(number_of(made), [f"{OWNER}/other"])
    made.hosted.git.commit(add(13))

    run = made.refresh()

    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert made.connection.status == ConnectionStatus.CONNECTED
    assert made.texts() == CHAPTERS
    forge.world.apps.choose(number_of(made), None)
    strike(made.integration)
    assert made.at_head()
