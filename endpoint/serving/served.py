"""The content that a request sees: of a server in one version, or of the servers that a toolkit chose from.

Everything that reads content begins here, so that nothing is read that is not served.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Q, QuerySet
from django.urls import reverse

from catalog.models import Content, Origin, Server, ToolkitItem, Version, VersionFile
from endpoint.admitted import Admitted
from endpoint.serving.uris import parse_path, uri_of
from indexing.matching import format_of, name_of
from indexing.models import Text
from lib.prepared import cursor_with_plans


@dataclass(frozen=True, slots=True)
class File:
    """A file without its text."""

    path: str
    """On its server."""
    size: int
    """Bytes."""
    blob: int
    changed_at: datetime
    origin: str
    provenance: dict[str, Any]

    @property
    def brought(self) -> dict[str, Any]:
        """Where an imported one came from; a detached one is no longer its forge's."""
        return self.provenance if self.origin == Origin.IMPORTED else {}


@dataclass(frozen=True, slots=True)
class Document:
    """A file with its text."""

    brought: dict[str, Any]
    """As of `File`."""
    sha256: str
    text: str
    title: str
    """Its own, as a search tells it, once it is in the index; until then, and without one, the file's name."""


_DOCUMENT = """
SELECT f.origin, f.provenance, b.sha256, b.text, (
    SELECT t.title FROM indexing_serverindex i JOIN indexing_text t ON t.index_id = i.number
    WHERE i.server_id = %s AND t.blob_id = f.blob_id AND t.format = %s AND t.name = ''
) FROM {table} f JOIN catalog_blob b ON b.id = f.blob_id
WHERE f.{owner} = %s AND f.path = %s
"""


@dataclass(frozen=True, slots=True)
class Served:
    """What is served of one server's content."""

    server: Server
    version: Version | None
    """None for the live content."""
    prefix: str = ""
    """Before its paths, where several servers are seen side by side: `docs/`."""

    def __post_init__(self) -> None:
        if self.version is not None and self.version.server_id != self.server.pk:
            raise ValueError("The version is another server's.")

    @property
    def place(self) -> tuple[str, str, Any]:
        """Where its files are, for a statement: the table, the column that says whose they are, and what is in it."""
        if self.version is not None:
            return "catalog_versionfile", "version_id", self.version.pk
        return "catalog_content", "server_id", _id(self.server.pk)

    def document(self, path: str) -> Document | None:
        """None where there is no file."""
        table, owner, of = self.place
        with cursor_with_plans(connections[DEFAULT_DB_ALIAS]) as cursor:
            # The ORM takes three times as long to compose this as it takes to run.
            values = [_id(self.server.pk), format_of(path).value, of, path]
            cursor.execute(_DOCUMENT.format(table=table, owner=owner), values)
            row = cursor.fetchone()
        if row is None:
            return None
        origin, provenance, sha256, text, title = row
        brought = json.loads(provenance) if origin == Origin.IMPORTED else {}
        return Document(brought, sha256, text, title or name_of(path))

    @property
    def rows(self) -> QuerySet[Any]:
        if self.version is None:
            return Content.objects.filter(server=self.server)
        return VersionFile.objects.filter(version=self.version)

    def files(self, *, after: str = "", below: str = "", limit: int, rows: QuerySet[Any] | None = None) -> list[File]:
        """In the order of their paths: those after one path, and below a folder (or with another prefix). `rows` are
        some of `self.rows`."""
        rows = self.rows if rows is None else rows
        if below:
            rows = rows.filter(path__gte=below, path__lt=below + AFTER_ALL)
        if after:
            rows = rows.filter(path__gt=after)
        at = "updated_at" if self.version is None else "version__created_at"
        found = rows.order_by("path").values_list("path", "blob__size", "blob_id", at, "origin", "provenance")
        return [File(*row) for row in found[:limit]]

    def uri(self, path: str) -> str:
        return uri_of(self.server.slug, path)

    def web_address(self, path: str, brought: dict[str, Any]) -> str:
        """Where a person sees the file: at its forge, as it is given to anyone, or in our pages."""
        if url := _web(brought.get("url")):
            return url
        org, slug = self.server.organization.slug, self.server.slug
        if self.server.visibility == Server.Visibility.PUBLIC:
            page = reverse("mcp_file", args=[org, slug, path])
            query: dict[str, object] = {"version": self.version.number} if self.version else {}
        elif self.version is None:
            page, query = _content_page(org, slug), {"path": path}
        else:
            page = reverse("catalog:version", args=[org, slug, self.version.number])
            query = {"folder": path.rpartition("/")[0]}
        return f"{settings.BASE_URL}{page}" + (f"?{urlencode(query)}" if any(query.values()) else "")


AFTER_ALL = "\U0010ffff"
"""Comes after all that begins alike (as in `indexing.search.reading`)."""


def served(admitted: Admitted) -> list[Served]:
    """Of a toolkit none, unless it is set up to search contents. In the order of their paths."""
    if admitted.server is not None:
        return [Served(admitted.server, admitted.version)]
    if not admitted.setup.search_contents or admitted.toolkit is None:
        return []
    return [Served(server, server.served_version, f"{server.slug}/") for server in _chosen_from(admitted)]


def _chosen_from(admitted: Admitted) -> list[Server]:
    toolkit = admitted.toolkit
    items = ToolkitItem.objects.filter(toolkit=toolkit)
    rows = items.values_list("tool__server", "prompt__server", "resource__server")
    chosen: set[uuid.UUID] = {server for row in rows for server in row if server is not None}
    # What is personal is in nobody else's toolkit, whatever became of it since it was chosen.
    owned = Q(owner=None) | Q(owner=toolkit.owner_id) if toolkit and toolkit.owner_id else Q(owner=None)
    servers = Server.objects.filter(owned, pk__in=chosen, organization=admitted.organization)
    found = servers.select_related("organization", "active_version", "default_version")
    return sorted(found, key=lambda server: f"{server.slug}/")


def split(everything: Sequence[Served], path: str) -> tuple[Served, str] | None:
    """Which server a path is on, and the path there. None for what is none: `..`, another server's, odd characters."""
    for it in everything:
        if path.startswith(it.prefix):
            found = parse_path(path[len(it.prefix) :])
            return None if found is None else (it, found)
    return None


def named(everything: Sequence[Served], slug: str) -> Served | None:
    return next((it for it in everything if it.server.slug == slug), None)


def titles(it: Served, files: Sequence[File]) -> dict[str, str]:
    """By path: the titles that texts have by themselves, of those that are in the index."""
    if not files:
        return {}
    texts = Text.objects.filter(index__server=it.server, blob__in={file.blob for file in files}, name="")
    found = {(blob, format_): title for blob, format_, title in texts.values_list("blob", "format", "title")}
    named = ((file.path, found.get((file.blob, format_of(file.path)), "")) for file in files)
    return {path: title for path, title in named if title}


@lru_cache(maxsize=1_000)
def _content_page(organization: str, server: str) -> str:
    """Composed for each document that is read; it takes as long as reading one."""
    return reverse("catalog:content_at", args=[organization, server])


def _id(value: uuid.UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _web(url: object) -> str:
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
