"""What members do with connections that are there, and who may do what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from forges import connections
from forges.connecting import (
    connect_installation,
)
from forges.models import Connection
from forges.opening import client_through
from orgs.models import AuditEvent, Organization, Role, User
from tests import factories
from tests.forges_app.conftest import News, Register, Registered, UserToken, of
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.installations import HostedApp


def test_disconnecting_stops_its_use_until_it_is_connected_again(gitlab: Registered, bob: User) -> None:
    row = connections.disconnect(of(bob), gitlab.connect(bob))
    assert (row.status, row.reason) == ("disconnected", "Bob disconnected it.")
    before = len(gitlab.forge.requests)
    with pytest.raises(Exception, match="Bob disconnected it"), client_through(row) as client:
        client.account()
    assert len(gitlab.forge.requests) == before


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_deleting_takes_the_authorisation_back_at_the_forge(
    register: Register, bob: User, news: list[News], kind: str
) -> None:
    registered = register(kind)
    row = registered.connect(bob)
    token = row.token
    deleted = connections.delete(of(bob), row)
    assert (deleted.revoked, deleted.notice) == (True, "")
    assert registered.forge.world.find_token(token) is None
    assert not Connection.objects.exists()
    assert [told.kind for told in news] == ["connected", "deleted"]


def test_deleting_at_github_leaves_the_same_account_connected_elsewhere(
    github: Registered, bob: User, charlie: User
) -> None:
    mine, theirs = github.connect(bob), github.connect(charlie)
    token, other = mine.token, theirs.token
    connections.delete(of(bob), mine)
    assert github.forge.world.find_token(token) is None
    assert github.forge.world.find_token(other) is not None


def test_deleting_with_an_expired_token_refreshes_it_to_revoke_the_grant(register: Register, bob: User) -> None:
    registered = register("github", ttl=7200.0)
    row = registered.connect(bob)
    registered.forge.world.oauth.expire(row.token)
    past = timezone.now() - timedelta(minutes=1)
    Connection.objects.update(expires_at=past, renew_at=past)
    row.refresh_from_db()
    assert connections.delete(of(bob), row).revoked
    assert not registered.forge.world.oauth._grants


def test_deleting_what_was_disconnected_long_ago_revokes_the_grant_all_the_same(register: Register, bob: User) -> None:
    registered = register("github", ttl=7200.0)
    row = connections.disconnect(of(bob), registered.connect(bob))
    registered.forge.world.oauth.expire(row.token)
    past = timezone.now() - timedelta(minutes=1)
    Connection.objects.update(expires_at=past, renew_at=past)
    row.refresh_from_db()
    assert connections.delete(of(bob), row).revoked
    assert not registered.forge.world.oauth._grants


def test_what_cannot_be_revoked_is_deleted_all_the_same_and_said(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    with gitlab.forge.fault(faults.status(500), on="POST /oauth/revoke"):
        deleted = connections.delete(of(bob), row)
    assert not deleted.revoked
    assert "could not be taken back" in deleted.notice
    assert not Connection.objects.exists()


def test_bitbucket_has_no_call_for_it_and_that_is_said(register: Register, bob: User) -> None:
    deleted = connections.delete(of(bob), register("bitbucket").connect(bob))
    assert "no call for that" in deleted.notice


def test_a_personal_connection_is_its_makers_alone(gitlab: Registered, bob: User, adam: User, alice: User) -> None:
    row = gitlab.connect(bob)
    for person in (adam, alice):
        assert row not in connections.visible(of(person))
        assert not connections.may_use(of(person), row)
        for verb in (connections.disconnect, connections.delete, connections.share, connections.unshare):
            with pytest.raises(PermissionDenied):
                verb(of(person), row)
        with pytest.raises(PermissionDenied):
            gitlab.connect(person, into=row)
    row.refresh_from_db()
    assert row.status == "connected"


def test_another_organisations_connection_is_out_of_reach_even_when_shared(
    gitlab: Registered, adam: User, charlie: User
) -> None:
    row = gitlab.connect(adam, shared=True)
    outsider = of(charlie)
    assert row not in connections.visible(outsider)
    assert not connections.may_use(outsider, row)
    assert not connections.may_manage(outsider, row)
    for verb in (connections.disconnect, connections.delete, connections.unshare):
        with pytest.raises(PermissionDenied):
            verb(outsider, row)
    with pytest.raises(PermissionDenied):
        gitlab.connect(charlie, into=row)


def test_sharing_lets_others_use_it_and_who_manages_connections_manage_it(
    gitlab: Registered, bob: User, adam: User, alice: User
) -> None:
    row = gitlab.connect(adam)
    with pytest.raises(PermissionDenied):
        connections.share(of(bob), row)
    connections.share(of(adam), row)
    row.refresh_from_db()
    assert connections.may_use(of(bob), row)
    assert not connections.may_manage(of(bob), row)
    assert connections.may_manage(of(alice), row)
    connections.unshare(of(alice), row)
    row.refresh_from_db()
    assert not row.shared


def test_an_app_cannot_be_unshared(forge: Forge, adam: User, app: HostedApp, user_token: UserToken) -> None:
    installed = forge.world.apps.install(app, "octo")
    row = connect_installation(of(adam), installation_id=str(installed.id), user_token=user_token("octo")).connection
    with pytest.raises(PermissionDenied, match="always shared"):
        connections.unshare(of(adam), row)


def test_one_role_does_not_reach_into_another_organisation(gitlab: Registered, adam: User, charlie: User) -> None:
    """Charlie owns another organisation and is a viewer here: neither gives him adam's shared connection."""
    row = gitlab.connect(adam, shared=True)
    here = factories.membership(charlie, row.organization, Role.VIEWER)
    assert connections.may_use(here, row)
    assert not connections.may_manage(here, row)
    assert not connections.may_manage(of(charlie, Organization.objects.get(slug="other")), row)


def test_every_step_is_in_the_audit_log_and_no_secret_is(gitlab: Registered, adam: User) -> None:
    row = gitlab.connect(adam)
    tokens = [row.token, row.refresh_token]
    connections.share(of(adam), row)
    connections.unshare(of(adam), row)
    connections.disconnect(of(adam), row)
    row = gitlab.connect(adam, into=row)
    tokens += [row.token, row.refresh_token]
    connections.delete(of(adam), row)
    events = AuditEvent.objects.filter(action__startswith="connection.").order_by("pk")
    assert [event.action.partition(".")[2] for event in events] == [
        "connected",
        "shared",
        "unshared",
        "disconnected",
        "reconnected",
        "deleted",
    ]
    written = " ".join(f"{event.before} {event.after} {event.target_label}" for event in events)
    assert not any(token in written for token in tokens)
