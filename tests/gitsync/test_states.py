"""How pushes are, in a word and a sentence: derived, so that nothing can be stuck in it."""

from __future__ import annotations

import pytest

from catalog import tools
from gitsync.models import Mode, Problem, PushTarget
from gitsync.states import State, state_of
from jobs.models import Run, Status
from tests.gitsync.conftest import Assign, worked

pytestmark = pytest.mark.django_db


def now() -> State:
    return state_of(PushTarget.objects.select_related("server", "connection").get())


def test_a_run_tells_what_is_being_done(assign: Assign) -> None:
    assign()
    assert (now().code, now().word, now().tone) == ("pending", "Pending", "wait")
    Run.objects.update(status=Status.RUNNING, stage="Comparing with main")
    assert (now().code, now().text, now().tone) == ("pushing", "Comparing with main", "busy")
    Run.objects.update(status=Status.WAITING, waiting_for="the forge's rate limit to reset")
    assert (now().code, now().text) == ("waiting", "Waiting for the forge's rate limit to reset.")
    Run.objects.update(status=Status.CANCELLED)
    assert now().code == "pending"


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Problem.SECRET, "blocked"),
        (Problem.PROTECTED, "blocked"),
        (Problem.CONFLICT, "blocked"),
        (Problem.FAILED, "failed"),
    ],
)
def test_a_problem_is_told_until_another_push_is_asked_for(problem: Problem, code: str, assign: Assign) -> None:
    made = assign()
    worked()
    PushTarget.objects.update(problem=problem, problem_text="So it is.")
    assert (now().code, now().text, now().tone) == (code, "So it is.", "error")
    made.save("Changed.")
    assert now().code == "pending"


@pytest.mark.parametrize("problem", [Problem.SECRET, Problem.PROTECTED])
def test_a_save_that_may_have_settled_a_problem_is_pending_at_once(problem: Problem, assign: Assign) -> None:
    pushed = assign()
    worked()
    PushTarget.objects.update(problem=problem, problem_text="What to do.")
    tools.edit_tool(tool=pushed.tool, values={"description": "Clean."}, seen_revision=None, by=pushed.by)
    assert state_of(pushed.target) == State("pending", "Pending", "wait", "What was saved last is pushed in a moment.")


def test_what_is_pushed_is_up_to_date_also_in_a_pull_request(assign: Assign) -> None:
    made = assign(mode=Mode.PULL_REQUEST)
    worked()
    assert now() == State(
        "up_to_date", "Up to date", "ok", f"In pull request {made.target.pull_request}, until it is merged."
    )
    PushTarget.objects.update(pull_request="", side_branch="")
    assert now() == State("up_to_date", "Up to date", "ok", "")


def test_a_connection_that_does_not_work_is_told_before_anybody_saves(assign: Assign) -> None:
    made = assign()
    worked()
    connection = made.target.connection
    assert connection is not None
    connection.status, connection.reason = "disconnected", "It was revoked."
    connection.save()
    assert (now().code, now().text) == ("disconnected", "It was revoked. Pushes wait for it.")
