"""How Millrace hears of a push: at once by a webhook, later by looking, and never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule
from pytest_django.live_server_helper import LiveServer

from forges.models import Delivery, Hook, HookStatus
from gitsync.mirror.connecting import Wanted, connect_mirror, disconnect_mirror
from gitsync.probing import Assignment
from jobs import schedules
from jobs.models import Run, Status, Trigger
from tests.forges_app.followed import live
from tests.gitsync.conftest import MANAGED, of
from tests.gitsync.mirror_world import ALL, HELLO, Begin, Mirrored, begin, command, work
from tests.wire.hooks import HostedHook

__all__ = ["begin", "live"]

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"commands/new.json": {**command("new"), "id": "new-1"}}


def remote(made: Mirrored) -> HostedHook:
    """The forge's side of the webhook, which was made by us."""
    (found,) = made.forge.world.hooks.of(made.hosted, made.key)
    return found


def look(made: Mirrored, *, minutes: int = 20) -> list[Run]:
    """Let so much time pass, and the clock strike."""
    schedules.ensure()
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        for function in Schedule.objects.filter(func__startswith="gitsync.").values_list("func", flat=True):
            import_string(function)()
        return work()


def syncs(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.kind == "gitsync.sync"]


@pytest.mark.parametrize("key", MANAGED)
def test_a_push_is_here_without_a_click_and_again_is_nothing(key: str, live: LiveServer, begin: Begin) -> None:
    made = begin(key, ALL)
    hook = remote(made)
    assert hook.url.startswith(live.url)
    made.push(NEW)
    delivered = made.forge.world.hooks.last(hook)
    assert delivered.status == 202
    (run,) = syncs(work())
    assert (run.status, run.trigger, run.requested_by) == (Status.SUCCEEDED, Trigger.WEBHOOK, None)
    assert made.row("command", "new").prompt == "Do it."

    commits, runs = len(made.subjects), Run.objects.count()
    made.forge.requests.clear()
    assert made.forge.world.hooks.redeliver(delivered).status == 202
    work()
    assert len(made.subjects) == commits
    assert Run.objects.count() == runs
    assert Delivery.objects.filter(outcome=Delivery.Outcome.DUPLICATE).exists() or len(made.forge.requests) <= 1


@pytest.mark.parametrize("key", MANAGED)
def test_our_own_commit_is_told_to_us_and_answered_with_nothing(key: str, live: LiveServer, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    work()
    made.save("command", "hello", description="Ours.")
    work()  # which pushes; the forge tells us of it meanwhile
    commits = len(made.subjects)
    assert made.json("commands/hello.json")["description"] == "Ours."
    assert made.forge.world.hooks.last(remote(made)).status == 202
    for _ in range(3):
        for run in work():
            assert run.status == Status.SUCCEEDED
            assert (run.counts.get("written", 0), run.counts.get("read", 0)) == (0, 0)
    assert len(made.subjects) == commits


@pytest.mark.parametrize("key", MANAGED)
def test_a_push_of_another_branch_is_nobodys_business(key: str, live: LiveServer, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    made.hosted.git.branch("next")
    made.push(NEW, branch="next")
    assert syncs(work()) == []


def test_a_push_that_bitbucket_finds_too_large_to_tell_of_is_found_by_looking(live: LiveServer, begin: Begin) -> None:
    made = begin("bitbucket", {"commands/hello.json": HELLO})
    told = len(made.forge.world.hooks.deliveries)
    made.push(NEW, message="All of it\n\n" + "What was done, in detail.\n" * 12_000)
    assert len(made.forge.world.hooks.deliveries) == told, "over 256 KB: nothing is sent, and nothing says so"
    assert syncs(work()) == []
    (run,) = syncs(look(made))
    assert (run.status, run.trigger) == (Status.SUCCEEDED, Trigger.SCHEDULE)
    assert made.row("command", "new")


@pytest.mark.parametrize("key", ["bitbucket", "git"])
def test_a_push_that_nobody_told_of_is_found_by_looking(key: str, begin: Begin, transactional_db: None) -> None:
    made = begin(key, {"commands/hello.json": HELLO}, poll_minutes=15)
    assert syncs(look(made, minutes=5)) == [], "not before it is time"
    made.commit(NEW)
    (run,) = syncs(look(made, minutes=16))
    assert run.trigger == Trigger.SCHEDULE
    assert made.row("command", "new")


def test_nobody_looks_where_that_is_switched_off(begin: Begin) -> None:
    made = begin(files={"commands/hello.json": HELLO}, poll_minutes=0)
    made.commit(NEW)
    assert syncs(look(made, minutes=60 * 48)) == []


def test_a_forged_delivery_is_refused_and_asks_for_nothing(live: LiveServer, begin: Begin) -> None:
    made = begin("bitbucket", {"commands/hello.json": HELLO})
    made.push(NEW)
    work()
    sender = made.forge.world.hooks
    good = sender.last(remote(made))
    forged = sender.send(remote(made), good.event, good.body + b" ", headers={"X-Hub-Signature": "sha256=" + "0" * 64})
    assert forged.status == 401
    assert syncs(work()) == []


@pytest.mark.parametrize("key", MANAGED)
def test_the_webhook_is_removed_once_nothing_needs_it(key: str, live: LiveServer, begin: Begin) -> None:
    made = begin(key, {"commands/hello.json": HELLO})
    hook = Hook.objects.get()
    assert (hook.status, len(made.forge.world.hooks.of(made.hosted, key))) == (HookStatus.ACTIVE, 1)
    disconnect_mirror(made.mirror, of(made.by))
    (run,) = work()
    assert run.result["warnings"] == ["Nobody needed the webhook any more: it is removed."]
    assert made.forge.world.hooks.of(made.hosted, key) == []
    assert not Hook.objects.exists()


def test_the_webhook_stays_with_the_repository_that_is_followed(live: LiveServer, begin: Begin) -> None:
    made = begin("github", {"commands/hello.json": HELLO})
    other = made.forge.repository("octo/elsewhere", private=True)
    entered = Assignment(connection_id=made.mirror.connection_id, repository=other.full_name, mode="commit")
    connect_mirror(membership=of(made.by), values=Wanted(entered), seen_revision=made.mirror.revision, agreed=True)
    work()
    assert made.forge.world.hooks.of(made.hosted, "github") == []
    assert len(made.forge.world.hooks.of(other, "github")) == 1
