"""Who may sign up, and what they get: the first person an organisation, then whoever was invited, or everybody.

The way is decided when the form is shown and once more, under a lock, when the account is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from orgs import invitations, organizations
from orgs.models import Invitation, Lock, User

_PENDING = "invitation"
"""The session's key for the id (not the token) of the invitation whose link a signed-out person opened."""


class SignUpClosed(Exception):
    """There is no way in, or no longer. `str(error)` is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody signs up: as the very first person, by invitation, or because sign-up is open."""

    first: bool = False
    invitation: Invitation | None = None
    open: bool = False

    @property
    def exists(self) -> bool:
        return self.first or self.open or self.invitation is not None

    @property
    def makes_organization(self) -> bool:
        return self.exists and self.invitation is None


def is_first_run() -> bool:
    """Whether nobody has an account here yet."""
    return not User.objects.exists()


def way_in(request: HttpRequest) -> Way:
    """The way that this visitor can sign up at this moment."""
    if is_first_run():
        return Way(first=True)
    return Way(invitation=pending_invitation(request), open=settings.OPEN_SIGNUP)


def remember_invitation(request: HttpRequest, invitation: Invitation) -> None:
    """Let this visitor sign up by the invitation whose link they opened."""
    request.session[_PENDING] = str(invitation.pk)


def forget_invitation(request: HttpRequest) -> None:
    request.session.pop(_PENDING, None)


def pending_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this visitor opened, while it is good."""
    try:
        key = uuid.UUID(request.session.get(_PENDING, ""))
    except ValueError:
        return None
    found = Invitation.objects.select_related("organization", "created_by").filter(pk=key).first()
    return None if found is None or invitations.problem(found) else found


@transaction.atomic
def sign_up(*, request: HttpRequest, save: Callable[[], User], organization_name: str) -> User:
    """Make an account by `save()`, and its organisation or membership with it: both, or neither.

    Raises SignUpClosed when somebody else was first, and InvitationRefused when the invitation was used meanwhile.
    """
    way = way_in(request)
    if way.first:
        Lock.take("first sign-up")
        way = way_in(request)
    if not way.exists:
        raise SignUpClosed(
            "Somebody else has just set this installation up. Ask an admin for an invitation link to join them."
        )
    user = save()
    if way.invitation:
        invitations.accept(invitation=way.invitation, user=user, signing_up=True, request=request)
    else:
        organizations.create_organization(name=organization_name, owner=user, request=request)
    return user
