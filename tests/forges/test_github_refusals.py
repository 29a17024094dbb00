"""GitHub: every way to say no, and what it is told as."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from forges.clients.errors import AuthFailed, Forbidden, ForgeError, NotFound, RateLimited, Unavailable
from tests.forges.conftest import OpenGitHub
from tests.wire import faults
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def ask_each(forge: Forge, open_github: OpenGitHub, hosted: HostedRepository, fault: faults.Fault) -> list[ForgeError]:
    """What each kind of request says under a fault: by PyGithub, by REST, by GraphQL, as an archive."""
    client = open_github(forge.token("acme"))
    commit = hosted.git.tip("main") or ""
    errors = []
    with forge.fault(fault):
        for ask in (
            client.account,
            client.repositories,
            lambda: client.repository("acme/docs"),
            lambda: client.branches("acme/docs"),
            lambda: client.head("acme/docs", "main"),
            lambda: client.tree("acme/docs", commit),
            lambda: list(client.archive("acme/docs", commit).__enter__()),
            lambda: list(client.blobs("acme/docs", ["1" * 40])),
        ):
            try:
                ask()
            except ForgeError as error:
                errors.append(error)
    assert len(errors) == 8 or (
        len(errors) == 7 and isinstance(errors[0], NotFound)
    )  # blobs that are not there are left out
    return errors


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (faults.rate_limited(reset_in=600), 600),
        (faults.secondary_limited(retry_after=90), 90),
        (faults.secondary_limited(retry_after=30, code=403), 30),
        (faults.secondary_limited(retry_after=None), 60),
        (faults.secondary_limited(retry_after=None, code=403), 60),
        (faults.status(429, "Too many"), 60),
        (faults.secondary_limited(retry_after=10**9), 24 * 3600),
    ],
)
def test_too_many_requests_say_when_to_go_on_and_never_that_the_token_is_wrong(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository, fault: faults.Fault, seconds: int
) -> None:
    for error in ask_each(forge, open_github, github_repo, fault):
        assert isinstance(error, RateLimited)
        assert error.retryable
        assert error.reset_at is not None
        assert abs(error.reset_at - datetime.now(UTC) - timedelta(seconds=seconds)) < timedelta(seconds=5)


def test_nobody_waits_in_the_process_for_a_limit_to_reset(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    start = time.monotonic()
    ask_each(forge, open_github, github_repo, faults.rate_limited(reset_in=3600))
    ask_each(forge, open_github, github_repo, faults.status(202, "Later"))
    ask_each(forge, open_github, github_repo, faults.status(500))
    assert time.monotonic() - start < 5
    assert forge.requests.count() == 24


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.unauthorized(), AuthFailed),
        (faults.missing_scope(), Forbidden),
        (faults.status(403, "Forbidden"), Forbidden),
        (faults.status(451, "Blocked"), NotFound),
        (faults.status(500), Unavailable),
        (faults.status(202, "Later"), Unavailable),
    ],
)
def test_each_refusal_is_told_as_what_it_is(
    forge: Forge,
    open_github: OpenGitHub,
    github_repo: HostedRepository,
    fault: faults.Fault,
    error: type[ForgeError],
) -> None:
    for found in ask_each(forge, open_github, github_repo, fault):
        assert type(found) is error
        assert found.advice
        assert str(found).startswith("127.0.0.1 ")


def test_a_github_for_members_alone_asks_for_a_token_where_there_is_none(forge: Forge, open_github: OpenGitHub) -> None:
    with forge.fault(faults.unauthorized()), pytest.raises(AuthFailed, match="asks for a token for"):
        open_github().head("acme/docs", "main")
    with forge.fault(faults.unauthorized()), pytest.raises(AuthFailed, match="wrong, expired or revoked"):
        open_github(forge.token("acme")).head("acme/docs", "main")


def test_single_sign_on_is_named_as_the_next_step(forge: Forge, open_github: OpenGitHub) -> None:
    fault = faults.status(403, "Resource protected", X_GitHub_SSO="required; url=https://secret.example")
    with forge.fault(fault), pytest.raises(Forbidden, match="single sign-on") as caught:
        open_github(forge.token("acme")).head("acme/docs", "main")
    assert "secret.example" not in str(caught.value)


def test_what_the_server_says_is_never_repeated(
    forge: Forge, open_github: OpenGitHub, github_repo: HostedRepository
) -> None:
    for code in (400, 401, 403, 404, 409, 422, 500):
        for error in ask_each(forge, open_github, github_repo, faults.status(code, "https://unblock.example/42")):
            assert "unblock" not in str(error)


def test_the_rate_that_is_left_is_recorded(forge: Forge, open_github: OpenGitHub) -> None:
    token = forge.token("acme")
    forge.world.leave(100, token=token, reset_in=900)
    client = open_github(token)
    client.account()
    assert client.usage.rate_remaining in (99, 100)
    assert client.usage.rate_limit
    assert client.usage.rate_reset_at is not None
    assert abs(client.usage.rate_reset_at - datetime.now(UTC) - timedelta(seconds=900)) < timedelta(seconds=5)


def test_a_token_whose_hour_is_spent_says_when_it_goes_on(forge: Forge, open_github: OpenGitHub) -> None:
    token = forge.token("acme")
    forge.world.leave(0, token=token, reset_in=120)
    with pytest.raises(RateLimited) as caught:
        open_github(token).account()
    assert caught.value.reset_at is not None
