"""A message from our own pages goes the way of all others."""

from __future__ import annotations

import pytest

from endpoint.admission import admit_member
from endpoint.admitted import Admitted
from endpoint.protocol.inside import ask
from orgs.models import Membership, Organization, User
from tests import factories
from tests.endpoint.live import HANDSHAKE, MODERN, message

ERAS = pytest.mark.parametrize("era", [HANDSHAKE, MODERN])


@pytest.fixture
def admitted(acme: Organization, alice: User) -> Admitted:
    server = factories.server(acme, "Docs", slug="docs")
    factories.content(server, "guide.md", "# Rain\n")
    return admit_member(Membership.objects.get(user=alice, organization=acme), server, version=None)


@ERAS
def test_it_is_answered_from_what_the_callers_transaction_has_made(admitted: Admitted, era: str) -> None:
    status, reply, milliseconds = ask(admitted, message("resources/list"), protocol_version=era)

    assert status == 200
    assert reply is not None
    assert [each["uri"] for each in reply["result"]["resources"]] == ["millrace://docs/guide.md"]
    assert milliseconds > 0


@ERAS
def test_an_error_is_a_reply_with_the_messages_id(admitted: Admitted, era: str) -> None:
    asked = message("resources/read", {"uri": "millrace://docs/missing.md"}, id="seven")

    _, reply, _ = ask(admitted, asked, protocol_version=era)

    assert reply is not None
    assert reply["id"] == "seven"
    assert reply["error"]["code"] < 0
    assert admitted.trace.outcome == "error"


def test_what_is_no_message_is_refused_and_a_notification_has_no_reply(admitted: Admitted) -> None:
    status, reply, _ = ask(
        admitted, {"jsonrpc": "2.0", "method": "notifications/initialized"}, protocol_version=HANDSHAKE
    )
    assert (status, reply) == (202, None)
    status, reply, _ = ask(admitted, {"hello": "you"}, protocol_version=HANDSHAKE)
    assert status == 400
    assert reply is not None
    assert "error" in reply
