"""Clients whose id is the address of a document about them (client id metadata documents).

https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-02

The address comes from whoever opens the sign-in page: it is read through the guard of lib.egress, follows no redirect,
and not much of it is read.
"""

from __future__ import annotations

import json
import posixpath
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from endpoint.oauth.registration import Invalid, Said, read
from lib.egress import BodyTooLarge, EgressError, GuardedSession, Policy

LONGEST = 100
"""Characters of such an address: the length of a client's id in the database."""
MOST_BYTES = 32 << 10
SECONDS = 5.0
_SECRETS = ("client_secret", "client_secret_expires_at")


def is_address(client_id: str) -> bool:
    """Whether a client's id is an address rather than one that was given out here."""
    return client_id.startswith("https://")


def check_address(client_id: str) -> None:
    """Raise Invalid unless a document may be there (section 3 of the draft)."""
    try:
        parts = urlsplit(client_id)
        port = parts.port
    except ValueError as error:
        raise Invalid("This client_id is not an address.") from error
    path = parts.path
    fine = (
        parts.scheme == "https"
        and bool(parts.hostname)
        and client_id.isascii()
        and client_id.isprintable()
        and parts.netloc == parts.netloc.lower()
        and "@" not in parts.netloc
        and port != 0
        and path not in ("", "/")
        and posixpath.normpath(path) == path.rstrip("/")
        and not set(' "<>\\^`{|}?#') & set(client_id)
    )
    if not fine:
        raise Invalid("A client_id that is an address is https://host/path in its plainest form, without a query.")
    if len(client_id) > LONGEST:
        raise Invalid(f"A client_id that is an address is no longer than {LONGEST} characters here.")


def fetch(client_id: str, *, policy: Policy) -> Said:
    """What the document at the address says. Raises Invalid, with a sentence for a person."""
    check_address(client_id)
    try:
        with GuardedSession(policy, timeout=SECONDS, total_timeout=SECONDS, max_bytes=MOST_BYTES) as session:
            response = session.get(client_id, headers={"Accept": "application/json"}, allow_redirects=False)
            body = response.content
    except BodyTooLarge as error:
        raise Invalid(f"The client's document is larger than {MOST_BYTES >> 10} KB.") from error
    except (EgressError, requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        # Not what went wrong: that would tell strangers what there is in this network.
        raise Invalid("The client's document could not be read.") from error
    if response.status_code != 200:
        raise Invalid("The client's document is not at its address.")
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The client's document is not JSON.") from error
    return of_document(client_id, values)


def of_document(client_id: str, values: Any) -> Said:
    """What a document says that was found at the address of this id. Raises Invalid."""
    if not isinstance(values, dict) or values.get("client_id") != client_id:
        raise Invalid("The client's document is about another client_id than its own address.")
    if any(name in values for name in _SECRETS):
        raise Invalid("The client's document has a secret in it, which is none then.")
    said = read(values, default_method="none")
    if said.auth_method != "none":
        raise Invalid("The client's document asks for an authentication that is not supported here: use “none”.")
    return said
