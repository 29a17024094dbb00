"""Owners in the Django admin: support staff make none, least of all themselves, and an organisation keeps one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from orgs.models import AuditEvent, Membership, Organization, Role, User
from tests import factories
from tests.conftest import Browse

LIST = "/admin/orgs/membership/"
NO_OWNER = "Acme would have no owner left"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@millrace.example", factories.PASSWORD)


@pytest.fixture
def sam(db: None) -> User:
    """Somebody of the staff who may do everything with people and memberships."""
    person = factories.user("sam@support.example", name="Sam", is_staff=True)
    person.user_permissions.add(
        *Permission.objects.filter(
            content_type__app_label="orgs", content_type__model__in=["user", "membership", "organization"]
        )
    )
    return person


def of(person: User) -> Membership:
    return Membership.objects.get(user=person)


def page(person: User, verb: str) -> str:
    return f"{LIST}{of(person).pk}/{verb}/"


def add(client: Client, organization: Organization, person: User, role: str) -> HttpResponse:
    data = {"organization": organization.pk, "user": person.pk, "role": role}
    return client.post(f"{LIST}add/", data)  # type: ignore[return-value]


@pytest.mark.parametrize("role", Role.values)
def test_support_cannot_make_itself_a_member(
    sam: User, acme: Organization, alice: User, browse: Browse, role: str
) -> None:
    response = add(browse(sam), acme, sam, role)
    assert "Only superusers may make or change a membership of their own" in response.content.decode()
    assert not Membership.objects.filter(user=sam).exists()


def test_support_cannot_make_an_owner(sam: User, acme: Organization, alice: User, bob: User, browse: Browse) -> None:
    client = browse(sam)
    accomplice = factories.user()
    assert "Only superusers may make, change or remove an owner" in (
        add(client, acme, accomplice, "owner").content.decode()
    )
    client.post(page(bob, "change"), {"role": "owner"})
    assert not Membership.objects.filter(user=accomplice).exists()
    assert of(bob).role == Role.OPERATOR


def test_support_cannot_raise_its_own_membership(sam: User, acme: Organization, alice: User, browse: Browse) -> None:
    factories.membership(sam, acme, Role.VIEWER)
    assert browse(sam).post(page(sam, "change"), {"role": "admin"}).status_code == 403
    assert of(sam).role == Role.VIEWER


def test_support_cannot_hand_a_membership_to_itself(
    sam: User, acme: Organization, alice: User, adam: User, browse: Browse
) -> None:
    elsewhere = factories.organization("Elsewhere", slug="elsewhere")
    data = {"role": "admin", "user": sam.pk, "organization": elsewhere.pk}
    browse(sam).post(page(adam, "change"), data)
    assert of(adam).organization == acme
    assert not Membership.objects.filter(user=sam).exists()


def test_support_cannot_lower_or_remove_an_owner(
    sam: User, acme: Organization, alice: User, bob: User, browse: Browse
) -> None:
    factories.membership(factories.user(), acme, Role.OWNER)  # so that alice is not the last one
    client = browse(sam)
    assert client.post(page(alice, "change"), {"role": "viewer"}).status_code == 403
    assert client.post(page(alice, "delete"), {"post": "yes"}).status_code == 403
    chosen = [of(alice).pk, of(bob).pk]
    client.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    client.post(f"/admin/orgs/user/{alice.pk}/delete/", {"post": "yes"})
    assert of(alice).role == Role.OWNER
    assert of(bob).role == Role.OPERATOR


def test_support_still_helps_the_others(sam: User, acme: Organization, alice: User, bob: User, browse: Browse) -> None:
    client = browse(sam)
    newcomer = factories.user()
    assert add(client, acme, newcomer, "admin").status_code == 302
    assert client.post(page(bob, "change"), {"role": "viewer", "denied": ["audit.view"]}).status_code == 302
    assert client.post(page(newcomer, "delete"), {"post": "yes"}).status_code == 302
    assert (of(bob).role, of(bob).denied) == (Role.VIEWER, ["audit.view"])
    assert not Membership.objects.filter(user=newcomer).exists()


def test_a_superuser_makes_an_owner_who_needs_no_single_entitlement(
    root: User, acme: Organization, alice: User, bob: User, browse: Browse
) -> None:
    client = browse(root)
    assert client.post(page(bob, "change"), {"role": "owner", "denied": ["audit.view"]}).status_code == 302
    assert (of(bob).role, of(bob).denied) == (Role.OWNER, [])
    assert client.post(page(alice, "change"), {"role": "viewer"}).status_code == 302
    assert of(alice).role == Role.VIEWER


def test_not_even_a_superuser_lowers_the_last_owner(root: User, alice: User, bob: User, browse: Browse) -> None:
    response = browse(root).post(page(alice, "change"), {"role": "admin"})
    assert NO_OWNER in response.content.decode()
    assert of(alice).role == Role.OWNER


@pytest.mark.parametrize("way", ["its page", "the list", "the person's page", "the list of people"])
def test_not_even_a_superuser_removes_the_last_owner(
    root: User, alice: User, bob: User, browse: Browse, way: str
) -> None:
    many: dict[str, Any] = {"action": "delete_selected", "post": "yes"}
    url, data = {
        "its page": (page(alice, "delete"), {"post": "yes"}),
        "the list": (LIST, {**many, "_selected_action": [of(alice).pk, of(bob).pk]}),
        "the person's page": (f"/admin/orgs/user/{alice.pk}/delete/", {"post": "yes"}),
        "the list of people": ("/admin/orgs/user/", {**many, "_selected_action": [alice.pk, bob.pk]}),
    }[way]
    response = browse(root).post(url, data, follow=True)
    assert NO_OWNER in response.content.decode()
    assert {of(alice).role, of(bob).role} == {Role.OWNER, Role.OPERATOR}
    assert not AuditEvent.objects.filter(action__endswith="deleted_by_support").exists()


def test_an_owner_who_cannot_sign_in_does_not_count(
    root: User, acme: Organization, alice: User, browse: Browse
) -> None:
    factories.membership(factories.user(is_active=False), acme, Role.OWNER)
    browse(root).post(page(alice, "delete"), {"post": "yes"})
    assert of(alice).role == Role.OWNER
