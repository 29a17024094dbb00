"""Servers that send more than was asked for, or send us elsewhere: a tenant may name any that can be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from forges.clients import github_trees, gitlab_trees, open_client
from forges.clients.base import Author, Client
from forges.clients.errors import ForgeError, TooLarge
from forges.clients.transport import check_values
from tests.forges.conftest import LIMITS, POLICY, SIDES
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.messages import Headers, Reply
from tests.wire.world import HostedRepository

Ask = Callable[[Client], Any]

ASKS: dict[str, Ask] = {
    "account": lambda client: client.account(),
    "repositories": lambda client: client.repositories(),
    "repository": lambda client: client.repository("acme/docs"),
    "branches": lambda client: client.branches("acme/docs"),
    "head": lambda client: client.head("acme/docs", "main"),
    "tree": lambda client: client.tree("acme/docs", "a" * 40),
    "hooks": lambda client: client.hooks("acme/docs"),
    "pull request": lambda client: client.find_pull_request("acme/docs", source="a", target="main"),
}


WRITES: dict[str, Ask] = {
    "make a webhook": lambda client: client.create_hook("acme/docs", url="https://m.example/h", secret=SECRET),
    "change a webhook": lambda client: client.update_hook("acme/docs", "1", url="https://m.example/h", secret=SECRET),
    "delete a webhook": lambda client: client.delete_hook("acme/docs", "1"),
    "commit": lambda client: client.commit(
        "acme/docs",
        branch="main",
        parent="a" * 40,
        changes={"a.md": SECRET.encode()},
        message=SECRET,
        author=Author("A", "a@example.org"),
    ),
    "propose": lambda client: client.pull_request("acme/docs", source="a", target="main", title=SECRET, body=SECRET),
}
SECRET = "whsec_c2VjcmV0IG9mIGEgd2ViaG9vayBvZiBvdXJzICEhIQ=="


def opened(forge: Forge, key: str) -> Client:
    side = SIDES[key]
    return open_client(
        key, base_url=side.base_url(forge), credential=side.credential(forge, "acme"), policy=POLICY, limits=LIMITS
    )


def flood(status: int = 200) -> faults.Fault:
    """Six megabytes that would be a hundred and fifty in memory."""
    body = b"[" + b"{}," * 2_100_000 + b"{}]"
    return faults.instead(lambda: Reply(status, body))


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("key", ["github", "gitlab", "bitbucket"])
def test_an_answer_of_nothing_but_values_is_not_unpacked(
    key: str, ask: str, forge: Forge, github_repo: HostedRepository
) -> None:
    with opened(forge, key) as client, forge.fault(flood()), pytest.raises(TooLarge, match="more values"):
        ASKS[ask](client)


@pytest.mark.parametrize("key", ["github", "gitlab", "bitbucket"])
def test_a_refusal_of_nothing_but_values_is_a_refusal(key: str, forge: Forge, github_repo: HostedRepository) -> None:
    with opened(forge, key) as client, forge.fault(flood(403)), pytest.raises(ForgeError) as caught:
        client.branches("acme/docs")
    assert caught.value.code == "forbidden"


def test_texts_full_of_commas_are_no_flood() -> None:
    text = json.dumps({"text": '1,2,{}[],\\",' * 500_000})
    check_values("github.com", text.encode())


@pytest.mark.parametrize("key", ["github", "gitlab"])
def test_a_listing_ends_where_its_paths_take_too_much_room(
    key: str, forge: Forge, github_repo: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    github_repo.git.commit({f"{'long/' * 40}{n}.md": f"{n}" for n in range(5)})
    reader: Any = {"github": github_trees, "gitlab": gitlab_trees}[key].TreeReader
    real = reader.__init__
    monkeypatch.setattr(reader, "__init__", lambda self, *args: real(self, *args, _room=500))
    with opened(forge, key) as client:
        listing = client.tree("acme/docs", github_repo.git.tip("main") or "")
    assert not listing.complete
    assert "longer than there is room for" in listing.reason


@pytest.mark.parametrize("ask", [*ASKS, *WRITES])
@pytest.mark.parametrize("key", ["github", "gitlab", "bitbucket"])
def test_nothing_secret_follows_a_redirect_to_another_server(
    key: str, ask: str, forge: Forge, github_repo: HostedRepository
) -> None:
    elsewhere = forge.listen_also()
    side = SIDES[key]
    credential = side.credential(forge, "acme")
    for status in (301, 302, 303, 307, 308):

        def lead_away(request: Any, _proceed: Any, status: int = status) -> Reply:
            if request.origin == elsewhere:
                return Reply(200, b"{}")
            return Reply(status, b"", Headers([("Location", f"{elsewhere}/stolen")]))

        client = open_client(key, base_url=side.base_url(forge), credential=credential, policy=POLICY, limits=LIMITS)
        with client, forge.fault(lead_away), suppress(ForgeError):
            (ASKS | WRITES)[ask](client)
    for request in forge.requests:
        if request.origin == elsewhere:
            sent = f"{request.query} {dict(request.headers)} {request.body.decode()}"
            assert credential.token not in sent
            assert SECRET not in sent
            assert not {"authorization", "private-token", "cookie"} & {name.lower() for name in request.headers}
