"""Invitations by link: who may make them, who may use them, and how often."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from orgs import invitations, members
from orgs.models import AuditEvent, Invitation, Membership, Role, User
from tests import factories
from tests.conftest import Browse


def of(person: User) -> Membership:
    return Membership.objects.select_related("organization", "user").get(user=person, organization__slug="acme")


@pytest.fixture
def dora(db: None) -> User:
    return factories.user("dora@elsewhere.example", name="Dora")


def test_the_link_is_shown_once_and_only_its_digest_is_kept(alice: User, browse: Browse) -> None:
    client = browse(alice)
    page = client.post("/o/acme/invitations/", {"role": "operator", "days": "7"}).content.decode()
    (token,) = set(re.findall(r"http://[^/]+/invitations/([\w-]{20,})/", page))
    assert token not in client.get("/o/acme/invitations/").content.decode()
    invitation = Invitation.objects.get()
    assert invitation.digest == Invitation.digest_of(token)
    assert token not in str(Invitation.objects.values_list())
    assert token not in str(AuditEvent.objects.values_list())


def test_the_page_with_the_link_is_not_kept_by_the_browser(alice: User, browse: Browse) -> None:
    response = browse(alice).post("/o/acme/invitations/", {"role": "viewer", "days": "7"})
    assert "no-store" in response.headers["Cache-Control"]


def test_somebody_signed_in_joins_with_one_click(alice: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.OPERATOR)
    client = browse(dora)
    page = client.get(f"/invitations/{invited.token}/").content.decode()
    assert "Alice invites you to the organisation" in page
    assert not Membership.objects.filter(user=dora).exists()
    response = client.post(f"/invitations/{invited.token}/")
    assert response.headers["Location"] == "/o/acme/"
    assert of(dora).role == Role.OPERATOR
    assert AuditEvent.objects.get(action="invitation.accepted").actor == dora


def test_a_link_works_once(alice: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    browse(dora).post(f"/invitations/{invited.token}/")
    response = browse(factories.user("second@elsewhere.example")).post(f"/invitations/{invited.token}/")
    assert response.status_code == 410
    assert "used already" in response.content.decode()
    assert Membership.objects.count() == 2


def test_whoever_left_cannot_come_back_by_the_same_link(alice: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    client = browse(dora)
    client.post(f"/invitations/{invited.token}/")
    members.remove_member(by=of(alice), member=of(dora))
    assert client.post(f"/invitations/{invited.token}/").status_code == 410
    assert not Membership.objects.filter(user=dora).exists()


def test_an_expired_link_says_so(alice: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = browse(dora).post(f"/invitations/{invited.token}/")
    assert response.status_code == 410
    assert "expired" in response.content.decode()
    assert not Membership.objects.filter(user=dora).exists()


def test_a_revoked_link_says_so(alice: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    browse(alice).post(f"/o/acme/invitations/{invited.invitation.pk}/revoke/")
    response = browse(dora).get(f"/invitations/{invited.token}/")
    assert response.status_code == 410
    assert "revoked" in response.content.decode()


def test_a_link_for_an_address_is_refused_to_another_and_says_for_whom_it_is(
    alice: User, dora: User, browse: Browse
) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER, email="Eve@Acme.example")
    response = browse(dora).post(f"/invitations/{invited.token}/")
    assert response.status_code == 403
    assert "eve@acme.example" in response.content.decode()
    assert "dora@elsewhere.example" in response.content.decode()
    assert not Membership.objects.filter(user=dora).exists()


def test_the_address_is_looked_at_again_when_it_is_accepted(alice: User, dora: User) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER, email="eve@acme.example")
    with pytest.raises(invitations.InvitationRefused, match=r"for eve@acme\.example"):
        invitations.accept(invitation=invited.invitation, user=dora)


def test_an_address_is_compared_without_case(alice: User, browse: Browse) -> None:
    eve = factories.user("eve@acme.example")
    invited = invitations.invite(by=of(alice), role=Role.VIEWER, email="EVE@acme.example")
    assert browse(eve).post(f"/invitations/{invited.token}/").status_code == 302


def test_where_addresses_have_to_be_confirmed_an_invitation_for_one_wants_it_confirmed(
    alice: User, browse: Browse, settings: Settings
) -> None:
    eve = factories.user("Eve@acme.example")
    address = EmailAddress.objects.create(user=eve, email="eve@acme.example", primary=True)
    link = f"/invitations/{invitations.invite(by=of(alice), role=Role.VIEWER, email='eve@acme.example').token}/"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = browse(eve)
    refused = client.post(link)
    assert refused.status_code == 403
    assert "you have not confirmed that this address is yours" in refused.content.decode()
    assert not Membership.objects.filter(user=eve).exists()
    address.set_verified()
    assert client.post(link).status_code == 302
    assert of(eve).role == Role.VIEWER


def test_another_persons_confirmed_address_does_not_count(alice: User, browse: Browse, settings: Settings) -> None:
    eve, real = factories.user("eve@acme.example"), factories.user("real@acme.example")
    EmailAddress.objects.create(user=real, email="eve@acme.example", verified=True)
    EmailAddress.objects.create(user=eve, email="other@acme.example", verified=True)
    invited = invitations.invite(by=of(alice), role=Role.VIEWER, email="eve@acme.example")
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    assert browse(eve).post(f"/invitations/{invited.token}/").status_code == 403


def test_an_unknown_link_tells_nothing(client: Client, alice: User) -> None:
    response = client.get("/invitations/made-up/")
    assert response.status_code == 404
    assert "Acme" not in response.content.decode()


def test_the_way_by_sign_in_comes_back_to_the_link(client: Client, alice: User, dora: User) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    page = client.get(f"/invitations/{invited.token}/").content.decode()
    link = f"/accounts/login/?next=/invitations/{invited.token}/"
    assert link in page
    response = client.post(
        "/accounts/login/",
        {"login": dora.email, "password": factories.PASSWORD, "next": f"/invitations/{invited.token}/"},
    )
    assert response.headers["Location"] == f"/invitations/{invited.token}/"


def test_a_member_who_opens_a_link_does_not_use_it_up(alice: User, bob: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.OWNER)
    assert browse(bob).post(f"/invitations/{invited.token}/").headers["Location"] == "/o/acme/"
    assert of(bob).role == Role.OPERATOR
    assert Invitation.objects.open().count() == 1


# ---------------------------------------------------------------------------------------- who may invite


def test_an_admin_cannot_invite_an_owner(alice: User, adam: User, browse: Browse) -> None:
    with pytest.raises(PermissionDenied):
        invitations.invite(by=of(adam), role=Role.OWNER)
    response = browse(adam).post("/o/acme/invitations/", {"role": "owner", "days": "7"})
    assert response.status_code == 422
    assert not Invitation.objects.exists()


def test_an_admin_who_lacks_an_entitlement_cannot_invite_an_admin(alice: User, adam: User) -> None:
    Membership.objects.filter(user=adam).update(denied=["keys.manage"])
    with pytest.raises(PermissionDenied):
        invitations.invite(by=of(adam), role=Role.ADMIN)
    assert invitations.invite(by=of(adam), role=Role.OPERATOR)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_without_the_entitlement_nobody_is_invited(acme: object, alice: User, role: str, browse: Browse) -> None:
    person = factories.user()
    factories.membership(person, of(alice).organization, role)
    assert browse(person).post("/o/acme/invitations/", {"role": "viewer", "days": "7"}).status_code == 403


def test_a_link_dies_with_the_rights_of_whoever_made_it(alice: User, adam: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(adam), role=Role.ADMIN)
    members.change_role(by=of(alice), member=of(adam), role=Role.OPERATOR)
    response = browse(dora).post(f"/invitations/{invited.token}/")
    assert response.status_code == 410
    assert "may no longer give this role" in response.content.decode()


def test_a_link_dies_when_whoever_made_it_is_removed(alice: User, adam: User, dora: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(adam), role=Role.VIEWER)
    members.remove_member(by=of(alice), member=of(adam))
    assert browse(dora).post(f"/invitations/{invited.token}/").status_code == 410


def test_a_used_invitation_cannot_be_revoked(alice: User, dora: User) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    invitations.accept(invitation=invited.invitation, user=dora)
    with pytest.raises(invitations.InvitationRefused, match="Remove the member instead"):
        invitations.revoke(by=of(alice), invitation=invited.invitation)


def test_an_invitation_of_another_organisation_cannot_be_revoked(alice: User, charlie: User, browse: Browse) -> None:
    invited = invitations.invite(by=of(alice), role=Role.VIEWER)
    response = browse(charlie).post(f"/o/other/invitations/{invited.invitation.pk}/revoke/")
    assert response.status_code == 404
    assert Invitation.objects.open().count() == 1


def test_a_member_is_not_invited_again(alice: User, bob: User, browse: Browse) -> None:
    response = browse(alice).post("/o/acme/invitations/", {"role": "viewer", "email": "BOB@acme.example", "days": "7"})
    assert "is a member already" in response.content.decode()


@pytest.mark.parametrize("days", ["0", "-1", "3650", "soon"])
def test_how_long_a_link_is_good_is_not_chosen_freely(alice: User, browse: Browse, days: str) -> None:
    assert browse(alice).post("/o/acme/invitations/", {"role": "viewer", "days": days}).status_code == 422


# ---------------------------------------------------------------------------------------- mail


def test_a_link_for_an_address_is_mailed_to_it(alice: User, browse: Browse, settings: Settings) -> None:
    settings.BASE_URL = "https://millrace.example"
    # The host of the request is the client's word: a link in a mail must not follow it.
    browse(alice).post(
        "/o/acme/invitations/",
        {"role": "viewer", "email": "eve@acme.example", "days": "3"},
        headers={"Host": "localhost"},
    )
    (message,) = mail.outbox
    assert message.to == ["eve@acme.example"]
    assert message.subject == "Alice invites you to Acme on Millrace"
    assert "https://millrace.example/invitations/" in message.body


def test_a_name_cannot_add_headers_to_the_mail(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="Alice\r\nBcc: everybody@acme.example")
    invited = invitations.invite(by=of(alice), role=Role.VIEWER, email="eve@acme.example")
    assert invitations.send(invited)
    assert "Bcc" not in mail.outbox[0].message()


def test_without_a_mail_server_the_link_is_still_there(alice: User, browse: Browse, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    page = browse(alice).post("/o/acme/invitations/", {"role": "viewer", "email": "eve@acme.example", "days": "3"})
    assert "Copy the link and send it yourself" in page.content.decode()
    assert "/invitations/" in page.content.decode()


def test_the_list_asks_as_many_queries_for_thirty_as_for_three(alice: User, browse: Browse) -> None:
    client = browse(alice)
    client.get("/o/acme/invitations/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get("/o/acme/invitations/")
        return len(context)

    for _ in range(3):
        invitations.invite(by=of(alice), role=Role.VIEWER)
    few = queries()
    for _ in range(27):
        invited = invitations.invite(by=of(alice), role=Role.VIEWER)
        invitations.accept(invitation=invited.invitation, user=factories.user())
    assert queries() == few
