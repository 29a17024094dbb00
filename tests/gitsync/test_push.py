"""Every save of a server's configuration is one commit in the repository that an admin assigned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_django import Settings

from catalog import providers, servers, tools
from catalog.models import Provider, Server, Tool
from gitsync import states
from gitsync.clock import tick
from gitsync.models import PendingChange, PushedFile, PushTarget
from jobs.models import Run, Status, Trigger
from orgs.models import User
from tests import factories
from tests.gitsync.conftest import FORGES, Assign, changed, git, paths, subjects, text, work, worked
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

FILES = {
    "weather/config.json",
    "weather/export.json",
    "weather/schema.json",
    "weather/README.md",
    "weather/Open Meteo/config.json",
    "weather/Open Meteo/README.md",
    "weather/Open Meteo/tools/get-forecast.json",
    "weather/Open Meteo/tools/get-forecast.md",
    "weather/Open Meteo/tools/get-weather.json",
    "weather/Open Meteo/tools/get-weather.md",
}


@pytest.mark.parametrize("key", FORGES)
def test_assigning_pushes_all_and_a_saved_tool_pushes_exactly_its_files(
    key: str, assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign(key)
    run = worked()

    assert run.trigger == Trigger.CONNECT
    assert paths(hosted) == {"README.md", *FILES}
    assert subjects(hosted) == ["Add server Weather (Alice)", "Begin"]
    assert git(hosted, "log", "-1", "--format=%an <%ae>", "main").strip() == "Alice <alice@acme.example>"
    target = made.target
    assert target.last_commit == git(hosted, "rev-parse", "main").strip()
    assert target.pushed_revision == made.server.config_revision
    assert target.last_pushed_at is not None
    assert states.state_of(target).code == "up_to_date"

    made.save("Of today and the rain.")
    assert states.state_of(made.target).code == "pending"
    worked()

    assert changed(hosted) == {
        ("M", "weather/config.json"),  # its version
        ("M", "weather/export.json"),
        ("M", "weather/Open Meteo/README.md"),
        ("M", "weather/Open Meteo/tools/get-forecast.json"),
        ("M", "weather/Open Meteo/tools/get-forecast.md"),
    }
    assert subjects(hosted)[0] == "Update tool `getForecast` of Weather (Alice)"
    tool = json.loads(text(hosted, "weather/Open Meteo/tools/get-forecast.json"))
    assert tool["description"] == "Of today and the rain."
    assert states.state_of(made.target).code == "up_to_date"
    assert not PendingChange.objects.exists()


@pytest.mark.parametrize("key", FORGES)
def test_an_empty_repository_is_begun(key: str, assign: Assign, forge: Forge) -> None:
    empty = forge.repository("octo/empty", private=True)
    made = assign(key, to=empty)
    worked()
    assert paths(empty) == FILES
    made.save("Changed.")
    worked()
    assert subjects(empty)[0] == "Update tool `getForecast` of Weather (Alice)"


@pytest.mark.parametrize("key", FORGES)
def test_without_a_difference_there_is_no_commit(key: str, assign: Assign, hosted: HostedRepository) -> None:
    made = assign(key)
    worked()
    before = git(hosted, "rev-parse", "main")
    run = made.push()
    assert run.status == Status.SUCCEEDED
    assert git(hosted, "rev-parse", "main") == before
    # Nor is the tree asked for, while the head is the one that we know.
    assert run.result["requests"] <= 2


def test_the_committer_is_millrace_or_who_the_operator_says(
    assign: Assign, hosted: HostedRepository, settings: Settings
) -> None:
    made = assign("git")
    worked()
    assert git(hosted, "log", "-1", "--format=%cn <%ce>", "main").strip() == "Millrace <millrace@localhost>"
    settings.GITSYNC_COMMITTER = "Acme Bot <bot@acme.example>"
    made.save("Changed.")
    worked()
    assert git(hosted, "log", "-1", "--format=%cn <%ce>", "main").strip() == "Acme Bot <bot@acme.example>"


def test_the_version_moves_only_with_the_configuration(assign: Assign, hosted: HostedRepository, bob: User) -> None:
    made = assign()
    worked()
    assert json.loads(text(hosted, "weather/config.json"))["version"] == 1
    made.save("Changed.")
    made.save("Changed.", by=bob)  # nothing new: no save
    worked()
    assert json.loads(text(hosted, "weather/config.json"))["version"] == 2
    made.push()
    assert json.loads(text(hosted, "weather/config.json"))["version"] == 2


def test_saves_of_one_moment_are_one_commit_of_who_saved_last(
    assign: Assign, hosted: HostedRepository, bob: User, carol: User
) -> None:
    made = assign()
    worked()
    made.save("By Bob.", by=bob)
    provider = Provider.objects.get()
    tools.create_tool(provider=provider, values={"name": "getRain", "path": "/rain"}, by=carol)
    made.save("By Alice.")
    worked()

    assert subjects(hosted)[0] == "Update tool `getForecast` and add tool `getRain` of Weather"
    message = git(hosted, "log", "-1", "--format=%B", "main")
    assert "- Update tool `getForecast` (Alice)\n- Add tool `getRain` (Carol)" in message
    assert git(hosted, "log", "-1", "--format=%an", "main").strip() == "Alice"
    trailers = git(hosted, "log", "-1", "--format=%(trailers:only)", "main").strip().splitlines()
    assert trailers == [
        "Co-authored-by: Bob <bob@acme.example>",
        "Co-authored-by: Carol <carol@acme.example>",
    ]


def test_a_deleted_tool_and_a_renamed_provider_leave_no_file_behind(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    tools.delete_tool(tool=made.tool, by=alice)
    worked()
    assert {("D", "weather/Open Meteo/tools/get-forecast.json"), ("D", "weather/Open Meteo/tools/get-forecast.md")} < (
        changed(hosted)
    )
    assert subjects(hosted)[0] == "Delete tool `getForecast` of Weather (Alice)"

    provider = Provider.objects.get()
    providers.edit_provider(provider=provider, values={"name": "Clouds"}, seen_revision=None, by=alice)
    worked()
    assert {path for path in paths(hosted) if "/" in path.removeprefix("weather/")} - {"README.md"} == {
        "weather/Clouds/config.json",
        "weather/Clouds/README.md",
        "weather/Clouds/tools/get-weather.json",
        "weather/Clouds/tools/get-weather.md",
    }
    assert subjects(hosted)[0] == "Rename provider Open Meteo to Clouds of Weather (Alice)"
    assert len(subjects(hosted)) == 4
    assert set(PushedFile.objects.values_list("path", flat=True)) == paths(hosted) - {"README.md"}


def test_a_renamed_server_moves_in_one_commit(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    made = assign()
    worked()
    values = {"name": "Climate", "slug": "climate"}
    servers.edit_server(server=made.server, values=values, seen_revision=made.server.config_revision, by=alice)
    worked()

    assert paths(hosted) == {"README.md", *(path.replace("weather/", "climate/", 1) for path in FILES)}
    assert subjects(hosted)[0] == "Rename server Weather to Climate (Alice)"
    assert len(subjects(hosted)) == 3


def test_a_deleted_server_takes_its_files_along_and_nobody_elses(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    hosted.git.commit({"weather/notes.md": "Somebody's.\n"}, "Note")
    assert servers.consequences(made.server) == ["10 files in octo/config on main are removed there in one commit."]
    servers.delete_server(server=made.server, by=alice)
    worked()

    assert paths(hosted) == {"README.md", "weather/notes.md"}
    assert subjects(hosted)[0] == "Delete server Weather (Alice)"
    assert not PushTarget.objects.exists()


def test_a_server_deleted_before_its_first_push_leaves_nothing(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    servers.delete_server(server=made.server, by=alice)
    work()
    assert subjects(hosted) == ["Begin"]
    assert not PushTarget.objects.exists()


def test_hundreds_of_tools_take_as_many_requests_as_ten(
    assign: Assign, forge: Forge, weather: Server, alice: User
) -> None:
    provider = Provider.objects.get()
    Tool.objects.bulk_create(
        Tool(server=weather, provider=provider, name=f"tool{number}", path=f"/{number}") for number in range(400)
    )
    empty = forge.repository("octo/large", private=True)
    empty.git.commit({"README.md": "# Config\n"})
    made = assign(to=empty)
    first = worked()
    assert first.counts["added"] == 10 + 800
    assert len(paths(empty)) == 1 + 10 + 800
    made.save("Changed.")
    assert worked().counts == {"added": 0, "changed": 5, "removed": 0}
    assert first.result["requests"] <= 10


def test_what_was_pushed_can_be_cloned_and_read(assign: Assign, hosted: HostedRepository, tmp_path: Path) -> None:
    assign("git")
    worked()
    git(hosted, "clone", "-q", str(hosted.git.path), str(tmp_path / "clone"))
    exported = json.loads((tmp_path / "clone" / "weather" / "export.json").read_text())
    assert [tool["name"] for tool in exported["providers"][0]["tools"]] == ["getForecast", "getWeather"]


def test_many_saves_in_a_burst_are_one_run(assign: Assign, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    for number in range(25):
        made.save(f"Version {number}.")
    assert Run.objects.filter(status=Status.QUEUED).count() == 1
    worked()
    assert len(subjects(hosted)) == 3
    assert json.loads(text(hosted, "weather/config.json"))["version"] == 26


def test_the_clock_pushes_what_no_run_is_going_to(assign: Assign, hosted: HostedRepository) -> None:
    made = assign()
    worked()
    made.save("Changed.")
    Run.objects.filter(status=Status.QUEUED).delete()  # as if it was lost
    assert tick() == "1 pushes asked for"
    assert tick() == "0 pushes asked for"
    worked()
    assert len(subjects(hosted)) == 3
    assert tick() == "0 pushes asked for"


def test_a_personal_server_never_leaves_the_database(
    assign: Assign, hosted: HostedRepository, weather: Server, alice: User
) -> None:
    made = assign()
    weather.owner = alice
    weather.save()
    (run,) = work()
    assert run.status == Status.FAILED
    assert "never leaves the database" in run.error_text
    assert subjects(hosted) == ["Begin"]
    assert states.state_of(made.target).code == "failed"
    assert tick() == "0 pushes asked for"


def test_a_second_server_of_the_same_repository_has_its_own_folder(
    assign: Assign, hosted: HostedRepository, weather: Server
) -> None:
    assign()
    other = factories.server(weather.organization, "Maps", slug="maps")
    assign(server=other)
    for run in work():
        assert run.status == Status.SUCCEEDED, run.error_text
    assert {path.partition("/")[0] for path in paths(hosted)} == {"README.md", "weather", "maps"}
    assert set(subjects(hosted)) == {"Add server Maps (Alice)", "Add server Weather (Alice)", "Begin"}
