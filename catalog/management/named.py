"""What the commands of this app are told by name."""

from __future__ import annotations

from django.core.management.base import CommandError

from catalog.models import Server
from orgs.models import Organization


def named_organization(slug: str) -> Organization:
    """CommandError if there is none."""
    found: Organization | None = Organization.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no organisation “{slug}”. Give its slug, as in its address.")
    return found


def named_server(text: str) -> Server:
    """Of `organisation/server`, the slugs. CommandError if there is none."""
    slug, slash, name = text.partition("/")
    if not slash or not name:
        raise CommandError(f"“{text}” is no server. Name it as organisation/server, as in its address.")
    organization = named_organization(slug)
    found: Server | None = Server.objects.for_org(organization).filter(slug=name).first()
    if found is None:
        raise CommandError(f"There is no server “{name}” in {organization}.")
    found.organization = organization
    return found
