"""What members, and forges that are no good, try with connections."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from forges import checking, connections, deliveries, inbox, processing
from forges.connecting import connect_installation, connect_token
from forges.credentials import credential_source
from forges.models import Connection, Delivery
from forges.opening import client_through
from forges.standing import ConnectionLost
from jobs.execution import execute
from jobs.models import LogLine, Run, Trigger
from jobs.runs import request_run
from orgs.models import Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse
from tests.forges_app.conftest import Register, Registered, UserToken, of
from tests.forges_app.posting import deliver, following, hook_of, post, push, signed
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp

pytestmark = pytest.mark.django_db


# -- the GitHub App ----------------------------------------------------------------------------------------------------


def test_an_installation_of_the_same_number_at_another_server_hears_nothing(
    app: HostedApp, acme: Organization, adam: User, settings: Settings
) -> None:
    """The operator's App moved from one server to another, and small numbers come again."""
    settings.GITHUB_APP_WEBHOOK_SECRET = "a webhook's secret"
    row = factories.connection(
        acme, adam, method="github_app", shared=True, installation_id="7", base_url="https://github.example/api/v3"
    )
    body = json.dumps({"action": "deleted", "installation": {"id": 7}}).encode()
    headers = {"X-GitHub-Event": "installation", **signed("github", settings.GITHUB_APP_WEBHOOK_SECRET, body)}
    assert post("/hooks/github/app", body, headers).status_code == 202
    row.refresh_from_db()
    assert row.is_connected
    assert not Delivery.objects.exists()


# -- colleagues --------------------------------------------------------------------------------------------------------


def test_the_nightly_run_tells_nobody_of_a_colleagues_own_account(
    github: Registered, adam: User, bob: User, carol: User, browse: Browse
) -> None:
    """Every member sees Runs; a personal connection is seen by its maker alone."""
    secretive = github.connect(bob, "bobs-night-name")
    ours = github.connect(adam, "acme-bot", shared=True)
    for row in (secretive, ours):
        github.forge.world.revoke(row.token)
    run = request_run(
        kind=checking.CHECK,
        subject=secretive.organization,
        organization=secretive.organization,
        trigger=Trigger.SCHEDULE,
    ).run
    execute(str(run.pk))
    page = browse(carol).get(f"/o/acme/runs/{run.pk}/").content.decode()
    told = [line.text for line in LogLine.objects.all()]
    assert "bobs-night-name" not in page + "".join(told) + Run.objects.get().stage
    assert sum("acme-bot" in line for line in told) == 1
    assert len(told) == 2


def test_a_right_that_is_taken_away_while_the_forge_is_asked_is_gone(forge: Forge, bob: User) -> None:
    as_they_began = of(bob)
    Membership.objects.filter(user=bob).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match=r"integrations\.import"):
        connect_token(as_they_began, forge="github", base_url=forge.url, token=forge.token("octo"))
    assert not Connection.objects.exists()


def test_who_puts_another_account_in_its_place_is_whose_it_is(forge: Forge, adam: User, alice: User) -> None:
    """Else its former maker would keep that account for themselves by sharing it no longer."""
    row = connect_token(of(adam), forge="github", base_url=forge.url, token=forge.token("octo"), shared=True).connection
    connect_token(of(alice), forge="github", base_url=forge.url, token=forge.token("alice-gh"), into=row)
    row.refresh_from_db()
    assert (row.account, row.user) == ("alice-gh", alice)
    connections.unshare(of(alice), row)
    row.refresh_from_db()
    assert not connections.may_use(of(adam), row)


# -- what is taken away in the middle ----------------------------------------------------------------------------------


def test_disconnecting_ends_what_is_under_way_soon(github: Registered, bob: User) -> None:
    row = github.connect(bob)
    source = credential_source(row)
    assert source.current().token == row.token
    connections.disconnect(of(bob), row)
    with time_machine.travel(timezone.now() + timedelta(seconds=60)), pytest.raises(ConnectionLost, match="Bob"):
        source.current()


def test_disconnecting_ends_what_an_installation_does_soon(
    forge: Forge, adam: User, app: HostedApp, user_token: UserToken
) -> None:
    number = str(forge.world.apps.install(app, "octo").id)
    row = connect_installation(of(adam), installation_id=number, user_token=user_token("octo")).connection
    source = credential_source(row)
    source.current()
    connections.disconnect(of(adam), row)
    with time_machine.travel(timezone.now() + timedelta(seconds=60)), pytest.raises(ConnectionLost, match="Adam"):
        source.current()


# -- a server that is no good ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("avatar", ["javascript:alert(1)", "https://x/\x00", "data:text/html,x", 7, ["x"], "x" * 5000])
def test_an_avatar_that_is_no_address_does_no_harm(avatar: object, github: Registered, bob: User) -> None:
    with github.forge.fault(faults.alter_json(lambda data: {**data, "avatar_url": avatar}), on="GET */user"):
        row = github.connect(bob)
    assert row.avatar_url == ""


@pytest.mark.parametrize("key", ["github", "bitbucket"])
def test_scopes_that_are_none_are_not_kept(key: str, register: Register, bob: User) -> None:
    def odd(request: Any, proceed: Any) -> Any:
        reply = proceed(request)
        reply.headers["X-OAuth-Scopes"] = "repo, \x00bad, <b>, " + "x" * 5000
        return reply

    registered = register(key)
    with registered.forge.fault(odd, on="GET */user"):
        row = registered.connect(bob)
    row.refresh_from_db()
    assert row.scopes == "repo"


def test_a_rate_limit_that_is_never_reset_is_not_believed(github: Registered, adam: User) -> None:
    """Its end would be past what a calendar has, on every page that shows it."""
    row = github.connect(adam)

    def lie(request: Any, proceed: Any) -> Any:
        reply = proceed(request)
        reply.headers["X-RateLimit-Limit"] = "999999999999"
        reply.headers["X-RateLimit-Remaining"] = "0"
        reply.headers["X-RateLimit-Reset"] = "253402300799"
        return reply

    with github.forge.fault(lie, on="GET /user"), client_through(row) as client:
        client.account()
    row.refresh_from_db()
    assert row.rate_reset_at is not None
    assert row.rate_reset_at < datetime.now(UTC) + timedelta(days=2)


# -- addresses that are the same for all -------------------------------------------------------------------------------


def test_nobody_crowds_out_anothers_webhook_at_an_address_that_names_none(
    acme: Organization, docs: Server, charlie: User
) -> None:
    """With servers of one's own, whose repositories have the number of another's, and deliveries all the time."""
    following(docs, "gitlab")
    hook = hook_of(acme, "gitlab")
    theirs = charlie.memberships.get().organization
    for number in range(100):
        hook_of(theirs, "gitlab", base_url=f"https://{number}.evil.example/api/v4", delivered_at=timezone.now())
    answer = deliver(hook, path="/api/gitlab/webhook")
    assert answer.status_code == 202
    assert Delivery.objects.get().organization == acme


def test_a_large_delivery_is_not_verified_without_end(acme: Organization, charlie: User) -> None:
    theirs = charlie.memberships.get().organization
    hook = hook_of(acme)
    for number in range(inbox.CANDIDATES):
        hook_of(theirs, base_url=f"https://{number}.evil.example", delivered_at=timezone.now())
    body = push("github", filler="x" * (inbox.VERIFIED_BYTES // inbox.CANDIDATES))
    assert deliver(hook, body, path="/api/github/webhook").status_code == 401


# -- deliveries without end --------------------------------------------------------------------------------------------


def test_failures_do_not_fill_the_table_either(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(processing, "process", fail)
    hook = hook_of(acme)
    for number in range(deliveries.KEPT + deliveries.SLACK + 5):
        assert deliver(hook, push("github", number=number)).status_code == 500
    assert Delivery.objects.count() <= deliveries.KEPT + deliveries.SLACK


def test_a_push_of_forty_thousand_branches_is_taken(acme: Organization, docs: Server) -> None:
    following(docs, "bitbucket")
    new = [
        {"old": None, "new": {"type": "branch", "name": f"b{n}", "target": {"hash": "b" * 40}}} for n in range(40_000)
    ]
    assert deliver(hook_of(acme, "bitbucket"), push("bitbucket", push={"changes": new})).status_code == 202
    assert len(Delivery.objects.get().facts["branches"]) == 1000
