"""What an organisation chooses for all its pushes."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from gitsync.messages import check_template
from gitsync.models import PushSettings
from gitsync.requesting import ASSIGN
from orgs import access, audit
from orgs.models import Membership, Organization


def template_of(organization: Organization) -> str:
    """ "" for Millrace's own."""
    found = PushSettings.objects.filter(organization=organization).values_list("message_template", flat=True).first()
    return found or ""


@transaction.atomic
def change_template(*, template: str, membership: Membership, request: HttpRequest | None = None) -> str:
    """Word the organisation's commits so from the next push on; "" takes Millrace's own. Returns what is kept.

    Raises InvalidTemplate, with nothing written.
    """
    access.require(membership, ASSIGN)
    template = check_template(template)
    kept, _ = PushSettings.objects.select_for_update().get_or_create(organization=membership.organization)
    if kept.message_template != template:
        before, kept.message_template = kept.message_template, template
        kept.save()
        audit.record(
            "push_settings.changed",
            organization=membership.organization,
            actor=membership.user,
            target=membership.organization,
            before={"message_template": before},
            after={"message_template": template},
            request=request,
        )
    return template
