"""What saves, forges and connections tell: a save is noted with it or not at all, and costs the person nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from catalog import servers
from catalog.models import Server
from catalog.saving import Change, tell
from forges.models import Connection
from forges.signals import repository_changed
from forges.usage import uses_of
from gitsync import states
from gitsync.clock import tick
from gitsync.models import PendingChange, PushTarget
from gitsync.saves import ask_for_pushes
from jobs.models import Run, Status, Trigger
from orgs.models import AuditEvent, User
from tests.conftest import Browse
from tests.gitsync.conftest import Assign, Pushed, paths, subjects, work, worked
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


def changed_at_forge(made: Pushed, kind: str, repository: str = "") -> None:
    target = made.target
    repository_changed.send(
        sender=None,
        organization=target.organization,
        forge=target.forge,
        base_url=target.base_url,
        repository_id=target.repository_id,
        kind=kind,
        repository=repository,
        branches=(),
    )


def test_a_save_is_noted_with_who_saved_and_millrace_asks_for_the_run(assign: Assign, bob: User) -> None:
    made = assign()
    worked()
    made.save("Changed.", by=bob)
    change = PendingChange.objects.get()
    assert (change.verb, change.kind, change.name, change.person) == ("update", "tool", "getForecast", bob)
    run = Run.objects.get(status=Status.QUEUED)
    assert (run.trigger, run.requested_by, run.scope) == (Trigger.SAVE, None, str(made.server.pk))
    assert worked().status == Status.SUCCEEDED, "an operator may not assign, and what they save is pushed all the same"


def test_a_save_that_is_undone_leaves_no_note_and_no_run(assign: Assign, weather: Server, alice: User) -> None:
    assign()
    worked()
    with transaction.atomic():
        tell(weather, Change("update", "tool", "getWeather"), alice)
        assert PendingChange.objects.count() == 1
        transaction.set_rollback(True)
    assert not PendingChange.objects.exists()
    assert not Run.objects.filter(status=Status.QUEUED).exists()


def test_a_save_of_a_server_without_a_repository_costs_one_question(weather: Server, alice: User) -> None:
    def queries() -> int:
        with (
            CaptureQueriesContext(
                database,
            ) as captured,
            transaction.atomic(),
        ):
            tell(weather, Change("update", "tool", "getWeather"), alice)
        return sum("SAVEPOINT" not in each["sql"] for each in captured)

    assert queries() <= 4  # count, read it, ask for the repository, ask for the organisation's mirror


def test_a_save_on_a_server_that_is_pushed_writes_one_row_more(assign: Assign, weather: Server, alice: User) -> None:
    assign()
    worked()
    with CaptureQueriesContext(database) as captured, transaction.atomic():
        tell(weather, Change("update", "tool", "getWeather"), alice)
    assert sum("SAVEPOINT" not in each["sql"] for each in captured) <= 5
    assert not Run.objects.filter(status=Status.QUEUED).exists()


def test_a_push_is_asked_for_once_nobody_saves_any_more(
    assign: Assign, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    made = assign()
    worked()
    settings.GITSYNC_QUIET_SECONDS = 3.0
    now = timezone.now()
    for seconds in (0, 2, 4):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        made.save(f"At {seconds}.")
    time_machine.move_to(now + timedelta(seconds=6), tick=False)
    assert ask_for_pushes() == 0
    time_machine.move_to(now + timedelta(seconds=7), tick=False)
    assert ask_for_pushes() == 1
    assert ask_for_pushes() == 0
    assert PendingChange.objects.count() == 3


def test_somebody_who_never_stops_saving_is_pushed_all_the_same(
    assign: Assign, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    made = assign()
    worked()
    settings.GITSYNC_QUIET_SECONDS = 3.0
    now = timezone.now()
    for seconds in range(0, 14, 2):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        made.save(f"At {seconds}.")
    assert Run.objects.filter(status=Status.QUEUED).count() == 1


def test_a_push_that_was_refused_is_not_asked_for_again_until_somebody_saves(
    assign: Assign, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    made.save("Key: AKIAIOSFODNN7EXAMPLQ")
    (run,) = work()
    assert run.status == Status.FAILED
    assert (ask_for_pushes(), tick()) == (0, "0 pushes asked for")
    made.save("Without a key.")
    assert worked().status == Status.SUCCEEDED


def test_who_saved_and_left_has_it_pushed_all_the_same(assign: Assign, bob: User, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    made.save("Changed.", by=bob)
    bob.is_active = False
    bob.save()
    assert worked().requested_by is None
    assert subjects(hosted)[0] == "Update tool `getForecast` of Weather (Bob)"


def test_the_page_that_deletes_a_server_says_what_goes_from_which_repository(
    assign: Assign, alice: User, browse: Browse
) -> None:
    made = assign()
    page = reverse("catalog:delete", args=["acme", "weather"])
    assert "octo/config" not in browse(alice).get(page).content.decode()
    worked()
    assert (
        "10 files in octo/config on main are removed there in one commit." in browse(alice).get(page).content.decode()
    )
    assert made.target.files.count() == 10


def test_a_server_deleted_by_other_means_takes_its_files_along_too(assign: Assign, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    made.server.delete()
    assert tick() == "1 pushes asked for"
    worked()
    assert paths(hosted) == {"README.md"}
    assert subjects(hosted)[0] == "Delete server Weather"
    assert not PushTarget.objects.exists()


def test_a_deleted_server_whose_connection_is_gone_waits_for_a_person(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    PushTarget.objects.update(credential_lost="It is gone.", connection=None)
    assert servers.consequences(made.server) == ["10 files stay in octo/config on main: the connection for it is gone."]
    servers.delete_server(server=made.server, by=alice)
    assert work() == []
    assert states.state_of(PushTarget.objects.get()).code == "disconnected"


def test_a_connection_knows_which_pushes_use_it(assign: Assign) -> None:
    made = assign()
    connection = Connection.objects.get()
    (use,) = uses_of([connection])[connection.pk]
    assert (use.kind, use.label) == ("push target", "Weather to octo/config")
    assert use.stops == "pushes of Weather to octo/config"
    assert use.url == f"/o/acme/servers/{made.server.slug}/push/"


def test_a_repository_renamed_at_the_forge_is_followed(assign: Assign) -> None:
    made = assign()
    worked()
    changed_at_forge(made, "renamed", "octo/settings")
    assert made.target.repository == "octo/settings"
    assert made.target.web_url.endswith("octo/settings")
    event = AuditEvent.objects.get(action="target.renamed")
    assert (event.before, event.after) == ({"repository": "octo/config"}, {"repository": "octo/settings"})


def test_a_repository_deleted_at_the_forge_is_told(assign: Assign) -> None:
    made = assign()
    worked()
    changed_at_forge(made, "deleted")
    state = states.state_of(made.target)
    assert (state.code, state.text) == ("failed", "The repository was deleted at the forge. Assign another one.")
