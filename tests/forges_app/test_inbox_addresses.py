"""The addresses that name no webhook: the GitHub App's, and the older ones; and what a server in front is told."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from catalog.models import Server
from forges import deliveries, inbox
from forges.clients import webhooks
from forges.models import Connection, ConnectionStatus, Delivery, Hook, Method
from integrations.models import Integration
from jobs.models import Run
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.posting import (
    BASE_URLS,
    FORGES,
    IDS,
    OTHER_IDS,
    Answer,
    deliver,
    event,
    following,
    hook_of,
    post,
    push,
    signed,
)

pytestmark = pytest.mark.django_db
APP = "/hooks/github/app"
SECRET = "the App's own secret"


@pytest.fixture
def app(settings: Settings) -> None:
    settings.GITHUB_APP_WEBHOOK_SECRET = SECRET


def installed(organization: Organization, number: str = "5", **fields: Any) -> Connection:
    made: Connection = Connection.objects.create(
        organization=organization,
        shared=True,
        forge="github",
        base_url=BASE_URLS["github"],
        method=Method.GITHUB_APP,
        account="acme",
        installation_id=number,
        **fields,
    )
    return made


def through_app(body: bytes, name: str = "push", *, path: str = APP, secret: str = SECRET) -> Answer:
    return post(path, body, {"X-GitHub-Event": name, **signed("github", secret, body)})


def of_installation(name: str = "installation", *, number: int = 5, **data: Any) -> Answer:
    return through_app(json.dumps({"installation": {"id": number}, **data}).encode(), name)


# -- the older addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("forge", FORGES)
def test_the_older_address_finds_the_webhook_by_repository_and_secret(
    forge: str, slash: str, acme: Organization, docs: Server
) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    answer = deliver(hook, path=f"/api/{forge}/webhook{slash}")
    assert answer.status_code == 202
    assert Delivery.objects.get().hook == hook
    assert Run.objects.count() == 1


def test_of_several_organizations_the_one_whose_secret_signed_it_gets_it(
    acme: Organization, charlie: User, docs: Server
) -> None:
    following(docs)
    other = charlie.memberships.get().organization
    following(factories.server(other))
    hook_of(other)
    deliver(hook_of(acme), path="/api/github/webhook")
    assert [delivery.organization for delivery in Delivery.objects.all()] == [acme]
    assert Run.objects.get().organization == acme


def test_two_organizations_with_the_same_secret_both_get_it(acme: Organization, charlie: User) -> None:
    hook, theirs = hook_of(acme), hook_of(charlie.memberships.get().organization)
    theirs.secret = hook.secret
    theirs.save()
    deliver(hook, path="/api/github/webhook")
    assert {delivery.hook for delivery in Delivery.objects.all()} == {hook, theirs}


@pytest.mark.parametrize("forge", FORGES)
def test_a_forged_delivery_there_is_refused_and_shown_to_nobody(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    answer = deliver(hook, path=f"/api/{forge}/webhook", secret=webhooks.new_secret(forge))
    hook.refresh_from_db()
    assert answer.status_code == 401
    assert hook.refused == 0
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("forge", FORGES)
def test_an_unknown_repository_there_answers_as_a_known_one(forge: str, acme: Organization) -> None:
    hook = hook_of(acme, forge)
    known, unknown = (
        deliver(
            hook,
            push(forge, repository=number),
            path=f"/api/{forge}/webhook",
            secret=webhooks.new_secret(forge),
        )
        for number in (IDS[forge], OTHER_IDS[forge])
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (401, known.content)


def test_the_body_of_one_repository_does_not_reach_another(acme: Organization, docs: Server) -> None:
    following(docs)
    hook = hook_of(acme)
    answer = deliver(hook, push("github", repository=OTHER_IDS["github"]), path="/api/github/webhook")
    assert answer.status_code == 401
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"[" * 100_000, b"{}"])
@pytest.mark.parametrize("forge", FORGES)
def test_what_has_no_repository_is_refused_there(forge: str, body: bytes, acme: Organization) -> None:
    assert deliver(hook_of(acme, forge), body, path=f"/api/{forge}/webhook").status_code == 401


def test_what_is_ignored_there_is_answered_well(acme: Organization) -> None:
    body, named = event("gitlab", "issue")
    assert deliver(hook_of(acme, "gitlab"), body, named=named, path="/api/gitlab/webhook").status_code == 202


def test_only_so_many_secrets_are_tried_and_those_in_use_first(acme: Organization) -> None:
    hook = hook_of(acme)
    deliver(hook)
    for _ in range(inbox.CANDIDATES + 5):
        hook_of(factories.organization())
    with CaptureQueriesContext(database) as asked:
        answer = deliver(hook, push("github", number=1), path="/api/github/webhook")
    assert answer.status_code == 202
    assert f"LIMIT {inbox.MOST_CANDIDATES}" in asked[0]["sql"]


# -- the GitHub App ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [APP, f"{APP}/", "/api/github/webhook"])
def test_the_app_tells_each_organization_that_has_the_installation(
    path: str, app: None, acme: Organization, charlie: User, docs: Server
) -> None:
    other = charlie.memberships.get().organization
    connections = {installed(acme), installed(other)}
    installed(acme, "6")
    following(docs)
    following(factories.server(other))

    answer = through_app(push("github", installation={"id": 5}), path=path)

    assert answer.status_code == 202
    assert {delivery.connection for delivery in Delivery.objects.all()} == connections
    assert {delivery.organization for delivery in Delivery.objects.all()} == {acme, other}
    assert {run.organization for run in Run.objects.all()} == {acme, other}


@pytest.mark.parametrize("path", [APP, "/api/github/webhook"])
def test_the_app_is_believed_by_its_own_secret_alone(path: str, app: None, acme: Organization, docs: Server) -> None:
    following(docs)
    installed(acme)
    body = push("github", installation={"id": 5})
    for secret in ("another", hook_of(acme, repository_id="99").secret):
        assert through_app(body, path=path, secret=secret).status_code == 401
    assert post(path, body, {"X-GitHub-Event": "push"}).status_code == 401
    assert not Delivery.objects.exists()


def test_without_an_app_nothing_is_believed_not_even_an_empty_secret(acme: Organization, settings: Settings) -> None:
    settings.GITHUB_APP_WEBHOOK_SECRET = ""
    installed(acme)
    assert through_app(push("github", installation={"id": 5}), secret="").status_code == 401


def test_the_app_does_not_speak_through_a_repositorys_webhook(app: None, acme: Organization) -> None:
    hook = hook_of(acme)
    assert deliver(hook, secret=SECRET).status_code == 401


def test_an_installation_that_nobody_connected_is_answered_well(app: None) -> None:
    answer = through_app(push("github", installation={"id": 77}))
    assert (answer.status_code, answer.content) == (202, b"Nobody here follows this.\n")


def test_a_delivery_of_the_app_is_not_processed_twice(app: None, acme: Organization, docs: Server) -> None:
    following(docs)
    installed(acme)
    for _ in range(3):
        through_app(push("github", installation={"id": 5}))
    Run.objects.update(status="succeeded")
    through_app(push("github", installation={"id": 5}))
    assert Run.objects.count() == 1
    assert Delivery.objects.count() == 2


def test_uninstalling_disconnects_and_says_what_to_do(app: None, acme: Organization) -> None:
    connection = installed(acme)
    assert of_installation(action="deleted").status_code == 202
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.DISCONNECTED
    assert connection.reason_code == "uninstalled"
    assert "Install it there again" in connection.reason


def test_suspending_disconnects_and_lifting_it_connects_again(app: None, acme: Organization) -> None:
    connection = installed(acme)
    of_installation(action="suspend")
    connection.refresh_from_db()
    assert (connection.status, connection.reason_code) == (ConnectionStatus.DISCONNECTED, "suspended")
    pushed = through_app(push("github", installation={"id": 5}))
    assert b"is not connected" in pushed.content
    of_installation(action="unsuspend")
    connection.refresh_from_db()
    assert (connection.status, connection.reason) == (ConnectionStatus.CONNECTED, "")


def test_lifting_a_suspension_undoes_no_persons_decision(app: None, acme: Organization) -> None:
    connection = installed(acme, status=ConnectionStatus.DISCONNECTED, reason_code="by_hand", reason="By hand.")
    of_installation(action="unsuspend")
    connection.refresh_from_db()
    assert connection.status == ConnectionStatus.DISCONNECTED


def test_news_of_an_installation_from_before_it_was_connected_is_old(app: None, acme: Organization) -> None:
    """One that failed is taken again, when the App may have been installed again already."""
    connection = installed(acme)
    Delivery.objects.create(
        organization=acme,
        connection=connection,
        event="installation.deleted",
        digest="0" * 64,
        facts=asdict(webhooks.Event("uninstalled", "installation.deleted", installation_id="5")),
        outcome=Delivery.Outcome.FAILED,
        received_at=connection.connected_at - timedelta(minutes=1),
    )
    assert deliveries.take_again() == "1 deliveries taken again"
    connection.refresh_from_db()
    assert connection.is_connected


def test_an_installation_of_another_number_is_left_alone(app: None, acme: Organization) -> None:
    connection = installed(acme)
    of_installation(number=6, action="deleted")
    connection.refresh_from_db()
    assert connection.is_connected


def test_more_repositories_let_what_waited_go_on(app: None, acme: Organization, docs: Server) -> None:
    integration = following(docs, connection=installed(acme))
    of_installation("installation_repositories", action="added")
    assert Integration.objects.get(pk=integration.pk).next_poll_at is not None


def test_a_repository_that_the_app_tells_of_is_renamed_everywhere(app: None, acme: Organization, docs: Server) -> None:
    connection = installed(acme)
    integration, hook = following(docs, connection=connection), hook_of(acme)
    body, _ = event(
        "github",
        "repository",
        action="renamed",
        repository={"id": int(IDS["github"]), "full_name": "acme/handbook"},
        changes={"repository": {"name": {"from": "docs"}}},
        installation={"id": 5},
    )
    through_app(body, "repository")
    assert Integration.objects.get(pk=integration.pk).repository == "acme/handbook"
    assert Hook.objects.get(pk=hook.pk).repository == "acme/handbook"


# -- as the server in front sees it ------------------------------------------------------------------------------------


def _sent(path: str, pieces: list[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """(status, pieces taken) of a POST whose body comes in pieces, straight to the web process."""
    from config.asgi import application

    taken: list[bytes] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        assert len(taken) < len(pieces), "it is still taken"
        taken.append(pieces[len(taken)])
        return {"type": "http.request", "body": taken[-1], "more_body": len(taken) < len(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    async_to_sync(application)(scope, receive, send)
    return sent[0]["status"], len(taken)


@pytest.mark.parametrize("path", ["/hooks/github/6f1f2f3e-0000-4000-8000-000000000000", APP, "/api/gitlab/webhook/"])
def test_a_body_without_end_is_cut_off_at_the_limit_of_webhooks(path: str, settings: Settings) -> None:
    settings.HOOK_MAX_BYTES = 3000
    assert _sent(path, [b"x" * 1000] * 10, []) == (413, 4)


def test_a_body_that_announces_too_much_is_not_read_at_all(settings: Settings) -> None:
    settings.HOOK_MAX_BYTES = 3000
    assert _sent(APP, [b"x"] * 2, [(b"content-length", b"3001")]) == (413, 0)
    assert _sent(APP, [b"x"] * 2, [(b"content-length", b"9" * 5000)]) == (413, 0)
