"""Resources: each file of the content, and what was configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from endpoint.admitted import Admitted
from endpoint.serving import configured_resources, paging
from endpoint.serving.mime import mime_type
from endpoint.serving.served import File, Served, named, served, titles
from endpoint.serving.uris import is_content, parse_uri, shown, template_of

PAGE = 250
NOT_FOUND_BEFORE_2026 = -32002
"""https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling"""


class ResourceNotFound(MCPError):
    """With the code of 2026-07-28: https://modelcontextprotocol.io/seps/2164-resource-not-found-error"""

    def __init__(self, uri: str) -> None:
        super().__init__(types.INVALID_PARAMS, f"There is no resource “{shown(uri)}” here.", {"uri": shown(uri)})

    def for_revision(self, revision: str) -> MCPError:
        """The same with the code that a revision of the protocol has for it."""
        if revision in HANDSHAKE_PROTOCOL_VERSIONS:
            return MCPError(NOT_FOUND_BEFORE_2026, self.message, self.data)
        return self


def list_resources(admitted: Admitted, cursor: str | None) -> types.ListResourcesResult:
    """So many at a time: what was configured by its URI, then files by their paths. Raises BadCursor."""
    listed = f"resources {admitted.target.pk}"
    position = paging.read(cursor, listed, length=3)
    found = list(islice(_after(admitted, position), PAGE + 1))
    following = paging.write(listed, found[PAGE - 1][0]) if len(found) > PAGE else None
    resources = [resource for _, resource in found[:PAGE]]
    admitted.trace.found = len(resources)
    return types.ListResourcesResult(resources=resources, next_cursor=following)


def list_templates(admitted: Admitted, cursor: str | None) -> types.ListResourceTemplatesResult:
    """One for the content of each server. Raises BadCursor."""
    paging.read(cursor, "none", length=0)  # there is one page
    found = [
        types.ResourceTemplate(
            name=f"{it.server.slug}-files",
            title=f"Files of {it.server.name}",
            uri_template=template_of(it.server.slug),
            description="A file by its path, such as guides/start.md.",
        )
        for it in served(admitted)
    ]
    return types.ListResourceTemplatesResult(resource_templates=found)


def read_resource(admitted: Admitted, uri: str) -> types.ReadResourceResult:
    """Raises ResourceNotFound."""
    if is_content(uri) and (contents := _content(admitted, uri)) is not None:
        return types.ReadResourceResult(contents=[contents])
    read = configured_resources.find(admitted, uri)
    if read is None:
        raise ResourceNotFound(uri)
    return read()


def is_patient_resource(admitted: Admitted, uri: str) -> bool:
    """Whether reading it may wait for others: asks nobody, so that what cannot be told from its URI may."""
    if uri[:8].lower() == "skill://":
        return False
    found = parse_uri(uri)
    return found is None or admitted.server is None or found.server != admitted.server.slug


def _content(admitted: Admitted, uri: str) -> types.TextResourceContents | None:
    found = parse_uri(uri)
    it = named(served(admitted), found.server) if found is not None else None
    if found is None or it is None:
        return None
    document = it.document(found.path)
    if document is None:
        return None
    return types.TextResourceContents(uri=uri, mime_type=mime_type(found.path), text=document.text)


# -- listing -----------------------------------------------------------------------------------------------------------

_Placed = tuple[list[str], types.Resource]
"""A resource, and the position after it."""
_CONFIGURED, _FILES = "configured", "files"


def _after(admitted: Admitted, position: Sequence[str] | None) -> Iterator[_Placed]:
    part, whose, last = position or (_CONFIGURED, "", "")
    if part == _CONFIGURED:
        for resource in sorted(configured_resources.listed(admitted), key=lambda each: each.uri):
            if resource.uri > last:
                yield [_CONFIGURED, "", resource.uri], resource
    for it in served(admitted):
        # In the order of `served`.
        if part == _FILES and f"{it.server.slug}/" < f"{whose}/":
            continue
        after = last if part == _FILES and it.server.slug == whose else ""
        while files := it.files(after=after, limit=PAGE + 1):
            called = titles(it, files)
            for file in files:
                yield [_FILES, it.server.slug, file.path], _resource(it, file, called.get(file.path))
            after = files[-1].path


def _resource(it: Served, file: File, title: str | None) -> types.Resource:
    brought = file.brought
    at = f" at {str(brought['commit'])[:12]}" if brought.get("commit") else ""
    return types.Resource(
        uri=it.uri(file.path),
        name=f"{it.prefix}{file.path}",
        title=title,
        description=f"From {brought['repository']}{at}." if brought.get("repository") else None,
        mime_type=mime_type(file.path),
        size=file.size,
        annotations=types.Annotations(last_modified=file.changed_at.isoformat()),
    )
