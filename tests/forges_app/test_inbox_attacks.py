"""Who may deliver, and what bodies do that nobody should send."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from forges import hooks
from forges.clients import webhooks
from forges.models import Delivery, Hook, HookStatus
from forges.views.inbox import app
from jobs.models import Run
from orgs.models import Organization, User
from tests.forges_app.posting import (
    FORGES,
    PUSHES,
    Answer,
    address,
    deliver,
    following,
    hook_of,
    post,
    push,
    signed,
)

pytestmark = pytest.mark.django_db
Outcome = Delivery.Outcome
PUSHED = {"ref": "refs/heads/main", "object_kind": "push"}


# -- who may -----------------------------------------------------------------------------------------------------------


def refused(answer: Answer, hook: Hook, code: str) -> None:
    """401, nothing recorded but the count, nothing asked for."""
    hook.refresh_from_db()
    assert answer.status_code == 401
    assert (hook.refused, hook.refused_reason, hook.delivered_at) == (1, code, None)
    assert not Delivery.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize("forge", FORGES)
def test_an_unsigned_delivery_is_refused_and_counted(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    refused(post(address(hook), push(forge), {}), hook, "no_signature")


@pytest.mark.parametrize("forge", FORGES)
def test_a_delivery_signed_with_another_secret_is_refused(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    refused(deliver(hook, secret=webhooks.new_secret(forge)), hook, "wrong_signature")


@pytest.mark.parametrize("forge", FORGES)
def test_another_webhooks_secret_is_refused(forge: str, acme: Organization, charlie: User) -> None:
    hook = hook_of(acme, forge)
    theirs = hook_of(charlie.memberships.get().organization, forge)
    refused(deliver(hook, secret=theirs.secret), hook, "wrong_signature")


@pytest.mark.parametrize("forge", FORGES)
def test_a_body_that_was_changed_is_refused(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    refused(deliver(hook, push(forge), headers=signed(forge, hook.secret, push(forge, "x"))), hook, "wrong_signature")


def test_a_signature_in_two_headers_is_refused(acme: Organization) -> None:
    """A server in front might look at the first of them, and we at the last: they arrive here joined by a comma."""
    hook, body = hook_of(acme), push("github")
    right = signed("github", hook.secret, body)["X-Hub-Signature-256"]
    refused(deliver(hook, body, headers={"X-Hub-Signature-256": f"sha256={'0' * 64},{right}"}), hook, "wrong_signature")


def test_gitlabs_token_in_two_headers_is_refused(acme: Organization) -> None:
    hook = hook_of(acme, "gitlab")
    answer = post(address(hook), push("gitlab"), {"X-Gitlab-Token": f"{hook.secret},{hook.secret}"})
    refused(answer, hook, "wrong_signature")


def test_gitlabs_signature_is_not_taken_for_a_token(acme: Organization) -> None:
    """Nor the other way round: with a signature there, the token beside it counts for nothing."""
    hook = hook_of(acme, "gitlab")
    wrong = signed("gitlab", webhooks.new_secret("gitlab"), push("gitlab"))
    refused(deliver(hook, headers={**wrong, "X-Gitlab-Token": hook.secret}), hook, "wrong_signature")


def test_gitlabs_plain_token_is_taken_where_there_is_no_signature(acme: Organization, docs: Server) -> None:
    following(docs, "gitlab")
    hook = hook_of(acme, "gitlab")
    answer = post(address(hook), push("gitlab"), {"X-Gitlab-Token": hook.secret, "webhook-id": "1"})
    assert answer.status_code == 202


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_gitlab_delivery_of_another_time_is_refused(seconds: int, acme: Organization, docs: Server) -> None:
    following(docs, "gitlab")
    hook = hook_of(acme, "gitlab")
    refused(deliver(hook, at=time.time() + seconds), hook, "stale")


@pytest.mark.parametrize("forge", FORGES)
def test_an_unknown_webhook_answers_as_a_known_one_with_a_wrong_secret(forge: str, acme: Organization) -> None:
    """Word by word, header by header, and statement by statement: nobody learns which ids exist."""
    hook = hook_of(acme, forge)
    unknown = Hook(forge=forge)
    told = []
    for path in (address(hook), address(unknown)):
        for headers in ({}, signed(forge, webhooks.new_secret(forge), push(forge), at=1)):
            with CaptureQueriesContext(database) as asked:
                answer = post(path, push(forge), headers)
            statements = [query["sql"].split(" ")[0] for query in asked]
            told.append((answer.status_code, answer.content, sorted(answer.headers.items()), statements))
    assert told[:2] == told[2:]
    assert {status for status, *_ in told} == {401}


def test_a_webhook_of_another_forge_is_an_unknown_one(acme: Organization) -> None:
    hook = hook_of(acme)
    for forge in FORGES[1:]:
        answer = deliver(hook, path=f"/hooks/{forge}/{hook.pk}", headers={"X-Gitlab-Token": hook.secret})
        assert answer.status_code == 401
    hook.refresh_from_db()
    assert hook.refused == 0


@pytest.mark.parametrize(
    "path", ["/hooks/git/6f1f2f3e-0000-4000-8000-000000000000", "/hooks/github/1", "/hooks/github/"]
)
def test_an_address_that_is_none_is_not_found(path: str, db: None) -> None:
    assert post(path, b"{}", {}).status_code == 404


def test_the_webhook_of_a_deleted_organization_is_gone(acme: Organization) -> None:
    hook = hook_of(acme)
    acme.delete()
    assert deliver(hook).status_code == 401


def test_looking_at_the_address_tells_what_it_is_for(acme: Organization) -> None:
    for path in (address(hook_of(acme)), "/api/github/webhook", "/hooks/github/app"):
        answer = Client().get(path)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert b"Forges post" in answer.content


def test_neither_a_session_nor_a_cookie_comes_of_it(acme: Organization) -> None:
    answer = deliver(hook_of(acme))
    assert not answer.cookies
    assert "sessionid" not in str(answer.headers)


def test_a_slash_at_the_end_does_no_harm(acme: Organization) -> None:
    hook = hook_of(acme)
    assert deliver(hook, path=f"{address(hook)}/").status_code == 202


# -- rotated secrets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge", FORGES)
def test_the_old_secret_works_within_the_overlap_and_not_after_it(
    forge: str, acme: Organization, settings: Settings
) -> None:
    settings.HOOK_SECRET_OVERLAP_HOURS = 24
    hook = hook_of(acme, forge)
    former = hook.secret
    hook = hooks.rotate(hook)

    assert hook.secret != former
    assert deliver(hook, secret=former).status_code == 202
    hook.refresh_from_db()
    assert hook.status == HookStatus.PENDING, "the new one is not known to be in use"
    assert deliver(hook, push(forge, size=1)).status_code == 202
    hook.refresh_from_db()
    assert hook.status == HookStatus.ACTIVE

    Hook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert deliver(hook, push(forge, size=2), secret=former).status_code == 401
    assert deliver(hook, push(forge, size=3)).status_code == 202


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_before_it_is_verified(acme: Organization, settings: Settings) -> None:
    settings.HOOK_MAX_BYTES = 2000
    hook = hook_of(acme)
    answer = deliver(hook, push("github", filler="x" * 2000))
    hook.refresh_from_db()
    assert answer.status_code == 413
    assert b"2,000 bytes" in answer.content
    assert hook.refused == 0


def test_what_is_read_of_a_body_is_bounded_whatever_it_says_of_itself(acme: Organization, settings: Settings) -> None:
    settings.HOOK_MAX_BYTES = 2000
    for said, body in ((b"", b"x" * 2001), (b"10", b"x" * 2001), (b"2001", b"")):
        headers = [(b"content-length", said)] if said else []
        scope = {"type": "http", "method": "POST", "path": "/hooks/github/app", "headers": headers}
        assert app(ASGIRequest(scope, BytesIO(body))).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"ref": ' + b"9" * 5000 + b"}",
        json.dumps({**PUSHED, "before": "x", "after": "y", "repository": {}}).encode(),
        json.dumps({**PUSHED, "project_id": "1; DROP TABLE", "repository": {"id": [], "uuid": "../.."}}).encode(),
    ],
    ids=["empty", "text", "list", "null", "bytes", "deep list", "deep object", "long number", "no ids", "wrong ids"],
)
@pytest.mark.parametrize("forge", FORGES)
def test_a_signed_body_that_no_forge_sends_is_recorded_and_ignored(
    forge: str, body: bytes, acme: Organization, docs: Server
) -> None:
    following(docs, forge)
    answer = deliver(hook_of(acme, forge), body)
    delivery = Delivery.objects.get()
    assert answer.status_code == 202
    assert (delivery.outcome, delivery.event, delivery.facts) == (Outcome.IGNORED, PUSHES[forge], {})
    assert "cannot read it" in delivery.detail
    assert not Run.objects.exists()


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""])
def test_what_the_body_calls_itself_does_not_matter(content_type: str, acme: Organization, docs: Server) -> None:
    following(docs)
    assert deliver(hook_of(acme), content_type=content_type).status_code == 202
    assert Run.objects.count() == 1


def test_nothing_of_the_body_or_the_secret_is_kept(acme: Organization) -> None:
    hook = hook_of(acme, "gitlab")
    deliver(
        hook,
        push("gitlab", commits=[{"message": "private words"}]),
        headers={
            "X-Gitlab-Token": "glpat-secret",
            "Authorization": "Bearer secret",
            "Cookie": "a=secret",
            "X-Own": "x",
        },
    )
    kept = json.dumps(list(Delivery.objects.values("headers", "facts", "detail", "event")))
    for word in ("private words", "secret", hook.secret, "v1,", "X-Own"):
        assert word not in kept
    assert "webhook-id" in kept
