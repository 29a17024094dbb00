"""The clients that are known: registered by themselves, with a document of their own, or entered by an operator."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from endpoint.models import Grant
from endpoint.oauth import documents
from endpoint.oauth.metadata import SCOPES
from endpoint.oauth.registration import Invalid, Said
from lib.policy import egress_policy

REGISTERED, DOCUMENT = "registered", "document"
FRESH = timedelta(hours=1)
"""How long a document is taken for what it was when it was read."""
UNUSED = timedelta(days=7)
"""After which a client that nobody allowed anything is forgotten. It registers again when it is needed."""
MOST_UNUSED = 10_000
"""Registered clients that nobody allowed anything yet, of the whole installation. Beyond that the oldest go, and no new
one is refused: people are asked within minutes, so that whoever fills this place shuts nobody else out."""
_AT_ONCE = 500
_FAILED_SECONDS = 30


def register(said: Said) -> tuple[Client, str]:
    """A new client, and its secret, "" for one without."""
    client = _filled(Client(secret=make_password(None)), said, REGISTERED)
    secret = ""
    if client.type == Client.Type.CONFIDENTIAL:
        secret = secrets.token_urlsafe(32)
        client.set_secret(secret)
    client.save(force_insert=True)
    _forget_too_many()
    return client, secret


def find(client_id: str, *, fetch: bool = False) -> Client | None:
    """The client with this id. With `fetch`, an address that is not known, or not well any more, is read.

    Raises documents.Invalid where that fails, as it does for a document that has changed into something else: what it
    said before does not count then.
    """
    if "\0" in client_id:  # which PostgreSQL does not take in a text
        return None
    found: Client | None = Client.objects.filter(pk=client_id).first() if len(client_id) <= documents.LONGEST else None
    if not fetch or not documents.is_address(client_id) or (found is not None and not _is_document(found)):
        return found
    if found is not None and _is_fresh(found):
        return found
    return _read_again(client_id, found)


def kind_of(client: Client) -> str:
    """`registered`, `document`, or "" for one that an operator entered."""
    return str((client.data or {}).get("kind", ""))


def host_of(client: Client) -> str:
    """Whose word the name of a client with a document is: the host of its address; "" for all others."""
    return urlsplit(client.pk).netloc if _is_document(client) else ""


def forget_unused() -> None:
    """By the clock: what is expired, and clients and grants that come to nothing any more."""
    now = timezone.now()
    Token.objects.expired().delete()
    alive = Token.objects.filter(user=OuterRef("user"), client=OuterRef("client"))
    Grant.objects.filter(~Exists(alive), allowed_at__lt=now - timedelta(hours=1)).delete()
    _unused(REGISTERED, DOCUMENT).filter(created_at__lt=now - UNUSED).delete()
    _forget_too_many()


def _forget_too_many() -> None:
    newest_first = _unused(REGISTERED).order_by("-created_at", "pk").values_list("pk", flat=True)
    if beyond := list(newest_first[MOST_UNUSED : MOST_UNUSED + _AT_ONCE]):
        _unused(REGISTERED).filter(pk__in=beyond).delete()


def _unused(*kinds: str) -> QuerySet[Client]:
    """Those of these kinds that nobody allows anything."""
    rows: QuerySet[Client] = Client.objects.filter(~Exists(Grant.objects.filter(client=OuterRef("pk"))))
    return rows.filter(data__kind__in=kinds)


def _read_again(client_id: str, found: Client | None) -> Client:
    failed = f"oauth-document:{hashlib.sha256(client_id.encode()).hexdigest()}"
    if sentence := cache.get(failed):
        raise Invalid(sentence)
    try:
        said = documents.fetch(client_id, policy=egress_policy())
    except Invalid as error:
        cache.set(failed, str(error), _FAILED_SECONDS)
        raise
    client = _filled(found or Client(pk=client_id, secret=make_password(None)), said, DOCUMENT)
    client.save()
    return client


def _filled(client: Client, said: Said, kind: str) -> Client:
    host = urlsplit(client.pk).hostname if kind == DOCUMENT else ""
    client.name = said.name or host or "A client without a name"
    client.type = Client.Type.PUBLIC if said.auth_method == "none" else Client.Type.CONFIDENTIAL
    client.set_redirect_uris(list(said.redirect_uris))
    client.set_scopes(list(SCOPES))
    client.set_default_scopes(list(SCOPES))
    client.set_grant_types([Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN])
    client.set_response_types([Client.ResponseType.CODE])
    client.allow_uri_wildcards = client.skip_consent = False
    client.data = {"kind": kind, "read_at": timezone.now().isoformat()}
    return client


def _is_document(client: Client) -> bool:
    return kind_of(client) == DOCUMENT


def _is_fresh(client: Client) -> bool:
    read_at = parse_datetime(str((client.data or {}).get("read_at", "")))
    return read_at is not None and read_at > timezone.now() - FRESH
