"""What the panel says of how a server's pushes stand, and what its buttons do."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains

from catalog.models import Server
from forges.models import Connection
from gitsync.deciding import digest_of
from gitsync.models import AllowedFinding, Mode, Problem, PushedFile, PushTarget
from jobs.models import Run, Status, Trigger
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.gitsync.pages import HTMX, address, run_of, said, shown, target_for

pytestmark = pytest.mark.django_db

FINDING = {
    "path": "docs/weather/tools/getWeather.json",
    "field": "/headers/X-Key",
    "line": 14,
    "kind": "GitHub Token",
    "digest": "d" * 64,
}


@pytest.fixture
def window(alice: User, docs: Server, browse: Browse) -> Client:
    return browse(alice)


@pytest.fixture
def target(docs: Server, acme: Organization, alice: User) -> PushTarget:
    return target_for(docs, connection=factories.connection(acme, alice, account="octo"))


def change(target: PushTarget, **fields: Any) -> None:
    PushTarget.objects.filter(pk=target.pk).update(**fields)


def post(client: Client, part: str, **data: str) -> Any:
    return client.post(address(part), data)


def test_the_general_tab_has_the_panel(window: Client, docs: Server) -> None:
    page = window.get("/o/acme/servers/docs/").content.decode()
    assert f'hx-get="{address()}"' in page
    assert f'<a href="{address()}">Git Push Sync</a>' in page


def test_what_is_up_to_date_links_its_commit_and_repository(window: Client, target: PushTarget) -> None:
    page = shown(window)
    assert "Up to date" in page
    assert f'<a class="mono" href="{target.last_commit_url}"' in page
    assert ">aaaaaaa</a>" in page
    assert 'href="https://github.com/acme/config"' in page
    assert "The connection of octo</a>" in page
    assert "every" not in page.partition('id="push-state"')[2].partition("<dl")[0], "nothing is at work"


def test_a_colleagues_own_account_is_not_named(adam: User, target: PushTarget, browse: Browse) -> None:
    page = shown(browse(adam))
    assert "A connection of Alice" in page
    assert "octo" not in page
    assert str(target.connection_id) not in page.partition("push-form")[0]


def test_an_address_that_is_none_of_the_web_is_no_link(window: Client, target: PushTarget) -> None:
    change(target, web_url="javascript:alert(1)", last_commit_url="javascript:alert(2)")
    assert "javascript:" not in shown(window)


def test_while_a_push_is_at_work_the_page_asks_and_takes_only_what_changed(window: Client, target: PushTarget) -> None:
    run = run_of(target, Status.RUNNING, stage="Comparing")
    first = shown(window, **HTMX)
    assert "Pushing" in first
    assert "Comparing" in first
    seen = first.partition("?seen=")[2].partition('"')[0]
    part = f"state/?seen={seen}"
    assert window.get(address(part), headers=HTMX).status_code == 204

    Run.objects.filter(pk=run.pk).update(status=Status.SUCCEEDED, stage="")
    later = window.get(address(part), headers=HTMX).content.decode()
    assert "Up to date" in later
    assert "hx-trigger" not in later.partition('id="push-state"')[2].partition(">")[0]


def test_who_looked_while_it_was_taken_away_is_led_to_what_is_there(window: Client, target: PushTarget) -> None:
    target.delete()
    assert window.get(address("state/"), headers=HTMX)["HX-Redirect"] == address()


def test_a_save_that_no_push_has_told_of_is_pending(window: Client, target: PushTarget, docs: Server) -> None:
    Server.objects.filter(pk=docs.pk).update(config_revision=docs.config_revision + 1)
    assert "Pending" in shown(window)


@pytest.mark.parametrize(("status", "word"), [("disconnected", "Disconnected"), ("error", "Error")])
def test_a_lost_connection_is_told_with_its_reason(window: Client, target: PushTarget, status: str, word: str) -> None:
    Connection.objects.update(status=status, reason="The forge does not accept the token any more.")
    page = shown(window)
    assert "The forge does not accept the token any more." in page
    assert f'tone-{"warn" if status == "disconnected" else "error"}">{word}</span>' in page


def test_a_deleted_connection_is_told_and_another_one_has_to_be_chosen(window: Client, target: PushTarget) -> None:
    change(target, connection=None, credential_lost="Its connection was deleted by Adam.", problem="credential")
    page = shown(window)
    assert "Its connection was deleted by Adam." in page
    assert "assigned now, its connection is gone" in page
    form = {"choice": "lost", "mode": "commit", "seen_revision": "1"}
    response = window.post(address(), form)
    assert "Choose the repository through another one" in response.context["form"].errors["choice"][0]


def test_a_secret_that_was_found_is_told_by_place_and_kind_and_can_be_allowed(
    window: Client, target: PushTarget
) -> None:
    change(target, problem=Problem.SECRET, problem_text="A secret was found.", problem_details={"findings": [FINDING]})
    page = shown(window)
    assert "Blocked" in page
    for words in (FINDING["path"], "line 14", FINDING["field"], "GitHub Token"):
        assert str(words) in page
    response = post(window, "allow/", digest="d" * 64)
    assert (response.status_code, response["Location"]) == (302, address())
    assert AllowedFinding.objects.get().digest == "d" * 64
    assert Run.objects.get().status == Status.QUEUED


def test_what_was_found_in_several_places_is_allowed_once(window: Client, target: PushTarget) -> None:
    findings = [FINDING, {**FINDING, "path": "docs/export.json"}, {**FINDING, "digest": "e" * 64}]
    change(target, problem=Problem.SECRET, problem_text="x", problem_details={"findings": findings})
    page = shown(window)
    assert page.count('name="digest"') == 2
    assert "docs/export.json" in page


def test_what_millrace_itself_keeps_cannot_be_allowed(window: Client, target: PushTarget) -> None:
    finding = {**FINDING, "allowable": False}
    change(target, problem=Problem.SECRET, problem_text="x", problem_details={"findings": [finding]})
    assert "This is no secret" not in shown(window)
    assert said(post(window, "allow/", digest="d" * 64)) == [
        "This is the GitHub Token, which Millrace keeps secret. Take it out of there."
    ]
    assert not AllowedFinding.objects.exists()


def test_files_in_the_way_are_listed_and_taken_over_as_they_were_seen(window: Client, target: PushTarget) -> None:
    files = {"docs/README.md": "1" * 40, "docs/config.json": "2" * 40}
    change(target, problem=Problem.CONFLICT, problem_text="Files are in the way.", problem_details={"files": files})
    page = shown(window)
    assert "<li>docs/README.md</li><li>docs/config.json</li>" in page
    assert "overwritten or removed by the push that follows" in page

    assert said(post(window, "take-over/", digest="0" * 64))[0].startswith("The list of these files has changed")
    assert not PushedFile.objects.exists()
    post(window, "take-over/", digest=digest_of(files))
    assert set(PushedFile.objects.values_list("path", flat=True)) == set(files)


def test_files_of_others_beside_ours_are_only_told_of(window: Client, target: PushTarget) -> None:
    change(target, foreign={"docs/notes.txt": "1" * 40}, foreign_count=1)
    page = shown(window)
    assert "1 file in this directory is not Millrace’s" in page
    assert "They are left as they are." in page
    assert "docs/notes.txt" in page


def test_a_protected_branch_offers_pull_requests(window: Client, target: PushTarget) -> None:
    change(target, problem=Problem.PROTECTED, problem_text="main is protected.")
    assert "Switch to pull requests" in shown(window)
    post(window, "pull-requests/")
    assert PushTarget.objects.get().mode == Mode.PULL_REQUEST
    assert "Switch to pull requests" not in shown(window)


def test_plain_git_is_offered_no_pull_request(window: Client, target: PushTarget) -> None:
    change(target, forge="git", connection=None, problem=Problem.PROTECTED, problem_text="main is protected.")
    assert "Switch to pull requests" not in shown(window)


def test_an_open_pull_request_is_linked(window: Client, target: PushTarget) -> None:
    change(
        target,
        mode="pull_request",
        pull_request="7",
        pull_request_url="https://github.com/x/7",
        side_branch="millrace/docs",
    )
    page = shown(window)
    assert '<a href="https://github.com/x/7" rel="noreferrer">#7</a>' in page
    assert "millrace/docs" in page


def test_a_failure_says_what_happened(window: Client, target: PushTarget) -> None:
    change(target, problem=Problem.FAILED, problem_text="The repository is gone. Choose another one.")
    page = shown(window)
    assert "Failed" in page
    assert "The repository is gone. Choose another one." in page


def test_push_now_asks_for_a_push_and_shows_it(bob: User, target: PushTarget, browse: Browse) -> None:
    response = browse(bob).post(address("now/"), headers=HTMX, follow=True)
    assertContains(response, 'id="push-state"')
    assert "Pending" in response.content.decode()
    run = Run.objects.get()
    assert (run.subject, run.requested_by, run.trigger) == (target, bob, Trigger.MANUAL)


def test_who_only_looks_sees_how_it_stands_and_cannot_push(carol: User, target: PushTarget, browse: Browse) -> None:
    page = shown(browse(carol))
    assert "Up to date" in page
    assert 'id="push-now"' not in page
    assert browse(carol).post(address("now/")).status_code == 403


@pytest.mark.parametrize("part", ["take-over/", "allow/", "pull-requests/"])
def test_who_may_edit_but_not_assign_settles_nothing(part: str, bob: User, target: PushTarget, browse: Browse) -> None:
    change(target, problem=Problem.SECRET, problem_text="x", problem_details={"findings": [FINDING]})
    assert browse(bob).post(address(part), {"digest": "d" * 64}).status_code == 403
    page = shown(browse(bob))
    assert "GitHub Token" in page
    assert "This is no secret" not in page


@pytest.mark.parametrize("part", ["now/", "take-over/", "allow/", "pull-requests/"])
def test_where_nothing_is_assigned_there_is_nothing_to_do(part: str, window: Client) -> None:
    assert post(window, part).status_code == 404


def test_the_panel_costs_the_same_for_many_runs_and_connections(
    window: Client,
    target: PushTarget,
    acme: Organization,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:

    run_of(target, requested_by=alice)
    with CaptureQueriesContext(database) as few:
        shown(window, **HTMX)
    for number in range(8):
        run_of(target, requested_by=factories.user(name=f"Person {number}"))
        factories.connection(acme, alice)
        factories.connection(acme, factories.user(), shared=True)
    with django_assert_num_queries(len(few)):
        shown(window, **HTMX)


def test_the_runs_of_the_pushes_are_listed(window: Client, target: PushTarget, alice: User) -> None:
    failed = run_of(target, Status.FAILED, requested_by=alice, error_text="The forge could not be reached.")
    page = shown(window)
    assert f'href="/o/acme/runs/{failed.pk}/"' in page
    assert "The forge could not be reached." in page


def test_the_page_of_a_run_shows_commit_message_and_files(window: Client, target: PushTarget) -> None:
    result = {
        "message": "Update tool `getWeather` of Docs (Alice)",
        "commit": "b" * 40,
        "commit_url": "https://github.com/acme/config/commit/bbb",
        "branch": "main",
        "changed": ["docs/export.json"],
        "edited": ["docs/README.md"],
        "requests": 5,
    }
    run = run_of(target, result=result)
    page = " ".join(window.get(f"/o/acme/runs/{run.pk}/").content.decode().split())
    assert '<a class="mono" href="https://github.com/acme/config/commit/bbb" rel="noreferrer">bbbbbbb</a>' in page
    assert "Update tool `getWeather` of Docs (Alice)" in page
    assert "<li>docs/export.json</li>" in page
    assert "Somebody had changed files of ours in git" in page


def test_a_run_whose_assignment_is_gone_still_has_its_page(window: Client, target: PushTarget) -> None:
    run = run_of(target, Status.FAILED, error_text="It did not work.")
    target.delete()
    assertContains(window.get(f"/o/acme/runs/{run.pk}/"), "It did not work.")
