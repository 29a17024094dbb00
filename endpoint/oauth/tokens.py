"""Codes and tokens: rows of allauth's Token, which keep a digest of each.

`data` of each is {resources: [address], grant: id, family: id, ends: time}, and of a code also {challenge,
redirect_uri}. A family is what comes from one code: the code itself, and the tokens that were got with it and refreshed
since. What is used once (codes, refresh tokens) changes its type when it is used, in one statement that only one can
win; whoever brings it again shows that it got into other hands, and the family ends (OAuth 2.1, 4.1.3 and 4.3.1).
"""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from endpoint.models import Grant
from endpoint.oauth.verification import grant_id

CODE = Token.Type.AUTHORIZATION_CODE
REFRESH = Token.Type.REFRESH_TOKEN
ACCESS = Token.Type.ACCESS_TOKEN
USED = {CODE: "uc", REFRESH: "ur"}
"""The types of what was used. allauth's own code knows neither and so takes them for nothing."""
CODE_LIFE = timedelta(minutes=2)
ACCESS_LIFE = timedelta(hours=1)
IDLE = timedelta(days=30)
"""After which a refresh token that nobody used is over."""
GRACE = timedelta(seconds=30)
"""In which a refresh token may be brought again without ending its family: two windows of an editor refresh at once, or
an answer was lost. It is refused all the same."""


class Ended(Exception):
    """What was brought is used up or revoked by now."""


def make_code(grant: Grant, *, scopes: list[str], challenge: str, redirect_uri: str) -> str:
    """A code that can be exchanged once, soon, by the client that knows what `challenge` was made from."""
    now = timezone.now()
    ends = now + timedelta(days=settings.MCP_OAUTH_DAYS)
    data = {
        "resources": [grant.resource],
        "grant": str(grant.pk),
        "family": uuid.uuid4().hex,
        "ends": ends.isoformat(),
        "challenge": challenge,
        "redirect_uri": redirect_uri,
    }
    code = secrets.token_urlsafe(32)
    row = _row(code, CODE, grant.client_id, grant.user_id, data, now + CODE_LIFE, scopes)
    row.save(force_insert=True)
    return code


def found(value: str, kind: Token.Type, client: Client) -> Token | None:
    """A code or refresh token of the client that may still be used; nothing is done to it. Ends the family of one that
    was used before."""
    types = (kind, USED[kind])
    row: Token | None = (
        Token.objects.valid().by_value(value).filter(client=client, type__in=types).select_related("user").first()
    )
    if row is None or not row.user.is_active or not Grant.objects.filter(pk=grant_id(row)).exists():
        return None
    if row.type == kind:
        return row
    _brought_again(row, kind)
    return None


def use(row: Token, kind: Token.Type) -> bool:
    """Use up a row that was `found`; False, and the end of its family, where somebody else has in the meantime."""
    data = {**row.data, "used": timezone.now().isoformat()}
    if Token.objects.filter(pk=row.pk, type=kind).update(type=USED[kind], data=data) == 1:
        return True
    latest = Token.objects.filter(pk=row.pk).first()
    if latest is not None:
        _brought_again(latest, kind)
    return False


@transaction.atomic
def save(used: Token, *, access: str, refresh: str, scopes: list[str]) -> None:
    """Keep what is given out for a used code or refresh token. Raises Ended if its family has ended since."""
    # Whoever ends the family deletes this row first, and so waits for us, or we find it gone.
    if Token.objects.select_for_update().filter(pk=used.pk).first() is None:
        raise Ended
    now = timezone.now()
    data = {name: used.data[name] for name in ("resources", "grant", "family", "ends")}
    ends = parse_datetime(str(data["ends"])) or now
    about = (used.client_id, used.user_id, data)
    Token.objects.bulk_create(
        [
            _row(access, ACCESS, *about, min(now + ACCESS_LIFE, ends), scopes),
            _row(refresh, REFRESH, *about, min(now + IDLE, ends), used.get_scopes()),
        ]
    )


def revoke(value: str, client: Client) -> None:
    """What the client gives back, with all of its family (RFC 7009, 2.1). Nothing for what is not the client's."""
    row = Token.objects.by_value(value).filter(client=client, type__in=(ACCESS, REFRESH)).first()
    if row is None:
        return
    end_family(row)
    grant = Grant.objects.filter(pk=grant_id(row)).first()
    if grant is not None and not of_grant(grant).filter(type__in=(CODE, ACCESS, REFRESH)).exists():
        grant.delete()


def end_family(row: Token) -> None:
    """Delete the row, and all that came from the same code."""
    Token.objects.filter(pk=row.pk).delete()
    family = (row.data or {}).get("family")
    if family:
        Token.objects.filter(user_id=row.user_id, client_id=row.client_id, data__family=family).delete()


def of_grant(grant: Grant) -> Any:
    """The rows that name a grant."""
    return Token.objects.filter(user_id=grant.user_id, client_id=grant.client_id, data__grant=str(grant.pk))


def _brought_again(row: Token, kind: Token.Type) -> None:
    used = parse_datetime(str((row.data or {}).get("used", "")))
    if kind == CODE or used is None or used < timezone.now() - GRACE:
        end_family(row)


def _row(
    value: str,
    kind: Token.Type,
    client_id: str,
    user_id: Any,
    data: dict[str, Any],
    expires: datetime,
    scopes: list[str],
) -> Token:
    row = Token(type=kind, client_id=client_id, user_id=user_id, data=data, expires_at=expires)
    row.set_value(value)
    row.set_scopes(scopes)
    return row
