"""What goes wrong between us and the forge ends in words, is repaired by running again, and loses nobody's work."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from forges import connections, signals
from forges.models import Connection, ConnectionStatus
from gitsync import states
from gitsync.clock import tick
from gitsync.models import PendingChange, Problem, PushedFile
from jobs.execution import execute
from jobs.models import Run, Status
from jobs.sweeper import sweep
from tests.gitsync.conftest import (
    FORGES,
    MANAGED,
    Assign,
    aside,
    connection_at,
    git,
    of,
    paths,
    subjects,
    text,
    work,
    worked,
)
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db(transaction=True)

COMMITS = {
    "github": "PATCH */git/refs/*",
    "gitlab": "POST */repository/commits*",
    "bitbucket": "POST */src*",
    "git": "POST */git-receive-pack*",
}
"""The request that moves the branch."""


@pytest.mark.parametrize("key", FORGES)
def test_a_push_killed_before_its_record_finds_nothing_to_do(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key)
    worked()
    made.save("Changed.")

    def take_away() -> None:
        """As the sweeper does with a Run whose worker was killed."""
        Run.objects.filter(status=Status.RUNNING).update(
            status=Status.QUEUED, lease=None, lease_until=None, enqueued_at=None
        )

    (run,) = Run.objects.filter(status=Status.QUEUED)
    with forge.fault(faults.afterwards(aside(take_away)), on=COMMITS[key], times=1) as armed:
        execute(str(run.pk))
    assert armed.hits == 1
    assert len(subjects(hosted)) == 3
    assert PendingChange.objects.exists()
    assert made.target.pushed_revision == 1
    assert PushedFile.objects.exclude(intended="").exists()

    again = worked()
    assert again.pk == run.pk
    assert again.counts == {}
    assert len(subjects(hosted)) == 3
    assert made.target.pushed_revision == 2
    assert made.target.last_commit == git(hosted, "rev-parse", "main").strip()
    assert not PendingChange.objects.exists()
    assert dict(PushedFile.objects.values_list("path", "oid")) == {
        path: oid for path, oid in hosted.git.files("main").items() if path != "README.md"
    }


def test_the_first_push_killed_before_its_record_knows_its_files(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign()
    running = Run.objects.filter(status=Status.RUNNING)
    take_away = aside(lambda: running.update(status=Status.QUEUED, lease=None, lease_until=None))
    with forge.fault(faults.afterwards(take_away), on=COMMITS["github"], times=1):
        execute(str(Run.objects.get().pk))
    made.save("Changed meanwhile.")
    for run in work():
        assert run.status == Status.SUCCEEDED, run.error_text
    assert subjects(hosted)[1:] == ["Add server Weather (Alice)", "Begin"]
    assert "Changed meanwhile." in text(hosted, "weather/Open Meteo/tools/get-forecast.json")


@pytest.mark.parametrize("key", FORGES)
def test_a_reply_that_never_came_is_no_second_commit(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key)
    worked()
    made.save("Changed.")
    with forge.fault(faults.cut_after_work(), on=COMMITS[key]):
        (run,) = work()
    if run.status != Status.SUCCEEDED:  # a client may look by itself whether it arrived
        assert run.status == Status.WAITING, run.error_text
        assert states.state_of(made.target).code == "waiting"
        with time_machine.travel(timezone.now() + timedelta(minutes=2)):
            sweep()
            worked()
    assert len(subjects(hosted)) == 3
    assert states.state_of(made.target).code == "up_to_date"


@pytest.mark.parametrize("key", FORGES)
def test_a_push_of_somebody_else_between_listing_and_commit_stays(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key)
    worked()
    made.save("Changed.")
    push = faults.first(lambda: hosted.git.commit({"other.md": "Theirs.\n"}, "Theirs"))
    with forge.fault(push, on=COMMITS[key], times=1) as armed:
        run = worked()
    assert armed.hits == 1
    assert sorted(subjects(hosted)) == sorted(
        ["Update tool `getForecast` of Weather (Alice)", "Theirs", "Add server Weather (Alice)", "Begin"]
    )
    assert text(hosted, "other.md") == "Theirs.\n"
    assert "Changed." in text(hosted, "weather/Open Meteo/tools/get-forecast.json")
    assert run.result["commit"] == git(hosted, "rev-parse", "main").strip()
    assert git(hosted, "rev-list", "--merges", "main") == ""


@pytest.mark.parametrize("key", MANAGED)
def test_a_token_revoked_in_mid_push_waits_for_a_new_one(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key)
    worked()
    made.save("Changed.")
    with forge.fault(faults.unauthorized(), on=COMMITS[key]):
        (run,) = work()
    assert run.status == Status.WAITING, run.error_text
    assert "to be connected again" in run.waiting_for
    assert Connection.objects.get().status == ConnectionStatus.DISCONNECTED
    assert states.state_of(made.target).code == "waiting"
    assert len(subjects(hosted)) == 2
    made.save("Changed again.")
    assert [each.pk for each in Run.objects.exclude(status=Status.SUCCEEDED)] == [run.pk], "one waits, not many"


def test_a_token_of_plain_git_that_was_revoked_is_told(assign: Assign, forge: Forge, hosted: HostedRepository) -> None:
    made = assign("git")
    worked()
    made.save("Changed.")
    with forge.fault(faults.unauthorized(), on="* */config*"):
        (run,) = work()
    assert (run.status, run.error_code) == (Status.FAILED, "auth_failed")
    assert "enter a new token" in run.error_text
    state = states.state_of(made.target)
    assert (state.code, state.text) == ("failed", run.error_text)
    assert tick() == "0 pushes asked for", "a lock-out at the server is nobody's wish"
    made.save("Changed again.")
    worked()
    assert made.target.problem == Problem.NONE


@pytest.mark.parametrize("key", FORGES)
def test_a_deleted_repository_is_told(key: str, assign: Assign, forge: Forge, hosted: HostedRepository) -> None:
    made = assign(key)
    worked()
    forge.world.delete(hosted.full_name)
    made.save("Changed.")
    (run,) = work()
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert "was deleted, or this account does not see it" in run.error_text
    assert states.state_of(made.target).code == "failed"


def test_a_deleted_branch_is_told_and_not_made_again(assign: Assign, forge: Forge, hosted: HostedRepository) -> None:
    hosted.git.branch("live")
    made = assign(branch="live")
    worked()
    hosted.git.delete_branch("live")
    made.save("Changed.")
    (run,) = work()
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert "branch" in run.error_text
    assert "live" not in hosted.git.branches()


@pytest.mark.parametrize("key", MANAGED)
def test_a_renamed_repository_is_followed_by_its_id(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key)
    worked()
    forge.world.rename("octo/config", "octo/settings")
    stranger = forge.repository("octo/config", private=True)
    stranger.git.commit({"README.md": "Another one.\n"}, "Begin")
    made.save("Changed.")
    worked()
    renamed = forge.world.find("octo/settings")
    assert renamed is not None
    assert len(subjects(renamed)) == 3
    assert subjects(stranger) == ["Begin"]
    assert made.target.repository == "octo/settings"


def test_a_rate_limit_is_waited_for(assign: Assign, forge: Forge, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    made.save("Changed.")
    with forge.fault(faults.rate_limited(reset_in=600), on="* */repos*"):
        (run,) = work()
    assert run.status == Status.WAITING
    assert run.wait_until is not None
    assert timedelta(minutes=9) < run.wait_until - timezone.now() < timedelta(minutes=11)
    state = states.state_of(made.target)
    assert (state.code, state.text) == ("waiting", "Waiting for the forge's rate limit to reset.")
    made.save("Changed again.")
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        sweep()
        worked()
    assert len(subjects(hosted)) == 3, "one commit for all that was saved meanwhile"


def test_an_outage_is_waited_for_and_told_in_the_end(assign: Assign, forge: Forge, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    made.save("Changed.")
    begun = timezone.now()
    with forge.fault(faults.status(503)):
        for minutes in (0, 2, 30, 240):
            with time_machine.travel(begun + timedelta(minutes=minutes)):
                sweep()
                (run,) = work()
                assert run.status == Status.WAITING
        with time_machine.travel(begun + timedelta(hours=9)):
            sweep()
            (run,) = work()
    assert run.status == Status.FAILED
    assert states.state_of(made.target).code == "failed"
    made.push()
    assert states.state_of(made.target).code == "up_to_date"


def test_a_deleted_connection_stops_its_targets_and_says_so(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    made.save("Changed.")
    connection = Connection.objects.get()
    connections.delete(of(made.by), connection)
    assert work() == []
    state = states.state_of(made.target)
    assert state.code == "disconnected"
    assert "that it used was deleted. Choose another connection." in state.text
    made.save("Changed again.")
    assert work() == []
    assert tick() == "0 pushes asked for"
    assert len(subjects(hosted)) == 2

    other = connection_at(forge, "github", made.server.organization, made.by)
    assign(connection=other)
    worked()
    assert subjects(hosted)[0] == "Update tool `getForecast` of Weather (Alice)"
    assert states.state_of(made.target).code == "up_to_date"


def test_a_connection_that_comes_back_lets_its_pushes_go_on(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    connection = Connection.objects.get()
    connections.disconnect(of(made.by), connection)
    made.save("Changed.")
    (run,) = work()
    assert run.status == Status.WAITING
    assert len(subjects(hosted)) == 2

    Connection.objects.update(status=ConnectionStatus.CONNECTED, reason="", reason_code="")
    signals.connection_changed.send(sender=Connection, connection=connection, kind="connected")
    worked()
    assert len(subjects(hosted)) == 3
    assert paths(hosted) > {"README.md"}
