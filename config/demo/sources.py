"""What the demo's servers have beside their content: a folder of its repository, and the site that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from catalog.models import Server
from config.demo import site
from indexing.models import Source
from indexing.probing import probe
from indexing.sources import add
from orgs.models import AuditEvent, Membership, Organization

RUNBOOKS = "Runbooks"
SCHOOL = "Weather school"
_LOCAL = f"http://{site.HOST}:"


def add_runbooks(server: Server, repository: Path, *, by: Membership) -> None:
    """Have the runbooks found on a server whose content has none of them. Once: what somebody deleted stays so."""
    if _was_added(by.organization, RUNBOOKS):
        return
    found = probe(str(repository), membership=by, kind=Source.Kind.REPOSITORY)
    add(server, found.facts(), {"name": RUNBOOKS, "include": "runbooks/"}, by=by)


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the demo's site is."""

    address: str
    """host:port; "" where no source needs it (any more)."""
    server: ThreadingHTTPServer | None
    """None where something else answers at that address."""


def open_site(server: Server | None, folder: Path, *, by: Membership) -> Opened:
    """Serve the site where its source says, or make that source of `server` if there never was one."""
    organization = by.organization
    local = Source.objects.for_org(organization).filter(kind=Source.Kind.SITE, url__startswith=_LOCAL)
    if (source := local.order_by("created_at").first()) is not None:
        site.create(folder)
        place = urlsplit(source.url)
        return Opened(place.netloc, site.serve(folder, [place.port or 80]))
    if server is None or _was_added(organization, SCHOOL):
        return Opened("", None)
    site.create(folder)
    if (opened := site.serve(folder, site.PORTS)) is None:
        return Opened("", None)
    address = f"{site.HOST}:{opened.server_port}"
    add(server, {"kind": Source.Kind.SITE, "url": f"http://{address}/"}, {"name": SCHOOL}, by=by)
    return Opened(address, opened)


def _was_added(organization: Organization, name: str) -> bool:
    return AuditEvent.objects.filter(organization=organization, action="source.added", target_label=name).exists()
