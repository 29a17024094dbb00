"""Where a connect flow that began in another app comes back to: an address that was signed there, for one person.

The flow knows nothing of that app, which keeps its own draft; it comes back with `connection` (an id) in the query when
it worked, and without when it did not, the reason being in a message. ::

    start = f"{reverse('forges:start', args=[org, key])}?{urlencode({'return_to': sign(url, membership)})}"
"""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from forges.models import Connection
from orgs.models import Membership

SALT = "forges.returning"
MAX_AGE = 60 * 60
"""Seconds: a consent page at a forge is not left open for longer."""


def sign(url: str, membership: Membership) -> str:
    """A token for `return_to`; `url` is a path of ours."""
    if not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        raise ValueError("only paths of this site can be returned to")
    return signing.dumps([url, str(membership.pk)], salt=SALT)


def verified(token: str, membership: Membership) -> str | None:
    """The path in a token, None if it was not signed here, not for this member, or too long ago."""
    try:
        url, member = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return url if member == str(membership.pk) else None


def with_connection(url: str, connection: Connection | None) -> str:
    """The address to go back to."""
    if connection is None:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'connection': connection.pk})}"


def brought(request: HttpRequest, membership: Membership) -> Connection | None:
    """The connection that the flow made, as far as the member may use it: anybody can write an address."""
    try:
        key = uuid.UUID(request.GET.get("connection", ""))
    except ValueError:
        return None
    found: Connection | None = Connection.objects.usable_by(membership).filter(pk=key).first()
    return found
