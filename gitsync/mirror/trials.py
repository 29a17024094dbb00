"""With what a mirror's repository is tried: a consumer's key and secret, a connection, a token, or what it has."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from forges import standing
from forges.clients import FORGES, oauth
from forges.clients.base import Client
from forges.clients.errors import ForgeError
from forges.forms import bitbucket_base_url
from forges.models import Connection, Method
from forges.picking import Asked, FieldError, advised, base_url_of, client_of, repository_name
from forges.renewing import EXCHANGE_SECONDS
from gitsync.mirror.probing import NotConnected, Trial
from gitsync.models import Mirror
from gitsync.probing import Assignment, asked_of
from lib.policy import egress_policy
from orgs.models import Membership

_QUOTES = "\"'“”‘’`"
_UNSEEN = re.compile("[\r\n\t\u00a0\u200b\u200c\u200d\u2060\ufeff]")


def pasted(text: str) -> str:
    """What was meant by something pasted: without what browsers, terminals and .env files put around it."""
    return _UNSEEN.sub("", text).strip().strip(_QUOTES).strip()


@dataclass(frozen=True, slots=True)
class Consumer:
    """Key and secret of Bitbucket's OAuth consumer; without a secret the one that is stored for this key."""

    key: str
    secret: str = field(default="", repr=False)

    def cleaned(self) -> Consumer:
        return Consumer(pasted(self.key), pasted(self.secret))


def stored_consumer(membership: Membership, consumer: Consumer) -> Connection | None:
    """The organisation's consumer with that key, whose secret need not be entered again. Raises NotConnected."""
    if not consumer.key:
        raise NotConnected("client_id", "Enter the consumer's Key as Client ID.")
    found: Connection | None = Connection.objects.filter(
        organization=membership.organization, forge="bitbucket", method=Method.CONSUMER, consumer_key=consumer.key
    ).first()
    if found is None and not consumer.secret:
        raise NotConnected("client_secret", "Enter the consumer's Secret as Client Secret.")
    return found


def consumer_trial(
    values: Assignment, consumer: Consumer, stored: Connection | None
) -> tuple[AbstractContextManager[Client], Trial]:
    """With a token that is made of the secret and forgotten after the test. Raises NotConnected."""
    base_url = (stored.base_url if stored else bitbucket_base_url()) or FORGES["bitbucket"].base_url
    if not consumer.secret and stored is not None:
        asked, scopes = Asked(forge="bitbucket", repository=values.repository, connection=stored), _scopes(stored)
    else:
        try:
            grant = oauth.client_credentials(
                web_url=FORGES["bitbucket"].web_url(base_url),
                key=consumer.key,
                secret=consumer.secret,
                policy=egress_policy(),
                timeout=EXCHANGE_SECONDS,
            )
        except ForgeError as error:
            raise NotConnected("" if error.retryable else "credential", advised(error)) from error
        asked = Asked(forge="bitbucket", base_url=base_url, repository=values.repository, token=grant.access_token)
        scopes = grant.scopes
    return client_of(asked), Trial(
        forge="bitbucket",
        base_url=base_url,
        name=_name(asked),
        branch=values.branch,
        mode=values.mode,
        whose="The consumer",
        method=Method.CONSUMER,
        scopes=scopes,
    )


def trial_with(values: Assignment, connection: Connection | None) -> tuple[AbstractContextManager[Client], Trial]:
    """With a connection that the person may use, or with what they entered for plain git. Raises FieldError."""
    asked = asked_of(values, connection)
    if not asked.repository and not asked.repository_id:
        raise FieldError("repository", "Choose a repository.")
    return client_of(asked), Trial(
        forge=asked.forge,
        base_url=base_url_of(asked),
        name=_name(asked) if asked.repository else "",
        repository_id=asked.repository_id,
        branch=values.branch,
        mode=values.mode,
        whose="The connection" if connection else "The token",
        method=connection.method if connection else "",
        scopes=_scopes(connection),
    )


def trial_again(mirror: Mirror, values: Assignment) -> Trial:
    """With the mirror's own credential, whosever connection that is."""
    connection = mirror.connection
    named = standing.named(connection) if connection else "the token"
    return Trial(
        forge=mirror.forge,
        base_url=mirror.base_url,
        repository_id=mirror.repository_id,
        branch=values.branch,
        mode=values.mode,
        whose=named[:1].upper() + named[1:],
        method=connection.method if connection else "",
        scopes=_scopes(connection),
    )


def _scopes(connection: Connection | None) -> frozenset[str] | None:
    """None where the forge does not tell."""
    return (frozenset(connection.scopes.split()) or None) if connection else None


def _name(asked: Asked) -> str:
    try:
        return repository_name(asked)
    except ForgeError as error:
        raise NotConnected("repository", str(error)) from error
