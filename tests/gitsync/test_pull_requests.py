"""Pull-request mode: one side branch and one open pull request, which later saves update and never multiply."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from catalog import servers, tools
from catalog.models import Tool
from gitsync import states
from gitsync.models import Mode, PushTarget
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import User
from tests.gitsync.conftest import MANAGED, Assign, Pushed, aside, git, paths, subjects, work, worked
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

OPEN = {
    "github": "POST */pulls*",
    "gitlab": "POST */merge_requests*",
    "bitbucket": "POST */pullrequests*",
}


@dataclass
class Pull:
    """As any forge has it."""

    number: str
    title: str
    head: str
    base: str


def pulls(made: Pushed) -> list[Pull]:
    """All that were ever opened."""
    merge_requests = made.forge.gitlab.merge_requests[made.hosted.id]
    return [
        *(Pull(str(each.number), each.title, each.head, each.base) for each in made.hosted.pulls),
        *(Pull(str(each.iid), each.title, each.source, each.target) for each in merge_requests),
    ]


@pytest.mark.parametrize("key", MANAGED)
def test_later_saves_update_the_open_pull_request(key: str, assign: Assign, hosted: HostedRepository) -> None:
    made = assign(key, mode=Mode.PULL_REQUEST)
    worked()
    (pull,) = pulls(made)
    assert (pull.head, pull.base, pull.title) == ("millrace/weather", "main", "Add server Weather (Alice)")
    assert (made.target.side_branch, made.target.pull_request) == ("millrace/weather", pull.number)
    assert made.target.pull_request_url.startswith(made.forge.url)
    state = states.state_of(made.target)
    assert (state.code, state.text) == ("up_to_date", f"In pull request {pull.number}, until it is merged.")

    made.save("Changed.")
    worked()
    made.push()
    assert len(pulls(made)) == 1
    assert subjects(hosted, "millrace/weather") == [
        "Update tool `getForecast` of Weather (Alice)",
        "Add server Weather (Alice)",
        "Begin",
    ]
    assert subjects(hosted) == ["Begin"]


@pytest.mark.parametrize("key", MANAGED)
def test_after_a_merge_there_is_another_one_for_what_is_saved_next_and_none_for_nothing(
    key: str, assign: Assign, hosted: HostedRepository
) -> None:
    made = assign(key, mode=Mode.PULL_REQUEST)
    worked()
    assert len(pulls(made)) == 1
    hosted.git.reset("main", git(hosted, "rev-parse", "millrace/weather").strip())
    for pull in hosted.pulls:  # GitLab sees it by itself
        pull.state = "merged"
    run = made.push()
    assert run.status == Status.SUCCEEDED, run.error_text
    assert len(pulls(made)) == 1
    assert (made.target.pull_request, made.target.side_branch) == ("", "")
    assert set(hosted.git.branches()) == {"main", "millrace/weather"}

    made.save("Changed.")
    worked()
    assert [each.head for each in pulls(made)] == ["millrace/weather", "millrace/weather-2"]
    assert subjects(hosted, "millrace/weather-2")[0] == "Update tool `getForecast` of Weather (Alice)"
    assert len(subjects(hosted, "millrace/weather-2")) == 3


def test_what_was_closed_is_proposed_anew_with_the_next_save(assign: Assign, hosted: HostedRepository) -> None:
    made = assign(mode=Mode.PULL_REQUEST)
    worked()
    hosted.pulls[0].state = "closed"
    made.save("Changed.")
    worked()
    assert [each.head for each in pulls(made)] == ["millrace/weather", "millrace/weather-2"]
    assert paths(hosted, "millrace/weather-2") > {"weather/config.json"}
    assert len(subjects(hosted, "millrace/weather-2")) == 2


@pytest.mark.parametrize("key", MANAGED)
@pytest.mark.django_db(transaction=True)
def test_a_push_killed_before_its_pull_request_was_opened_opens_it_then(
    key: str, assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(key, mode=Mode.PULL_REQUEST)
    with forge.fault(faults.status(500), on=OPEN[key]):
        (run,) = work()
    assert run.status == Status.WAITING
    assert pulls(made) == []
    assert subjects(hosted, "millrace/weather")[0] == "Add server Weather (Alice)"
    Run.objects.update(status=Status.QUEUED)
    worked()
    assert [each.head for each in pulls(made)] == ["millrace/weather"]
    assert len(subjects(hosted, "millrace/weather")) == 2
    assert made.target.pull_request


@pytest.mark.django_db(transaction=True)
def test_a_push_killed_after_its_pull_request_was_opened_finds_it(
    assign: Assign, forge: Forge, hosted: HostedRepository
) -> None:
    made = assign(mode=Mode.PULL_REQUEST)

    def take_away() -> None:
        Run.objects.filter(status=Status.RUNNING).update(status=Status.QUEUED, lease=None, lease_until=None)

    with forge.fault(faults.afterwards(aside(take_away)), on=OPEN["github"], times=1):
        execute(str(Run.objects.get().pk))
    assert made.target.pull_request == ""
    worked()
    assert len(hosted.pulls) == 1
    assert made.target.pull_request == str(hosted.pulls[0].number)


def test_a_side_branch_that_is_somebodys_is_left_alone(assign: Assign, hosted: HostedRepository) -> None:
    hosted.git.branch("millrace/weather")
    made = assign(mode=Mode.PULL_REQUEST)
    worked()
    assert [each.head for each in pulls(made)] == ["millrace/weather-2"]
    assert subjects(hosted, "millrace/weather") == ["Begin"]


def test_a_deleted_server_goes_by_a_pull_request_too(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    made = assign()
    worked()
    assign(mode=Mode.PULL_REQUEST)
    work()
    servers.delete_server(server=made.server, by=alice)
    worked()
    assert paths(hosted) > {"README.md"}
    assert paths(hosted, "millrace/weather") == {"README.md"}
    assert hosted.pulls[0].title == "Delete server Weather (Alice)"
    assert not PushTarget.objects.exists()


def test_what_a_pull_request_removes_is_removed_anew_when_it_was_closed(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    assign(mode=Mode.PULL_REQUEST)
    worked()
    gone = {path for path in paths(hosted) if "get-weather" in path}
    tools.delete_tool(tool=Tool.objects.get(name="getWeather"), by=alice)
    worked()
    made.save("Changed.")
    worked()
    assert len(gone) == 2
    assert not gone & paths(hosted, "millrace/weather")
    hosted.pulls[0].state = "closed"
    made.save("Changed again.")
    worked()
    assert not gone & paths(hosted, "millrace/weather-2")
    assert made.target.foreign == {}


def test_what_a_pull_request_removed_and_somebody_wrote_since_is_left_alone(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign()
    worked()
    assign(mode=Mode.PULL_REQUEST)
    worked()
    tools.delete_tool(tool=Tool.objects.get(name="getWeather"), by=alice)
    worked()
    hosted.pulls[0].state = "closed"
    hosted.git.commit({"weather/Open Meteo/tools/get-weather.md": "Mine.\n"}, "Mine")
    made.save("Changed.")
    worked()
    assert {path for path in paths(hosted, "millrace/weather-2") if "get-weather" in path} == {
        "weather/Open Meteo/tools/get-weather.md"
    }
    assert set(made.target.foreign) == {"weather/Open Meteo/tools/get-weather.md"}


def test_from_a_pull_request_to_commits_everything_is_in_the_branch(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    made = assign(mode=Mode.PULL_REQUEST)
    worked()
    assert paths(hosted) == {"README.md"}
    assign(mode=Mode.COMMIT)
    worked()
    assert paths(hosted) == paths(hosted, "millrace/weather")
    assert made.target.pull_request == ""
    assert states.state_of(made.target).text == ""
