"""What an answer's status and headers mean, whatever they claim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import urllib3

from forges.clients import FORGES, open_client
from forges.clients.base import Credential, Limits, Usage
from forges.clients.errors import (
    AddressRefused,
    AuthFailed,
    Forbidden,
    ForgeError,
    InvalidName,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
)
from forges.clients.transport import record_rate, refused, translated
from lib import egress


def wait(status: int, **headers: str) -> float:
    """Seconds that a refusal asks to wait."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    error = refused("forge.example", status, fields, "the repository")
    assert isinstance(error, RateLimited)
    assert error.reset_at is not None
    return (error.reset_at - datetime.now(UTC)).total_seconds()


def test_the_wait_is_the_one_that_the_forge_names() -> None:
    assert wait(429, retry_after="30") == pytest.approx(30, abs=2)
    assert wait(403, retry_after="30", x_ratelimit_remaining="4000") == pytest.approx(30, abs=2)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    assert wait(429, retry_after=date) == pytest.approx(300, abs=3)
    reset = str(int(datetime.now(UTC).timestamp()) + 500)
    assert wait(403, x_ratelimit_remaining="0", x_ratelimit_reset=reset) == pytest.approx(500, abs=3)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "٣٠", "Tue, 99 Nov 2026", "9" * 40])
def test_a_wait_that_is_none_is_a_minute(value: str) -> None:
    assert wait(429, retry_after=value) == pytest.approx(60, abs=2)


def test_no_forge_makes_us_wait_for_more_than_a_day() -> None:
    assert wait(429, retry_after="99999999") == pytest.approx(86_400, abs=2)
    assert wait(403, x_ratelimit_remaining="0", x_ratelimit_reset="99999999999") == pytest.approx(86_400, abs=2)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthFailed),
        (403, Forbidden),
        (404, NotFound),
        (410, NotFound),
        (418, Unavailable),
        (500, Unavailable),
        (302, Unavailable),
    ],
)
def test_each_status_has_its_error(status: int, error: type[ForgeError]) -> None:
    found = refused("forge.example", status, {"x-ratelimit-remaining": "10", "x-ratelimit-limit": "60"}, "the branch x")
    assert type(found) is error
    assert "forge.example" in str(found)


def test_only_the_main_rate_is_recorded() -> None:
    usage = Usage()
    record_rate(usage, {"x-ratelimit-remaining": "7", "x-ratelimit-limit": "5000", "x-ratelimit-resource": "graphql"})
    record_rate(usage, {"x-ratelimit-remaining": "minus", "x-ratelimit-limit": "5000"})
    assert usage == Usage()
    record_rate(usage, {"x-ratelimit-remaining": "41", "x-ratelimit-limit": "60", "x-ratelimit-reset": "9" * 12})
    assert usage == Usage(rate_remaining=41, rate_limit=60, rate_reset_at=None)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (egress.AddressRefused("not public"), AddressRefused),
        (egress.SchemeRefused("no"), InvalidName),
        (egress.TooManyRedirects("no"), InvalidName),
        (egress.BodyTooLarge("no"), TooLarge),
        (egress.DeadlineExceeded("no"), Unavailable),
        (requests.ReadTimeout("secret"), Unavailable),
        (requests.exceptions.SSLError("secret"), Unavailable),
        (requests.exceptions.ChunkedEncodingError("secret"), Unavailable),
        (urllib3.exceptions.ProtocolError("secret"), Unavailable),
        (ConnectionResetError("secret"), Unavailable),
        (NotFound("as it is"), NotFound),
    ],
)
def test_each_network_failure_has_its_error(raised: Exception, error: type[ForgeError]) -> None:
    with pytest.raises(error) as caught, translated("forge.example"):
        raise raised
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)


def test_a_failure_that_is_wrapped_up_is_still_known() -> None:
    pool = urllib3.HTTPConnectionPool("forge.example")
    timed_out = urllib3.exceptions.MaxRetryError(pool, "/", urllib3.exceptions.ReadTimeoutError(pool, "/", "slow"))
    with pytest.raises(Unavailable, match="in time"), translated("forge.example"):
        raise timed_out
    with pytest.raises(AddressRefused), translated("forge.example"):
        raise requests.ConnectionError from egress.AddressRefused("not public")


def test_an_error_that_is_its_own_context_is_still_told() -> None:
    first, second = ConnectionResetError("a"), ConnectionResetError("b")
    first.__context__, second.__context__ = second, first
    with pytest.raises(Unavailable), translated("forge.example"):
        raise first


def test_every_error_says_what_to_do_next_and_has_a_code_of_its_own() -> None:
    def below(kind: type[ForgeError]) -> list[type[ForgeError]]:
        return [kind, *(deeper for found in kind.__subclasses__() for deeper in below(found))]

    # What a client tells apart for itself is the same to everybody else.
    kinds = [kind for kind in below(ForgeError)[1:] if kind.__module__ == ForgeError.__module__]
    assert len({kind.code for kind in kinds}) == len(kinds) >= 10
    assert all(kind.advice.endswith(".") for kind in kinds)


def test_forges_are_one_plain_list() -> None:
    assert list(FORGES) == ["github", "gitlab", "bitbucket", "git"]
    for key, forge in FORGES.items():
        assert forge.key == key
        assert forge.label
        assert forge.documentation.startswith("https://")
    with pytest.raises(KeyError):
        open_client("svn", credential=Credential(), policy=egress.Policy(), limits=Limits())


def test_a_clients_default_is_the_public_forge() -> None:
    client = open_client("github", credential=Credential(), policy=egress.Policy(), limits=Limits())
    assert client.commit_url("acme/docs", "1" * 40) == f"https://github.com/acme/docs/commit/{'1' * 40}"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("https://github.com/acme/docs", "https://github.com/acme/docs/blob/{}/a%20b.md"),
        ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c/-/blob/{}/a%20b.md"),
        ("https://codeberg.org/acme/docs", "https://codeberg.org/acme/docs/src/commit/{}/a%20b.md"),
        ("https://git.example/docs", ""),
    ],
)
def test_plain_git_knows_the_pages_of_known_forges_alone(name: str, page: str) -> None:
    client = open_client("git", credential=Credential(), policy=egress.Policy(), limits=Limits())
    assert client.file_url(name, "1" * 40, "a b.md") == page.format("1" * 40)
