"""Two requests at the same moment, on real connections: what may happen once happens once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client

from orgs import invitations, members, organizations
from orgs.models import Membership, Organization, Role, User
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, all of them having begun together."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait(timeout=10)
        try:
            return call()
        except (members.LastOwner, invitations.InvitationRefused, PermissionDenied) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def of(person: User) -> Membership:
    return Membership.objects.select_related("organization", "user").get(user=person)


def test_of_two_first_sign_ups_one_wins() -> None:
    def sign_up(name: str) -> Callable[[], int]:
        form = {
            "name": name,
            "organization_name": f"{name}'s",
            "email": f"{name}@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        return lambda: Client().post("/accounts/signup/", form).status_code

    at_once(*(sign_up(name) for name in ("one", "two", "three", "four")))
    assert User.objects.count() == 1
    assert Organization.objects.count() == 1
    assert Membership.objects.get().role == Role.OWNER


def test_a_link_accepted_twice_at_once_lets_one_in(alice: User) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    people = [factories.user() for _ in range(3)]
    results = at_once(*(lambda p=p: invitations.accept(invitation=invited.invitation, user=p) for p in people))
    assert sum(isinstance(result, Membership) for result in results) == 1
    assert Membership.objects.filter(role=Role.VIEWER).count() == 1


def test_two_links_accepted_by_one_person_at_once_make_one_membership(alice: User) -> None:
    person = factories.user()
    links = [invitations.invite(by=of(alice), role=Role.VIEWER).invitation for _ in range(2)]
    at_once(*(lambda link=link: invitations.accept(invitation=link, user=person) for link in links))
    assert Membership.objects.filter(user=person).count() == 1


def test_two_owners_who_leave_at_once_do_not_leave_it_ownerless(alice: User, adam: User) -> None:
    members.change_role(by=of(alice), member=of(adam), role=Role.OWNER)
    first, second = of(alice), of(adam)
    results = at_once(lambda: members.leave(first), lambda: members.leave(second))
    assert sum(isinstance(result, members.LastOwner) for result in results) == 1
    assert Membership.objects.get().role == Role.OWNER


def test_two_owners_who_lower_each_other_at_once_do_not_leave_it_ownerless(alice: User, adam: User) -> None:
    members.change_role(by=of(alice), member=of(adam), role=Role.OWNER)
    first, second = of(alice), of(adam)
    at_once(
        lambda: members.change_role(by=first, member=second, role=Role.VIEWER),
        lambda: members.change_role(by=second, member=first, role=Role.VIEWER),
    )
    assert Membership.objects.filter(role=Role.OWNER).count() == 1


def test_a_link_cannot_be_used_while_its_maker_is_being_removed(alice: User, adam: User) -> None:
    invited = invitations.invite(by=of(adam), role=Role.ADMIN)
    owner, maker, person = of(alice), of(adam), factories.user()
    removed, joined = at_once(
        lambda: members.remove_member(by=owner, member=maker),
        lambda: invitations.accept(invitation=invited.invitation, user=person),
    )
    assert removed is None
    # Either order is right; what may not be is a person let in by somebody who was gone.
    assert isinstance(joined, Membership | invitations.InvitationRefused)
    assert Membership.objects.filter(user=person).exists() == isinstance(joined, Membership)


def test_organisations_of_one_name_made_at_once_get_slugs_of_their_own() -> None:
    people = [factories.user() for _ in range(4)]
    at_once(*(lambda p=p: organizations.create_organization(name="Acme", owner=p) for p in people))
    assert sorted(Organization.objects.values_list("slug", flat=True)) == ["acme", "acme-2", "acme-3", "acme-4"]
