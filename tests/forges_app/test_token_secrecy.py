"""What attackers try, and where a token must never be seen."""

from __future__ import annotations

import logging
import traceback

import pytest
from django.core import mail

from forges.clients.base import Credential
from forges.clients.errors import AuthFailed
from forges.credentials import credential_source
from forges.models import Connection
from lib.crypto import Tampered
from orgs.models import AuditEvent, User
from tests.forges_app.conftest import Register, Registered, account_through, make_due
from tests.wire.forge import Forge


def test_a_token_copied_from_another_connection_does_not_open(gitlab: Registered, bob: User, adam: User) -> None:
    mine, theirs = gitlab.connect(bob), gitlab.connect(adam)
    stolen = {column: getattr(theirs, column) for column in Connection.token.columns}
    Connection.objects.filter(pk=mine.pk).update(**stolen)
    with pytest.raises(Tampered):
        account_through(mine)


def test_a_refresh_token_does_not_open_in_the_place_of_the_token(gitlab: Registered, bob: User) -> None:
    row = gitlab.connect(bob)
    own = dict(zip(Connection.token.columns, Connection.refresh_token.columns, strict=True))
    Connection.objects.filter(pk=row.pk).update(**{to: getattr(row, source) for to, source in own.items()})
    with pytest.raises(Tampered):
        account_through(row)


@pytest.mark.parametrize("kind", ["github", "gitlab", "bitbucket"])
def test_no_token_is_written_anywhere_in_the_clear(
    register: Register, bob: User, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.DEBUG)
    registered = register(kind, ttl=7200.0)
    row = make_due(registered.connect(bob))
    seen = [row.token, row.refresh_token]
    account_through(row)
    row.refresh_from_db()
    seen += [row.token, row.refresh_token]
    registered.forge.world.oauth.revoke(row.refresh_token)
    make_due(row, expired=True)
    with pytest.raises(AuthFailed) as caught:
        account_through(row)
    source, held = credential_source(row), Credential(row.token, oauth=True)
    said = [
        caplog.text,
        "".join(traceback.format_exception(caught.value)),
        f"{row!r} {row} {source!r} {held!r} {registered.grant()!r} {registered.application!r}",
        " ".join(f"{event.before} {event.after} {event.target_label}" for event in AuditEvent.objects.all()),
        " ".join(str(value) for value in Connection.objects.values().get().values()),
        " ".join(f"{letter.subject} {letter.body}" for letter in mail.outbox),
    ]
    for secret in {*seen, registered.hosted.client_secret}:
        assert not [text for text in said if secret in text]


def test_what_the_forge_says_of_its_rate_limit_is_noted(forge: Forge, github: Registered, bob: User) -> None:
    row = github.connect(bob)
    forge.world.leave(17, token=row.token)
    account_through(row)
    row.refresh_from_db()
    assert (row.rate_limit, row.rate_remaining) == (5000, 16)
    assert row.rate_reset_at is not None
