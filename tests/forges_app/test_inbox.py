"""What forges deliver: who may, what comes of it, and what it cannot do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Server
from forges import deliveries
from forges.models import Delivery, HookStatus
from forges.signals import repository_pushed
from jobs.models import Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.posting import (
    FORGES,
    IDS,
    NONE,
    OTHER_IDS,
    deliver,
    event,
    following,
    hook_of,
    push,
)

pytestmark = pytest.mark.django_db
Outcome = Delivery.Outcome
PUSHED = {"ref": "refs/heads/main", "object_kind": "push"}


def outcomes() -> list[str]:
    return list(Delivery.objects.order_by("received_at").values_list("outcome", flat=True))


# -- what arrives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge", FORGES)
def test_a_push_asks_for_a_refresh_of_what_follows_the_branch(forge: str, acme: Organization, docs: Server) -> None:
    integration = following(docs, forge)
    hook = hook_of(acme, forge)

    answer = deliver(hook)

    run = Run.objects.get()
    delivery = Delivery.objects.get()
    hook.refresh_from_db()
    assert (answer.status_code, answer.content) == (202, b"Accepted: 1 run is asked for.\n")
    assert (run.subject, run.trigger, run.status) == (integration, "webhook", Status.QUEUED)
    assert (delivery.outcome, delivery.runs) == (Outcome.ACCEPTED, [str(run.pk)])
    assert (delivery.hook, delivery.organization) == (hook, acme)
    assert delivery.facts["branches"] == [{"branch": "main", "before": "a" * 40, "after": "b" * 40}]
    assert hook.delivered_at is not None


@pytest.mark.parametrize("forge", FORGES)
def test_a_branch_that_nobody_follows_is_ignored_with_the_reason(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    answer = deliver(hook_of(acme, forge), push(forge, "feature"))
    assert answer.status_code == 202
    assert b"No integration that could refresh now follows the branch feature." in answer.content
    assert outcomes() == [Outcome.IGNORED]
    assert not Run.objects.exists()


def test_other_organizations_are_not_refreshed_by_it(acme: Organization, charlie: User) -> None:
    theirs = factories.server(charlie.memberships.get().organization)
    following(theirs)
    deliver(hook_of(acme))
    assert not Run.objects.exists()


@pytest.mark.parametrize("forge", FORGES)
def test_what_we_ignore_is_answered_well(forge: str, acme: Organization) -> None:
    """GitLab switches off a webhook whose deliveries are not answered with 2xx."""
    body, named = event(forge, {"github": "issues", "gitlab": "issue", "bitbucket": "repo:fork"}[forge])
    answer = deliver(hook_of(acme, forge), body, named=named)
    assert (answer.status_code, answer.content) == (202, b"Ignored: Millrace does nothing with this event.\n")


def test_a_ping_shows_that_it_works(acme: Organization) -> None:
    hook = hook_of(acme, status=HookStatus.MANUAL, remote_id="", reason="Add it by hand.")
    body, named = event("github", "ping", zen="Keep it logically awesome.")
    assert deliver(hook, body, named=named).content == b"Ignored: A ping: the webhook works.\n"
    hook.refresh_from_db()
    assert (hook.status, hook.reason) == (HookStatus.ACTIVE, "")


def test_a_delivery_ends_the_notice_that_it_is_silent(acme: Organization) -> None:
    hook = hook_of(acme, silent_since=timezone.now())
    deliver(hook)
    hook.refresh_from_db()
    assert hook.silent_since is None


def test_a_push_of_another_repository_asks_for_nothing(acme: Organization, docs: Server) -> None:
    """Whoever knows the secret of one webhook has no say about other repositories."""
    factories.integration(docs, "acme/other", repository_id=OTHER_IDS["github"], on_push=True)
    answer = deliver(hook_of(acme), push("github", repository=OTHER_IDS["github"]))
    assert b"another repository" in answer.content
    assert not Run.objects.exists()


def test_a_webhook_has_no_say_about_installations(acme: Organization) -> None:
    body, named = event("github", "installation", action="deleted", installation={"id": 5})
    assert deliver(hook_of(acme), body, named=named).content == b"Ignored: Millrace does nothing with this event.\n"


@pytest.mark.parametrize("forge", FORGES)
def test_a_deleted_branch_is_told_where_it_is_followed(forge: str, acme: Organization, docs: Server) -> None:
    integration = following(docs, forge)
    deliver(hook_of(acme, forge), push(forge, after=NONE))
    assert "deleted at the forge" in integration.tracks.get().notice
    assert outcomes() == [Outcome.ACCEPTED]


def test_a_renamed_repository_is_followed(acme: Organization, docs: Server) -> None:
    integration, hook = following(docs), hook_of(acme)
    body, named = event(
        "github",
        "repository",
        action="renamed",
        repository={"id": int(IDS["github"]), "full_name": "acme/handbook"},
        changes={"repository": {"name": {"from": "docs"}}},
    )

    answer = deliver(hook, body, named=named)

    integration.refresh_from_db()
    hook.refresh_from_db()
    assert answer.content == b"Accepted: The repository is called acme/handbook now.\n"
    assert (integration.repository, hook.repository) == ("acme/handbook", "acme/handbook")


def test_a_deleted_repository_is_told(acme: Organization, docs: Server) -> None:
    integration, hook = following(docs), hook_of(acme)
    body, named = event("github", "repository", action="deleted")
    deliver(hook, body, named=named)
    integration.refresh_from_db()
    hook.refresh_from_db()
    assert "deleted at the forge" in integration.notice
    assert (hook.status, hook.remote_id) == (HookStatus.FAILED, "")


# -- the same again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge", FORGES)
def test_a_delivery_that_was_processed_is_not_processed_again(forge: str, acme: Organization, docs: Server) -> None:
    following(docs, forge)
    hook = hook_of(acme, forge)
    deliver(hook)
    Run.objects.update(status=Status.SUCCEEDED)

    answers = [deliver(hook) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {202}
    assert Run.objects.count() == 1
    assert outcomes() == [Outcome.ACCEPTED, Outcome.DUPLICATE], "one row stands for all"


def test_the_same_body_at_another_webhook_is_another_delivery(acme: Organization, charlie: User, docs: Server) -> None:
    following(docs)
    other = charlie.memberships.get().organization
    deliver(hook_of(other))
    deliver(hook_of(acme))
    assert Run.objects.count() == 1


@pytest.mark.parametrize("ended", [Status.FAILED, Status.CANCELLED])
def test_a_redelivery_is_taken_when_the_run_did_not_do_it(ended: str, acme: Organization, docs: Server) -> None:
    following(docs)
    hook = hook_of(acme)
    deliver(hook)
    Run.objects.update(status=ended)

    deliver(hook)

    assert Run.objects.filter(status=Status.QUEUED).count() == 1
    assert outcomes() == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    Run.objects.update(status=Status.SUCCEEDED)
    deliver(hook)
    assert outcomes()[-1] == Outcome.DUPLICATE


def test_what_was_ignored_is_looked_at_again(acme: Organization, docs: Server) -> None:
    """A header that nobody signs names GitHub's event, and what is followed changes."""
    hook = hook_of(acme)
    deliver(hook, named={"X-GitHub-Event": "ping"})
    deliver(hook)
    following(docs)
    deliver(hook)
    assert Run.objects.count() == 1
    assert outcomes() == [Outcome.IGNORED, Outcome.IGNORED, Outcome.ACCEPTED]


def test_deliveries_out_of_order_ask_for_looks_and_no_more(acme: Organization, docs: Server) -> None:
    following(docs)
    hook = hook_of(acme)
    for after in ("3" * 40, "1" * 40, "2" * 40):
        deliver(hook, push("github", after=after))
    assert Run.objects.count() == 1, "the queued look sees all of them"
    assert {tuple(runs) for runs in Delivery.objects.values_list("runs", flat=True)} == {(str(Run.objects.get().pk),)}


# -- when it goes wrong ------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A receiver that fails until told otherwise, after the others have done their part."""

    class Broken:
        works = False

        def __call__(self, **_: Any) -> list[Run]:
            if not self.works:
                raise RuntimeError("a bug")
            return []

    receiver = Broken()
    repository_pushed.connect(receiver, weak=False)
    yield receiver
    repository_pushed.disconnect(receiver)


def test_an_unexpected_failure_leaves_nothing_half_done_and_asks_for_it_again(
    acme: Organization, docs: Server, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    following(docs)
    hook = hook_of(acme)

    answer = deliver(hook)

    delivery = Delivery.objects.get()
    assert answer.status_code == 500
    assert not Run.objects.exists()
    assert (delivery.outcome, delivery.processed_at) == (Outcome.FAILED, None)
    reference = delivery.detail.rstrip(".").rsplit(" ", 1)[-1]
    assert reference in answer.content.decode()
    assert reference in caplog.text
    assert "a bug" not in delivery.detail

    broken.works = True
    assert deliver(hook).status_code == 202
    assert Run.objects.count() == 1


def test_a_delivery_that_failed_is_taken_again_by_itself(acme: Organization, docs: Server, broken: Any) -> None:
    following(docs)
    deliver(hook_of(acme))
    assert deliveries.take_again() == "0 deliveries taken again"
    broken.works = True
    assert deliveries.take_again() == "1 deliveries taken again"
    assert deliveries.take_again() == "0 deliveries taken again"
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.runs) == (Outcome.ACCEPTED, [str(Run.objects.get().pk)])


def test_one_that_failed_long_ago_is_left_alone(acme: Organization, docs: Server, broken: Any) -> None:
    following(docs)
    deliver(hook_of(acme))
    Delivery.objects.update(received_at=timezone.now() - timedelta(hours=2))
    broken.works = True
    assert deliveries.take_again() == "0 deliveries taken again"


# -- many --------------------------------------------------------------------------------------------------------------


def test_a_burst_asks_for_one_run_and_keeps_few_rows(acme: Organization, docs: Server) -> None:
    following(docs)
    hook = hook_of(acme)
    for number in range(deliveries.KEPT + 3 * deliveries.SLACK):
        assert deliver(hook, push("github", number=number)).status_code == 202
        assert Delivery.objects.count() <= deliveries.KEPT + deliveries.SLACK
    assert Run.objects.count() == 1
    newest = Delivery.objects.order_by("-received_at").values_list("size", flat=True)[0]
    assert newest == len(push("github", number=number))


def test_a_delivery_costs_as_little_with_many_before_it(acme: Organization, docs: Server) -> None:
    following(docs)
    hook = hook_of(acme)
    costs = []
    for number in range(70):
        with CaptureQueriesContext(database) as asked:
            deliver(hook, push("github", number=number))
        costs.append(len(asked))
    assert len(set(costs[1:])) == 1, "the first makes the Run that the others join"
    assert costs[1] <= 17


def test_a_forgery_costs_two_statements(acme: Organization) -> None:
    hook = hook_of(acme)
    with CaptureQueriesContext(database) as asked:
        deliver(hook, secret="another")
    assert len(asked) == 2
