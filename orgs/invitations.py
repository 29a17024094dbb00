"""Invitations by link: whoever holds the link can join once, until it expires or is revoked.

An invitation lives on its maker's rights: it is void once the maker may no longer give its role.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from orgs import access, audit
from orgs.members import may_assign
from orgs.models import Invitation, Membership, Organization, Role, User


class InvitationRefused(Exception):
    """It cannot be used. `str(error)` is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Invited:
    invitation: Invitation
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """The link, which is known in this moment only: the database holds a digest of its token."""
        return f"{settings.BASE_URL}{reverse('orgs:invitation', args=[self.token])}"


@transaction.atomic
def invite(
    *, by: Membership, role: str, email: str = "", days: int = 14, request: HttpRequest | None = None
) -> Invited:
    """Make a link that is good for `days` days, for this address alone if one is given.

    PermissionDenied when the maker may not give the role.
    """
    access.require(by, "members.manage")
    if not may_assign(by, role):
        raise PermissionDenied(f"You cannot invite somebody as {Role(role).label.lower()}: that is more than you hold.")
    token = Invitation.new_token()
    invitation = Invitation.objects.create(
        organization=by.organization,
        role=role,
        email=email.strip().lower(),
        digest=Invitation.digest_of(token),
        created_by=by.user,
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(
        "invitation.created",
        organization=by.organization,
        actor=by.user,
        target=invitation,
        after={"role": role, "email": invitation.email, "expires_at": invitation.expires_at},
        request=request,
    )
    return Invited(invitation, token)


def send(invited: Invited) -> bool:
    """Mail the link to the address it is for; False when the mail server did not take it."""
    invitation = invited.invitation
    context = {"invitation": invitation, "url": invited.url, "site_name": settings.SITE_NAME}
    subject = f"{invitation.created_by} invites you to {invitation.organization} on {settings.SITE_NAME}"
    text = render_to_string("orgs/mail/invitation.txt", context)
    try:
        send_mail(" ".join(subject.split()), text, None, [invitation.email])
    except (smtplib.SMTPException, OSError):
        return False
    return True


@transaction.atomic
def revoke(*, by: Membership, invitation: Invitation, request: HttpRequest | None = None) -> None:
    """Make the link useless. PermissionDenied without the entitlement, InvitationRefused when it was used already."""
    access.require(by, "members.manage")
    current = Invitation.objects.select_for_update().get(pk=invitation.pk, organization_id=by.organization_id)
    if current.accepted_at:
        raise InvitationRefused("This invitation has been used already. Remove the member instead.")
    if current.revoked_at is None:
        current.revoked_at = timezone.now()
        current.save(update_fields=["revoked_at"])
        audit.record(
            "invitation.revoked",
            organization=by.organization,
            actor=by.user,
            target=current,
            before={"role": current.role, "email": current.email},
            request=request,
        )


def find(token: str) -> Invitation | None:
    """The invitation of a link, in whatever state it is."""
    return (
        Invitation.objects.select_related("organization", "created_by")
        .filter(digest=Invitation.digest_of(token))
        .first()
    )


def problem(invitation: Invitation) -> str:
    """Why nobody can use it any more, as a sentence; "" when it is good."""
    ask = f"Ask an admin of {invitation.organization} for a new link."
    if invitation.accepted_at:
        return f"This invitation has been used already. {ask}"
    if invitation.revoked_at:
        return f"This invitation was revoked. {ask}"
    if invitation.expires_at <= timezone.now():
        return f"This invitation has expired. {ask}"
    maker = access.membership_of(invitation.created_by, invitation.organization_id) if invitation.created_by else None
    if maker is None or not may_assign(maker, invitation.role):
        return f"Whoever made this invitation may no longer give this role. {ask}"
    return ""


def problem_for(invitation: Invitation, user: User, *, signing_up: bool = False) -> str:
    """Why this person in particular cannot use it; "" when they can.

    `signing_up`: the account is being made for it. Its address cannot be confirmed yet, and where it has to be, nobody
    signs in to the account before it is.
    """
    if not invitation.email:
        return ""
    if invitation.email.lower() != user.email.lower():
        return (
            f"This invitation is for {invitation.email}, and you are signed in as {user.email}. "
            "Sign out and open the link again, or ask for an invitation for your address."
        )
    # Where confirming is optional there may be no mail server, and nobody whose address was ever confirmed. What
    # counts there is the link, which whoever invites hands to one person; the address only keeps it from straying.
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and not signing_up and not _has_confirmed(user):
        return (
            f"This invitation is for {invitation.email}, and you have not confirmed that this address is yours. "
            "Confirm it under Your profile, Email addresses, and open the link again."
        )
    return ""


def _has_confirmed(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists())


@transaction.atomic
def accept(
    *, invitation: Invitation, user: User, signing_up: bool = False, request: HttpRequest | None = None
) -> Membership:
    """Make the person a member. InvitationRefused with the reason when it cannot be used, by anybody or by them."""
    organization = Organization.objects.select_for_update().get(pk=invitation.organization_id)
    current = Invitation.objects.select_related("organization").select_for_update(of=("self",)).get(pk=invitation.pk)
    if reason := problem(current) or problem_for(current, user, signing_up=signing_up):
        raise InvitationRefused(reason)
    if Membership.objects.filter(organization=organization, user=user).exists():
        raise InvitationRefused(f"You are a member of {organization} already.")
    membership = Membership.objects.create(organization=organization, user=user, role=current.role)
    current.accepted_by, current.accepted_at = user, timezone.now()
    current.save(update_fields=["accepted_by", "accepted_at"])
    audit.record(
        "invitation.accepted",
        organization=organization,
        actor=user,
        target=current,
        after={"role": membership.role, "member": user.email},
        request=request,
    )
    return membership
