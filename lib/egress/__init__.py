"""Guarded HTTP: the only way to an address that a tenant can influence.

A host name is resolved once, every answer must be a public unicast address (or allowed by the operator), and the
connection goes to exactly the address that was checked, so that a second DNS answer changes nothing. TLS still
verifies the name. Redirects are followed here, each hop checked like the first, credentials staying behind when the
origin changes. Bodies are capped after decompression, and one deadline covers connecting, headers, body and redirects:
every single read from the socket waits no longer than what is left of it. ::

    with GuardedSession(Policy()) as session:
        session.get("https://example.com/")                        # a whole, capped response
        response = session.get(archive_url, stream=True)
        for chunk in iter_body(response, max_bytes=1 << 30): ...   # a large one, piece by piece

`pool_manager` guards libraries on urllib3 (dulwich); `GuardedAdapter` can be mounted on anybody's requests session.
Errors of this module are `EgressError`; ordinary network failures stay what requests and urllib3 make of them.
Not bounded: the time that the system's resolver takes, for getaddrinfo cannot be interrupted.
"""

from lib.egress.addresses import Policy, is_public, refusal, resolve
from lib.egress.connections import Budget, pool_manager
from lib.egress.errors import (
    AddressRefused,
    BodyTooLarge,
    DeadlineExceeded,
    EgressError,
    RedirectRefused,
    SchemeRefused,
    TooManyRedirects,
    UrlRefused,
)
from lib.egress.session import GuardedAdapter, GuardedResponse, GuardedSession, iter_body
from lib.egress.urls import check_url, origin

__all__ = [
    "AddressRefused",
    "BodyTooLarge",
    "Budget",
    "DeadlineExceeded",
    "EgressError",
    "GuardedAdapter",
    "GuardedResponse",
    "GuardedSession",
    "Policy",
    "RedirectRefused",
    "SchemeRefused",
    "TooManyRedirects",
    "UrlRefused",
    "check_url",
    "is_public",
    "iter_body",
    "origin",
    "pool_manager",
    "refusal",
    "resolve",
]
