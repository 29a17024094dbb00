"""Webhooks at the local forge: made, given another secret, removed; and what stands in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from forges import hook_runs, hooks
from forges.models import ConnectionStatus, Hook, HookStatus
from integrations.automation import Automation, configure
from integrations.connecting import delete_integration
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.forges.conftest import SIDES
from tests.forges_app.followed import Follow, Followed
from tests.forges_app.posting import FORGES, hook_of
from tests.wire import faults

pytestmark = pytest.mark.django_db


# -- made ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge_key", FORGES)
def test_a_wanted_webhook_is_made_at_the_forge(forge_key: str, follow: Follow, settings: Settings) -> None:
    made = follow(forge_key)
    run = Run.objects.get()
    execute(str(run.pk))

    made.hook.refresh_from_db()
    (remote,) = made.remote()
    assert (made.hook.status, made.hook.reason) == (HookStatus.ACTIVE, "")
    assert remote.url == f"{settings.BASE_URL}/hooks/{forge_key}/{made.hook.pk}"
    assert remote.secret == made.hook.secret
    assert len(made.hook.secret) >= 43
    assert Run.objects.get(pk=run.pk).status == Status.SUCCEEDED


def test_it_is_made_once_for_an_organization_and_repository(follow: Follow, acme: Organization) -> None:
    made = follow()
    made.look()
    key = {name: getattr(made.hook, name) for name in ("forge", "base_url", "repository_id", "repository")}
    assert hooks.want(acme, **key) == made.hook
    assert hooks.want(factories.organization(), **key) != made.hook
    made.look()
    assert len(made.remote()) == 1


def test_one_without_a_secret_cannot_be_made(acme: Organization) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Hook.objects.create(organization=acme, forge="github", base_url="x", repository_id="1", repository="a/b")


def test_nothing_is_asked_twice_where_all_is_well(follow: Follow) -> None:
    made = follow()
    made.look()
    before = len(made.forge.requests)
    made.look()
    assert [request.method for request in list(made.forge.requests)[before:]] == ["GET", "GET"]


def test_plain_git_has_none() -> None:
    assert [hooks.possible(key) for key in ("github", "gitlab", "bitbucket", "git")] == [True, True, True, False]


# -- not by us -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge_key", FORGES)
def test_who_may_not_manage_webhooks_is_told_what_it_takes(forge_key: str, follow: Follow) -> None:
    made = follow(forge_key, login="mallory")
    run = made.look()
    assert (run.status, made.hook.status) == (Status.SUCCEEDED, HookStatus.MANUAL)
    assert hooks.PERMISSION[forge_key] in made.hook.reason
    assert made.remote() == []


def test_without_a_credential_it_is_to_be_added_by_hand(follow: Follow) -> None:
    made = follow(login="")
    made.look()
    assert made.hook.status == HookStatus.MANUAL
    assert made.hook.reason.startswith("No credential here may manage webhooks of acme/docs")


def test_another_credential_that_may_is_used(follow: Follow, acme: Organization) -> None:
    made = follow(login="mallory")
    another = factories.integration(
        factories.server(acme),
        "acme/docs",
        base_url=made.hook.base_url,
        repository_id=made.hook.repository_id,
        on_push=True,
    )
    another.token = SIDES["github"].credential(made.forge, "acme").token
    another.save()
    made.look()
    assert made.hook.status == HookStatus.ACTIVE


def test_one_that_delivers_stays_active_although_nobody_may_look(follow: Follow) -> None:
    made = follow(login="mallory")
    made.look()
    Hook.objects.update(status=HookStatus.ACTIVE, reason="")  # as a delivery with its secret does
    made.look()
    assert (made.hook.status, made.hook.reason) == (HookStatus.ACTIVE, "")
    assert hooks.note_silent(made.hook)
    made.look()
    assert made.hook.status == HookStatus.MANUAL


def test_a_credential_that_is_refused_is_a_failure_with_its_reason(follow: Follow) -> None:
    made = follow()
    made.forge.world.revoke(made.integration.token)
    run = made.look()
    assert (run.status, made.hook.status) == (Status.FAILED, HookStatus.FAILED)
    assert made.hook.reason == run.error_text != ""


def test_a_forge_that_is_down_is_waited_for(follow: Follow) -> None:
    made = follow()
    made.forge.arm(faults.status(503))
    run = made.look()
    assert (run.status, made.hook.status) == (Status.WAITING, HookStatus.PENDING)
    assert run.waiting_for == "GitHub to answer again"


def test_one_that_never_comes_back_is_given_up(follow: Follow) -> None:
    made = follow()
    made.forge.arm(faults.status(503))
    run = made.look()
    Run.objects.update(created_at=timezone.now() - 2 * hook_runs.PATIENCE, status=Status.QUEUED, wait_until=None)
    execute(str(run.pk))
    run.refresh_from_db()
    assert run.status == Status.FAILED


# -- another secret ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge_key", FORGES)
def test_a_new_secret_is_taken_to_the_forge(forge_key: str, follow: Follow) -> None:
    made = follow(forge_key)
    made.look()
    former = made.hook.secret

    rotated = hooks.rotate(made.hook)
    assert (rotated.status, made.remote()[0].secret) == (HookStatus.PENDING, former)
    made.look()

    assert made.hook.status == HookStatus.ACTIVE
    assert made.remote()[0].secret == made.hook.secret != former
    assert made.hook.secrets(timezone.now()) == (made.hook.secret, former)


def test_by_hand_it_is_entered_by_a_person(acme: Organization) -> None:
    rotated = hooks.rotate(hook_of(acme, remote_id=""))
    assert rotated.status == HookStatus.MANUAL
    assert AuditEvent.objects.filter(action="hook.rotated", target_id=str(rotated.pk)).exists()


def test_rotating_twice_keeps_the_secret_that_the_forge_still_has(acme: Organization) -> None:
    hook = hook_of(acme)
    at_the_forge = hook.secret
    first = hooks.rotate(hook)
    never_used = first.secret
    second = hooks.rotate(first)
    assert second.secrets(timezone.now()) == (second.secret, at_the_forge)
    assert never_used not in second.secrets(timezone.now())


def test_the_old_secret_is_forgotten_once_it_verifies_no_more(follow: Follow) -> None:
    made = follow()
    made.look()
    hooks.rotate(made.hook)
    Hook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    made.look()
    assert made.hook.previous_secret == ""
    assert made.hook.previous_until is None


def test_a_secret_that_was_rotated_meanwhile_is_not_taken_for_told(follow: Follow) -> None:
    """Two workers: one enters a secret that the other has just replaced."""
    made = follow()
    stale = Hook.objects.get(pk=made.hook.pk)
    hooks.rotate(made.hook)
    with made.client() as client:
        hooks.put(stale, client)
    made.hook.refresh_from_db()
    assert made.hook.status != HookStatus.ACTIVE
    made.look()
    assert made.remote()[0].secret == made.hook.secret


# -- removed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge_key", FORGES)
def test_one_that_nobody_needs_is_removed_at_night(forge_key: str, follow: Follow) -> None:
    made = follow(forge_key)
    made.look()
    with made.client() as client:
        assert not hooks.remove(made.hook, None), "it is needed"
        made.look()
        made.integration.delete()
        assert hooks.remove(made.hook, client)
    assert made.remote() == []
    assert not Hook.objects.exists()


def test_the_nightly_round_looks_at_all_and_removes_what_nobody_needs(follow: Follow, acme: Organization) -> None:
    made = follow()
    made.look()
    unused = hook_of(acme, repository_id="99", remote_id="")
    assert hook_runs.nightly() == "1 webhooks looked at"
    assert not Hook.objects.filter(pk=unused.pk).exists()
    assert Run.objects.filter(status=Status.QUEUED, subject_id=str(made.hook.pk)).count() == 1


def test_one_that_nobody_may_remove_goes_here_and_the_run_says_so(follow: Follow) -> None:
    made = follow()
    made.look()
    made.integration.delete()
    run: Run = hooks.request_check(made.hook).run
    execute(str(run.pk))
    assert not Hook.objects.exists()
    assert len(made.remote()) == 1
    run.refresh_from_db()
    (said,) = run.result["warnings"]
    assert "could not be removed at GitHub" in said
    assert "delete it there by hand, in acme/docs under Settings → Webhooks" in said
    assert hooks.address(made.hook) in said


@pytest.mark.parametrize("forge_key", FORGES)
def test_once_nothing_follows_it_a_shared_connection_removes_it(
    forge_key: str, follow: Follow, acme: Organization, alice: User
) -> None:
    made = follow(forge_key)
    made.look()
    connect(made, acme, alice, shared=True)
    made.integration.delete()
    run: Run = hooks.request_check(made.hook).run
    execute(str(run.pk))
    run.refresh_from_db()
    assert made.remote() == []
    assert run.result["warnings"] == ["Nobody needed the webhook any more: it is removed."]


@pytest.mark.parametrize("whose", ["somebody else's", "of another organisation", "elsewhere", "disconnected"])
def test_what_not_everybody_may_use_removes_nothing(
    whose: str, follow: Follow, acme: Organization, alice: User, bob: User
) -> None:
    made = follow()
    made.look()
    match whose:
        case "somebody else's":
            connect(made, acme, bob)
        case "of another organisation":
            connect(made, factories.organization("Globex"), bob, shared=True)
        case "elsewhere":
            connect(made, acme, alice, shared=True, base_url="https://elsewhere.example")
        case "disconnected":
            connect(made, acme, alice, shared=True, status=ConnectionStatus.DISCONNECTED)
    made.integration.delete()
    hooks.release(made.hook, by=alice)
    execute(str(Run.objects.get(status=Status.QUEUED).pk))
    assert len(made.remote()) == 1


@pytest.mark.parametrize("how", ["deleted", "switched off"])
def test_who_takes_away_the_last_that_follows_it_removes_it_with_what_is_theirs(
    how: str, follow: Follow, acme: Organization, alice: User
) -> None:
    made = follow()
    made.look()
    connect(made, acme, alice)
    if how == "deleted":
        delete_integration(made.integration, by=alice)
    else:
        configure(made.integration, Automation(), by=alice)
    execute(str(Run.objects.get(status=Status.QUEUED).pk))
    assert made.remote() == []
    assert not Hook.objects.exists()


def connect(made: Followed, organization: Organization, person: User, **fields: Any) -> None:
    """A connection of theirs to the same account at the forge."""
    token, username = made.integration.token, made.integration.username
    values = {"forge": made.key, "base_url": made.hook.base_url, "token": token, "username": username}
    factories.connection(organization, person, **{**values, **fields})


def test_a_silent_one_is_noted_once_and_looked_at(follow: Follow) -> None:
    made = follow()
    made.look()
    assert hooks.note_silent(made.hook)
    assert not hooks.note_silent(made.hook)
    assert Run.objects.filter(status=Status.QUEUED).count() == 1
