"""When a person leaves, their own accounts are used no longer; what is the organisation's stays."""

from __future__ import annotations

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from forges import connections, standing
from forges.models import Connection, Method
from orgs import members, organizations
from orgs.models import Membership, Organization, Role, User
from tests import factories
from tests.forges_app.conftest import News, Registered, of


def test_who_leaves_takes_their_accounts_along_and_the_organisation_keeps_its_own(
    acme: Organization, alice: User, adam: User, bob: User, news: list[News]
) -> None:
    own = [factories.connection(acme, adam, method=method) for method in (Method.OAUTH, Method.TOKEN)]
    shared = factories.connection(acme, adam, shared=True)
    ours = [
        factories.connection(acme, adam, shared=True, method=method) for method in (Method.GITHUB_APP, Method.CONSUMER)
    ]
    others = factories.connection(acme, bob)
    members.remove_member(by=of(alice), member=of(adam))
    gone = Connection.objects.filter(status="disconnected")
    assert set(gone) == {*own, shared}
    assert {row.reason_code for row in gone} == {standing.MAKER_LEFT}
    assert all(row.reason.startswith("Adam left Acme.") for row in gone)
    assert Connection.objects.filter(pk__in=[row.pk for row in [*ours, others]], status="connected").count() == 3
    assert {told.connection for told in news if told.kind == "disconnected"} == {*(row.pk for row in own), shared.pk}


def test_who_leaves_one_organisation_keeps_their_accounts_in_another(acme: Organization, bob: User) -> None:
    other = factories.organization("Elsewhere")
    factories.membership(bob, other, Role.ADMIN)
    there = factories.connection(other, bob)
    here = factories.connection(acme, bob)
    members.leave(of(bob, acme))
    there.refresh_from_db()
    here.refresh_from_db()
    assert (here.status, there.status) == ("disconnected", "connected")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_person_who_is_deleted_leaves_a_row_that_says_so(acme: Organization, bob: User, bulk: bool) -> None:
    row = factories.connection(acme, bob)
    if bulk:
        User.objects.filter(pk=bob.pk).delete()
    else:
        bob.delete()
    row.refresh_from_db()
    assert (row.user, row.status, row.reason_code) == (None, "disconnected", standing.MAKER_LEFT)


def test_a_person_who_is_deactivated_is_as_good_as_gone(acme: Organization, bob: User) -> None:
    row = factories.connection(acme, bob)
    bob.name = "Robert"
    bob.save()
    row.refresh_from_db()
    assert row.is_connected
    bob.is_active = False
    bob.save()
    row.refresh_from_db()
    assert (row.status, row.reason_code) == ("disconnected", standing.MAKER_LEFT)


@pytest.mark.django_db(transaction=True)
def test_an_organisation_is_deleted_with_its_connections_and_without_a_word(
    alice: User, bob: User, news: list[News]
) -> None:
    """Whoever heard of it would write something that points to the organisation."""
    factories.connection(of(alice).organization, bob)
    organizations.delete_organization(by=of(alice))
    assert not Connection.objects.exists()
    assert not news


def test_who_comes_back_connects_again_and_all_goes_on(gitlab: Registered, bob: User, news: list[News]) -> None:
    row = gitlab.connect(bob)
    organization = row.organization
    Membership.objects.get(user=bob).delete()
    factories.membership(bob, organization, Role.OPERATOR)
    row.refresh_from_db()
    assert not row.is_connected
    assert gitlab.connect(bob).pk == row.pk
    assert [told.kind for told in news] == ["connected", "disconnected", "connected"]


def test_who_manages_connections_sees_what_a_leaver_left_is_told_and_may_delete_it(
    gitlab: Registered,
    adam: User,
    bob: User,
    carol: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    row = gitlab.connect(bob)
    assert row not in connections.visible(of(adam))
    with django_capture_on_commit_callbacks(execute=True):
        Membership.objects.get(user=bob).delete()
    assert [letter.to for letter in mail.outbox] == [[adam.email]]
    assert mail.outbox[0].subject.startswith("The GitLab (127.0.0.1:"), "it is not adam's"
    assert row in connections.visible(of(adam))
    assert row in connections.needing_attention(of(adam))
    assert row not in connections.visible(of(carol))
    row.refresh_from_db()
    connections.delete(of(adam), row)
    assert not Connection.objects.exists()


def test_a_token_refused_by_the_forge_before_its_maker_left_is_theirs_no_more(acme: Organization, bob: User) -> None:
    """Else the forge's accepting it again would connect what nobody is there for."""
    row = factories.connection(acme, bob, status="error", reason_code=standing.MISCONFIGURED)
    Membership.objects.get(user=bob).delete()
    row.refresh_from_db()
    assert row.reason_code == standing.MAKER_LEFT
    assert not standing.mend(row)
