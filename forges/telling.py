"""E-mails about connections: to who made it, and to who manages it for the organisation where it is shared."""

from __future__ import annotations

import logging
import smtplib
import uuid
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from forges.clients import FORGES
from forges.models import Connection
from forges.usage import uses_of
from orgs import access
from orgs.models import Membership, Organization

logger = logging.getLogger(__name__)


def tell_lost(connection_id: uuid.UUID) -> None:
    """That it cannot be used any more, why, and what stops."""
    connection = _find(connection_id)
    if connection is not None and not connection.is_connected:
        _send(connection, "stopped working", "lost")


def tell_expiring(connection_id: uuid.UUID, days: int) -> None:
    """That its token will expire within `days`, on a day that the forge named."""
    connection = _find(connection_id)
    if connection is not None:
        within = "a day" if days == 1 else f"{days} days"
        _send(connection, f"expires within {within}", "expiring")


def recipients(connection: Connection) -> list[str]:
    """Addresses of its maker, as far as they are a member, and of who manages connections where it is shared.

    The latter also where the maker is gone: somebody has to hear of it.
    """
    members = Membership.objects.select_related("user").filter(
        organization=connection.organization_id, user__is_active=True
    )
    makers = [member for member in members if member.user_id == connection.user_id]
    managers = [member for member in members if access.may(member, "connections.manage")]
    told = [*makers, *managers] if connection.shared or not makers else makers
    return list(dict.fromkeys(member.user.email for member in told))


def page_path(organization: Organization) -> str:
    """The organisation's connections."""
    return reverse("forges:connections", kwargs={"org": organization.slug})


def _find(connection_id: uuid.UUID) -> Connection | None:
    found: Connection | None = (
        Connection.objects.select_related("organization", "user").filter(pk=connection_id).first()
    )
    return found


def _send(connection: Connection, what: str, template: str) -> None:
    context: dict[str, Any] = {
        "connection": connection,
        "forge": FORGES[connection.forge].label_at(connection.base_url),
        "uses": uses_of([connection])[connection.pk],
        "url": f"{settings.BASE_URL}{page_path(connection.organization)}",
        "site_name": settings.SITE_NAME,
    }
    text = render_to_string(f"forges/mail/{template}.txt", context)
    subject = " ".join(f"{context['forge']} connection {connection} {what}".split())
    maker = connection.user.email if connection.user else ""
    for address in recipients(connection):
        whose = "Your" if address == maker else "The"
        try:
            send_mail(f"{whose} {subject} ({settings.SITE_NAME})", text, None, [address])
        except (smtplib.SMTPException, OSError):
            logger.warning("The e-mail about connection %s could not be sent", connection.pk)
