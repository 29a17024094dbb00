"""Which servers and content a member may see. Everything starts from the member's organisation."""

from __future__ import annotations

from django.http import Http404

from catalog.models import Content, Server, Version
from orgs.models import Membership


def server_of(membership: Membership, slug: str) -> Server:
    """The server with this slug, its Active and Default versions loaded; Http404 if a member sees none."""
    server: Server | None = (
        Server.objects.visible_to(membership)
        .select_related("active_version", "default_version")
        .filter(slug=slug)
        .first()
    )
    if server is None:
        raise Http404
    server.organization = membership.organization
    return server


def content_of(server: Server, pk: int) -> Content:
    """A file of the server with its blob; Http404 if it is not there."""
    content = Content.objects.select_related("blob", "updated_by").filter(server=server, pk=pk).first()
    if content is None:
        raise Http404
    content.server = server
    return content


def version_of(server: Server, number: int) -> Version:
    """The server's version with this number; Http404 if it is not there."""
    version = Version.objects.select_related("created_by").filter(server=server, number=number).first()
    if version is None:
        raise Http404
    version.server = server
    return version
