"""Webhooks that are attacked, late, lost, flooded and broken: what arrives in the content all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from forges import deliveries, hook_runs, hooks, inbox
from forges.applications import oauth_application
from forges.models import Delivery, Hook, HookStatus
from forges.signals import repository_pushed
from jobs.models import Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import Registered, of
from tests.system.conftest import FORGES, Follow, Synced, strike, work
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db(transaction=True)

OAuth = Callable[[str], Registered]
Outcome = Delivery.Outcome
SIGNATURE = {
    "github": "X-Hub-Signature-256",
    "gitlab": "webhook-signature",
    "bitbucket": "X-Hub-Signature",
}


@pytest.fixture
def made(request: pytest.FixtureRequest, live: LiveServer, oauth: OAuth, follow: Follow, alice: User) -> Synced:
    """A book that is followed at the forge that the test is parametrized with, its webhook delivering to this site."""
    return follow(oauth(request.node.callspec.params["key"]).connect(alice))


def add(number: int) -> dict[str, str]:
    return {f"chapters/{number}.md": f"# Chapter {number}\n"}


def outcomes() -> list[str]:
    """Of pushes, the oldest first."""
    pushes = Delivery.objects.filter(facts__kind="push").order_by("received_at")
    return list(pushes.values_list("outcome", flat=True))


# -- attacked ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_a_replayed_delivery_asks_for_nothing(key: str, made: Synced) -> None:
    made.push(add(13))
    work()
    sent = made.forge.world.hooks.last(made.remote)

    again = [made.forge.world.hooks.send(made.remote, sent.event, sent.body, headers=dict(sent.headers)) for _ in "123"]

    assert {answer.status for answer in again} == {202}
    assert outcomes() == [Outcome.ACCEPTED, Outcome.DUPLICATE], "one row stands for all of them"
    assert work() == []


def test_a_delivery_of_gitlab_that_is_replayed_later_is_stale(
    live: LiveServer, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth("gitlab").connect(alice))
    made.push(add(13))
    work()
    sent = made.forge.world.hooks.last(made.remote)

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        again = made.forge.world.hooks.send(made.remote, sent.event, sent.body, headers=dict(sent.headers))

    assert again.status == 401
    assert made.hook.refused_reason == "stale"


@pytest.mark.parametrize("key", FORGES)
def test_a_forged_delivery_is_refused_counted_and_asks_for_nothing(key: str, made: Synced) -> None:
    """The body of a real one, signed with nothing, with a guess, and with a signature of another body."""
    world = made.forge.world
    made.push(add(13))
    work()
    sent = world.hooks.last(made.remote)
    changed = sent.body[:-1] + b" }"
    signature = sent.headers[SIGNATURE[key]]
    unsigned = replace(made.remote, secret="", signing_token="")

    refused = [
        world.hooks.send(unsigned, sent.event, sent.body),
        world.hooks.send(made.remote, sent.event, sent.body, headers={SIGNATURE[key]: signature[:-8] + "AAAAAAAA"}),
        world.hooks.send(made.remote, sent.event, changed, headers=dict(sent.headers)),
    ]

    assert [answer.status for answer in refused] == [401] * 3
    assert made.hook.refused == 3
    assert work() == []
    assert outcomes() == [Outcome.ACCEPTED]


@pytest.mark.parametrize("key", FORGES)
def test_a_repository_of_two_organisations_has_two_webhooks_and_the_secret_of_one_is_nothing_to_the_other(
    key: str, made: Synced, follow: Follow, charlie: User, oauth: OAuth
) -> None:
    elsewhere = of(charlie).organization
    theirs = follow(_again(made, charlie), server=factories.server(elsewhere), by=charlie)
    assert made.remote.url != theirs.remote.url
    assert made.hook.secret != theirs.hook.secret

    made.push(add(13))

    assert {run.organization_id: run.status for run in work()} == {
        made.by.memberships.get().organization_id: Status.SUCCEEDED,
        elsewhere.pk: Status.SUCCEEDED,
    }
    assert made.at_head()
    assert theirs.at_head()
    sent = made.forge.world.hooks.last(theirs.remote)
    forged = made.deliver(made.signing_with(theirs.remote), sent)
    assert forged.status == 401
    assert (made.hook.refused, theirs.hook.refused) == (1, 0)
    assert work() == []


def _again(made: Synced, person: User) -> Any:
    """The same account at the same application, connected by somebody of another organisation."""
    connection = made.connection
    application = oauth_application(connection.forge, connection.base_url)
    assert application is not None
    hosted = made.forge.world.oauth.apps[application.app.client_id]
    return Registered(made.forge, hosted, application).connect(person)


# -- late, lost, and too many ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_deliveries_out_of_order_end_at_the_head_of_the_branch(key: str, made: Synced) -> None:
    there = made.forge.world.hooks
    there.hold()
    made.push({"chapters/13.md": "first\n"})
    made.push({"chapters/13.md": "second\n"})
    made.push({"chapters/13.md": None, "chapters/14.md": "third\n"})
    assert there.held is not None
    waiting, there.held = there.held[::-1], None

    for late in waiting:
        assert there.send(*late).status == 202
        work()
        assert made.at_head()

    newest, first = made.runs()[0], made.runs()[2]
    assert (newest.result["tracks"][0]["unchanged_head"], first.counts["added"]) == (True, 1), "the first look saw all"


BURST = 100
"""`bench.webhooks` delivers 10,000 to a real server: what one costs does not grow with those before it."""


@pytest.mark.django_db
@pytest.mark.parametrize("key", FORGES)
def test_a_burst_asks_for_the_fewest_runs_keeps_fifty_deliveries_and_loses_nothing(
    key: str, oauth: OAuth, follow: Follow, forge: Forge, alice: User, browse: Browse
) -> None:
    made = follow(oauth(key).connect(alice))
    world = forge.world
    world.hooks.hold()
    for n in range(20, 24):
        made.push(add(n))
    assert world.hooks.held is not None
    sent = world.hooks.held
    before = len(made.runs())

    for n in range(BURST):
        hook, event, body = sent[n * len(sent) // BURST]
        body = body[:-1] + b',"nth":%d}' % n  # each is another delivery
        inbox.at_hook(key, made.hook.pk, world.hooks.dress[key](hook, event, body, str(n), 1), body)
        if n == BURST // 2:
            (first,) = work()
            assert first.status == Status.SUCCEEDED
    (second,) = work()

    assert second.status == Status.SUCCEEDED
    assert len(made.runs()) == before + 2, "one for all that came before it began, and one for all that came since"
    assert made.at_head()
    assert Delivery.objects.count() <= deliveries.KEPT + deliveries.SLACK
    page = browse(alice).get(reverse("forges:hook", args=["acme", made.hook.pk])).content.decode()
    assert page.count("</tr>") == deliveries.KEPT + 1


@pytest.mark.parametrize("key", FORGES)
def test_a_push_that_was_never_told_is_found_by_looking_and_the_page_says_so(
    key: str, made: Synced, browse: Browse, alice: User
) -> None:
    page = reverse("forges:hook", args=["acme", made.hook.pk])
    assert strike(made.integration)[0].status == Status.SUCCEEDED
    assert "seems not to deliver" not in browse(alice).get(page).content.decode(), "there was nothing to tell"
    made.forge.world.hooks.hold()
    made.push(add(13))

    found, looked = strike(made.integration)

    assert (found.trigger, found.status, looked.kind) == ("schedule", Status.SUCCEEDED, hooks.CHECK)
    assert made.at_head()
    assert "seems not to deliver" in browse(alice).get(page).content.decode()

    made.forge.world.hooks.release()  # it was only late
    assert "seems not to deliver" not in browse(alice).get(page).content.decode()


@pytest.mark.parametrize("key", FORGES)
def test_a_filter_that_was_changed_is_no_reason_to_suspect_the_webhook(key: str, made: Synced) -> None:
    made.integration.tracks.update(include="chapters/1*")

    (looked,) = strike(made.integration)

    assert (looked.status, looked.counts["unchanged"]) == (Status.SUCCEEDED, 3)
    assert made.hook.silent_since is None


# -- broken at the forge -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_a_webhook_that_somebody_deleted_at_the_forge_is_made_again_and_delivers(key: str, made: Synced) -> None:
    made.forge.world.hooks.remove(made.remote)
    made.push(add(13))
    assert work() == [], "nobody told"

    hook_runs.nightly()
    work()
    made.push(add(14))
    work()

    assert made.hook.status == HookStatus.ACTIVE
    assert made.at_head()


@pytest.fixture
def broken() -> Any:
    """A receiver that fails until it is told otherwise."""

    class Broken:
        is_broken = True

        def __call__(self, **_: Any) -> list[Run]:
            if self.is_broken:
                raise RuntimeError("a bug")
            return []

    receiver = Broken()
    repository_pushed.connect(receiver, weak=False)
    yield receiver
    repository_pushed.disconnect(receiver)


def test_a_webhook_that_gitlab_switched_off_after_failures_is_switched_on_again(
    live: LiveServer, oauth: OAuth, follow: Follow, alice: User, broken: Any
) -> None:
    made = follow(oauth("gitlab").connect(alice))
    for n in range(13, 17):
        made.push(add(n))
    assert [sent.status for sent in made.forge.world.hooks.deliveries] == [500] * 4
    broken.is_broken = False
    made.push(add(17))
    assert len(made.forge.world.hooks.deliveries) == 4, "GitLab does not even try"

    hook_runs.nightly()
    work()
    made.push(add(18))
    work()

    assert (made.remote.failures, made.hook.status) == (0, HookStatus.ACTIVE)
    assert made.at_head()


def test_what_failed_here_is_taken_again_without_the_forges_help(
    live: LiveServer, oauth: OAuth, follow: Follow, alice: User, broken: Any
) -> None:
    """GitHub never sends a delivery twice by itself."""
    made = follow(oauth("github").connect(alice))
    made.push(add(13))
    broken.is_broken = False

    deliveries.take_again()
    work()

    assert made.at_head()


# -- another secret ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
def test_deliveries_that_were_signed_before_the_secret_was_rotated_still_arrive(
    key: str, made: Synced, alice: User
) -> None:
    there = made.forge.world.hooks
    before = replace(made.remote)
    there.hold()
    made.push(add(13))
    assert there.held is not None
    (under_way,) = there.held
    there.held = None

    hooks.rotate(made.hook, by=alice)
    assert there.send(before, *under_way[1:]).status == 202, "while the new one is on its way to the forge"
    work()
    assert made.at_head()
    assert made.remote.secret != before.secret or made.remote.signing_token != before.signing_token

    late = there.send(before, under_way[1], under_way[2][:-1] + b',"late":1}')
    made.push(add(14))
    assert (late.status, there.last(made.remote).status) == (202, 202)
    work()
    assert made.at_head()

    Hook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    too_late = there.send(before, under_way[1], under_way[2][:-1] + b',"late":2}')
    assert too_late.status == 401


@pytest.mark.parametrize("key", FORGES)
def test_the_address_of_one_forge_takes_nothing_of_another(
    key: str, made: Synced, forge: Forge, book: HostedRepository, acme: Organization
) -> None:
    made.push(add(13))
    work()
    sent = forge.world.hooks.last(made.remote)
    other = FORGES[FORGES.index(key) - 1]

    elsewhere = replace(made.remote, url=made.remote.url.replace(f"/hooks/{key}/", f"/hooks/{other}/"))

    assert forge.world.hooks.send(elsewhere, sent.event, sent.body).status == 401
    assert work() == []
