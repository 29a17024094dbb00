"""Assigning: who may, which repository through which connection, and where its files go."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from catalog import servers
from catalog.models import Server
from forges.models import Connection
from gitsync import states, targets
from gitsync.models import Mode, PendingChange, PushedFile, PushTarget
from gitsync.probing import Assignment
from gitsync.targets import FieldError, StaleTarget
from jobs.models import Run, Status
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.gitsync.conftest import Assign, aside, connection_at, of, paths, subjects, work, worked
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


def refused(assign: Assign, key: str = "github", **entered: Any) -> FieldError:
    with pytest.raises(FieldError) as caught:
        assign(key, **entered)
    assert not Run.objects.filter(status=Status.QUEUED).exists()
    return caught.value


def test_who_may_not_assign_is_refused(assign: Assign, bob: User, carol: User) -> None:
    for person in (bob, carol):
        with pytest.raises(PermissionDenied, match=r"gitsync\.assign"):
            assign(by=person)
    assert not PushTarget.objects.exists()


def test_what_is_assigned_is_in_the_audit_log(assign: Assign, alice: User) -> None:
    made = assign(directory="servers/weather")
    assign(directory="servers/weather", mode=Mode.PULL_REQUEST)
    targets.unassign(server=made.server, membership=of(alice))
    events = AuditEvent.objects.filter(action__startswith="target.").order_by("pk")
    assert [event.action for event in events] == ["target.assigned", "target.changed", "target.unassigned"]
    assert events[0].after["repository"] == "octo/config"
    assert events[0].after["directory"] == "servers/weather"
    assert (events[1].before["mode"], events[1].after["mode"]) == ("commit", "pull_request")


def test_a_connection_of_another_organisation_cannot_be_used_by_a_forged_request(
    assign: Assign, forge: Forge, charlie: User, alice: User
) -> None:
    theirs = connection_at(forge, "github", of(charlie).organization, charlie)
    theirs.shared = True
    theirs.save()
    forge.requests.clear()
    assert refused(assign, connection=theirs).field == "connection"
    assert not list(forge.requests), "nor is it asked anything"


def test_a_colleagues_own_connection_cannot_be_used_and_a_shared_one_can(
    assign: Assign, forge: Forge, acme: Organization, alice: User, adam: User
) -> None:
    private = connection_at(forge, "github", acme, adam)
    assert refused(assign, connection=private).field == "connection"
    private.shared = True
    private.save()
    made = assign(connection=private)
    assert made.target.connection == private


@pytest.mark.parametrize("forged", ["no-id", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_connection_is_refused_with_a_sentence(
    assign: Assign, weather: Server, alice: User, forged: str
) -> None:
    with pytest.raises(FieldError) as caught:
        targets.assign(
            server=weather, values=Assignment(connection_id=forged, repository="octo/config"), membership=of(alice)
        )
    assert caught.value.field == "connection"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_taken_away_while_the_forge_is_asked_cannot_be_used(
    assign: Assign, forge: Forge, acme: Organization, adam: User
) -> None:
    shared = connection_at(forge, "github", acme, adam)
    Connection.objects.update(shared=True)
    shared.refresh_from_db()
    with forge.fault(faults.first(aside(lambda: Connection.objects.update(shared=False))), on="GET */repos/*", times=1):
        assert refused(assign, connection=shared).field == "connection"


def test_the_repository_is_the_one_of_the_id_whatever_name_the_form_says(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    other = forge.repository("octo/other", private=True)
    other.git.commit({"README.md": "Other.\n"}, "Begin")
    made = assign(repository_id=str(other.id), repository="octo/config")
    assert made.target.repository == "octo/other"
    worked()
    assert len(subjects(other)) == 2
    assert subjects(hosted) == ["Begin"]


def test_a_repository_that_the_connection_does_not_see_is_refused(assign: Assign, forge: Forge) -> None:
    hidden = forge.repository("mallory/hidden", private=True)
    hidden.git.commit({"README.md": "Hidden.\n"})
    assert refused(assign, to=hidden).field == "repository"
    assert refused(assign, repository_id=str(hidden.id)).field == "repository"
    assert refused(assign, repository="", repository_id="").field == "repository"


def test_a_branch_has_to_be_there(assign: Assign, hosted: HostedRepository, forge: Forge) -> None:
    assert refused(assign, branch="nowhere").field == "branch"
    assert refused(assign, branch="-not --a branch").field == "branch"
    empty = forge.repository("octo/empty", private=True)
    assert refused(assign, to=empty, mode=Mode.PULL_REQUEST).field == "mode"
    assert refused(assign, "git", mode=Mode.PULL_REQUEST).field == "mode"


@pytest.mark.parametrize(
    "directory",
    ["../up", "a/../b", ".git/hooks", "a/.GIT", "a//b", "a\\b", "a b", "ü", "con", "a/nul.txt", "dot.", "x" * 300],
)
def test_a_directory_that_is_not_safe_everywhere_is_refused(directory: str, assign: Assign) -> None:
    assert refused(assign, directory=directory).field == "directory"


@pytest.mark.parametrize(
    ("entered", "stored", "follows"),
    [("", "weather", True), ("/", "", False), ("/a/b/", "a/b", False), (".millrace/x_1", ".millrace/x_1", False)],
)
def test_a_directory_is_kept_without_slashes_around(entered: str, stored: str, follows: bool, assign: Assign) -> None:
    made = assign(directory=entered)
    assert (made.target.directory, made.target.directory_follows) == (stored, follows)


@pytest.mark.parametrize("other", ["weather", "Weather", "weather/sub", "/", "."])
def test_no_two_servers_have_folders_that_hold_each_other(other: str, assign: Assign, acme: Organization) -> None:
    assign()
    work()
    server = factories.server(acme, "Maps")
    assert refused(assign, server=server, directory=other).field == "directory"
    assign(server=server, directory="weather2")


@pytest.mark.parametrize("directory", ["/", "weather", "weather/below"])
def test_who_can_only_read_a_repository_keeps_no_other_organisation_from_it(
    directory: str, assign: Assign, hosted: HostedRepository, forge: Forge, charlie: User
) -> None:
    hosted.private = False
    theirs = of(charlie).organization
    reads = connection_at(forge, "github", theirs, charlie, login="charlie")
    assign(server=factories.server(theirs, "Weather"), by=charlie, connection=reads, directory=directory)
    (run,) = work()
    assert run.status == Status.FAILED
    assign()
    worked()
    assert "weather/config.json" in paths(hosted)


def test_where_another_organisation_pushes_already_is_no_place_for_ours(
    assign: Assign, charlie: User, forge: Forge
) -> None:
    theirs = factories.server(of(charlie).organization, "Weather", slug="weather")
    assign(server=theirs, by=charlie)
    worked()
    assert refused(assign, directory="Weather/below").field == "directory"
    assign(directory="ours")
    worked()


def test_the_root_of_a_repository_is_a_directory_as_well(assign: Assign, forge: Forge) -> None:
    empty = forge.repository("octo/empty", private=True)
    assign(to=empty, directory="/")
    worked()
    assert {"README.md", "config.json", "Open Meteo/config.json"} < paths(empty)


def test_another_directory_moves_the_files_in_one_commit(assign: Assign, hosted: HostedRepository) -> None:
    assign()
    worked()
    assign(directory="deep/down")
    worked()
    assert {path.partition("/")[0] for path in paths(hosted)} == {"README.md", "deep"}
    assert subjects(hosted)[0] == "Move server Weather from weather (Alice)"
    assert len(subjects(hosted)) == 3


def test_another_repository_forgets_what_was_ours_and_leaves_it_there(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    assign()
    worked()
    other = forge.repository("octo/other", private=True)
    other.git.commit({"README.md": "Other.\n"}, "Begin")
    made = assign(to=other)
    assert not PushedFile.objects.exists()
    assert made.target.pushed_revision is None
    worked()
    assert len(paths(hosted)) == 11
    assert subjects(hosted)[0] == "Add server Weather (Alice)"
    assert subjects(other) == ["Add server Weather (Alice)", "Begin"]


def test_a_stale_assignment_changes_nothing(assign: Assign, weather: Server, alice: User, forge: Forge) -> None:
    made = assign()
    seen = made.target.revision
    assign(mode=Mode.PULL_REQUEST)
    used = connection_at(forge, "github", weather.organization, alice)
    values = Assignment(connection_id=used.pk, repository="octo/config")
    for stale in (seen, None):
        with pytest.raises(StaleTarget) as caught:
            targets.assign(server=weather, values=values, membership=of(alice), seen_revision=stale)
        assert caught.value.current == made.target
    assert made.target.mode == Mode.PULL_REQUEST


def test_unassigning_leaves_the_files_and_cancels_what_is_queued(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    made.save("Changed.")
    targets.unassign(server=made.server, membership=of(alice))
    assert work() == []
    assert len(subjects(hosted)) == 2
    assert len(paths(hosted)) == 11
    assert not PendingChange.objects.exists()
    made.save("Changed again.")
    assert work() == []


def test_a_personal_server_cannot_be_assigned(assign: Assign, weather: Server, alice: User) -> None:
    weather.owner = alice
    weather.save()
    assert "never leaves the database" in str(refused(assign))


def test_a_stored_token_is_kept_for_its_own_repository_and_sent_nowhere_else(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign("git")
    token = made.target.token
    assign("git", token="", mode=Mode.COMMIT)
    assert made.target.token == token
    stranger = forge.repository("mallory/trap")
    stranger.git.commit({"README.md": "Trap.\n"})
    forge.requests.clear()
    assign("git", to=stranger, token="")
    assert token not in "".join(str(request.headers) for request in forge.requests)
    assert made.target.token == ""
    connected = assign("github")
    assert (connected.target.token, connected.target.username) == ("", "")


def test_a_renamed_server_whose_folder_is_taken_stays_where_it_is_and_says_so(
    assign: Assign, hosted: HostedRepository, weather: Server, alice: User
) -> None:
    made = assign()
    other = assign(server=factories.server(weather.organization, "Maps", slug="maps"))
    assign(server=other.server, directory="climate")
    work()
    servers.edit_server(server=weather, values={"slug": "climate"}, seen_revision=1, by=alice)
    work()
    assert made.target.directory == "weather"
    assert "The files stay in weather: another server's are in climate" in states.notice_of(made.target)
    assert states.notice_of(other.target) == ""
    targets.unassign(server=other.server, membership=of(alice))
    made.save("Changed.")
    (run,) = work()
    assert run.status == Status.FAILED, "files that are there stay, until they are taken over"
    assert made.target.directory == "climate"
