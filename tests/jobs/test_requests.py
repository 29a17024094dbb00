"""Asking for work: equal requests meet in one queued Run, whoever comes at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ
from pytest_django import Settings

from catalog.models import Server
from jobs import leases, runs
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from orgs.models import User
from tests import factories
from tests.jobs.conftest import AsksFor, Workbench


def test_a_request_is_queued_and_handed_to_the_workers_in_one_transaction(ask: AsksFor) -> None:
    with transaction.atomic():
        ask()
        transaction.set_rollback(True)
    assert not Run.objects.exists()
    assert not OrmQ.objects.exists()
    run = ask()
    assert OrmQ.objects.get().task["args"] == (str(run.pk),)
    run.refresh_from_db()
    assert run.enqueued_at is not None


def test_another_broker_is_told_after_the_commit(
    ask: AsksFor,
    settings: Settings,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    settings.Q_CLUSTER = {"redis": "redis://nowhere"}
    with django_capture_on_commit_callbacks(execute=True):
        run = ask()
        assert not OrmQ.objects.exists()
    run.refresh_from_db()
    assert run.enqueued_at is not None
    assert OrmQ.objects.count() == 1


def test_an_equal_request_joins_the_queued_run(ask: AsksFor) -> None:
    first = ask(options={"prune": True, "depth": 1})
    assert ask(options={"depth": 1, "prune": True}) == first
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("changes", [{"options": {"prune": False}}, {"kind": "tests.other"}])
def test_a_request_with_other_options_or_of_another_kind_stands_by_itself(
    ask: AsksFor, changes: dict[str, Any]
) -> None:
    first = ask(options={"prune": True})
    assert ask(**{"options": {"prune": True}, **changes}) != first


def test_a_request_about_another_subject_stands_by_itself(ask: AsksFor, docs: Server) -> None:
    assert ask() != ask(subject=factories.server(docs.organization, "Other"))


def test_a_request_does_not_join_a_run_that_has_begun(ask: AsksFor) -> None:
    first = ask()
    leases.claim(first.pk)
    assert ask() != first


def test_who_joins_keeps_the_run_alive_when_the_first_one_may_no_longer(
    ask: AsksFor, work: Workbench, bob: User, adam: User
) -> None:
    run = ask(requested_by=bob)
    assert ask(requested_by=adam) == run
    bob.memberships.all().delete()
    assert execute(str(run.pk)) == Status.SUCCEEDED
    assert work.contexts[0].requested_by == adam
    run.refresh_from_db()
    assert run.requested_by == adam


def test_a_webhook_that_joins_keeps_the_run_alive_without_lending_it_a_person(
    ask: AsksFor, work: Workbench, bob: User
) -> None:
    run = ask(requested_by=bob)
    assert ask(requested_by=None, trigger=Trigger.WEBHOOK) == run
    bob.memberships.all().delete()
    assert execute(str(run.pk)) == Status.SUCCEEDED
    assert work.contexts[0].requested_by is None


@pytest.mark.django_db(transaction=True)
def test_equal_requests_at_the_same_moment_make_one_run(
    on_disk: None, ask: AsksFor, together: Callable[..., list[Run]]
) -> None:
    for round_number in range(5):
        made = together(*[partial(ask, options={"round": round_number})] * 4)
        assert len(set(made)) == 1
        assert Run.objects.filter(options={"round": round_number}).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_begin_what_was_joined_before_the_joiner_has_saved(
    on_disk: None, ask: AsksFor, work: Workbench, docs: Server, together: Callable[..., list[Any]]
) -> None:
    """Otherwise the work would miss what the joiner saved in the same transaction."""

    def saves_and_joins(run: Run, name: str) -> bool:
        with transaction.atomic():
            joined = ask() == run
            docs.description = name
            docs.save()
        return joined

    def works(run: Run) -> str:
        seen: list[str] = []
        work.does = lambda context: seen.append(Server.objects.get(pk=context.subject.pk).description)
        execute(str(run.pk))
        return seen[0]

    for round_number in range(8):
        run, name = ask(), f"round {round_number}"
        joined, seen = together(partial(saves_and_joins, run, name), partial(works, run))
        assert seen == name or not joined
        for left in Run.objects.filter(status=Status.QUEUED):
            runs.cancel_run(left, by=None)
