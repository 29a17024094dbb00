"""Many who refresh one token at the same moment: threads, processes, and who was believed dead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from forges import connections, renewing, standing
from forges.clients.errors import Unavailable
from forges.models import Connection
from forges.opening import client_through
from orgs.models import User
from tests.forges_app.conftest import News, Register, Registered, account_through, at_once, make_due, of
from tests.wire import faults
from tests.wire.messages import CutConnection, Proceed, Reply, Request, json_reply

StartWorker = Callable[..., subprocess.Popen[str]]
TOKEN = "POST /oauth/token"


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_find_a_token_due_spend_one_refresh(gitlab: Registered, bob: User) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    gitlab.forge.world.oauth.expire(row.token)
    with gitlab.forge.fault(faults.slow(0.3), on=TOKEN):
        answers = at_once(6, lambda: account_through(row))
    assert answers == ["octo"] * 6
    assert gitlab.refreshes == 1
    row.refresh_from_db()
    assert (row.is_connected, row.renewer) == (True, None)


@pytest.mark.django_db(transaction=True)
def test_many_workers_whose_token_is_refused_in_mid_run_spend_one_refresh(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    ended = Barrier(4, action=lambda: gitlab.forge.world.oauth.expire(row.token))

    def work() -> tuple[str | None, str | None]:
        with client_through(row) as client:
            first = client.account().login
            ended.wait(timeout=10)
            return first, client.account().login

    with gitlab.forge.fault(faults.slow(0.3), on=TOKEN):
        assert at_once(4, work) == [("octo", "octo")] * 4
    assert gitlab.refreshes == 1


@pytest.mark.django_db(transaction=True)
def test_when_the_forge_fails_who_waited_does_not_ask_it_again_one_after_the_other(
    gitlab: Registered, bob: User
) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    with gitlab.forge.fault(faults.slow(0.3), on=TOKEN), gitlab.forge.fault(faults.status(503), on=TOKEN):
        answers = at_once(4, lambda: account_through(row))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert gitlab.refreshes < 4
    row.refresh_from_db()
    assert row.is_connected


@pytest.mark.django_db(transaction=True)
def test_of_many_whose_grant_is_rejected_one_tells_and_all_learn_why(
    gitlab: Registered, bob: User, news: list[News]
) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    gitlab.forge.world.oauth.revoke(row.refresh_token)
    with gitlab.forge.fault(faults.slow(0.3), on=TOKEN):
        answers = at_once(4, lambda: account_through(row))
    assert all(isinstance(answer, standing.ConnectionLost) for answer in answers)
    assert [told.kind for told in news].count("disconnected") == 1
    assert gitlab.refreshes == 1


@pytest.mark.django_db(transaction=True)
def test_a_refusal_of_a_token_that_is_not_the_rows_any_more_is_not_believed(
    register: Register, bob: User, news: list[News]
) -> None:
    """The lease ran out while its owner was stopped, and two refresh with the same token: the later one is refused."""
    registered = register("github", ttl=7200.0)
    forge, row = registered.forge, make_due(registered.connect(bob), expired=True)
    reached, go_on = Event(), Event()

    def hold(request: Request, proceed: Proceed) -> Reply:
        reached.set()
        go_on.wait(timeout=10)
        return proceed(request)

    with ThreadPoolExecutor(1) as pool, forge.fault(hold, on="POST /login/oauth/access_token", times=1):
        slow = pool.submit(at_once, 1, lambda: account_through(row))
        assert reached.wait(timeout=10)
        end_lease(row)
        assert account_through(row) == "octo"
        row.refresh_from_db()
        winner = row.token
        go_on.set()
        assert slow.result(timeout=20) == ["octo"]  # with the winner's
    row.refresh_from_db()
    assert (row.token, row.status, row.reason_code) == (winner, "connected", "")
    assert registered.refreshes == 2
    assert [told.kind for told in news] == ["connected"]


@pytest.mark.django_db(transaction=True)
def test_who_was_believed_dead_and_comes_back_with_the_new_token_mends_what_was_said_meanwhile(
    gitlab: Registered, bob: User, news: list[News]
) -> None:
    """The lease's owner is stopped between the forge's answer and its saving; another is refused in between."""
    row = make_due(gitlab.connect(bob), expired=True)
    answered, go_on = Event(), Event()

    def hold_answer(request: Request, proceed: Proceed) -> Reply:
        reply = proceed(request)
        answered.set()
        go_on.wait(timeout=10)
        return reply

    refused = faults.instead(lambda: json_reply({"error": "invalid_grant"}, 400))
    with ThreadPoolExecutor(1) as pool, gitlab.forge.fault(hold_answer, on=TOKEN, times=1):
        slow = pool.submit(at_once, 1, lambda: account_through(row))
        assert answered.wait(timeout=10)
        end_lease(row)
        with gitlab.forge.fault(refused, on=TOKEN), pytest.raises(standing.ConnectionLost):
            account_through(row)
        row.refresh_from_db()
        assert row.status == "disconnected"
        go_on.set()
        assert slow.result(timeout=20) == ["octo"]
    row.refresh_from_db()
    assert (row.status, row.reason) == ("connected", "")
    assert [told.kind for told in news] == ["connected", "disconnected", "connected"]


def end_lease(row: Connection) -> None:
    Connection.objects.filter(pk=row.pk).update(renewing_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_what_is_disconnected_by_hand_while_it_is_refreshed_stays_so_and_keeps_the_new_grant(
    gitlab: Registered, bob: User
) -> None:
    row = make_due(gitlab.connect(bob), expired=True)

    def disconnect() -> None:
        connections.disconnect(of(bob), Connection.objects.get(pk=row.pk))
        database.close()

    with gitlab.forge.fault(faults.first(disconnect), on=TOKEN), pytest.raises(standing.ConnectionLost, match="Bob"):
        account_through(row)
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", "by_hand")
    assert gitlab.forge.world.find_token(row.token) is not None  # so that deleting it can revoke it


@pytest.mark.django_db(transaction=True)
def test_what_is_connected_anew_while_it_is_refreshed_keeps_the_newer_grant(gitlab: Registered, bob: User) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    newer: list[str] = []

    def connect_again() -> None:
        newer.append(gitlab.connect(bob).token)
        database.close()

    with gitlab.forge.fault(faults.first(connect_again), on=TOKEN, times=1):
        assert account_through(row) == "octo"
    row.refresh_from_db()
    assert [row.token] == newer


def test_what_two_find_out_at_once_is_told_by_one(gitlab: Registered, bob: User, news: list[News]) -> None:
    row = gitlab.connect(bob)
    found = [standing.lose(row, code=standing.REFUSED, reason="It was revoked.") for _ in range(2)]
    assert found == [True, False]
    assert [standing.mend(row), standing.mend(row)] == [True, False]
    assert [told.kind for told in news] == ["connected", "disconnected", "connected"]


# -- in processes ------------------------------------------------------------------------------------------------------

WORKER = """
import sys, django
django.setup()
from forges import renewing
from forges.models import Connection
from forges.opening import client_through
renewing.LEASE_SECONDS = float(sys.argv[2])
row = Connection.objects.get(pk=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
with client_through(row) as client:
    print(client.account().login)
"""


@pytest.fixture
def start(settings: Settings) -> Iterator[StartWorker]:
    """Start a process that asks the forge who it is, through a connection, as soon as it gets a line."""
    started: list[subprocess.Popen[str]] = []

    def start_one(row: Connection, *, lease: float = renewing.LEASE_SECONDS) -> subprocess.Popen[str]:
        here = database.settings_dict
        url = f"sqlite:///{here['NAME']}"
        if database.vendor == "postgresql":
            url = os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + f"/{here['NAME']}"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TEST_DATABASE_URL": url,
            "FORGE_OAUTH_APPS": ",".join(settings.FORGE_OAUTH_APPS),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(row.pk), str(lease)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.django_db(transaction=True)
def test_processes_that_find_a_token_due_spend_one_refresh(gitlab: Registered, bob: User, start: StartWorker) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    gitlab.forge.world.oauth.expire(row.token)
    workers = [start(row) for _ in range(3)]
    with gitlab.forge.fault(faults.slow(1.0), on=TOKEN):
        for worker in workers:
            go(worker)
        assert [worker.communicate(timeout=30)[0] for worker in workers] == ["octo\n"] * 3
    assert gitlab.refreshes == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_refreshes_is_waited_for_no_longer_than_its_lease(
    gitlab: Registered, bob: User, start: StartWorker
) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    gitlab.forge.world.oauth.expire(row.token)
    victim = start(row, lease=1.0)
    reached, killed = Event(), Event()

    def hold(request: Request, proceed: Proceed) -> Reply:
        reached.set()
        killed.wait(timeout=10)
        raise CutConnection

    with gitlab.forge.fault(hold, on=TOKEN, times=1):
        go(victim)
        assert reached.wait(timeout=20)
        victim.kill()
        victim.wait(timeout=10)
        killed.set()
        row.refresh_from_db()
        assert row.renewer is not None  # nobody gave its lease back
        assert account_through(row) == "octo"
    assert Connection.objects.filter(pk=row.pk, status="connected", renewer=None).exists()
