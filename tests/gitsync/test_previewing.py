"""What a push would do now: each file with its difference, and nothing written."""

from __future__ import annotations

import pytest

from catalog import tools
from forges import connections
from gitsync import previewing, targets
from gitsync.models import Mode, PushedFile, PushTarget
from gitsync.targets import FieldError
from orgs.models import User
from tests.gitsync.conftest import FORGES, Assign, of, subjects, work, worked
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", FORGES)
def test_each_file_is_shown_as_it_would_change(
    key: str, assign: Assign, hosted: HostedRepository, alice: User, forge: Forge
) -> None:
    made = assign(key)
    first = previewing.preview(made.target)
    assert (first.count("added"), first.count("changed"), first.blocked) == (10, 0, False)
    assert first.message.subject == "Add server Weather (Alice)"
    assert not PushedFile.objects.exists()
    worked()

    made.save("Of today and the rain.")
    tools.delete_tool(tool=made.server.tools.get(name="getWeather"), by=alice)
    shown = previewing.preview(made.target)
    by_path = {change.path: change for change in shown.changes}
    changed = by_path["weather/Open Meteo/tools/get-forecast.json"]
    assert changed.action == "changed"
    assert changed.difference is not None
    assert '-  "description": "For tomorrow.",' in changed.difference.lines
    assert '+  "description": "Of today and the rain.",' in changed.difference.lines
    removed = by_path["weather/Open Meteo/tools/get-weather.md"]
    assert removed.action == "removed"
    assert removed.difference is not None
    assert {line[0] for line in removed.difference.lines[3:]} == {"-"}
    assert shown.commit == made.target.last_commit
    assert len(subjects(hosted)) == 2
    work()
    assert not previewing.preview(made.target).changes


def test_files_in_the_way_are_shown_with_what_would_become_of_them(assign: Assign, hosted: HostedRepository) -> None:
    hosted.git.commit({"weather/README.md": "# Mine\n", "weather/notes.md": "Notes.\n"}, "Mine")
    made = assign()
    shown = previewing.preview(made.target)
    assert shown.blocked
    (foreign,) = [change for change in shown.changes if change.action == "foreign"]
    assert foreign.path == "weather/README.md"
    assert foreign.difference is not None
    assert "-# Mine" in foreign.difference.lines
    assert shown.foreign == ("weather/notes.md",)


def test_an_open_pull_request_is_what_it_is_compared_with(assign: Assign, hosted: HostedRepository) -> None:
    made = assign(mode=Mode.PULL_REQUEST)
    assert previewing.preview(made.target).branch == "main"
    worked()
    made.save("Changed.")
    shown = previewing.preview(made.target)
    assert (shown.branch, shown.count("added"), shown.count("changed")) == ("millrace/weather", 0, 5)


def test_what_cannot_be_told_is_a_sentence(assign: Assign, hosted: HostedRepository, alice: User, forge: Forge) -> None:
    made = assign()
    worked()
    with forge.fault(faults.status(503)), pytest.raises(FieldError, match="Try again later"):
        previewing.preview(made.target)
    connections.disconnect(of(alice), made.target.connection)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="to be connected again"):
        previewing.preview(made.target)
    connections.delete(of(alice), made.target.connection)  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="Choose another connection"):
        previewing.preview(made.target)
    targets.unassign(server=made.server, membership=of(alice))


def test_looking_writes_nothing_also_where_the_directory_may_follow_the_name_by_now(assign: Assign) -> None:
    made = assign()
    worked()
    PushTarget.objects.update(directory="former")  # as where another server's files were in the way of a rename
    previewing.preview(made.target)
    assert made.target.directory == "former"
    made.push()
    assert made.target.directory == "weather"
