"""Changing who is a member and what they may do.

The rules, kept here for every way in: nobody touches a member of a higher role than their own; nobody gives what they
do not hold themselves, so that only owners make owners; nobody raises themselves; an organisation keeps an owner. The
organisation's row is locked while they are checked, so that two requests at one moment cannot break them together.

Support staff in the Django admin are no members, or should not be: there, superusers alone make, change and remove
owners or touch their own membership, and an organisation keeps an owner all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from orgs import access, audit
from orgs.models import Membership, Organization, Role, User

Choice = Literal["default", "granted", "denied"]
RANK: dict[str, int] = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2, Role.OWNER: 3}
SINGLE_ENTITLEMENTS = tuple(name for name in access.ENTITLEMENTS if name != "organization.manage")
"""What can be granted or denied to one member; managing the organisation comes with being its owner alone."""


class LastOwner(Exception):
    """The organisation would be left without an owner. `str(error)` is a sentence for a person."""

    def __init__(self, organization: Organization) -> None:
        super().__init__(
            f"{organization} would have no owner left. Make another member an owner first, or delete the organisation."
        )


def may_assign(membership: Membership, role: str) -> bool:
    """Whether a member may give somebody this role: they manage members and hold all that comes with it."""
    held = access.entitlements(membership)
    return "members.manage" in held and RANK[role] <= RANK[membership.role] and access.DEFAULTS[role] <= held


def may_touch(by: Membership, member: Membership) -> bool:
    """Whether a member may change or remove another one."""
    return access.may(by, "members.manage") and RANK[member.role] <= RANK[by.role]


@transaction.atomic
def change_role(*, by: Membership, member: Membership, role: str, request: HttpRequest | None = None) -> Membership:
    """Give a member another role. Single grants and denials stay, except that an owner needs none.

    Raises PermissionDenied when a rule above forbids it, and LastOwner.
    """
    by, member = _locked(by, member)
    _require_touch(by, member)
    if RANK[role] > RANK[by.role]:
        raise PermissionDenied(f"Only {_plural(role)} can make somebody {_article(role)}.")
    before, held = _facts(member), access.entitlements(member)
    if role != Role.OWNER:
        require_other_owners([member])
    member.role = role
    if role == Role.OWNER:
        member.granted, member.denied = [], []
    _require_no_gift(by, member, access.entitlements(member) - held)
    return _saved(by, member, "membership.role_changed", before, request)


@transaction.atomic
def choose_entitlements(
    *, by: Membership, member: Membership, choices: Mapping[str, Choice], request: HttpRequest | None = None
) -> Membership:
    """Grant or deny single entitlements; what `choices` does not name goes back to the role's default.

    Raises PermissionDenied when a rule above forbids it or a name does not exist.
    """
    by, member = _locked(by, member)
    _require_touch(by, member)
    if member.role == Role.OWNER:
        raise PermissionDenied("An owner holds every entitlement. Change the role first to take single ones away.")
    unknown = sorted(set(choices) - set(SINGLE_ENTITLEMENTS))
    if unknown:
        raise PermissionDenied(f"“{unknown[0]}” is not an entitlement that can be granted or denied.")
    before, held, granted = _facts(member), access.entitlements(member), set(member.granted)
    member.granted = [name for name in SINGLE_ENTITLEMENTS if choices.get(name) == "granted"]
    member.denied = [name for name in SINGLE_ENTITLEMENTS if choices.get(name) == "denied"]
    # A grant that adds nothing today would count after the role is lowered: it has to be the giver's own as well.
    _require_no_gift(by, member, (access.entitlements(member) - held) | (set(member.granted) - granted))
    return _saved(by, member, "membership.entitlements_changed", before, request)


@transaction.atomic
def remove_member(*, by: Membership, member: Membership, request: HttpRequest | None = None) -> None:
    """Take a member out of the organisation. Raises PermissionDenied when a rule above forbids it, and LastOwner."""
    by, member = _locked(by, member)
    if by.pk != member.pk:
        _require_touch(by, member)
    _delete(by, member, "membership.removed", request)


@transaction.atomic
def leave(member: Membership, *, request: HttpRequest | None = None) -> None:
    """Leave the organisation, which everybody may. Raises LastOwner."""
    member, _ = _locked(member, member)
    _delete(member, member, "membership.left", request)


def why_not_by_support(*, by: User, person: User, role: str) -> str:
    """Why somebody of the staff may not make, change or remove this person's membership; "" when they may.

    `role` is what the person has, and once more what they are to have.
    """
    if by.is_superuser:
        return ""
    if person.pk == by.pk:
        return "Only superusers may make or change a membership of their own here. Ask the organisation to invite you."
    if role == Role.OWNER:
        return "Only superusers may make, change or remove an owner here. An owner of the organisation can, on Members."
    return ""


def require_other_owners(leaving: Iterable[Membership]) -> None:
    """Raise LastOwner when one of their organisations has no other active owner. Needs a transaction, and locks them.

    Who is an owner is asked anew: it may have changed since the rows were read.
    """
    keys = {member.pk for member in leaving}
    organizations = Organization.objects.filter(memberships__in=keys).values("pk")
    for organization in Organization.objects.select_for_update().filter(pk__in=organizations).order_by("pk"):
        owners = dict(organization.memberships.filter(role=Role.OWNER).values_list("pk", "user__is_active"))
        if keys & owners.keys() and not any(active for key, active in owners.items() if key not in keys):
            raise LastOwner(organization)


def _locked(by: Membership, member: Membership) -> tuple[Membership, Membership]:
    """Both as they are now, the organisation's row locked: either may have changed since the page was shown."""
    Organization.objects.select_for_update().get(pk=by.organization_id)
    rows = Membership.objects.select_related("organization", "user").filter(organization_id=by.organization_id)
    current = rows.in_bulk([by.pk, member.pk])
    if by.pk not in current:
        raise PermissionDenied("You are no longer a member of this organisation.")
    if member.pk not in current:
        raise PermissionDenied(f"{member.user} is no longer a member of this organisation.")
    return current[by.pk], current[member.pk]


def _require_touch(by: Membership, member: Membership) -> None:
    access.require(by, "members.manage")
    if RANK[member.role] > RANK[by.role]:
        raise PermissionDenied(f"Only {_plural(member.role)} can change {_article(member.role)}.")


def _require_no_gift(by: Membership, member: Membership, gained: set[str] | frozenset[str]) -> None:
    if gained and by.pk == member.pk:
        raise PermissionDenied("You cannot give yourself more than you have. Ask another admin of the organisation.")
    if missing := sorted(gained - access.entitlements(by)):
        raise PermissionDenied(f"You cannot give “{missing[0]}”, because you do not hold it yourself.")


def _saved(
    by: Membership, member: Membership, action: str, before: dict[str, object], request: HttpRequest | None
) -> Membership:
    after = _facts(member)
    if after != before:
        member.save(update_fields=["role", "granted", "denied"])
        audit.record(
            action,
            organization=member.organization,
            actor=by.user,
            target=member,
            before={name: before[name] for name in before if before[name] != after[name]},
            after={name: after[name] for name in after if before[name] != after[name]},
            request=request,
        )
    return member


def _delete(by: Membership, member: Membership, action: str, request: HttpRequest | None) -> None:
    require_other_owners([member])
    audit.record(
        action,
        organization=member.organization,
        actor=by.user,
        target=member,
        before={"email": member.user.email, **_facts(member)},
        request=request,
    )
    member.delete()


def _facts(member: Membership) -> dict[str, object]:
    return {"role": member.role, "granted": sorted(member.granted), "denied": sorted(member.denied)}


def _plural(role: str) -> str:
    return f"{Role(role).label.lower()}s"


def _article(role: str) -> str:
    word = Role(role).label.lower()
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
