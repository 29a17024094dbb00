"""Webhooks: who signed a delivery, and everything that an attacker could send in its place."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forges.clients.webhooks import Refused, new_secret, safe_headers, verify

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BODY = b'{"zen": "Keep it \\u2728"}'
SECRET = "a-secret-of-this-hook"
SIGNING_TOKEN = "whsec_" + base64.b64encode(b"k" * 32).decode()


def signed(secret: str = SECRET, body: bytes = BODY, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def gitlab_headers(
    token: str = SIGNING_TOKEN, body: bytes = BODY, *, at: datetime = NOW, message_id: str = "msg-1"
) -> dict[str, str]:
    """As a receiver's library would make them: https://www.standardwebhooks.com."""
    sent = str(int(at.timestamp()))
    key = base64.b64decode(token.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": sent,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def refusal(forge: str, headers: Mapping[str, str], *, secrets: tuple[str, ...] = (SECRET,), body: bytes = BODY) -> str:
    """The code that a delivery is refused with; "" if it is taken."""
    try:
        verify(forge, headers, body, secrets, now=NOW)
    except Refused as refused:
        return refused.code
    return ""


HMAC_FORGES = [("github", "X-Hub-Signature-256"), ("bitbucket", "X-Hub-Signature")]


@pytest.mark.parametrize(("forge", "header"), HMAC_FORGES)
def test_a_body_signed_with_the_secret_is_taken(forge: str, header: str) -> None:
    assert refusal(forge, {header: signed()}) == ""
    assert refusal(forge, {header.upper(): signed()}) == ""
    assert refusal(forge, {header.lower(): signed()}) == ""


def test_the_signature_of_githubs_documentation_is_taken() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": signature}
    assert refusal("github", headers, secrets=("It's a Secret to Everybody",), body=b"Hello, World!") == ""


@pytest.mark.parametrize(("forge", "header"), HMAC_FORGES)
@pytest.mark.parametrize(
    "given_signature",
    [
        signed("another hook's secret"),
        signed(body=BODY + b" "),
        signed()[:-1],
        signed() + "0",
        signed().upper(),
        signed().removeprefix("sha256="),
        signed(algorithm="sha1"),
        signed(algorithm="sha512"),
        "sha1=" + signed().removeprefix("sha256="),
        signed("another") + "," + signed(),
        signed() + "," + signed(),
        " " + signed(),
        "sha256=",
        "sha256=" + "ü" * 64,
        "sha256=" + "٣" * 64,
        "\udcff",
    ],
)
def test_any_other_signature_is_refused(forge: str, header: str, given_signature: str) -> None:
    assert refusal(forge, {header: given_signature}) == "wrong_signature"


def test_a_delivery_without_signature_is_refused() -> None:
    for forge in ("github", "gitlab", "bitbucket", "git", "nothing"):
        assert refusal(forge, {}) == "no_signature"
    assert refusal("github", {"X-Hub-Signature-256": ""}) == "no_signature"
    assert refusal("github", {"X-Hub-Signature": signed(algorithm="sha1")}) == "no_signature"
    assert refusal("github", {"X-Hub-Signature": signed()}) == "no_signature"
    assert refusal("gitlab", {"X-Gitlab-Token": ""}) == "no_signature"


def test_a_forge_cannot_stand_in_for_another() -> None:
    assert refusal("gitlab", {"X-Hub-Signature-256": signed()}) == "no_signature"
    assert refusal("github", {"X-Gitlab-Token": SECRET}) == "no_signature"
    assert refusal("bitbucket", {"X-Hub-Signature-256": signed()}) == "no_signature"


def test_old_and_new_secret_are_taken_while_they_overlap() -> None:
    for secrets in (("new", SECRET), (SECRET, "new"), ("", SECRET, "")):
        assert refusal("github", {"X-Hub-Signature-256": signed()}, secrets=secrets) == ""
        assert refusal("gitlab", {"X-Gitlab-Token": SECRET}, secrets=secrets) == ""
    both = ("whsec_" + base64.b64encode(b"n" * 32).decode(), SIGNING_TOKEN)
    assert refusal("gitlab", gitlab_headers(), secrets=both) == ""


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_an_empty_secret_never_verifies(secrets: tuple[str, ...]) -> None:
    assert refusal("github", {"X-Hub-Signature-256": signed("")}, secrets=secrets) == "wrong_signature"
    assert refusal("bitbucket", {"X-Hub-Signature": signed("")}, secrets=secrets) == "wrong_signature"
    assert refusal("gitlab", {"X-Gitlab-Token": " "}, secrets=secrets) == "wrong_signature"
    assert refusal("gitlab", gitlab_headers("whsec_"), secrets=(*secrets, "whsec_")) == "wrong_signature"


def test_gitlabs_token_is_compared_whole() -> None:
    assert refusal("gitlab", {"X-Gitlab-Token": SECRET}) == ""
    assert refusal("gitlab", {"x-gitlab-token": SECRET}) == ""
    for wrong in (SECRET[:-1], SECRET + "x", SECRET.upper(), "other", "\udcff", "ü"):
        assert refusal("gitlab", {"X-Gitlab-Token": wrong}) == "wrong_signature"


def test_gitlabs_signing_token_signs_id_time_and_body() -> None:
    assert refusal("gitlab", gitlab_headers(), secrets=(SIGNING_TOKEN,)) == ""
    for name, value in {"webhook-id": "msg-2", "webhook-timestamp": str(int(NOW.timestamp()) + 1)}.items():
        assert refusal("gitlab", gitlab_headers() | {name: value}, secrets=(SIGNING_TOKEN,)) == "wrong_signature"
    assert refusal("gitlab", gitlab_headers(), secrets=(SIGNING_TOKEN,), body=BODY + b"\n") == "wrong_signature"


def test_one_good_signature_among_several_is_enough() -> None:
    headers = gitlab_headers()
    good = headers["webhook-signature"]
    for several in (f"v1,AAAA {good}", f"{good} v1,AAAA", f"v2,AAAA  {good} v1a,BBBB"):
        assert refusal("gitlab", headers | {"webhook-signature": several}, secrets=(SIGNING_TOKEN,)) == ""
    for none in ("v1,AAAA v1,BBBB", good.replace("v1,", "v2,"), good.removeprefix("v1,"), "v1,", " ", good[:-2]):
        assert refusal("gitlab", headers | {"webhook-signature": none}, secrets=(SIGNING_TOKEN,)) == "wrong_signature"


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "٣", "9" * 13, "1700000000.5", " 1700000000"])
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    headers = gitlab_headers() | {"webhook-timestamp": timestamp}
    assert refusal("gitlab", headers, secrets=(SIGNING_TOKEN,)) == "wrong_signature"


@pytest.mark.parametrize(("seconds", "code"), [(0, ""), (299, ""), (-299, ""), (301, "stale"), (-301, "stale")])
def test_an_old_delivery_is_a_replay(seconds: int, code: str) -> None:
    headers = gitlab_headers(at=NOW - timedelta(seconds=seconds))
    assert refusal("gitlab", headers, secrets=(SIGNING_TOKEN,)) == code


def test_a_wrong_signature_is_told_before_its_age() -> None:
    headers = gitlab_headers(at=NOW - timedelta(days=1))
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    assert refusal("gitlab", headers, secrets=(other,)) == "wrong_signature"


def test_the_signature_alone_decides_how_gitlab_is_verified() -> None:
    unsigned = {name: value for name, value in gitlab_headers().items() if name != "webhook-signature"}
    assert refusal("gitlab", unsigned | {"X-Gitlab-Token": SECRET}) == ""
    assert refusal("gitlab", unsigned) == "no_signature"
    # A wrong signature is not made good by a right token.
    forged = gitlab_headers() | {"webhook-signature": "v1,AAAA", "X-Gitlab-Token": SIGNING_TOKEN}
    assert refusal("gitlab", forged, secrets=(SIGNING_TOKEN,)) == "wrong_signature"


@pytest.mark.parametrize("secret", ["plain", "whsec_", "whsec_not base64!", "whsec_ü", "WHSEC_" + "A" * 44])
def test_a_secret_that_is_no_signing_token_verifies_no_signature(secret: str) -> None:
    assert refusal("gitlab", gitlab_headers(), secrets=(secret,)) == "wrong_signature"


def test_new_secrets_are_such_as_the_forge_takes() -> None:
    assert len({new_secret(forge) for forge in ("github", "bitbucket", "gitlab") for _ in range(10)}) == 30
    token = new_secret("gitlab")
    assert len(base64.b64decode(token.removeprefix("whsec_"), validate=True)) == 32
    assert refusal("gitlab", gitlab_headers(token), secrets=(token,)) == ""
    assert len(new_secret("github")) >= 40


@given(st.dictionaries(st.text(), st.text()), st.binary(), st.lists(st.text(), max_size=3), st.text())
@settings(deadline=None)
def test_nothing_but_refused_is_raised_by_verifying(
    extra: dict[str, str], body: bytes, secrets: list[str], odd: str
) -> None:
    names = ("X-Hub-Signature-256", "X-Hub-Signature", "X-Gitlab-Token", "webhook-id", "webhook-timestamp")
    for forge in ("github", "gitlab", "bitbucket"):
        for headers in (extra, dict.fromkeys(names, odd), gitlab_headers() | {"webhook-signature": odd}):
            if odd and odd in secrets:
                continue  # GitLab's plain token
            with pytest.raises(Refused):
                verify(forge, headers, body, secrets, now=NOW)


def test_headers_are_shown_without_what_is_secret() -> None:
    kept = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/1",
        "x-github-delivery": "72d3162e",
        "x-github-event": "push",
        "x-gitlab-event": "Push Hook",
        "x-event-key": "repo:push",
        "x-attempt-number": "2",
        "x-hook-uuid": "1",
        "webhook-id": "msg-1",
        "webhook-timestamp": "1700000000",
        "idempotency-key": "k",
    }
    secret = {
        "Authorization": "Bearer x",
        "Cookie": "sessionid=x",
        "X-Gitlab-Token": "x",
        "X-Hub-Signature": "sha1=x",
        "X-Hub-Signature-256": "sha256=x",
        "Webhook-Signature": "v1,x",
        "X-Forwarded-Access-Token": "x",
        "Proxy-Authorization": "x",
        "X-My-Own": "a header that a person added at GitLab",
        "X-Gitlab-" + "x" * 100: "x",
    }
    assert safe_headers({name.title(): value for name, value in kept.items()} | secret) == dict(sorted(kept.items()))
    assert safe_headers({"User-Agent": "a\0b" + "c" * 1000})["user-agent"] == "a\ufffdb" + "c" * 497
