"""Tokens that live: refreshed before they end, once for all who ask, and never given up for a lost race."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from forges import standing
from forges.clients.errors import AuthFailed, Misconfigured, RateLimited, Unavailable
from forges.credentials import credential_source
from forges.models import Connection
from forges.opening import client_through
from forges.renewing import renew_at
from orgs.models import AuditEvent, User
from tests.forges_app.conftest import News, Register, Registered, account_through, make_due
from tests.wire import faults

TOKEN = "POST /oauth/token"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "before_its_end"),
    [(7200, 720), (28800, 2880), (600, 60), (90, 45), (5, 2.5), (0, 0)],
)
def test_a_token_is_refreshed_well_before_its_end(life: float, before_its_end: float) -> None:
    ends = NOW + timedelta(seconds=life)
    assert renew_at(ends, NOW) == ends - timedelta(seconds=before_its_end)


def test_a_token_without_an_end_is_never_refreshed() -> None:
    assert renew_at(None, NOW) is None


# -- refreshing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_a_token_that_is_about_to_end_is_refreshed_and_the_rotated_one_saved(
    register: Register, bob: User, kind: str
) -> None:
    registered = register(kind, ttl=7200.0)
    row = make_due(registered.connect(bob))
    before = (row.token, row.refresh_token, row.generation)
    assert account_through(row) == "octo"
    row.refresh_from_db()
    assert row.token != before[0]
    assert (row.refresh_token != before[1]) == registered.hosted.rotate
    assert row.generation == before[2] + 1
    assert row.renew_at is not None
    assert row.renew_at > timezone.now()
    assert registered.refreshes == 1


def test_a_token_in_its_prime_is_left_alone(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    for _ in range(3):
        assert account_through(row) == "octo"
    assert gitlab.refreshes == 0


def test_a_token_that_ends_in_mid_run_is_renewed_without_a_word(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    with client_through(row) as client:
        assert client.account().login == "octo"
        row.refresh_from_db()
        gitlab.forge.world.oauth.expire(row.token)
        assert client.account().login == "octo"
    assert gitlab.refreshes == 1


def test_a_token_that_somebody_else_renewed_is_read_and_not_renewed_again(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    with client_through(row) as client:
        assert client.account().login == "octo"
        make_due(row)
        account_through(row)  # another worker, and the old access token is worth nothing from here on
        assert client.account().login == "octo"
    assert gitlab.refreshes == 1


def test_a_token_that_lives_a_second_is_survived_by_a_client_that_goes_on(register: Register, bob: User) -> None:
    registered = register("gitlab", ttl=1.0)
    with client_through(registered.connect(bob)) as client:
        while registered.refreshes < 3:
            assert client.account().login == "octo"


# -- failures, told apart ----------------------------------------------------------------------------------------------


def test_a_forge_that_cannot_answer_changes_nothing_while_the_token_is_good(gitlab: Registered, bob: User) -> None:
    row = make_due(gitlab.connect(bob))
    with gitlab.forge.fault(faults.status(500), on=TOKEN) as fault:
        with client_through(row) as client:
            for _ in range(3):
                assert client.account().login == "octo"
        assert fault.hits == 1  # and is not asked before every request
    row.refresh_from_db()
    assert row.is_connected


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.status(500), Unavailable),
        (faults.status(502), Unavailable),
        (faults.cut_before_reply(), Unavailable),
        (faults.status(429), RateLimited),
    ],
)
def test_a_forge_that_cannot_answer_is_to_be_asked_again_once_the_token_is_over(
    gitlab: Registered, bob: User, news: list[News], fault: Any, error: type[Exception]
) -> None:
    row = make_due(gitlab.connect(bob), expired=True)
    with gitlab.forge.fault(fault, on=TOKEN), pytest.raises(error) as caught:
        account_through(row)
    assert caught.value.retryable  # type: ignore[attr-defined]
    row.refresh_from_db()
    assert (row.status, row.renewer) == ("connected", None)
    assert [told.kind for told in news] == ["connected"]
    assert account_through(row) == "octo"


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_rejected_grant_disconnects_and_its_owner_is_told(
    register: Register,
    bob: User,
    news: list[News],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    kind: str,
) -> None:
    registered = register(kind, ttl=7200.0)
    row = make_due(registered.connect(bob))
    kept = (row.token, row.refresh_token)
    registered.forge.world.oauth.revoke(row.refresh_token)  # GitHub says so with 200 and bad_refresh_token
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(standing.ConnectionLost) as caught:
        account_through(row)
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", "refused")
    assert "expired, or somebody revoked it" in row.reason
    assert str(caught.value) == row.reason
    assert (row.token, row.refresh_token) == kept  # a grant is never thrown away by a machine
    assert [told.kind for told in news] == ["connected", "disconnected"]
    (letter,) = mail.outbox
    assert letter.to == [bob.email]
    assert row.reason in letter.body
    assert AuditEvent.objects.filter(action="connection.disconnected", actor=None).count() == 1


def test_who_is_told_and_how_often(
    gitlab: Registered, bob: User, adam: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    row = make_due(gitlab.connect(adam, shared=True))
    gitlab.forge.world.oauth.revoke(row.refresh_token)
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            with pytest.raises(AuthFailed):
                account_through(row)
    assert [letter.to for letter in mail.outbox] == [[adam.email]]  # bob does not manage connections
    assert gitlab.refreshes == 1


def test_an_application_that_the_forge_does_not_know_is_the_operators_error(
    gitlab: Registered, bob: User, settings: Settings
) -> None:
    row = make_due(gitlab.connect(bob))
    right = settings.FORGE_OAUTH_APPS
    settings.FORGE_OAUTH_APPS = [right[0].rpartition("|")[0] + "|a wrong secret"]
    with pytest.raises(Misconfigured):
        account_through(row)
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("error", "misconfigured")
    assert "operator" in row.reason


def test_an_application_that_is_not_in_the_settings_any_more_is_the_operators_error(
    gitlab: Registered, bob: User, settings: Settings
) -> None:
    row = make_due(gitlab.connect(bob))
    settings.FORGE_OAUTH_APPS = []
    with pytest.raises(Misconfigured, match="no OAuth application"):
        account_through(row)
    row.refresh_from_db()
    assert row.status == "error"


def test_a_token_that_nothing_renews_disconnects_when_it_is_refused(github: Registered, bob: User) -> None:
    row = github.connect(bob)
    github.forge.world.revoke(row.token)
    with pytest.raises(AuthFailed):
        account_through(row)
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", "refused")
    with pytest.raises(standing.ConnectionLost, match="does not accept the token any more"):
        account_through(row)


def test_a_token_past_its_known_end_is_said_to_have_expired(github: Registered, bob: User) -> None:
    row = github.connect(bob)
    github.forge.world.revoke(row.token)
    Connection.objects.update(expires_at=timezone.now() - timedelta(days=1))
    with pytest.raises(AuthFailed):
        account_through(row)
    row.refresh_from_db()
    assert row.reason_code == "expired"


def test_a_token_that_was_refused_after_a_newer_one_came_says_nothing(github: Registered, bob: User) -> None:
    row = github.connect(bob)
    source = credential_source(row)
    old = source.current()
    github.connect(bob)  # connected anew meanwhile
    github.forge.world.revoke(old.token)
    renewed = source.renewed(old)
    assert renewed is not None
    assert renewed.token != old.token
    row.refresh_from_db()
    assert row.is_connected
