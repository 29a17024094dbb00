"""A push at the forge is in the content within seconds, and nobody clicked: through the real inbox of a real server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from forges.models import Connection, Delivery, Hook, HookStatus
from jobs.models import Run, Status, Trigger
from jobs.sweeper import sweep
from orgs.models import User
from tests.forges_app.conftest import Registered
from tests.system.conftest import FORGES, Follow, Synced, work
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

pytestmark = pytest.mark.django_db(transaction=True)

OAuth = Callable[[str], Registered]


def brought(made: Synced) -> Run:
    """The one Run that the worker found to do: asked for by a webhook, by no person."""
    (run,) = work()
    assert (run.status, run.trigger, run.requested_by) == (Status.SUCCEEDED, Trigger.WEBHOOK, None)
    assert made.at_head()
    return run


@pytest.mark.parametrize("key", FORGES)
def test_a_push_refreshes_without_a_click(
    key: str, live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice))
    assert made.hook.status == HookStatus.ACTIVE

    commit = made.push({"chapters/13.md": "# Chapter 13\n", "chapters/01.md": "# Chapter 1, revised\n"})

    sent = made.forge.world.hooks.last(made.remote)
    assert sent.status == 202
    run = brought(made)
    assert made.texts()["chapters/13.md"] == "# Chapter 13\n"
    assert made.integration.tracks.get().last_commit == commit
    assert Delivery.objects.get(facts__kind="push").runs == [str(run.pk)]


@pytest.mark.parametrize("key", FORGES)
def test_a_push_that_the_forge_tells_of_before_it_is_out_for_a_while_is_not_lost(
    key: str, live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    """With a webhook that works nobody would look for an hour."""
    made = follow(oauth(key).connect(alice))
    with made.forge.fault(faults.status(503), on="GET *"):
        made.push({"chapters/13.md": "# Chapter 13\n"})
        (run,) = work()
    assert (run.status, run.waiting_for) == (Status.WAITING, "the forge to answer again")
    assert run.log_lines.filter(level="warning", text__endswith="It is tried again by itself.").exists()
    assert run.wait_until is not None
    with time_machine.travel(run.wait_until + timedelta(seconds=1)):
        sweep()
        brought(made)


def test_a_forge_that_is_out_for_an_hour_is_asked_ever_more_rarely_and_then_left(
    live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth("github").connect(alice))
    minutes = []
    with made.forge.fault(faults.status(503), on="GET *"):
        made.push({"chapters/13.md": "# Chapter 13\n"})
        (run,) = work()
        while run.status == Status.WAITING:
            assert run.wait_until is not None
            minutes.append(round((run.wait_until - run.created_at).total_seconds() / 60))
            with time_machine.travel(run.wait_until + timedelta(seconds=1)):
                sweep()
                (run,) = work()
    assert (minutes[0], len(minutes)) == (1, 7)
    assert all(later >= 2 * earlier - 1 for earlier, later in pairwise(minutes))
    assert (run.status, run.error_code) == (Status.FAILED, "unavailable")


@pytest.mark.parametrize("key", FORGES)
def test_pushes_to_other_branches_are_nobodys_business(
    key: str, live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice))

    made.push({"draft.md": "# Draft\n"}, branch="next")

    assert work() == []
    assert made.forge.world.hooks.last(made.remote).status == 202


@pytest.mark.parametrize("key", FORGES)
def test_what_is_merged_in_a_burst_comes_in_at_once(
    key: str, live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice))

    for n in range(13, 20):
        made.push({f"chapters/{n}.md": f"# Chapter {n}\n"})

    brought(made)


def test_the_github_app_tells_of_pushes_to_all_of_its_repositories(
    live: LiveServer,
    settings: Settings,
    forge: Forge,
    app: HostedApp,
    install: Callable[[], Connection],
    follow: Follow,
) -> None:
    address = f"{live.url}/hooks/github/app"
    secret = settings.GITHUB_APP_WEBHOOK_SECRET
    forge.world.hooks.add(
        "github", None, address, secret=secret, events=app.events, app_id=app.app_id, content_type="json"
    )
    made = follow(install())
    assert not Hook.objects.exists(), "it needs none of its own"

    made.push({"chapters/13.md": "# Chapter 13\n"})

    brought(made)


@pytest.mark.parametrize("key", FORGES)
def test_a_commit_that_comes_while_a_refresh_runs_is_not_forgotten(
    key: str, live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice))
    made.push({"chapters/13.md": "# Chapter 13\n"})
    late = faults.afterwards(lambda: made.push({"chapters/14.md": "# Chapter 14\n"}))
    with made.forge.fault(late, on="GET *", times=1):
        first, second = work()

    assert (first.status, second.status) == (Status.SUCCEEDED, Status.SUCCEEDED)
    assert made.at_head()
