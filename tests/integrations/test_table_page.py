"""The integrations table: of a server and of the organisation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Server
from integrations.models import Track
from jobs.heartbeats import beat_worker
from jobs.models import Status
from orgs.models import Organization, User
from tests import factories
from tests.conftest import Browse
from tests.integrations.conftest import Connect
from tests.integrations.pages import run_of
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

SERVER = "/o/acme/servers/docs/integrations/"
ORGANIZATION = "/o/acme/integrations/"


def page(client: Client, address: str = SERVER) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_a_server_without_integrations_says_what_to_do(docs: Server, bob: User, browse: Browse) -> None:
    shown = page(browse(bob))
    assert "No repository connected yet" in shown
    assert f'href="{SERVER}connect/"' in shown
    assert "Refresh all" not in shown


def test_a_row_tells_where_the_content_comes_from_and_what_the_last_refresh_did(
    connect: Connect, github_repo: HostedRepository, bob: User, browse: Browse
) -> None:
    connected = connect(github_repo, include="*.md\n*.png", exclude="docs/deep/", mount_path="handbook")
    connected.refresh()
    commit = str(github_repo.git.tip("main"))

    shown = page(browse(bob))

    assert f'href="{connected.integration.web_url}"' in shown
    assert "GitHub" in shown
    assert "→ handbook/" in shown
    assert "*.md, *.png, not docs/deep/" in shown
    assert "2 skipped" in shown
    assert f'href="{connected.track.last_commit_url}"' in shown
    assert f">{commit[:7]}</a>" in shown
    assert "Succeeded" in shown
    assert "<b>+3</b> added" in shown
    assert "See what changed" in shown


def test_a_forge_cannot_slip_a_script_into_a_link(docs: Server, bob: User, browse: Browse) -> None:
    factories.integration(docs, "acme/<b>bold</b>", web_url="javascript:alert(1)")
    shown = page(browse(bob))
    assert "javascript:" not in shown
    assert "<b>bold" not in shown


def test_stale_files_lead_to_the_content_that_is_stale(
    connect: Connect, book: HostedRepository, bob: User, browse: Browse
) -> None:
    connected = connect(book)
    connected.refresh()
    book.git.commit({"chapters/01.md": None})
    connected.refresh(prune=False)
    shown = page(browse(bob))
    assert "1 stale" in shown
    assert 'href="/o/acme/servers/docs/content/?stale=on"' in shown


def test_files_that_come_back_are_told(connect: Connect, book: HostedRepository, bob: User, browse: Browse) -> None:
    connected = connect(book)
    connected.refresh()
    book.git.commit({"chapters/01.md": None})
    connected.refresh(prune=False)
    book.git.commit({"chapters/01.md": "# Chapter 1\n"})
    connected.refresh()
    shown = page(browse(bob))
    assert "<b>1</b> back in git" in shown
    assert "nothing changed" not in shown


def test_the_organization_sees_the_integrations_of_all_its_servers_and_no_others(
    acme: Organization, docs: Server, charlie: User, bob: User, browse: Browse
) -> None:
    factories.integration(docs, "acme/handbook")
    factories.integration(factories.server(acme, "Tools"), "acme/tools")
    other = charlie.memberships.get().organization
    factories.integration(factories.server(other), "other/secret")

    shown = page(browse(bob), ORGANIZATION)

    assert "acme/handbook" in shown
    assert "acme/tools" in shown
    assert ">Tools</a>" in shown
    assert "other/secret" not in shown


@pytest.mark.parametrize("address", [SERVER, ORGANIZATION])
def test_more_rows_ask_no_more_queries(
    docs: Server,
    alice: User,
    bob: User,
    browse: Browse,
    address: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = browse(bob)

    def connected(number: int) -> None:
        for each in range(number):
            through = factories.connection(docs.organization, alice, status="disconnected", reason="It expired.")
            made = factories.integration(docs, include="*.md", on_push=True, connection=through)
            Track.objects.create(integration=made, branch="next", notice="This branch was deleted.")
            same = {"repository_id": made.repository_id, "repository": made.repository}
            factories.hook(docs.organization, status="failed", **same)
            run_of(made, Status.FAILED, error_code="auth_failed")
            if each % 2:
                run_of(made, Status.HELD, result={"tracks": [{"held": {"count": 3}}]})
            else:
                run_of(made, Status.QUEUED, created_at=timezone.now() - timedelta(minutes=5))

    connected(2)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    connected(10)
    with django_assert_num_queries(len(few)):
        client.get(address)


def test_no_secret_is_loaded_for_a_list(docs: Server, bob: User, browse: Browse) -> None:
    through = factories.connection(docs.organization, bob)
    made = factories.integration(docs, token="ghp_" + "a" * 36, on_push=True, connection=through)
    factories.hook(docs.organization, repository_id=made.repository_id)
    with CaptureQueriesContext(connection) as asked:
        browse(bob).get(SERVER)
    assert not [query for query in asked if "_ciphertext" in query["sql"] and "SELECT" in query["sql"]]


def test_it_can_be_searched_filtered_and_sorted_by_the_address(docs: Server, bob: User, browse: Browse) -> None:
    failed = factories.integration(docs, "acme/failed")
    run_of(failed, Status.FAILED, created_at=timezone.now() - timedelta(hours=1))
    fine = factories.integration(docs, "acme/fine", branch="next")
    run_of(fine, Status.FAILED, created_at=timezone.now() - timedelta(days=2))
    run_of(fine)
    plain = factories.integration(docs, "https://git.example.com/plain", forge="git", base_url="")
    client = browse(bob)

    def found(query: str) -> list[str]:
        shown = page(client, f"{SERVER}?{query}")
        places = {
            shown.find(f'id="row-{each.pk}"'): name
            for each, name in ((failed, "failed"), (fine, "fine"), (plain, "plain"))
        }
        return [name for place, name in sorted(places.items()) if place > 0]

    assert found("") == ["failed", "fine", "plain"]
    assert found("sort=-repository") == ["plain", "fine", "failed"]
    assert found("sort=-outcome")[:2] in (["fine", "failed"], ["plain", "fine"])
    assert found("q=next") == ["fine"]
    assert found("q=git.example") == ["plain"]
    assert found("forge=github") == ["failed", "fine"]
    assert found("outcome=failed") == ["failed"]
    assert found("outcome=never") == ["plain"]
    assert "No integration matches" in page(client, f"{SERVER}?q=nothing-like-it")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("auth_failed", "Enter a new token"),
        ("credential_missing", "Enter a new token"),
        ("not_found", "Check repository and credential"),
    ],
)
def test_a_failure_that_a_person_can_mend_leads_to_where_they_mend_it(
    docs: Server, bob: User, carol: User, browse: Browse, code: str, words: str
) -> None:
    made = factories.integration(docs, token="ghp_" + "a" * 36)
    run_of(made, Status.FAILED, error_code=code, finished_at=timezone.now() + timedelta(seconds=1))
    edit = f'href="/o/acme/integrations/{made.pk}/edit/"'
    assert f"<a {edit}>{words}</a>" in page(browse(bob))
    assert edit not in page(browse(carol)), "who may not edit is not sent there"


def test_a_branch_that_brings_nothing_leads_to_its_filter(docs: Server, bob: User, browse: Browse) -> None:
    made = factories.integration(docs)
    later = timezone.now() + timedelta(seconds=1)
    run_of(made, Status.FAILED, error_code="empty_listing", finished_at=later)
    edit = f"/o/acme/integrations/{made.pk}/branches/{made.tracks.get().pk}/edit/"
    assert f'<a href="{edit}">Check branch and filter</a>' in page(browse(bob))


def test_a_failure_of_before_the_last_edit_asks_to_try_again(docs: Server, bob: User, browse: Browse) -> None:
    made = factories.integration(docs, token="ghp_" + "a" * 36)
    run_of(made, Status.FAILED, error_code="auth_failed")
    made.save()
    assert "Edited since. Refresh to try again." in page(browse(bob))


def test_a_failed_refresh_of_an_edited_filter_says_one_thing_to_do(
    connect: Connect, book: HostedRepository, bob: User, browse: Browse
) -> None:
    connected = connect(book)
    connected.refresh()
    track = connected.track
    track.include = "nothing/**"
    track.save()
    assert connected.refresh().error_code == "empty_listing"
    shown = page(browse(bob))
    assert "Check branch and filter" in shown
    assert "Edited since" not in shown, "that refresh has tried what was edited"
    connected.integration.save()
    assert page(browse(bob)).count("Edited since") == 1


def test_a_refresh_that_waits_says_until_when(
    connect: Connect, forge: Forge, book: HostedRepository, bob: User, browse: Browse
) -> None:
    connected = connect(book)
    with forge.fault(faults.rate_limited(reset_in=600), on="*"):
        run = connected.refresh()
    assert run.status == Status.WAITING
    shown = page(browse(bob))
    assert f"Waiting until {run.wait_until:%H:%M}" in shown
    assert "for the forge&#x27;s rate limit to reset" in shown


def test_a_refresh_that_waits_hides_no_newer_outcome(docs: Server, bob: User, browse: Browse) -> None:
    made = factories.integration(docs, token="ghp_" + "a" * 36)
    earlier = timezone.now() - timedelta(minutes=5)
    run_of(made, Status.WAITING, wait_until=timezone.now() + timedelta(hours=1), created_at=earlier)
    assert "Waiting until" in page(browse(bob))
    run_of(made, Status.FAILED, error_code="auth_failed", finished_at=timezone.now() + timedelta(seconds=1))
    shown = page(browse(bob))
    assert "Enter a new token" in shown
    assert "Waiting until" not in shown


def test_removals_are_confirmed_by_who_may_and_only_told_to_others(
    docs: Server, adam: User, bob: User, browse: Browse
) -> None:
    run = run_of(factories.integration(docs), Status.HELD, result={"tracks": [{"held": {"count": 30}}]})
    assert f'<a href="/o/acme/runs/{run.pk}/">Confirm 30 removals</a>' in page(browse(adam))
    assert "30 removals wait for somebody to confirm them." in page(browse(bob))


def test_a_held_refresh_is_not_forgotten_when_a_later_one_kept(docs: Server, adam: User, browse: Browse) -> None:
    made = factories.integration(docs)
    earlier = timezone.now() - timedelta(hours=1)
    run_of(made, Status.HELD, result={"tracks": [{"held": {"count": 30}}]}, created_at=earlier)
    run_of(made, Status.SUCCEEDED, counts={"added": 1})
    shown = page(browse(adam))
    assert "Confirm 30 removals" in shown
    assert "<b>+1</b> added" in shown


def test_a_filter_that_was_edited_asks_for_a_refresh(
    connect: Connect, book: HostedRepository, bob: User, browse: Browse
) -> None:
    connected = connect(book)
    connected.refresh()
    assert "Refresh to apply it" not in page(browse(bob))
    track = connected.track
    track.include = "chapters/0*"
    track.save()
    assert "Edited since. Refresh to apply it." in page(browse(bob))


@pytest.mark.parametrize(("days", "words"), [(-1, "Its token has expired."), (5, "Its token expires in"), (40, "")])
def test_a_token_that_ends_soon_is_told_in_time(docs: Server, bob: User, browse: Browse, days: int, words: str) -> None:
    expires = timezone.now() + timedelta(days=days)
    factories.integration(docs, token="ghp_" + "a" * 36, token_expires_at=expires)
    shown = page(browse(bob))
    assert words in shown
    assert ("Its token" in shown) is bool(words)


def test_a_queued_refresh_asks_whether_any_worker_is_there(docs: Server, bob: User, browse: Browse) -> None:
    run_of(factories.integration(docs), Status.QUEUED, created_at=timezone.now() - timedelta(minutes=1))
    assert "No worker is running." in page(browse(bob))
    beat_worker(at_once=True)
    assert "No worker is running." not in page(browse(bob))


def test_a_row_asks_for_itself_only_while_its_run_lives(docs: Server, bob: User, browse: Browse) -> None:
    made = factories.integration(docs)
    run_of(made, Status.SUCCEEDED, created_at=timezone.now() - timedelta(days=1))
    assert "every 1500ms" not in page(browse(bob))
    run_of(made, Status.RUNNING, stage="Fetching", done=3, total=9)
    shown = page(browse(bob))
    assert shown.count("every 1500ms") == 1
    assert "3 of 9" in shown


def test_a_viewer_is_offered_the_history_and_nothing_that_changes(docs: Server, carol: User, browse: Browse) -> None:
    made = factories.integration(docs)
    shown = page(browse(carol))
    assert f"/o/acme/integrations/{made.pk}/history/" in shown
    for action in ("refresh", "preview", "edit", "delete"):
        assert f"/o/acme/integrations/{made.pk}/{action}/" not in shown
    assert "integrations.import" in shown, "the reason names the entitlement"


def test_the_prune_choice_is_shown_disabled_with_its_reason(
    docs: Server, adam: User, bob: User, browse: Browse
) -> None:
    factories.integration(docs)
    his = page(browse(bob))
    assert his.count('name="deleted" value="prune"') == 0
    assert "contents.can_delete" in his
    assert page(browse(adam)).count('name="deleted" value="prune"') == 4, "Refresh and its menu, of one and of all"
