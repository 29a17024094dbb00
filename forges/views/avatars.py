"""Pictures of accounts, where the operator wants them: fetched by this server, so that no forge sees who looks."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from forges.clients.errors import Busy
from forges.opening import turn
from forges.views.connections import connection_of
from lib import egress
from lib.database import release_connections
from lib.policy import egress_policy
from orgs import access
from orgs.models import Membership

MAX_BYTES = 256 << 10
SECONDS = 5.0
KEPT, FAILED = 24 * 3600, 3600
"""Seconds that a picture, and that there is none, is remembered."""
NOTHING = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel: browsers draw a torn picture over the initial where there is none."""
BRIEFLY = 60
"""Seconds that a browser shows that."""

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
"""How they begin. SVG is none of them: it is a document, with scripts in it."""


@require_safe
@access.for_members()
def avatar(_request: HttpRequest, membership: Membership, connection: uuid.UUID) -> HttpResponse:
    it = connection_of(membership, connection)
    if not (settings.FORGE_AVATARS and it.avatar_url):
        raise Http404
    found = picture(it.avatar_url)
    kind, data = found or ("image/gif", NOTHING)
    response = HttpResponse(data, content_type=kind)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    patch_cache_control(response, private=True, max_age=KEPT if found else BRIEFLY)
    return response


def picture(url: str) -> tuple[str, bytes] | None:
    """Type and bytes, None where there is no picture that a page may show."""
    key = f"forges.avatar.{hashlib.sha256(url.encode()).hexdigest()}"
    kept: Any = cache.get(key)
    if kept is None:
        release_connections()
        try:
            with turn():
                kept = _fetched(url)
        except Busy:
            return None
        cache.set(key, kept, KEPT if kept else FAILED)
    return kept or None


def _fetched(url: str) -> tuple[str, bytes] | tuple[()]:
    """Without any credential."""
    try:
        with egress.GuardedSession(
            egress_policy(), timeout=SECONDS, total_timeout=SECONDS, max_bytes=MAX_BYTES
        ) as session:
            response = session.get(url, headers={"Accept": "image/png, image/jpeg, image/webp, image/gif"})
            data = response.content if response.status_code == 200 else b""
    except (egress.EgressError, requests.RequestException, ValueError):
        return ()
    kind = _kind_of(data)
    return (kind, data) if kind else ()


def _kind_of(data: bytes) -> str:
    """By what it is, not by what its server calls it."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _KINDS.items() if data.startswith(start)), "")
