"""GitLab: webhooks made, healed and taken away, whose deliveries then verify."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from forges.clients.base import Client
from forges.clients.errors import Forbidden, NotFound
from forges.clients.webhooks import new_secret, verify
from tests.forges.conftest import OpenGitLab
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Reply, Request
from tests.wire.server import WireServer
from tests.wire.world import HostedRepository

URL = "http://127.0.0.1:9/hooks/gitlab/abc"
SECRET = "whsec_" + base64.b64encode(b"0" * 32).decode()


@pytest.fixture
def client(forge: Forge, open_gitlab: OpenGitLab) -> Client:
    return open_gitlab(forge.gitlab_token("acme"))


def test_a_webhook_listens_to_pushes_checks_tls_and_signs_in_both_ways(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    made = client.create_hook("acme/secret", url=URL, secret=SECRET)
    assert (made.url, made.active, made.complete) == (URL, True, True)
    assert client.hooks("acme/secret") == (made,)
    kept = forge.world.hooks.find(int(made.id))
    assert kept is not None
    assert (kept.secret, kept.signing_token) == (SECRET, SECRET)
    assert kept.events == {"push_events"}
    assert kept.options["enable_ssl_verification"] is True


def test_its_deliveries_verify_by_signature_and_on_an_older_server_by_token(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    secret = new_secret("gitlab")
    made = client.create_hook("acme/secret", url=URL, secret=secret)
    kept = forge.world.hooks.find(int(made.id))
    assert kept is not None
    for signed in (True, False):
        if not signed:
            forge.world.hooks.update(kept, signing_token="")
        forge.push("acme/secret", {"new.md": f"signed: {signed}"})
        sent = forge.world.hooks.deliveries[-1]
        assert ("webhook-signature" in {name.lower() for name in sent.headers}) is signed
        verify("gitlab", dict(sent.headers.items()), sent.body, [secret], now=datetime.now(UTC))


def test_a_webhook_that_lacks_something_is_not_complete_and_an_update_completes_it(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    made = client.create_hook("acme/secret", url=URL, secret=SECRET)
    kept = forge.world.hooks.find(int(made.id))
    assert kept is not None
    for lack in (
        {"events": frozenset({"tag_push_events"})},
        {"options": {"enable_ssl_verification": False}},
        {"options": {"push_events_branch_filter": "main"}},
        {"signing_token": ""},
        {"secret": ""},
    ):
        forge.world.hooks.update(kept, **lack)
        assert [hook.complete for hook in client.hooks("acme/secret")] == [False]
        healed = client.update_hook("acme/secret", made.id, url=URL, secret=SECRET)
        assert (healed.id, healed.complete, healed.active) == (made.id, True, True)


class Inbox(WireServer):
    """Whoever takes the deliveries: it answers `status` to all."""

    def __init__(self) -> None:
        super().__init__([])
        self.status = 500

    def answer(self, _request: Request) -> Reply:
        return Reply(self.status)


def test_a_webhook_that_gitlab_switched_off_is_healed_once_deliveries_are_taken_again(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    with Inbox() as inbox:
        made = client.create_hook("acme/secret", url=inbox.url, secret=SECRET)
        for n in range(4):
            forge.push("acme/secret", {"n.md": str(n)})
        assert [hook.active for hook in client.hooks("acme/secret")] == [False]
        assert not client.update_hook("acme/secret", made.id, url=inbox.url, secret=SECRET).active
        inbox.status = 202
        healed = client.update_hook("acme/secret", made.id, url=inbox.url, secret=SECRET)
        assert (healed.id, healed.active, healed.complete) == (made.id, True, True)
        assert client.hooks("acme/secret") == (healed,)


def test_another_address_and_secret_take_the_place_of_the_old(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    made = client.create_hook("acme/secret", url=URL, secret=new_secret("gitlab"))
    client.update_hook("acme/secret", made.id, url=f"{URL}/new", secret=SECRET)
    kept = forge.world.hooks.find(int(made.id))
    assert kept is not None
    assert (kept.url, kept.secret, kept.signing_token) == (f"{URL}/new", SECRET, SECRET)


def test_a_webhook_that_is_gone_is_taken_away_without_a_word(client: Client, private_repo: HostedRepository) -> None:
    made = client.create_hook("acme/secret", url=URL, secret=SECRET)
    for _ in range(2):
        client.delete_hook("acme/secret", made.id)
    assert client.hooks("acme/secret") == ()
    with pytest.raises(NotFound):
        client.update_hook("acme/secret", made.id, url=URL, secret=SECRET)


def test_webhooks_want_a_maintainer_and_the_scope_api_and_say_so(
    forge: Forge, open_gitlab: OpenGitLab, private_repo: HostedRepository
) -> None:
    private_repo.roles["dora"] = "write"
    weak = forge.gitlab_token("acme", scopes=["read_api"])
    for token in (forge.gitlab_token("dora"), weak):
        client = open_gitlab(token)
        asked: list[Callable[[], object]] = [
            lambda client=client: client.create_hook("acme/secret", url=URL, secret=SECRET),  # type: ignore[misc]
            lambda client=client: client.update_hook("acme/secret", "1", url=URL, secret=SECRET),  # type: ignore[misc]
            lambda client=client: client.delete_hook("acme/secret", "1"),  # type: ignore[misc]
        ]
        for ask in asked:
            with pytest.raises(Forbidden, match="“api”") as caught:
                ask()
            assert token == weak or "Maintainers" in str(caught.value)
            assert SECRET not in str(caught.value)
    with pytest.raises(NotFound):
        open_gitlab(forge.gitlab_token("mallory")).hooks("acme/secret")


def test_a_server_that_fails_keeps_the_secret_to_itself(
    forge: Forge, client: Client, private_repo: HostedRepository
) -> None:
    for fault in (faults.status(500, SECRET), faults.status(422, SECRET), faults.status(400, SECRET)):
        with forge.fault(fault), pytest.raises(Exception) as caught:
            client.create_hook("acme/secret", url=URL, secret=SECRET)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
