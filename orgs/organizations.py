"""Making, changing and deleting organisations."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.text import slugify

from orgs import access, audit
from orgs.models import Membership, Organization, Role, User

_SLUG_LENGTH = Organization._meta.get_field("slug").max_length or 63


def may_create(user: User) -> bool:
    """Whether a person may make an organisation by themselves: where sign-up is open, and superusers always."""
    return bool(settings.OPEN_SIGNUP or user.is_superuser)


@transaction.atomic
def create_organization(
    *, name: str, owner: User, time_zone: str = "", request: HttpRequest | None = None
) -> Membership:
    """Make an organisation and its owner, whose membership is returned. The slug follows from the name."""
    organization = _insert(name=name.strip(), time_zone=time_zone or owner.time_zone or settings.TIME_ZONE)
    membership = Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    audit.record(
        "organization.created",
        organization=organization,
        actor=owner,
        target=organization,
        after={"name": organization.name, "slug": organization.slug, "owner": owner.email},
        request=request,
    )
    return membership


def _insert(**fields: Any) -> Organization:
    stem = slugify(fields["name"])[: _SLUG_LENGTH - 6].strip("-") or "organisation"
    taken = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    number = 1
    while True:
        slug = stem if number == 1 else f"{stem}-{number}"
        if slug not in taken:
            try:
                with transaction.atomic():
                    return Organization.objects.create(slug=slug, **fields)
            except IntegrityError:
                if not Organization.objects.filter(slug=slug).exists():
                    raise
        number += 1  # also when another request took it in this moment


@transaction.atomic
def change_organization(
    *, by: Membership, name: str, time_zone: str, request: HttpRequest | None = None
) -> Organization:
    """Give it another name or time zone; the slug stays, because links hold it. PermissionDenied for all but owners."""
    access.require(by, "organization.manage")
    organization = Organization.objects.select_for_update().get(pk=by.organization_id)
    old = {"name": organization.name, "time_zone": organization.time_zone}
    new = {"name": name.strip(), "time_zone": time_zone}
    if old != new:
        organization.name, organization.time_zone = new["name"], new["time_zone"]
        organization.save(update_fields=["name", "time_zone"])
        changed = [field for field in new if old[field] != new[field]]
        audit.record(
            "organization.changed",
            organization=organization,
            actor=by.user,
            target=organization,
            before={field: old[field] for field in changed},
            after={field: new[field] for field in changed},
            request=request,
        )
    return organization


def what_goes(organization: Organization) -> list[str]:
    """What deleting it would delete, in words: “3 servers”, also of apps that this one knows nothing of."""
    words = []
    for relation in organization._meta.related_objects:
        model: Any = relation.related_model
        if count := model._base_manager.filter(**{relation.field.name: organization}).count():
            names = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
            words.append(f"{count} {names}")
    return sorted(words, key=lambda word: word.split(" ", 1)[1])


@transaction.atomic
def delete_organization(*, by: Membership, request: HttpRequest | None = None) -> None:
    """Delete it with everything in it. PermissionDenied for all but owners.

    Its audit log goes with it. That it was deleted, and by whom, stays in the log of the installation.
    """
    access.require(by, "organization.manage")
    organization = Organization.objects.select_for_update().get(pk=by.organization_id)
    audit.record(
        "organization.deleted",
        organization=None,
        actor=by.user,
        target=organization,
        before={"name": organization.name, "slug": organization.slug},
        request=request,
    )
    organization.delete()
