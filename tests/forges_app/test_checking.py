"""Every night each connection is tried, and who made it hears of what expires before it does."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from forges import checking, connections, standing
from forges.checking import CHECK, Verdict, check, last_moment, tick, warning_due
from forges.connecting import connect_installation, connect_token
from forges.minting import mint
from forges.models import Connection
from jobs import registry
from jobs.context import Budget
from jobs.models import LogLine, Run, Status, Trigger
from jobs.runs import request_run, run_inline
from orgs.models import Membership, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import News, Registered, UserToken, of
from tests.forges_app.pages import text
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def night(organization: Organization) -> Run:
    """The Run of one night, done."""
    asked = request_run(kind=CHECK, subject=organization, organization=organization, trigger=Trigger.SCHEDULE)
    run = run_inline(asked.run, budget=Budget(seconds=60, items=0))
    run.refresh_from_db()
    return run


# -- one connection ----------------------------------------------------------------------------------------------------


def test_one_that_works_is_found_to_work_and_its_new_name_is_kept(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    Connection.objects.update(account="what it was called before", checked_at=None)
    assert check(row).verdict == Verdict.WORKS
    row.refresh_from_db()
    assert row.account == "octo"
    assert row.checked_at is not None


def test_permissions_that_changed_at_the_forge_are_judged_again(forge: Forge, bob: User) -> None:
    token = forge.token("octo", scopes=["repo"])
    row = connect_token(of(bob), forge="github", base_url=forge.url, token=token).connection
    known = forge.world.find_token(token)
    assert known is not None
    forge.world.add_token(replace(known, scopes=frozenset({"read:user"})))
    check(row)
    row.refresh_from_db()
    assert row.scopes == "read:user"
    assert "lacks the permission repo" in row.notes


def test_one_that_was_revoked_is_disconnected_with_the_reason(github: Registered, bob: User, news: list[News]) -> None:
    row = github.connect(bob)
    github.forge.world.revoke(row.token)
    checked = check(row)
    assert checked.verdict == Verdict.LOST
    assert "does not accept the token any more" in checked.detail
    row.refresh_from_db()
    assert row.status == "disconnected"
    assert [told.kind for told in news] == ["connected", "disconnected"]


def test_a_forge_that_is_down_changes_nothing(github: Registered, bob: User) -> None:
    row = github.connect(bob)
    before = Connection.objects.values().get()
    with github.forge.fault(faults.status(503)):
        assert check(row).verdict == Verdict.UNREACHABLE
    assert Connection.objects.values().get() == before


def test_one_that_only_the_settings_stood_against_is_connected_again(
    gitlab: Registered, bob: User, settings: Settings, news: list[News]
) -> None:
    row = gitlab.connect(bob)
    Connection.objects.update(renew_at=timezone.now() - timedelta(seconds=1))
    right, settings.FORGE_OAUTH_APPS = settings.FORGE_OAUTH_APPS, []
    assert check(row).verdict == Verdict.LOST
    row.refresh_from_db()
    assert row.status == "error"
    settings.FORGE_OAUTH_APPS = right
    assert check(row).verdict == Verdict.WORKS
    row.refresh_from_db()
    assert (row.status, row.reason) == ("connected", "")
    assert [told.kind for told in news] == ["connected", "disconnected", "connected"]


def test_one_that_a_person_disconnected_stays_so_although_it_would_work(gitlab: Registered, bob: User) -> None:
    row = connections.disconnect(of(bob), gitlab.connect(bob))
    before = len(gitlab.forge.requests)
    assert check(row).verdict == Verdict.LOST
    row.refresh_from_db()
    assert row.reason_code == standing.BY_HAND
    assert len(gitlab.forge.requests) == before


def test_an_installation_is_asked_for_its_permissions_and_whether_it_is_suspended(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    installed = forge.world.apps.install(app, "octo")
    row = connect_installation(of(adam), installation_id=str(installed.id), user_token=user_token("octo")).connection
    installed.permissions = {"metadata": "read"}
    assert check(row).verdict == Verdict.WORKS
    row.refresh_from_db()
    assert "lacks the permission Contents: read" in row.notes
    forge.world.apps.suspend(installed.id)
    mint.forget()
    assert check(row).verdict == Verdict.LOST
    row.refresh_from_db()
    assert row.reason_code == standing.SUSPENDED
    forge.world.apps.suspend(installed.id, False)
    assert check(row).verdict == Verdict.WORKS
    row.refresh_from_db()
    assert row.is_connected


# -- the night's Run ---------------------------------------------------------------------------------------------------


def test_each_connection_is_by_itself_and_the_run_counts_them(
    gitlab: Registered, github: Registered, adam: User, bob: User
) -> None:
    gitlab.connect(adam)
    revoked = github.connect(bob, "hubber")
    github.forge.world.revoke(revoked.token)
    factories.connection(of(adam).organization, adam, base_url="http://127.0.0.1:9")
    run = night(of(adam).organization)
    assert run.status == "partial"
    assert run.counts == {"working": 1, "lost": 1, "unreachable": 1}
    assert [line.level for line in LogLine.objects.filter(run=run)] == ["warning", "warning"]
    assert not any(revoked.token in line.text for line in LogLine.objects.all())


def test_a_forge_that_is_silent_is_not_waited_for_by_each(github: Registered, adam: User) -> None:
    for _ in range(5):
        factories.connection(of(adam).organization, adam, base_url=github.forge.url)
    with github.forge.fault(faults.status(503)) as fault:
        assert night(of(adam).organization).counts == {"unreachable": 5}
    assert fault.hits == 3


def test_a_secret_that_does_not_open_stops_no_other(github: Registered, adam: User) -> None:
    spoilt = github.connect(adam, "hubber")
    github.connect(adam)
    Connection.objects.filter(pk=spoilt.pk).update(token_nonce=b"x" * 12)
    assert night(of(adam).organization).counts == {"unreachable": 1, "working": 1}


def test_the_run_finds_those_whose_maker_left_without_a_word(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    organization = row.organization
    Membership.objects.filter(user=bob)._raw_delete("default")
    night(organization)
    row.refresh_from_db()
    assert row.reason_code == standing.MAKER_LEFT


def test_another_organisations_connections_are_not_this_ones_business(
    gitlab: Registered, bob: User, charlie: User
) -> None:
    gitlab.connect(bob)
    theirs = gitlab.connect(charlie)
    gitlab.forge.world.oauth.revoke(theirs.refresh_token)
    assert night(of(bob).organization).counts == {"working": 1}
    theirs.refresh_from_db()
    assert theirs.is_connected


# -- warnings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "warned_when_left", "due"),
    [
        (timedelta(days=30), None, None),
        (timedelta(days=14), None, 14),
        (timedelta(days=10), timedelta(days=14), None),
        (timedelta(days=10), None, 14),
        (timedelta(days=7), timedelta(days=14), 7),
        (timedelta(days=6), timedelta(days=7), None),
        (timedelta(hours=23), timedelta(days=7), 1),
        (timedelta(hours=23), None, 1),
        (timedelta(hours=3), timedelta(hours=20), None),
        (timedelta(hours=-1), None, None),
    ],
)
def test_a_warning_comes_two_weeks_a_week_and_a_day_before(
    left: timedelta, warned_when_left: timedelta | None, due: int | None
) -> None:
    ends = NOON + left
    warned_at = None if warned_when_left is None else ends - warned_when_left
    assert warning_due(ends, warned_at, NOON) == due


def test_each_warning_is_sent_once(
    forge: Forge, adam: User, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    expires = timezone.now().replace(microsecond=0) + timedelta(days=10)
    row = connect_token(
        of(adam),
        forge="github",
        base_url=forge.url,
        token=forge.token("octo", expires_at=expires),
        shared=True,
    ).connection
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            night(row.organization)
    assert sorted(address for letter in mail.outbox for address in letter.to) == [adam.email, alice.email]
    assert all("expires within 14 days" in letter.subject for letter in mail.outbox)
    assert all(row.token not in letter.body for letter in mail.outbox)


def test_what_renews_itself_is_nobodys_concern(
    gitlab: Registered, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    row = gitlab.connect(bob)  # for two hours
    with django_capture_on_commit_callbacks(execute=True):
        assert night(row.organization).counts == {"working": 1}
    assert not mail.outbox


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "no zone"])
def test_it_is_night_where_the_organisation_is(acme: Organization, zone: str) -> None:
    acme.time_zone = zone
    local = last_moment(acme, NOON).astimezone(zoneinfo.ZoneInfo(zone) if zone != "no zone" else UTC)
    assert 1 <= local.hour < 5
    assert timedelta() <= NOON - local < timedelta(hours=24)


def test_organisations_are_spread_over_the_night(db: None) -> None:
    moments = {last_moment(factories.organization(), NOON) for _ in range(20)}
    assert len(moments) > 15
    assert max(moments) - min(moments) > timedelta(hours=1)


def test_every_organisation_with_connections_has_one_run_a_night(acme: Organization, charlie: User) -> None:
    yesterday = NOON - timedelta(days=2)
    factories.connection(acme, connected_at=yesterday)
    factories.connection(of(charlie).organization, connected_at=yesterday)
    factories.organization("Empty")
    with time_machine.travel(NOON, tick=False):
        assert tick() == "connections of 2 organisations to be checked"
        assert tick() == "connections of 0 organisations to be checked"
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        Run.objects.update(status="succeeded", finished_at=NOON)
        assert tick() == "connections of 2 organisations to be checked"
    assert set(Run.objects.values_list("kind", "trigger", "unattended")) == {(CHECK, "schedule", True)}


def test_what_was_connected_since_the_last_night_was_tried_then(acme: Organization) -> None:
    with time_machine.travel(NOON, tick=False):
        factories.connection(acme, connected_at=NOON - timedelta(minutes=5))
        assert tick() == "connections of 0 organisations to be checked"


def test_what_the_settings_stand_against_is_tried_every_hour(acme: Organization) -> None:
    factories.connection(
        acme, status="error", reason_code=standing.MISCONFIGURED, connected_at=NOON - timedelta(days=2)
    )
    for minutes, asked in ((0, 1), (30, 0), (61, 1)):
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            assert tick() == f"connections of {asked} organisations to be checked"
            Run.objects.filter(status="queued").update(status="succeeded", finished_at=NOON)


def test_asking_costs_the_same_for_many(acme: Organization, django_assert_num_queries: Callable[..., object]) -> None:
    for _ in range(5):
        factories.connection(factories.organization(), connected_at=NOON)
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False), django_assert_num_queries(3):  # type: ignore[attr-defined]
        tick()


def test_its_page_says_how_many_work_and_do_not(acme: Organization, alice: User, browse: Browse) -> None:
    run = factories.run(factories.server(acme), kind=CHECK, status=Status.PARTIAL, finished_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(counts={"working": 12, "lost": 1, "unreachable": 2, "warned": 3})
    seen = text(browse(alice).get(f"/o/acme/runs/{run.pk}/"))
    assert "12 working 1 lost 2 not tried 3 expiring soon" in seen
    assert "nothing changed" not in seen


def test_the_kind_is_known_and_leads_to_the_connections(acme: Organization) -> None:
    kind = registry.kind(CHECK)
    run = factories.run(factories.server(acme), kind=CHECK)
    assert kind.label == "Check connections"
    assert kind.subject_url(run).startswith("/o/acme/connections")
    assert kind is checking.KIND
