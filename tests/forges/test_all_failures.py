"""One suite for every client: forges that refuse, fail, stall or lie are told apart alike, and no token gets out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from forges.clients import open_client
from forges.clients.base import Client, Credential
from forges.clients.errors import (
    AuthFailed,
    ForgeError,
    InvalidName,
    NotFound,
    OutOfTime,
    Unavailable,
)
from tests.forges.conftest import LIMITS, POLICY, SIDES, Way
from tests.wire import faults, samples
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def test_a_private_repository_is_hidden_without_its_token(remote_way: Way, private_repo: HostedRepository) -> None:
    name = remote_way.name(private_repo)
    with remote_way.open("acme") as client:
        assert client.head(name, "main")
        assert client.repository(name).private
    for credential in (Credential(), remote_way.credential("mallory"), Credential("wrong-token")):
        with remote_way.open(credential=credential) as client, pytest.raises((NotFound, AuthFailed)) as caught:
            client.head(name, "main")
        assert not caught.value.retryable


@pytest.mark.parametrize(
    ("fault", "error", "retryable"),
    [
        (faults.status(502), Unavailable, True),
        (faults.status(500), Unavailable, True),
        (faults.status(404), NotFound, False),
        (faults.status(401, "Bad credentials"), AuthFailed, False),
        (faults.cut_before_reply(), Unavailable, True),
        (faults.cut_body(after=10), Unavailable, True),
        (faults.redirect("http://169.254.169.254/latest/"), ForgeError, False),
        (faults.redirect("http://10.0.0.1/"), ForgeError, False),
    ],
)
def test_a_forge_that_fails_is_told_by_the_tree_of_errors(
    remote_way: Way,
    github_repo: HostedRepository,
    fault: faults.Fault,
    error: type[ForgeError],
    retryable: bool,
) -> None:
    client = remote_way.open("acme")
    with client, remote_way.forge.fault(fault), pytest.raises(error) as caught:
        client.head(remote_way.name(github_repo), "main")
    assert caught.value.retryable is retryable


def test_a_page_in_place_of_an_answer_is_not_taken_for_one(remote_way: Way, github_repo: HostedRepository) -> None:
    for fault in (faults.web_page(), faults.web_page(503)):
        client = remote_way.open("acme")
        with client, remote_way.forge.fault(fault), pytest.raises((Unavailable, NotFound)) as caught:
            client.head(remote_way.name(github_repo), "main")
        assert "Maintenance" not in str(caught.value)


def test_a_forge_that_does_not_answer_is_given_up(remote_way: Way, github_repo: HostedRepository) -> None:
    client = remote_way.open("acme", timeout=0.2)
    with client, remote_way.forge.fault(faults.slow(1.5)), pytest.raises(Unavailable, match="in time"):
        client.head(remote_way.name(github_repo), "main")


def test_a_forge_that_trickles_is_given_up_at_the_deadline(remote_way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/slow")
    commit = hosted.git.commit(samples.many(100))
    trickle = faults.slow_body(pause=0.05, piece=100)
    client = remote_way.open("acme", timeout=2, total_timeout=0.5)
    with (
        client,
        forge.fault(trickle),
        pytest.raises(Unavailable, match="too long"),
        client.archive(remote_way.name(hosted), commit) as files,
    ):
        list(files)


def test_a_client_is_out_of_time_as_a_whole_whatever_each_request_may_take(
    remote_way: Way, github_repo: HostedRepository
) -> None:
    name = remote_way.name(github_repo)
    client = remote_way.open("acme", deadline=1.0)
    began = time.monotonic()
    with client, remote_way.forge.fault(faults.slow(0.4)), pytest.raises(OutOfTime, match="in time"):
        [client.head(name, "main") for _ in range(10)]
    assert time.monotonic() - began < 2
    assert client.usage.requests <= 3
    with client:
        assert client.head(name, "main"), "entered anew, it has its time anew"


def test_a_trickle_ends_with_the_time_of_the_client(remote_way: Way, forge: Forge) -> None:
    hosted = forge.repository("acme/slow")
    commit = hosted.git.commit(samples.many(100))
    client = remote_way.open("acme", deadline=0.5)
    with (
        client,
        forge.fault(faults.slow_body(pause=0.05, piece=100)),
        pytest.raises(OutOfTime, match="in time"),
        client.archive(remote_way.name(hosted), commit) as files,
    ):
        list(files)


def test_a_redirect_to_another_host_does_not_get_the_token(remote_way: Way, github_repo: HostedRepository) -> None:
    elsewhere = remote_way.forge.listen_also()
    credential = remote_way.credential("acme")
    client = remote_way.open(credential=credential)
    remote_way.forge.requests.clear()
    fault = faults.redirect(f"{elsewhere}/acme/docs/info/refs?service=git-upload-pack", 307)
    with client, remote_way.forge.fault(fault, times=1), suppress(ForgeError):
        client.head(remote_way.name(github_repo), "main")
    asked = [request for request in remote_way.forge.requests if request.origin == elsewhere]
    assert asked
    assert all("Authorization" not in request.headers for request in asked)
    assert all(credential.token not in value for request in asked for value in request.headers.values())
    assert client.usage.requests == remote_way.forge.requests.count()


def test_a_token_is_not_sent_over_http_to_a_host_that_nobody_vouched_for() -> None:
    for side in SIDES.values():
        base_url = f"http://git.example{side.api}"
        name = "acme/docs" if side.api else f"{base_url}/docs"
        client = open_client(side.key, base_url=base_url, credential=Credential("secret"), policy=POLICY, limits=LIMITS)
        with pytest.raises(InvalidName, match="https"):
            client.head(name, "main")


def test_inward_addresses_are_refused_before_anything_is_sent() -> None:
    for side in SIDES.values():
        base_url = f"http://10.1.2.3{side.api}"
        name = "acme/docs" if side.api else f"{base_url}/docs"
        client = open_client(side.key, base_url=base_url, credential=Credential(), policy=POLICY, limits=LIMITS)
        with client, pytest.raises(ForgeError, match="only public addresses") as caught:
            client.head(name, "main")
        assert caught.value.code == "address_refused"
        assert not caught.value.retryable


def test_no_token_is_in_any_error_or_log_line(
    remote_way: Way, private_repo: HostedRepository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credential = remote_way.credential("acme")
    token = credential.token
    name = remote_way.name(private_repo)
    commit = private_repo.git.tip("main") or ""

    def everything(client: Client) -> list[Callable[[], object]]:
        return [
            client.account,
            client.repositories,
            lambda: client.repository(name),
            lambda: client.branches(name),
            lambda: client.head(name, "main"),
            lambda: client.tree(name, commit),
            lambda: list(client.archive(name, commit).__enter__()),
            lambda: list(client.blobs(name, ["1" * 40])),
        ]

    causes: list[str] = [repr(credential)]
    for fault in (
        None,
        faults.unauthorized(),
        faults.status(500, f"it was {token}"),
        faults.status(403, f"it was {token}"),
        faults.cut_before_reply(),
        faults.redirect(f"http://{token}@127.0.0.1:9/"),
        faults.redirect(f"http://10.0.0.1/{token}"),
        faults.web_page(),
        faults.cut_body(after=30),
    ):
        for step in range(8):
            with remote_way.open(credential=credential) as client:
                armed = remote_way.forge.arm(fault) if fault else None
                try:
                    everything(client)[step]()
                except ForgeError as error:
                    seen: BaseException | None = error
                    while seen is not None:
                        causes += [str(seen), repr(seen)]
                        seen = seen.__cause__
                finally:
                    if armed:
                        remote_way.forge.disarm(armed)
                causes += [repr(client), repr(client.usage)]
    assert len(causes) > 20
    assert all(token not in cause for cause in causes)
    assert token not in caplog.text
