"""A push that would harm somebody's files stops, says which, and goes on when a person has decided."""

from __future__ import annotations

import pytest

from gitsync import states, targets
from gitsync.clock import tick
from gitsync.deciding import digest_of
from gitsync.models import Mode, Problem, PushedFile
from gitsync.targets import FieldError
from jobs.models import Status
from orgs.models import AuditEvent, User
from tests.gitsync.conftest import FORGES, MANAGED, Assign, Pushed, of, paths, subjects, text, work, worked
from tests.wire.repos import Symlink
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db


def blocked(made: Pushed) -> str:
    """The sentence of the push that is queued, which has to be blocked."""
    (run,) = work()
    state = states.state_of(made.target)
    assert (run.status, state.code) == (Status.FAILED, "blocked"), run.error_text
    assert state.text == run.error_text
    return state.text


def test_files_of_others_are_left_and_told(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    before = hosted.git.commit({"weather/notes.md": "Notes.\n", "weather/tools/x.json": "{}"}, "Notes")
    made = assign()
    worked()
    assert made.target.foreign_count == 2
    assert set(made.target.foreign) == {"weather/notes.md", "weather/tools/x.json"}
    assert {"weather/notes.md", "weather/tools/x.json"} < paths(hosted)
    assert hosted.git.files("main")["weather/notes.md"] == made.target.foreign["weather/notes.md"]

    targets.take_over(made.target, digest_of(made.target.foreign), of(alice))
    worked()
    assert not {"weather/notes.md", "weather/tools/x.json"} & paths(hosted)
    assert subjects(hosted)[0] == "Take over 2 files in Weather (Alice)"
    assert made.target.foreign == {}
    assert before
    event = AuditEvent.objects.get(action="target.files_taken_over")
    assert event.after["files"] == ["weather/notes.md", "weather/tools/x.json"]


@pytest.mark.parametrize("key", FORGES)
def test_a_file_of_somebody_in_the_way_stops_the_push_until_it_is_taken_over(
    key: str, assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    hosted.git.commit({"weather/README.md": "# Mine\n", "weather/config.json": "{}"}, "Mine")
    made = assign(key)
    said = blocked(made)
    assert "weather/README.md and 1 more files in the repository would be overwritten" in said
    assert subjects(hosted) == ["Mine", "Begin"]
    assert made.target.problem == Problem.CONFLICT
    assert not PushedFile.objects.exists()

    with pytest.raises(FieldError):
        targets.take_over(made.target, "another list", of(alice))
    targets.take_over(made.target, digest_of(made.target.problem_details["files"]), of(alice))
    worked()
    assert "# Mine" not in text(hosted, "weather/README.md")
    assert states.state_of(made.target).code == "up_to_date"


def test_what_is_taken_over_is_what_was_seen(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    hosted.git.commit({"weather/README.md": "# Mine\n"}, "Mine")
    made = assign()
    blocked(made)
    hosted.git.commit({"weather/README.md": "# Mine, and better\n"}, "Better")
    targets.take_over(made.target, digest_of(made.target.problem_details["files"]), of(alice))
    assert "weather/README.md" in blocked(made)
    assert text(hosted, "weather/README.md") == "# Mine, and better\n"


def test_a_file_that_is_as_ours_would_be_is_ours(assign: Assign, hosted: HostedRepository, alice: User) -> None:
    made = assign()
    worked()
    targets.unassign(server=made.server, membership=of(alice))
    assert not PushedFile.objects.exists()
    again = assign()
    worked()
    assert len(subjects(hosted)) == 2, "all is there already"
    assert again.target.files.count() == 10
    again.save("Changed.")
    worked()
    assert len(subjects(hosted)) == 3


def test_a_file_of_ours_that_somebody_edited_in_git_is_written_again_and_logged(
    assign: Assign, hosted: HostedRepository
) -> None:
    made = assign()
    worked()
    hosted.git.commit({"weather/config.json": "{}", "weather/README.md": None}, "Meddle")
    run = made.push()
    assert run.counts == {"added": 1, "changed": 1, "removed": 0}
    (line,) = run.log_lines.all()
    assert "weather/config.json had been changed in git" in line.text
    assert '"Weather"' in text(hosted, "weather/config.json")


@pytest.mark.parametrize(
    "in_the_way",
    [{"weather": "A file.\n"}, {"weather": Symlink("elsewhere")}, {"weather/config.json/deep.md": "x"}],
    ids=["file", "symlink", "folder"],
)
def test_what_needs_the_place_of_a_folder_or_a_file_is_in_the_way(
    in_the_way: dict[str, object], assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    hosted.git.commit(in_the_way, "In the way")  # type: ignore[arg-type]
    made = assign()
    assert next(iter(in_the_way)) in blocked(made)
    assert subjects(hosted) == ["In the way", "Begin"]


def test_a_new_save_tries_again_and_the_clock_does_not(assign: Assign, hosted: HostedRepository) -> None:

    hosted.git.commit({"weather/README.md": "# Mine\n"}, "Mine")
    made = assign()
    blocked(made)
    assert tick() == "0 pushes asked for"
    hosted.git.commit({"weather/README.md": None}, "Make room")
    made.save("Changed.")
    worked()
    assert made.target.problem == Problem.NONE
    assert subjects(hosted)[0] == "Add server Weather (Alice)"


@pytest.mark.parametrize("key", FORGES)
def test_a_protected_branch_is_told_as_such(key: str, assign: Assign, hosted: HostedRepository, alice: User) -> None:
    hosted.protected_branches.add("main")
    hosted.roles["vera"] = "write"
    made = assign(key)
    said = blocked(made)
    assert made.target.problem == Problem.PROTECTED
    assert "pull request" in said
    assert subjects(hosted) == ["Begin"]

    if key not in MANAGED:
        with pytest.raises(FieldError, match="Plain git has no pull requests"):
            targets.use_pull_requests(made.target, of(alice))
        return
    targets.use_pull_requests(made.target, of(alice))
    worked()
    assert made.target.mode == Mode.PULL_REQUEST
    assert made.target.pull_request
    assert subjects(hosted) == ["Begin"]
    assert subjects(hosted, "millrace/weather")[0] == "Add server Weather (Alice)"


def test_a_file_whose_name_differs_in_case_alone_is_in_the_way(
    assign: Assign, hosted: HostedRepository, alice: User
) -> None:
    hosted.git.commit({"weather/readme.md": "# Mine\n"}, "Mine")
    made = assign()
    assert "weather/readme.md in the repository would be overwritten" in blocked(made)
    targets.take_over(made.target, digest_of(made.target.problem_details["files"]), of(alice))
    worked()
    assert "weather/README.md" in paths(hosted)
    assert "weather/readme.md" not in paths(hosted)
