"""Resources that were configured, and the files of skills.

A resource has the URI that it was given. Where that is not its own alone – two servers of a toolkit have it, or it
begins as our own do – it is offered at `configured://<server>/<the URI, encoded>`; of two servers, the one whose slug
comes first keeps it.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import mcp_types as types
from mcp.shared.exceptions import MCPError

from catalog import calls
from catalog.models import Resource
from endpoint.admitted import Admitted
from endpoint.serving import skills
from endpoint.serving.chosen import things
from endpoint.serving.configured import failure
from endpoint.serving.uris import MAX_LENGTH, SCHEME, is_storable

ALIAS = "configured://"
_OURS = (SCHEME, skills.SCHEME, ALIAS)


def listed(admitted: Admitted) -> list[types.Resource]:
    """What of them a request is offered."""
    offered = _offered(admitted)
    rows = things(admitted, Resource).defer("text").in_bulk(list(offered.values()))
    configured = [_resource(uri, rows[key]) for uri, key in offered.items() if key in rows]
    return [*configured, *skills.listed(admitted)]


def find(admitted: Admitted, uri: str) -> Callable[[], types.ReadResourceResult] | None:
    """What reads the one at a URI; None for what is none."""
    if len(uri) > MAX_LENGTH or not is_storable(uri):
        return None
    scheme, colon, rest = uri.partition(":")
    known = f"{scheme.lower()}{colon}{rest}"
    if known.startswith(skills.SCHEME):
        return skills.find(admitted, uri)
    row = _row(admitted, known)
    return None if row is None else lambda: _read(row, uri)


def _offered(admitted: Admitted) -> dict[str, uuid.UUID]:
    """By their URIs here."""
    rows = things(admitted, Resource).values_list("server__slug", "uri", "pk")
    offered: dict[str, uuid.UUID] = {}
    for server, uri, key in sorted(rows, key=lambda row: (row[1], row[0])):
        own = uri in offered or uri.startswith(_OURS)
        offered[_alias(server, uri) if own else uri] = key
    return offered


def _row(admitted: Admitted, uri: str) -> Resource | None:
    rows = things(admitted, Resource).select_related("provider__server")
    if uri.startswith(ALIAS):
        server, _, encoded = uri[len(ALIAS) :].partition("/")
        own = unquote(encoded)
        return rows.filter(server__slug=server, uri=own).first() if is_storable(own) else None
    if uri.startswith(_OURS):
        return None
    return min(rows.filter(uri=uri).select_related("server"), key=lambda row: row.server.slug, default=None)


def _alias(server: str, uri: str) -> str:
    return f"{ALIAS}{server}/{quote(uri, safe='')}"


def _resource(uri: str, row: Resource) -> types.Resource:
    return types.Resource(uri=uri, name=row.name, description=row.description or None, mime_type=row.mime_type or None)


def _read(row: Resource, uri: str) -> types.ReadResourceResult:
    """Raises MCPError: a resource that cannot be read has no other way to say so."""
    if not row.upstream_path:
        return _result(uri, row.mime_type, row.text)
    name = row.provider.name
    try:
        result = calls.read_resource(row)
    except calls.CallError as error:
        raise MCPError(types.INTERNAL_ERROR, str(error), {"reason": error.code}) from None
    if result.is_error:
        raise MCPError(types.INTERNAL_ERROR, failure(name, result), {"status": result.status})
    mime_type = row.mime_type or result.content_type
    if result.data is not None:
        blob = base64.b64encode(result.data).decode()
        contents: list[Any] = [types.BlobResourceContents(uri=uri, mime_type=mime_type or None, blob=blob)]
        return types.ReadResourceResult(contents=contents)
    if result.text.startswith("[binary, ") and result.value is None:
        raise MCPError(
            types.INTERNAL_ERROR, f"{name} answered with {result.size:,} bytes that are no text, which is not given on."
        )
    return _result(uri, mime_type, result.text)


def _result(uri: str, mime_type: str, text: str) -> types.ReadResourceResult:
    contents: list[Any] = [types.TextResourceContents(uri=uri, mime_type=mime_type or None, text=text)]
    return types.ReadResourceResult(contents=contents)
