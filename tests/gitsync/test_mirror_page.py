"""The page of the sync: who sees what of how it stands, and what its buttons do."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import EntityKind
from forges.models import HookStatus
from gitsync.mirror.requesting import SYNC as KIND
from gitsync.models import EntityState, Mirror, MirrorChange, MirroredEntity, Mode, Problem
from jobs.models import FINISHED, Run, Status
from orgs import access
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.gitsync.mirrors import SYNC, entity_of, mirror_for, text_of
from tests.gitsync.pages import HTMX, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def mirror(acme: Organization) -> Mirror:
    return mirror_for(acme)


@pytest.fixture
def window(adam: User, browse: Browse) -> Client:
    return browse(adam)


def shown(client: Client, part: str = "", **headers: Any) -> str:
    response = client.get(f"{SYNC}{part}", headers=headers)
    assert response.status_code == 200, response.status_code
    return html.unescape(text_of(response))


def run_of(mirror: Mirror, status: str = Status.SUCCEEDED, **fields: Any) -> Run:
    values = {"stage": "Fetching", "options_key": str(Run.objects.count()), **fields}
    if status in FINISHED:
        values["finished_at"] = mirror.synced_at
    return Run.objects.create(organization=mirror.organization, kind=KIND, subject=mirror, status=status, **values)


def test_without_a_repository_one_is_offered_to_who_may_connect(
    acme: Organization, adam: User, carol: User, browse: Browse
) -> None:
    page = shown(browse(adam))
    assert "No repository is connected" in page
    assert f'href="{SYNC}bitbucket/"' in page
    assert f'href="{SYNC}connection/"' in page
    others = shown(browse(carol))
    assert "gitsync.assign" in others
    assert f'href="{SYNC}bitbucket/"' not in others


def test_the_menu_of_the_organisation_leads_there(window: Client) -> None:
    page = window.get("/o/acme/").content.decode()
    assert f'href="{SYNC}"' in page


def test_it_shows_the_last_result_the_commit_and_the_facts(window: Client, mirror: Mirror) -> None:
    page = shown(window)
    for part in (
        "In step",
        "Synced 12 entities: 3 written, 1 read, 8 unchanged, 0 failed.",
        f'href="https://bitbucket.org/acme/config/commits/{"a" * 40}"',
        'href="https://bitbucket.org/acme/config"',
        "every 15 minutes",
        "a person decides",
    ):
        assert part in page, part


def test_an_address_that_is_none_of_the_web_is_no_link(window: Client, mirror: Mirror) -> None:
    Mirror.objects.update(web_url="javascript:alert(1)", last_commit_url="javascript:alert(2)")
    page = shown(window)
    assert "javascript:" not in page


def test_a_viewer_sees_the_status_and_no_buttons(mirror: Mirror, carol: User, browse: Browse) -> None:
    found = entity_of(mirror)
    client = browse(carol)
    page = shown(client)
    assert "Synced 12 entities" in page
    assert "entities.edit" in page
    assert f"entities/{found.pk}/" not in page
    assert "Disconnect" not in page
    assert client.post(f"{SYNC}now/").status_code == 403
    assert client.get(f"{SYNC}entities/{found.pk}/").status_code == 403
    assert client.get(f"{SYNC}preview/").status_code == 403


def test_what_wants_a_person_is_listed_with_code_place_and_a_link(window: Client, mirror: Mirror) -> None:
    found = entity_of(mirror)
    entity_of(mirror, EntityState.MISSING, path="skills/pdf-forms", name="", kind=EntityKind.SKILL)
    page = shown(window)
    assert "2 that want a person" in page
    assert "In step, with exceptions" in page
    for part in (
        "⚠",
        "INVALID_JSON",
        "A comma is missing.",
        "commands/greet.json, line 3, column 14",
        "Missing in git",
    ):
        assert part in page, part
    assert f'href="{SYNC}entities/{found.pk}/"' in page


def test_a_long_list_of_problems_costs_no_more_questions(window: Client, mirror: Mirror) -> None:
    def questions() -> int:
        with CaptureQueriesContext(database) as captured:
            window.get(SYNC)
        return len(captured)

    entity_of(mirror, path="commands/0.json")
    questions()
    few = questions()
    for number in range(1, 130):
        entity_of(mirror, path=f"commands/{number}.json")
    assert questions() <= few + 1
    assert "130 that want a person" in shown(window)
    assert "These are the first 100." in shown(window)


def test_sync_now_asks_for_a_run_in_ones_name(window: Client, mirror: Mirror, adam: User) -> None:
    response = window.post(f"{SYNC}now/")
    assert (response.status_code, response["Location"]) == (302, SYNC)
    run = Run.objects.get()
    assert (run.kind, run.trigger, run.requested_by, run.status) == (KIND, "manual", adam, Status.QUEUED)
    window.post(f"{SYNC}now/", headers=HTMX)
    assert Run.objects.count() == 1, "it joins the one that is queued"


def test_a_run_at_work_is_polled_and_can_be_cancelled(window: Client, mirror: Mirror) -> None:
    run = run_of(mirror, Status.RUNNING, done=3, total=12)
    page = shown(window)
    assert "Syncing" in page
    assert "3 of 12" in page
    assert "every 1500ms" in page
    assert f'action="{reverse("jobs:cancel", args=["acme", run.pk])}"' in page
    seen = page.split("seen=")[1][:16]
    assert window.get(f"{SYNC}state/?seen={seen}", headers=HTMX).status_code == 204
    Run.objects.update(done=4)
    again = window.get(f"{SYNC}state/?seen={seen}", headers=HTMX)
    assert "4 of 12" in text_of(again)
    assert "<html" not in text_of(again)


def test_after_a_sync_that_was_cancelled_nobody_is_told_that_both_are_in_step(window: Client, mirror: Mirror) -> None:
    run_of(mirror)
    assert "In step" in shown(window)
    run_of(mirror, Status.CANCELLED)
    page = shown(window)
    assert "In step" not in page
    assert "what changed since on either side waits for the next" in page
    run_of(mirror)
    assert "In step" in shown(window)


def test_what_a_stopped_sync_says_has_not_the_time_of_the_one_before(window: Client, mirror: Mirror) -> None:
    Mirror.objects.update(summary="Synced 3 entities, and stopped: away.")
    assert "stopped: away.</b> <span" in shown(window)
    Mirror.objects.update(problem=Problem.PROTECTED)
    assert "stopped: away.</b></p>" in shown(window)


def test_at_rest_nothing_is_polled(window: Client, mirror: Mirror) -> None:
    run_of(mirror)
    page = shown(window)
    assert "hx-trigger" not in page.split('id="sync-state"')[1].split(">")[0]
    assert "Last syncs" in page


def test_a_save_that_waits_for_its_sync_is_pending(window: Client, mirror: Mirror) -> None:
    MirrorChange.objects.create(mirror=mirror, verb="update", kind="command", name="Greet")
    assert "What was saved last is synced in a moment." in shown(window)


def test_the_first_sync_that_is_refused_is_a_connection_test_that_failed(window: Client, mirror: Mirror) -> None:
    Mirror.objects.update(
        synced_at=None, summary="", problem=Problem.PROTECTED, problem_text="The branch is protected."
    )
    page = shown(window)
    assert "Connection test failed. Please verify your Workspace, Client ID, and Client Secret are correct." in page
    assert "The branch is protected." in page
    assert "Switch to pull requests" in page
    response = window.post(f"{SYNC}pull-requests/")
    assert said(response) == ["Changes arrive as one pull request from now on."]
    found = Mirror.objects.get()
    assert (found.mode, found.problem, found.revision) == (Mode.PULL_REQUEST, "", 2)


def test_plain_git_is_offered_no_pull_requests(window: Client, mirror: Mirror) -> None:
    Mirror.objects.update(forge="git", problem=Problem.PROTECTED, problem_text="No.")
    assert "Switch to pull requests" not in shown(window)
    assert said(window.post(f"{SYNC}pull-requests/")) == [
        "Plain git has no pull requests: let the account push to the branch."
    ]


def test_the_webhook_is_told_with_both_addresses(window: Client, mirror: Mirror, acme: Organization) -> None:
    hook = factories.hook(
        acme,
        **{name: getattr(mirror, name) for name in ("forge", "base_url", "repository_id", "repository")},
        status=HookStatus.MANUAL,
        reason="No credential here may manage webhooks.",
    )
    page = shown(window)
    for part in (
        "http://127.0.0.1:8000/api/bitbucket/webhook",
        f"http://127.0.0.1:8000/hooks/bitbucket/{hook.pk}",
        "No credential here may manage webhooks.",
        "Repository: Push",
    ):
        assert part in page, part
    assert hook.secret not in page


def test_what_the_state_of_an_entity_says_is_not_taken_for_html(window: Client, mirror: Mirror) -> None:
    error = {"code": "VALIDATION_FAILED", "message": "<script>alert(1)</script>", "path": "<b>"}
    found = entity_of(mirror, name="<i>x", error=error)
    for part in ("", f"entities/{found.pk}/"):
        page = window.get(f"{SYNC}{part}").content.decode()
        assert "<script>alert" not in page
        assert "<i>x" not in page


def test_another_organisations_entity_is_not_found(
    window: Client, mirror: Mirror, charlie: User, browse: Browse
) -> None:
    other = mirror_for(Organization.objects.get(slug="other"))
    theirs = entity_of(other)
    assert window.get(f"{SYNC}entities/{theirs.pk}/").status_code == 404
    assert browse(charlie).get(SYNC).status_code == 404
    assert browse(charlie).get(f"/o/other/settings/sync/entities/{entity_of(mirror).pk}/").status_code == 404
    assert MirroredEntity.objects.count() == 2


def test_an_entity_that_is_in_step_has_nothing_to_decide(window: Client, mirror: Mirror) -> None:
    found = entity_of(mirror, EntityState.IN_STEP)
    assert "Nothing is to be decided about it." in shown(window, f"entities/{found.pk}/")


def test_support_sees_mirrors_in_the_admin_without_a_token(mirror: Mirror, browse: Browse) -> None:
    staff = factories.user("staff@example.com", is_staff=True, is_superuser=True)
    client = browse(staff)
    entity = entity_of(mirror)
    MirrorChange.objects.create(mirror=mirror, verb="update", kind="command", name="Greet")
    for name, pk in (("mirror", mirror.pk), ("mirroredentity", entity.pk)):
        assert client.get(reverse(f"admin:gitsync_{name}_changelist")).status_code == 200
        page = client.get(reverse(f"admin:gitsync_{name}_change", args=[pk])).content.decode()
        assert "commands/greet.json" in page or "acme/config" in page
        assert "token_ciphertext" not in page
    assert client.get(reverse("admin:gitsync_mirrorchange_changelist")).status_code == 200
    ask = {"action": "sync_now", "_selected_action": str(mirror.pk)}
    client.post(reverse("admin:gitsync_mirror_changelist"), ask)
    assert Run.objects.get().kind == KIND


def test_after_a_listing_that_was_not_whole_nobody_is_told_that_both_are_in_step(
    window: Client, mirror: Mirror
) -> None:
    run_of(mirror, Status.PARTIAL, result={"complete": False})
    page = shown(window)
    assert "In step" not in page
    assert "Not compared whole" in page
    run_of(mirror, result={"complete": True})
    assert "In step" in shown(window)


def test_switching_to_pull_requests_while_somebody_disconnects_is_told(
    window: Client, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any, **options: Any) -> Any:
        Mirror.objects.all().delete()
        return require_still(*args, **options)

    require_still = access.require_still
    monkeypatch.setattr(access, "require_still", gone)
    response = window.post(f"{SYNC}pull-requests/", follow=True)
    assert response.status_code == 200
    assert "Somebody else changed this" in " ".join(said(response))
