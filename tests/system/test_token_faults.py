"""Tokens that end, that two refresh at once, that the forge will not renew: what becomes of Runs and connections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from catalog.models import Server
from forges import checking
from forges.connecting import connect_consumer
from forges.models import Connection, ConnectionStatus
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from jobs.sweeper import sweep
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.conftest import Registered, at_once, make_due, of
from tests.system.conftest import FORGES, OWNER, Follow, Synced, strike, work
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Request
from tests.wire.world import HostedRepository

pytestmark = pytest.mark.django_db

OAuth = Callable[[str], Registered]
TOKEN = {
    "github": "POST /login/oauth/access_token",
    "gitlab": "POST /oauth/token",
    "bitbucket": "POST /site/oauth2/access_token",
}


def in_use(forge: Forge) -> str:
    """The token that the last request to an API carried."""
    sent = [request for request in forge.requests if "Authorization" in request.headers]
    return sent[-1].headers["Authorization"].partition(" ")[2]


def overdue(made: Synced) -> Connection:
    """Its token has ended, here and at the forge."""
    row = make_due(made.connection, expired=True)
    made.forge.world.oauth.expire(row.token)
    return row


# -- a token that ends in mid-run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_number", [1, 2, 3])
@pytest.mark.parametrize("key", FORGES)
def test_a_token_that_ends_in_mid_run_is_renewed_in_the_middle_of_it(
    key: str, request_number: int, oauth: OAuth, follow: Follow, alice: User
) -> None:
    registered = oauth(key)
    made = follow(registered.connect(alice), on_push=False)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    ended: list[str] = []

    def end() -> None:
        ended.append(in_use(made.forge))
        made.forge.world.oauth.expire(ended[-1])

    with made.forge.fault(faults.first(end), skip=request_number - 1, times=1):
        run = made.refresh()

    assert (run.status, len(ended)) == (Status.SUCCEEDED, 1)
    assert made.at_head()
    assert registered.refreshes == 1
    assert made.connection.token != ended[0]
    assert [request.status for request in made.forge.requests].count(401) == 1


@pytest.mark.parametrize("method", ["app", "consumer"])
def test_one_that_is_made_when_needed_is_made_anew(
    method: str, request: pytest.FixtureRequest, follow: Follow, forge: Forge, alice: User
) -> None:
    if method == "app":
        made = follow(request.getfixturevalue("install")(), on_push=False)
        makes = "POST /app/installations/*/access_tokens"
    else:
        consumer = forge.world.oauth.app("bitbucket", owner=OWNER, scopes=["account", "repository"])
        key, secret = consumer.client_id, consumer.client_secret
        connected = connect_consumer(of(alice), base_url=forge.bitbucket_url, key=key, secret=secret)
        made = follow(connected.connection, on_push=False)
        makes = TOKEN["bitbucket"]
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})

    end = faults.first(lambda: forge.world.oauth.expire(in_use(forge)))
    with forge.fault(end, on="GET *", skip=1, times=1):
        run = made.refresh()

    assert run.status == Status.SUCCEEDED
    assert made.at_head()
    assert forge.requests.count(makes) == 1


# -- two workers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FORGES)
@pytest.mark.django_db(transaction=True)
def test_two_workers_whose_token_has_ended_spend_one_refresh_and_both_go_on(
    key: str, oauth: OAuth, follow: Follow, forge: Forge, acme: Organization, alice: User
) -> None:
    """Where refresh tokens rotate, a second refresh with the same one would end the grant for both."""
    registered = oauth(key)
    connection = registered.connect(alice)
    first = follow(connection, on_push=False)
    other = forge.repository(f"{OWNER}/atlas", private=True)
    other.git.commit({"maps.md": "# Maps\n"})
    second = follow(connection, repository=other, server=factories.server(acme), on_push=False)
    for made in (first, second):
        made.hosted.git.commit({"new.md": "# New\n"})
    overdue(first)
    waiting = [str(made.ask().pk) for made in (first, second)]

    with forge.fault(faults.slow(0.2), on=TOKEN[key]):
        assert at_once(2, lambda: execute(waiting.pop())) == [Status.SUCCEEDED] * 2

    assert first.at_head()
    assert second.at_head()
    assert registered.refreshes == 1
    assert first.connection.status == ConnectionStatus.CONNECTED


@pytest.mark.parametrize("key", FORGES)
@pytest.mark.django_db(transaction=True)
def test_two_workers_whose_token_ends_in_mid_run_spend_one_refresh_and_both_go_on(
    key: str, oauth: OAuth, follow: Follow, forge: Forge, acme: Organization, alice: User
) -> None:
    registered = oauth(key)
    connection = registered.connect(alice)
    first = follow(connection, on_push=False)
    second = follow(connection, server=factories.server(acme), on_push=False)
    first.hosted.git.commit({"new.md": "# New\n"})
    token = first.connection.token

    def end(request: Request) -> None:
        if request.headers.get("Authorization", "").endswith(token):
            forge.world.oauth.expire(token)

    def ending(request: Request, proceed: Any) -> Any:
        end(request)
        return proceed(request)

    waiting = [str(made.ask().pk) for made in (first, second)]
    with forge.fault(ending, on="GET *", skip=2), forge.fault(faults.slow(0.2), on=TOKEN[key]):
        assert at_once(2, lambda: execute(waiting.pop())) == [Status.SUCCEEDED] * 2

    assert first.at_head()
    assert second.at_head()
    assert registered.refreshes == 1


# -- the forge does not renew it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [faults.status(500), faults.status(503), faults.cut_before_reply()])
@pytest.mark.parametrize("key", FORGES)
def test_a_refresh_that_the_forge_answers_with_500_disconnects_nobody_and_the_next_run_recovers(
    key: str, fault: Any, oauth: OAuth, follow: Follow, alice: User
) -> None:
    registered = oauth(key)
    made = follow(registered.connect(alice), on_push=True)
    kept = overdue(made).refresh_token
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})

    with made.forge.fault(fault, on=TOKEN[key]):
        (run,) = strike(made.integration)

    assert (run.status, run.waiting_for) == (Status.WAITING, "the forge to answer again")
    assert (made.connection.status, made.connection.refresh_token) == (ConnectionStatus.CONNECTED, kept)
    assert mail.outbox == []
    assert run.wait_until is not None
    with time_machine.travel(run.wait_until + timedelta(seconds=1)):
        sweep()
        work()
    run.refresh_from_db()
    assert run.status == Status.SUCCEEDED, "it went on by itself"
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_while_the_token_is_still_good_a_refresh_that_fails_is_not_even_noticed(
    key: str, oauth: OAuth, follow: Follow, alice: User
) -> None:
    made = follow(oauth(key).connect(alice), on_push=False)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    make_due(made.connection)

    with made.forge.fault(faults.status(500), on=TOKEN[key]) as armed:
        run = made.refresh()

    assert (run.status, armed.hits) == (Status.SUCCEEDED, 1)
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_a_rejected_grant_disconnects_and_tells_its_owner_and_what_waited_goes_on_after_connecting_again(
    key: str,
    oauth: OAuth,
    follow: Follow,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """GitHub says so with HTTP 200 and `bad_refresh_token`, GitLab and Bitbucket with 400 and words of their own."""
    registered = oauth(key)
    made = follow(registered.connect(alice))
    row = overdue(made)
    made.forge.world.oauth.revoke(row.refresh_token)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})

    with django_capture_on_commit_callbacks(execute=True):
        run = made.refresh(trigger=Trigger.WEBHOOK)

    (asked,) = made.forge.requests.matching(TOKEN[key])
    assert asked.status == (200 if key == "github" else 400)
    row = made.connection
    assert (row.status, row.reason_code) == (ConnectionStatus.DISCONNECTED, "refused")
    assert (run.status, run.waiting_for) == (Status.WAITING, "a connection of Alice to be connected again")
    (letter,) = mail.outbox
    assert letter.to == [alice.email]
    assert row.reason in letter.body
    assert strike(made.integration) == [], "nothing more is asked for meanwhile"

    registered.connect(alice, into=row)
    (again,) = work()

    assert (again.pk, again.status) == (run.pk, Status.SUCCEEDED)
    assert made.at_head()


@pytest.mark.parametrize("key", FORGES)
def test_a_wrong_client_secret_is_an_error_of_the_operators_and_mends_itself_once_it_is_right(
    key: str, oauth: OAuth, follow: Follow, alice: User, settings: Settings
) -> None:
    registered = oauth(key)
    made = follow(registered.connect(alice))
    overdue(made)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    right = registered.hosted.client_secret
    registered.hosted.client_secret = "was changed at the forge"

    run = made.refresh()

    row = made.connection
    assert (row.status, row.reason_code) == (ConnectionStatus.ERROR, "misconfigured")
    assert "operator" in row.reason
    assert (run.status, run.error_code) == (Status.FAILED, "misconfigured")
    waiting = made.refresh()
    assert waiting.status == Status.WAITING

    registered.hosted.client_secret = right
    assert checking.check(row).verdict == checking.Verdict.WORKS
    (again,) = work()

    assert (again.pk, again.status) == (waiting.pk, Status.SUCCEEDED)
    assert made.connection.status == ConnectionStatus.CONNECTED
    assert made.at_head()


def test_a_rotated_token_whose_answer_got_lost_is_told_to_its_owner_and_no_content_is_touched(
    oauth: OAuth,
    follow: Follow,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """The forge rotated and the line broke: nobody has the new grant. It cannot be saved, but it can be said."""
    made = follow(oauth("gitlab").connect(alice))
    overdue(made)
    made.hosted.git.commit({"chapters/13.md": "# Chapter 13\n"})
    before = made.texts()

    with made.forge.fault(faults.cut_after_work(), on=TOKEN["gitlab"], times=1):
        assert made.refresh().error_code == "unavailable"
    with django_capture_on_commit_callbacks(execute=True):
        assert made.refresh().status == Status.WAITING

    assert made.connection.status == ConnectionStatus.DISCONNECTED
    assert len(mail.outbox) == 1
    assert made.texts() == before


def test_disconnecting_one_organisation_leaves_the_other_one_connected(
    oauth: OAuth, follow: Follow, forge: Forge, alice: User, charlie: User, book: HostedRepository
) -> None:
    """The same account, connected by two: each has a grant of its own."""
    registered = oauth("gitlab")
    ours = follow(registered.connect(alice))
    server: Server = factories.server(of(charlie).organization)
    theirs = follow(registered.connect(charlie), server=server, by=charlie)
    forge.world.oauth.revoke(overdue(ours).refresh_token)
    book.git.commit({"chapters/13.md": "# Chapter 13\n"})

    assert ours.refresh().status == Status.WAITING
    assert theirs.refresh().status == Status.SUCCEEDED
    assert Run.objects.filter(status=Status.FAILED).count() == 0
