"""Signing up: the first person, then by invitation, or everybody where the operator opens it."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from orgs import access, invitations
from orgs.models import AuditEvent, Invitation, Membership, Organization, Role, User
from tests import factories

PASSWORD = "correct horse battery"


def form(email: str = "new@acme.example", **fields: str) -> dict[str, str]:
    return {"name": "Nora New", "email": email, "password1": PASSWORD, "password2": PASSWORD, **fields}


def by(person: User) -> Membership:
    return Membership.objects.get(user=person)


def test_with_no_users_the_start_page_leads_to_sign_up_and_says_welcome(client: Client, db: None) -> None:
    response = client.get("/", follow=True)
    assert response.redirect_chain == [("/accounts/signup/", 302)]
    assert "Nobody has an account here yet" in response.content.decode()


def test_the_first_person_gets_an_organisation_and_owns_it(client: Client, db: None) -> None:
    response = client.post("/accounts/signup/", form(organization_name="Acme Tools"), follow=True)
    assert response.redirect_chain[-1][0] == "/o/acme-tools/"
    membership = Membership.objects.get()
    assert (membership.role, membership.organization.name, membership.user.name) == (
        Role.OWNER,
        "Acme Tools",
        "Nora New",
    )
    assert not membership.user.is_staff
    assert not membership.user.is_superuser


def test_the_first_sign_up_needs_the_name_of_the_organisation(client: Client, db: None) -> None:
    response = client.post("/accounts/signup/", form())
    assert "organization_name" in response.context["form"].errors
    assert not User.objects.exists()


def test_afterwards_sign_up_is_closed_and_says_what_to_do(client: Client, alice: User) -> None:
    response = client.get("/accounts/signup/")
    assert "Ask an admin of your organisation for an invitation link" in response.content.decode()


def test_a_forged_form_does_not_get_in_when_sign_up_is_closed(client: Client, alice: User) -> None:
    client.post("/accounts/signup/", form(organization_name="Mine"))
    assert not User.objects.filter(email="new@acme.example").exists()
    assert not Organization.objects.filter(name="Mine").exists()


def test_where_sign_up_is_open_everybody_gets_an_organisation_of_their_own(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.OPEN_SIGNUP = True
    client.post("/accounts/signup/", form(organization_name="Acme"))
    membership = Membership.objects.get(user__email="new@acme.example")
    assert membership.role == Role.OWNER
    assert membership.organization.slug == "acme-2"
    assert not Membership.objects.filter(user__email="new@acme.example", organization__slug="acme").exists()


def test_an_invited_person_signs_up_and_is_a_member_at_once(client: Client, alice: User) -> None:
    invited = invitations.invite(by=by(alice), role=Role.OPERATOR)
    page = client.get(f"/invitations/{invited.token}/")
    assert "Alice invites you" in page.content.decode()
    response = client.post("/accounts/signup/", form(), follow=True)
    assert response.redirect_chain[-1][0] == "/o/acme/"
    membership = Membership.objects.get(user__email="new@acme.example")
    assert (membership.role, membership.organization.slug) == (Role.OPERATOR, "acme")
    assert Organization.objects.count() == 1


def test_an_invitation_for_an_address_cannot_be_used_with_another(client: Client, alice: User) -> None:
    invited = invitations.invite(by=by(alice), role=Role.VIEWER, email="nora@acme.example")
    client.get(f"/invitations/{invited.token}/")
    client.post("/accounts/signup/?email=mallory@evil.example", form("mallory@evil.example"))
    assert not User.objects.filter(email="mallory@evil.example").exists()
    assert Membership.objects.get(user__email="nora@acme.example").role == Role.VIEWER


def test_who_signs_up_by_an_invitation_confirms_the_address_before_they_get_in(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    invited = invitations.invite(by=by(alice), role=Role.VIEWER, email="nora@acme.example")
    client.get(f"/invitations/{invited.token}/")
    client.post("/accounts/signup/", form("nora@acme.example"))
    assert Membership.objects.get(user__email="nora@acme.example").role == Role.VIEWER
    assert client.get("/o/acme/").headers["Location"].startswith("/accounts/login/")


def test_an_invitation_revoked_while_the_form_was_open_does_not_let_in(client: Client, alice: User) -> None:
    invited = invitations.invite(by=by(alice), role=Role.VIEWER)
    client.get(f"/invitations/{invited.token}/")
    assert client.get("/accounts/signup/").status_code == 200
    invitations.revoke(by=by(alice), invitation=invited.invitation)
    client.post("/accounts/signup/", form())
    assert not User.objects.filter(email="new@acme.example").exists()


def test_the_session_does_not_hold_the_token(client: Client, alice: User) -> None:
    invited = invitations.invite(by=by(alice), role=Role.VIEWER)
    client.get(f"/invitations/{invited.token}/")
    assert invited.token not in str(dict(client.session))


def test_the_account_and_its_membership_are_made_together_or_not_at_all(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited = invitations.invite(by=by(alice), role=Role.VIEWER)
    client.get(f"/invitations/{invited.token}/")
    # Another person uses the link between the check and the writing.
    real = invitations.problem

    def used_meanwhile(invitation: Invitation) -> str:
        if User.objects.filter(email="new@acme.example").exists():
            return "This invitation has been used already."
        return real(invitation)

    monkeypatch.setattr(invitations, "problem", used_meanwhile)
    response = client.post("/accounts/signup/", form(), follow=True)
    assert "has been used already" in response.content.decode()
    assert not User.objects.filter(email="new@acme.example").exists()


def test_signing_up_is_in_the_audit_log(client: Client, db: None) -> None:
    client.post("/accounts/signup/", form(organization_name="Acme Tools"))
    actions = set(AuditEvent.objects.filter(organization__slug="acme-tools").values_list("action", flat=True))
    assert {"organization.created", "account.signed_in"} <= actions


def test_a_weak_password_is_refused_beside_its_field(client: Client, db: None) -> None:
    response = client.post(
        "/accounts/signup/",
        {**form(organization_name="Acme"), "password1": "12345678", "password2": "12345678"},
    )
    assert response.context["form"].errors["password1"]
    assert not User.objects.exists()


def test_a_superuser_signs_in_by_email_and_may_make_an_organisation(client: Client, db: None) -> None:
    User.objects.create_superuser("root@acme.example", factories.PASSWORD)
    response = client.post(
        "/accounts/login/", {"login": "ROOT@acme.example", "password": factories.PASSWORD}, follow=True
    )
    assert "Create an organisation" in response.content.decode()
    client.post("/organisations/new/", {"name": "First", "time_zone": "UTC"})
    assert access.entitlements(Membership.objects.get()) == frozenset(access.ENTITLEMENTS)
