"""Refreshing without a click: on push, by the clock, and by looking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Version
from forges.models import Hook, HookStatus
from forges.picking import FieldError
from forges.signals import repository_pushed
from integrations import automation, clock, webhook
from integrations.automation import Automation
from integrations.models import AfterRefresh, Integration, Schedule
from integrations.refreshing import REFRESH
from jobs import runs
from jobs.models import Run, Status, Trigger
from orgs.models import AuditEvent, Membership, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.automated import automate, connection
from tests.integrations.conftest import PATIENT, Connection
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

__all__ = ["connection"]

pytestmark = pytest.mark.django_db


def queued(connection: Connection) -> list[Run]:
    found: list[Run] = list(Run.objects.about(connection.integration).filter(status=Status.QUEUED))
    return found


def push(connection: Connection, *branches: str, **other: object) -> list[Run]:
    """What the inbox tells when a webhook was verified."""
    it = connection.integration
    told = {"forge": it.forge, "base_url": it.base_url, "repository_id": it.repository_id}
    facts: dict[str, Any] = {"organization": it.server.organization, "branches": branches, **told, **other}
    answers: Any = repository_pushed.send(None, **facts)
    return [run for _, found in answers for run in found or ()]


def tick_at(connection: Connection, when: str) -> None:
    """Let the clock strike for one of the moments of an integration."""
    past = timezone.now() - timedelta(seconds=1)
    Integration.objects.filter(pk=connection.integration.pk).update(**{when: past})
    clock.tick()


def work(run: Run) -> Run:
    return runs.run_inline(run, budget=PATIENT)


def active_hook(connection: Connection, *, delivered: timedelta | None = None) -> Hook:
    it = connection.integration
    hook = webhook.hook_of(it)
    assert hook is not None, "turning on_push on asked for one"
    now = timezone.now()
    Hook.objects.filter(pk=hook.pk).update(
        status=HookStatus.ACTIVE,
        created_at=now - timedelta(days=9),
        delivered_at=now - delivered if delivered is not None else None,
    )
    return hook


# -- on push -----------------------------------------------------------------------------------------------------------


def test_a_push_to_a_followed_branch_asks_for_a_refresh_that_nobody_has_to_click_for(connection: Connection) -> None:
    automate(connection, on_push=True)

    (run,) = push(connection, "main")

    assert (run.kind, run.trigger, run.requested_by, run.unattended) == (REFRESH, Trigger.WEBHOOK, None, True)
    assert run.options == {"prune": False}


def test_a_hundred_pushes_ask_for_one_refresh(connection: Connection) -> None:
    automate(connection, on_push=True)

    for _ in range(100):
        push(connection, "main")

    assert len(queued(connection)) == 1


@pytest.mark.parametrize(
    ("chosen", "branches", "other"),
    [
        ({}, ("main",), {}),
        ({"on_push": True}, ("next",), {}),
        ({"on_push": True}, ("main",), {"repository_id": "999"}),
        ({"on_push": True}, ("main",), {"base_url": "https://api.github.com"}),
        ({"on_push": True}, ("main",), {"forge": "gitlab"}),
    ],
    ids=["not asked for", "another branch", "another repository", "another server", "another forge"],
)
def test_other_pushes_ask_for_nothing(
    connection: Connection, chosen: dict[str, bool], branches: tuple[str, ...], other: dict[str, str]
) -> None:
    automate(connection, **chosen)

    assert push(connection, *branches, **other) == []


def test_a_push_that_another_organisation_was_told_of_moves_nothing_here(connection: Connection, charlie: User) -> None:
    automate(connection, on_push=True)

    assert push(connection, "main", organization=factories.organization("Elsewhere", slug="elsewhere")) == []


def test_what_a_push_brings_is_read_from_the_forge(connection: Connection, book: HostedRepository) -> None:
    automate(connection, on_push=True)
    book.git.commit({"chapters/13.md": "# Chapter 13\n", "chapters/01.md": None})

    (run,) = push(connection, "main")
    run = work(run)

    assert run.counts["added"] == 1
    assert "chapters/13.md" in connection.paths()
    assert "chapters/01.md" in connection.paths(), "automatic refreshes keep, unless they were told to prune"


def test_an_automatic_refresh_prunes_where_that_was_chosen(connection: Connection, book: HostedRepository) -> None:
    automate(connection, on_push=True, prune=True)
    book.git.commit({"chapters/01.md": None})

    (run,) = push(connection, "main")
    work(run)

    assert "chapters/01.md" not in connection.paths()


def test_pruning_stops_when_who_chose_it_may_not_delete_any_more_and_goes_on_in_anothers_name(
    connection: Connection, book: HostedRepository, alice: User, adam: User
) -> None:
    it = connection.integration
    automation.configure(it, Automation(on_push=True, prune=True), by=adam)
    Membership.objects.filter(user=adam).update(denied=["contents.can_delete"])
    book.git.commit({"chapters/01.md": None})

    run = work(push(connection, "main")[0])

    assert run.status == Status.SUCCEEDED
    assert "nothing is pruned" in run.log_lines.get(level="warning").text
    assert "chapters/01.md" in connection.paths()
    (told,) = automation.left_undone(Integration.objects.get())
    assert "Adam, who chose that, may not delete content any more" in told

    automation.configure(it, Automation(on_push=True, prune=True), by=alice)
    work(push(connection, "main")[0])

    assert "chapters/01.md" not in connection.paths()
    assert automation.left_undone(Integration.objects.get()) == ()


def test_no_version_is_cut_for_somebody_who_left(connection: Connection, book: HostedRepository, adam: User) -> None:
    automation.configure(connection.integration, Automation(after_refresh=AfterRefresh.ACTIVATE), by=adam)
    Membership.objects.filter(user=adam).delete()
    book.git.commit({"chapters/13.md": "# Chapter 13\n"})

    run = connection.refresh()

    assert run.status == Status.SUCCEEDED
    assert "none was cut" in run.log_lines.get(level="warning").text
    assert not Version.objects.exists()


# -- by the clock ------------------------------------------------------------------------------------------------------


def test_a_schedule_asks_for_a_refresh_when_it_is_due_and_names_the_next_time(connection: Connection) -> None:
    automate(connection, schedule=Schedule.HOURLY)
    assert clock.tick() == "0 refreshes asked for"

    tick_at(connection, "next_refresh_at")

    (run,) = queued(connection)
    assert run.trigger == Trigger.SCHEDULE
    due = Integration.objects.get().next_refresh_at
    assert due is not None
    assert timedelta(minutes=50) < due - timezone.now() <= timedelta(hours=1)


def test_two_ticks_at_the_same_moment_ask_once(connection: Connection) -> None:
    automate(connection, schedule=Schedule.HOURLY)
    tick_at(connection, "next_refresh_at")
    queued(connection)[0].delete()

    clock.tick()

    assert queued(connection) == []


def test_a_cron_expression_that_is_none_is_an_error_on_its_field(connection: Connection) -> None:
    with pytest.raises(FieldError) as caught:
        automate(connection, schedule=Schedule.CRON, cron="often")

    assert caught.value.field == "cron"
    assert Integration.objects.get().schedule == Schedule.NEVER


def test_the_audit_log_tells_who_chose_what(connection: Connection) -> None:
    automate(connection, schedule=Schedule.DAILY, prune=True)

    event = AuditEvent.objects.get(action="integration.automated")
    assert event.after
    assert event.before
    assert (event.actor, event.after["schedule"], event.after["prune"]) == (connection.by, "1440", True)
    assert event.before["schedule"] == ""


def test_nothing_is_asked_for_again_while_a_token_is_refused(connection: Connection, forge: Forge) -> None:
    automate(connection, schedule=Schedule.QUARTER)
    forge.world.revoke(connection.integration.token)
    tick_at(connection, "next_refresh_at")
    assert work(queued(connection)[0]).error_code == "auth_failed"

    tick_at(connection, "next_refresh_at")

    assert queued(connection) == []


def test_looking_again_does_not_pile_up_confirmations(connection: Connection, book: HostedRepository) -> None:
    automate(connection, schedule=Schedule.QUARTER, prune=True)
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 9)})
    tick_at(connection, "next_refresh_at")
    assert work(queued(connection)[0]).status == Status.HELD

    tick_at(connection, "next_refresh_at")

    assert queued(connection) == []


def test_a_newer_list_takes_the_place_of_one_that_nobody_confirmed(
    connection: Connection, book: HostedRepository
) -> None:
    automate(connection, on_push=True, prune=True)
    book.git.commit({f"chapters/{n:02}.md": None for n in range(1, 9)})
    first = work(push(connection, "main")[0])
    book.git.commit({"chapters/09.md": None})

    second = work(push(connection, "main")[0])

    first.refresh_from_db()
    assert (first.status, second.status) == (Status.CANCELLED, Status.HELD)


# -- a webhook that is silent ------------------------------------------------------------------------------------------


def test_looking_finds_a_push_that_the_webhook_did_not_tell_and_says_so(
    connection: Connection, book: HostedRepository
) -> None:
    automate(connection, on_push=True)
    hook = active_hook(connection, delivered=timedelta(days=2))
    book.git.commit({"chapters/13.md": "# Chapter 13\n"})

    tick_at(connection, "next_poll_at")
    work(queued(connection)[0])

    hook.refresh_from_db()
    assert hook.silent_since is not None


def test_a_look_that_finds_nothing_suspects_nobody(connection: Connection) -> None:
    automate(connection, on_push=True)
    hook = active_hook(connection)

    tick_at(connection, "next_poll_at")
    work(queued(connection)[0])

    hook.refresh_from_db()
    assert hook.silent_since is None


def test_without_a_webhook_that_works_it_is_looked_at_more_often(connection: Connection) -> None:
    automate(connection, on_push=True)
    Hook.objects.update(status=HookStatus.MANUAL)
    tick_at(connection, "next_poll_at")
    often = Integration.objects.get().next_poll_at

    active_hook(connection)
    tick_at(connection, "next_poll_at")
    seldom = Integration.objects.get().next_poll_at

    assert often is not None
    assert seldom is not None
    assert often - timezone.now() <= timedelta(minutes=5)
    assert seldom - timezone.now() > timedelta(minutes=50)


def test_a_webhooks_page_leads_to_what_it_refreshes(connection: Connection, browse: Browse, alice: User) -> None:
    it = automate(connection, on_push=True)
    hook = webhook.hook_of(it)
    assert hook is not None

    page = browse(alice).get(reverse("forges:hook", args=["acme", hook.pk])).content.decode()

    assert f'<a href="{reverse("integrations:integration", args=["acme", it.pk])}">acme/book on Docs</a>' in page
