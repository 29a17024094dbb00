"""The page of a webhook: its status, what to enter at the forge, its secret, its deliveries."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from catalog.models import Server
from forges import deliveries
from forges.models import Connection, Delivery, Hook, HookStatus
from forges.signals import repository_pushed
from jobs.models import Run, Status
from orgs.models import AuditEvent, Organization, User
from tests.conftest import Browse
from tests.forges_app.isolation import _installation
from tests.forges_app.posting import FORGES, Answer, deliver, following, hook_of, push

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(hook: Hook, name: str = "") -> str:
    return f"/o/acme/hooks/{hook.pk}/{name}"


def page(client: Client, hook: Hook) -> str:
    return " ".join(client.get(url(hook)).content.decode().split())


@pytest.fixture
def adams(adam: User, browse: Browse) -> Client:
    return browse(adam)


@pytest.fixture
def bobs(bob: User, browse: Browse) -> Client:
    return browse(bob)


def by_hand(acme: Organization, forge: str = "github", **fields: object) -> Hook:
    return hook_of(acme, forge, **{"remote_id": "", "status": HookStatus.MANUAL, "reason": "Nobody may.", **fields})


# -- status ------------------------------------------------------------------------------------------------------------


def test_a_webhook_that_works_shows_its_address_and_no_secret(acme: Organization, bobs: Client) -> None:
    hook = hook_of(acme)
    shown = page(bobs, hook)
    assert f"/hooks/github/{hook.pk}" in shown
    assert "Active" in shown
    assert "No delivery yet" in shown
    assert "Push something" in shown
    assert "Show secret" not in shown
    assert hook.secret not in shown


def test_one_that_seems_not_to_deliver_says_since_when_and_what_to_look_at(acme: Organization, bobs: Client) -> None:
    shown = page(bobs, hook_of(acme, silent_since=timezone.now() - timedelta(hours=3)))
    assert "It seems not to deliver" in shown
    assert "3 hours ago" in shown
    assert "log of deliveries at GitHub" in shown


def test_one_that_failed_says_why(acme: Organization, bobs: Client) -> None:
    shown = page(bobs, hook_of(acme, status=HookStatus.FAILED, reason="GitHub does not show acme/docs."))
    assert "It does not work" in shown
    assert "GitHub does not show acme/docs." in shown


@pytest.mark.parametrize(
    ("reason", "said"),
    [("no_signature", "was not signed"), ("wrong_signature", "another secret"), ("stale", "Compare the clocks")],
)
def test_refused_deliveries_are_told_with_their_reason(
    reason: str, said: str, acme: Organization, bobs: Client
) -> None:
    hook = hook_of(acme, refused=3, refused_at=timezone.now(), refused_reason=reason)
    shown = page(bobs, hook)
    assert "3 deliveries" in shown
    assert said in shown


def test_an_address_that_forges_cannot_reach_is_told(acme: Organization, bobs: Client, settings: Settings) -> None:
    hook = hook_of(acme)
    for inward in ("http://127.0.0.1:8000", "http://localhost", "https://10.0.0.1"):
        settings.BASE_URL = inward
        assert "cannot reach this address" in page(bobs, hook)
    settings.BASE_URL = "https://millrace.example"
    assert "cannot reach this address" not in page(bobs, hook)


def test_times_are_in_the_persons_zone(acme: Organization, bob: User, bobs: Client) -> None:
    bob.time_zone = "Pacific/Auckland"
    bob.save()
    moment = timezone.now().replace(month=7, day=1, hour=12, minute=0)
    assert "2 July" in page(bobs, hook_of(acme, previous_until=moment.replace(year=moment.year + 1)))


def test_checking_asks_the_forge_and_follows_it(acme: Organization, bob: User, bobs: Client) -> None:
    hook = hook_of(acme)
    answer = bobs.post(url(hook, "check/"))
    run = Run.objects.get()
    assert answer["Location"] == url(hook)
    assert (run.subject, run.requested_by, run.kind) == (hook, bob, "forges.hook")
    shown = page(bobs, hook)
    assert 'hx-trigger="every 2s"' in shown
    assert f"/o/acme/runs/{run.pk}/" in shown
    Run.objects.update(status=Status.SUCCEEDED)
    assert "every 2s" not in page(bobs, hook)


def test_the_panel_is_a_part_for_htmx_and_a_page_without(acme: Organization, bobs: Client) -> None:
    hook = hook_of(acme)
    part = bobs.get(url(hook, "panel/"), headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Webhook and deliveries" in part
    assert bobs.get(url(hook, "panel/"))["Location"] == url(hook)
    checked = bobs.post(url(hook, "check/"), headers=HTMX).content.decode()
    assert "is being asked" in checked


# -- by hand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        ("github", ["Payload URL", "application/json", "SSL verification", "Pushes"]),
        ("gitlab", ["Secret token", "Push events", "Enable SSL verification"]),
        ("bitbucket", ["Repository settings", "Skip certificate verification", "Push"]),
    ],
)
def test_by_hand_each_step_is_told_in_the_forges_own_words(
    forge: str, words: list[str], acme: Organization, adams: Client
) -> None:
    hook = by_hand(acme, forge)
    shown = page(adams, hook)
    assert "It has to be added by hand" in shown
    assert "Nobody may." in shown
    for word in words:
        assert word in shown
    assert hook.secret not in shown


@pytest.mark.parametrize("forge", FORGES)
def test_the_secret_is_shown_on_asking_and_who_saw_it_is_kept(
    forge: str, acme: Organization, adam: User, adams: Client
) -> None:
    hook = by_hand(acme, forge)
    answer = adams.post(url(hook, "secret/"))
    assert hook.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    seen = AuditEvent.objects.get(action="hook.secret_shown")
    assert (seen.actor, seen.target_id) == (adam, str(hook.pk))
    assert hook.secret not in f"{seen.before}{seen.after}{seen.target_label}"
    assert adams.get(url(hook, "secret/")).status_code == 405


def test_for_htmx_it_is_a_part(acme: Organization, adams: Client) -> None:
    hook = by_hand(acme)
    part = adams.post(url(hook, "secret/"), headers=HTMX).content.decode()
    assert hook.secret in part
    assert "<html" not in part


def test_a_secret_that_millrace_entered_itself_is_shown_to_nobody(acme: Organization, adams: Client) -> None:
    hook = hook_of(acme)
    answer = adams.post(url(hook, "secret/"), follow=True)
    assert hook.secret not in answer.content.decode()
    assert "entered the secret at GitHub by itself" in answer.content.decode()
    assert not AuditEvent.objects.filter(action="hook.secret_shown").exists()


def test_who_manages_no_credentials_sees_no_secret_and_why(acme: Organization, bobs: Client) -> None:
    hook = by_hand(acme)
    for name in ("secret/", "rotate/"):
        assert bobs.post(url(hook, name)).status_code == 403
    assert "connections.manage" in page(bobs, hook)
    assert Hook.objects.get().rotated_at == hook.rotated_at


# -- another secret ----------------------------------------------------------------------------------------------------


def test_rotating_asks_first_and_says_what_it_does(acme: Organization, adams: Client) -> None:
    hook = hook_of(acme)
    for headers, whole in (({}, True), (HTMX, False)):
        asked = adams.get(url(hook, "rotate/"), headers=headers).content.decode()
        assert "enters it at GitHub" in asked
        assert "another 24 hours" in asked
        assert ("<html" in asked) is whole
    assert Hook.objects.get().secret == hook.secret


def test_rotating_makes_a_new_secret_and_takes_it_to_the_forge(acme: Organization, adam: User, adams: Client) -> None:
    hook = hook_of(acme)
    answer = adams.post(url(hook, "rotate/"), follow=True)
    rotated = Hook.objects.get()
    assert rotated.secret != hook.secret
    assert rotated.previous_secret == hook.secret
    assert Run.objects.get().requested_by == adam
    assert "The one before it works until" in answer.content.decode()
    assert AuditEvent.objects.get(action="hook.rotated").actor == adam


def test_by_hand_one_is_told_to_enter_it(acme: Organization, adams: Client) -> None:
    answer = adams.post(url(by_hand(acme), "rotate/"), follow=True).content.decode()
    assert "enter it at GitHub" in answer
    assert "Show secret" in answer


# -- deliveries --------------------------------------------------------------------------------------------------------


def test_deliveries_are_listed_with_what_came_of_them(acme: Organization, docs: Server, bobs: Client) -> None:
    following(docs)
    hook = hook_of(acme)
    deliver(hook, headers={"User-Agent": "GitHub-Hookshot/1", "X-Hub-Signature": "sha1=secretive"})
    deliver(hook, push("github", "other"))
    run = Run.objects.get()

    shown = page(bobs, hook)

    assert shown.index("other") < shown.index("Accepted"), "the newest first"
    assert "No integration that could refresh now follows the branch other." in shown
    assert f"/o/acme/runs/{run.pk}/" in shown
    assert "Refresh: acme/docs" in shown
    assert "GitHub-Hookshot/1" in shown
    assert "secretive" not in shown
    assert re.search(r"\d+\s?bytes", shown)


def test_only_the_last_fifty_are_listed_in_as_many_queries(acme: Organization, docs: Server, bobs: Client) -> None:
    following(docs)
    hook = hook_of(acme)
    deliver(hook)
    with CaptureQueriesContext(database) as few:
        bobs.get(url(hook))
    for number in range(deliveries.KEPT + 10):
        deliver(hook, push("github", number=number))
    with CaptureQueriesContext(database) as many:
        shown = page(bobs, hook)
    assert len(few) == len(many)
    assert shown.count(">Redeliver</button>") == deliveries.KEPT


def test_redelivering_processes_it_once_more(acme: Organization, docs: Server, bob: User, bobs: Client) -> None:
    hook = hook_of(acme)
    deliver(hook)
    first = Delivery.objects.get()
    following(docs)

    answer = bobs.post(f"/o/acme/deliveries/{first.pk}/redeliver/", follow=True)

    again = Delivery.objects.get(redelivered_from=first)
    assert (again.outcome, again.runs) == (Delivery.Outcome.ACCEPTED, [str(Run.objects.get().pk)])
    assert "Taken again. 1 run is asked for." in answer.content.decode()
    assert "redelivered here" in answer.content.decode()
    assert AuditEvent.objects.get(action="delivery.redelivered").actor == bob


def test_what_was_done_already_can_be_redelivered_too(acme: Organization, docs: Server, bobs: Client) -> None:
    following(docs)
    deliver(hook_of(acme))
    Run.objects.update(status=Status.SUCCEEDED)
    bobs.post(f"/o/acme/deliveries/{Delivery.objects.get().pk}/redeliver/")
    assert Run.objects.filter(status=Status.QUEUED).count() == 1


def test_a_redelivery_that_fails_says_so(acme: Organization, bobs: Client) -> None:
    deliver(hook_of(acme))

    def fail(**_: object) -> None:
        raise RuntimeError("a bug")

    repository_pushed.connect(fail, weak=False)
    try:
        answer = bobs.post(f"/o/acme/deliveries/{Delivery.objects.get().pk}/redeliver/", follow=True)
    finally:
        repository_pushed.disconnect(fail)
    assert "by the reference" in answer.content.decode()
    assert Delivery.objects.filter(outcome=Delivery.Outcome.FAILED).count() == 1
    assert not AuditEvent.objects.filter(action="delivery.redelivered").exists()


def test_what_was_not_understood_cannot_be_redelivered(acme: Organization, bobs: Client) -> None:
    hook = hook_of(acme)
    deliver(hook, b"nonsense")
    assert ">Redeliver</button>" not in page(bobs, hook)
    answer: Answer = bobs.post(f"/o/acme/deliveries/{Delivery.objects.get().pk}/redeliver/", follow=True)
    assert "nothing in this delivery to process" in answer.content.decode()


def test_the_apps_deliveries_have_a_page_of_their_own(acme: Organization, bobs: Client, settings: Settings) -> None:
    settings.GITHUB_APP_WEBHOOK_SECRET = "the App's"
    connection = _installation(acme)["connection"]
    deliver(Hook(forge="github"), push("github", installation={"id": 5}), path="/hooks/github/app", secret="the App's")
    delivery = Delivery.objects.get()

    shown = bobs.get(f"/o/acme/connections/{connection}/deliveries/").content.decode()
    answer = bobs.post(f"/o/acme/deliveries/{delivery.pk}/redeliver/")

    assert "acme/docs" in shown
    assert answer["Location"] == f"/o/acme/connections/{connection}/deliveries/"


def test_a_personal_connections_deliveries_are_nobody_elses(acme: Organization, bobs: Client, alice: User) -> None:
    connection = _installation(acme)["connection"]
    Connection.objects.filter(pk=connection).update(shared=False, user=alice)
    made = Delivery.objects.create(organization=acme, connection_id=connection, event="push", digest="0" * 64)
    assert bobs.get(f"/o/acme/connections/{connection}/deliveries/").status_code == 404
    assert bobs.post(f"/o/acme/deliveries/{made.pk}/redeliver/").status_code == 404


def test_the_page_of_a_check_leads_back_to_the_webhook(acme: Organization, bobs: Client) -> None:
    hook = hook_of(acme)
    bobs.post(url(hook, "check/"))
    assert url(hook) in bobs.get("/o/acme/runs/").content.decode()


def test_a_deleted_integration_leaves_the_page_in_order(acme: Organization, bobs: Client) -> None:
    hook = hook_of(acme)
    deliver(hook)
    Delivery.objects.update(runs=["6f1f2f3e-0000-4000-8000-000000000000"])
    assert "no longer kept" in page(bobs, hook)
