"""Webhooks healed at the local forge, and what they deliver in earnest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from catalog.models import Server
from forges import hooks
from forges.models import Delivery, Hook, HookStatus
from jobs.models import Run, Status
from orgs.models import Organization
from tests.forges_app.followed import Follow
from tests.forges_app.posting import FORGES, address, following, hook_of, push, signed
from tests.wire.hooks import post

pytestmark = pytest.mark.django_db
OTHER_EVENTS = {"github": "release", "gitlab": "tag_push_events", "bitbucket": "repo:fork"}


# -- healed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["gone", "off", "events", "moved", "twice"])
@pytest.mark.parametrize("forge_key", FORGES)
def test_what_somebody_broke_at_the_forge_is_healed(
    forge_key: str, broken: str, follow: Follow, live: LiveServer, settings: Settings
) -> None:
    made = follow(forge_key)
    made.look()
    (remote,) = made.remote()
    all_hooks, events = made.forge.world.hooks, remote.events
    match broken:
        case "gone":
            all_hooks.remove(remote)
        case "off":  # GitLab does it to those that fail, and a delivery that succeeds ends it
            all_hooks.update(remote, **({"failures": 40} if forge_key == "gitlab" else {"active": False}))
        case "events":
            all_hooks.update(remote, events=frozenset({OTHER_EVENTS[forge_key]}))
        case "moved":
            all_hooks.update(remote, url="https://elsewhere.example/")
        case "twice":
            all_hooks.add(
                forge_key, made.repository, remote.url, secret="another", events=remote.events, **remote.options
            )

    made.look()

    (healed,) = made.remote()
    assert made.hook.status == HookStatus.ACTIVE
    assert (healed.url, healed.active, healed.failures) == (hooks.address(made.hook), True, 0)
    assert healed.secret == made.hook.secret
    assert events <= healed.events


def test_another_address_of_this_installation_is_taken_to_the_forge(follow: Follow, settings: Settings) -> None:
    made = follow()
    made.look()
    settings.BASE_URL = "https://moved.example"
    made.look()
    assert [remote.url for remote in made.remote()] == [f"https://moved.example/hooks/github/{made.hook.pk}"]


def test_a_renamed_repository_is_found_by_its_id(follow: Follow) -> None:
    made = follow()
    made.forge.world.rename("acme/docs", "acme/handbook")
    made.look()
    assert (made.hook.repository, made.hook.status) == ("acme/handbook", HookStatus.ACTIVE)


def test_webhooks_of_others_are_left_alone(follow: Follow) -> None:
    made = follow()
    other = made.forge.world.hooks.add("github", made.repository, "https://ci.example/", events=["push"])
    made.look()
    made.look()
    with made.client() as client:
        made.integration.delete()
        hooks.remove(made.hook, client)
    assert made.remote() == [other]


# -- in earnest ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge_key", FORGES)
def test_a_push_at_the_forge_asks_for_a_refresh_here(forge_key: str, live: LiveServer, follow: Follow) -> None:
    made = follow(forge_key)
    made.look()

    made.forge.push("acme/docs", {"new.md": "# New\n"})

    delivery = Delivery.objects.get(facts__kind="push")
    (sent,) = [
        each for each in made.forge.world.hooks.deliveries if each.event == delivery.event or forge_key != "github"
    ]
    assert sent.status == 202
    assert delivery.outcome == Delivery.Outcome.ACCEPTED
    assert delivery.runs == [str(Run.objects.get(subject_id=str(made.integration.pk)).pk)]


@pytest.mark.parametrize("forge_key", FORGES)
def test_what_the_forge_sends_again_is_not_done_again(forge_key: str, live: LiveServer, follow: Follow) -> None:
    made = follow(forge_key)
    made.look()
    made.forge.push("acme/docs", {"new.md": "# New\n"})
    sent = made.forge.world.hooks.last()
    Run.objects.update(status=Status.SUCCEEDED)

    again = made.forge.world.hooks.redeliver(sent)

    assert again.status == 202
    assert Delivery.objects.filter(outcome=Delivery.Outcome.DUPLICATE).count() == 1
    assert not Run.objects.filter(status=Status.QUEUED).exists()


@pytest.mark.parametrize("forge_key", FORGES)
def test_a_rename_and_a_deletion_at_the_forge_are_told(forge_key: str, live: LiveServer, follow: Follow) -> None:
    made = follow(forge_key)
    made.look()
    made.forge.rename("acme/docs", "acme/handbook")
    made.forge.push("acme/handbook", {"new.md": "# New\n"})
    if forge_key != "gitlab":  # there a project's webhook is told of pushes alone
        assert Hook.objects.get().repository == "acme/handbook"
    made.forge.delete_branch("acme/handbook", "main")
    assert "deleted" in made.integration.tracks.get().notice
    assert all(sent.status == 202 for sent in made.forge.world.hooks.deliveries)


def test_the_same_delivery_many_times_at_once_is_processed_once(
    live: LiveServer, acme: Organization, docs: Server
) -> None:
    following(docs)
    hook, body = hook_of(acme), push("github")
    headers = {"Content-Type": "application/json", "X-GitHub-Event": "push", **signed("github", hook.secret, body)}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(f"{live.url}{address(hook)}", body, headers)[0], range(24)))
    assert answers == [202] * 24
    assert Run.objects.count() == 1
    outcomes = sorted(Delivery.objects.values_list("outcome", flat=True))
    assert outcomes == [Delivery.Outcome.ACCEPTED, Delivery.Outcome.DUPLICATE]
