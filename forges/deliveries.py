"""Deliveries of webhooks: recorded, made into Runs, taken once more. Nothing here waits for a forge.

A delivery only means “look”. So no harm comes of one that is lost, late or taken twice, and all that is done here is to
ask who follows the branch. It is done in one transaction: there is a delivery with its Runs, or one that failed.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from forges import processing
from forges.clients import webhooks
from forges.clients.webhook_payloads import OF_INSTALLATIONS
from forges.clients.webhooks import Event, Refused
from forges.models import Connection, Delivery, Hook, HookStatus
from jobs.models import Run, Status
from orgs import audit
from orgs.models import User

logger = logging.getLogger(__name__)

Outcome = Delivery.Outcome
KEPT = 50
"""Deliveries of one webhook, or one installation, that are shown."""
SLACK = 25
"""So many more may gather before the surplus is deleted, all of it at once."""
AGAIN_FOR = timedelta(hours=1)
"""How long a delivery that failed is taken again by itself."""
_UNREADABLE = "Millrace cannot read it. If the webhook was added by hand, choose the content type JSON at the forge."


class Failed(Exception):
    """Processing failed unexpectedly, and was undone. The sentence is for who looks at the forge's log."""

    def __init__(self) -> None:
        self.reference = uuid.uuid4().hex[:8].upper()
        super().__init__(
            f"Something went wrong that Millrace did not expect. It tries again by itself; support finds the reason "
            f"by the reference {self.reference}."
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is kept of a delivery. The event is None where the body was not understood."""

    headers: dict[str, str]
    digest: str
    size: int
    event: Event | None

    @classmethod
    def of(cls, forge: str, headers: Mapping[str, str], body: bytes) -> Arrival:
        try:
            event = webhooks.parse(forge, headers, body)
        except Refused:
            event = None
        return cls(webhooks.safe_headers(headers), hashlib.sha256(body).hexdigest(), len(body), event)


def take_all(
    owners: Sequence[Hook] | Sequence[Connection], arrival: Arrival, *, current: Mapping[Any, bool] | None = None
) -> list[Delivery]:
    """Each by itself: that one organisation's failed keeps nothing from the others. Failed if any did."""
    taken, failed = [], None
    for owner in owners:
        try:
            taken.append(take(owner, arrival, by_current_secret=(current or {}).get(owner.pk, True)))
        except Failed as failure:
            failed = failure
    if failed is not None:
        raise failed
    return taken


def take(owner: Hook | Connection, arrival: Arrival, *, by_current_secret: bool = True) -> Delivery:
    try:
        with _turn(), transaction.atomic():
            if isinstance(owner, Hook):
                _note_arrival(owner, by_current_secret=by_current_secret)
            if earlier := _processed_before(owner, arrival.digest):
                return _note_duplicate(earlier, owner, arrival)
            delivery = _new(owner, arrival)
            _process(delivery, arrival.event)
            delivery.save(force_insert=True)
            _trim(owner)
        return delivery
    except Refused:
        raise  # the webhook was deleted just now
    except Exception as error:
        failure = Failed()
        logger.exception("A delivery of %s failed, reference %s", owner.pk, failure.reference)
        _note_failure(_new(owner, arrival), failure)
        raise failure from error


_ONE = threading.Lock()


@contextmanager
def _turn() -> Iterator[None]:
    """SQLite lets one write at a time, and whoever finds it busy sleeps ever longer: in a burst most of the time goes
    by with nobody writing. Here the next one is woken at once. PostgreSQL waits so by itself, for a webhook's row."""
    with _ONE if connection.vendor == "sqlite" else nullcontext():
        yield


def _note_arrival(hook: Hook, *, by_current_secret: bool) -> None:
    """It delivers. This locks the row, so that of two equal deliveries the second sees the first."""
    fields: dict[str, Any] = {"delivered_at": timezone.now(), "silent_since": None}
    if by_current_secret and hook.status != HookStatus.ACTIVE:
        fields |= {"status": HookStatus.ACTIVE, "reason": ""}
    if not Hook.objects.filter(pk=hook.pk).update(**fields):
        raise Refused("wrong_signature")
    for name, value in fields.items():
        setattr(hook, name, value)


def _of(owner: Hook | Connection) -> dict[str, Any]:
    return {"hook": owner} if isinstance(owner, Hook) else {"connection": owner, "hook": None}


def deliveries_of(owner: Hook | Connection) -> QuerySet[Delivery]:
    """Newest first, not yet cut to the KEPT that are shown."""
    return Delivery.objects.filter(**_of(owner)).order_by("-received_at")


def _new(owner: Hook | Connection, arrival: Arrival, **fields: Any) -> Delivery:
    event = arrival.event
    return Delivery(
        organization=owner.organization,
        event=event.name if event else _named(arrival.headers),
        digest=arrival.digest,
        size=arrival.size,
        headers=arrival.headers,
        facts=asdict(event) if event else {},
        **_of(owner),
        **fields,
    )


def _named(headers: Mapping[str, str]) -> str:
    """What the forge calls a body that was not understood."""
    names = ("x-github-event", "x-gitlab-event", "x-event-key")
    return next((headers[name] for name in names if headers.get(name)), "unreadable")[:80]


def _processed_before(owner: Hook | Connection, digest: str) -> Delivery | None:
    """The same body, if it was taken and the Runs that it asked for did not fail. One that was ignored costs nothing to
    look at again, and what follows the branch may be another thing by now."""
    same = deliveries_of(owner).filter(digest=digest, outcome__in=(Outcome.ACCEPTED, Outcome.DUPLICATE))
    taken = same.only("outcome", "runs").first()
    if taken is None or not taken.runs:
        return taken
    failed = Q(status=Status.FAILED) | Q(status=Status.CANCELLED, joined_to=None) | Q(joined_to__status=Status.FAILED)
    return None if Run.objects.filter(failed, pk__in=taken.runs).exists() else taken


def _note_duplicate(earlier: Delivery, owner: Hook | Connection, arrival: Arrival) -> Delivery:
    """One row stands for all: whoever got hold of a signed body could crowd out the others by sending it again."""
    if earlier.outcome == Outcome.DUPLICATE:
        earlier.received_at, earlier.headers = timezone.now(), arrival.headers
        earlier.save(update_fields=["received_at", "headers"])
        return earlier
    duplicate = _new(
        owner,
        arrival,
        outcome=Outcome.DUPLICATE,
        detail="It came again after it had been processed. This row is of the last time.",
        runs=earlier.runs,
        processed_at=timezone.now(),
    )
    duplicate.save(force_insert=True)
    _trim(owner)
    return duplicate


def _note_failure(delivery: Delivery, failure: Failed) -> None:
    delivery.outcome, delivery.detail = Outcome.FAILED, str(failure)
    try:
        with transaction.atomic():
            delivery.save(force_insert=True)
            owner = delivery.hook or delivery.connection
            if owner is not None:
                _trim(owner)
    except DatabaseError:
        logger.exception("The failed delivery %s could not be recorded either", failure.reference)


def _process(delivery: Delivery, event: Event | None) -> None:
    """Do what follows from it, and fill in what came of it. Within the transaction that saves the delivery."""
    delivery.processed_at = timezone.now()
    if event is None:
        delivery.outcome, delivery.detail = Outcome.IGNORED, _UNREADABLE
        return
    found = processing.process(delivery, event)
    delivery.outcome = Outcome.ACCEPTED if found.accepted else Outcome.IGNORED
    delivery.detail = found.detail
    delivery.runs = list(dict.fromkeys(str(run.pk) for run in found.runs))


def _trim(owner: Hook | Connection) -> None:
    """Forget the oldest, some at a time; most deliveries cost one look at an index for it."""
    rows = deliveries_of(owner)
    if rows.values_list("pk", flat=True)[KEPT + SLACK : KEPT + SLACK + 1].exists():
        surplus = list(rows.values_list("pk", flat=True)[KEPT : KEPT + 10 * SLACK])
        Delivery.objects.filter(pk__in=surplus).delete()


# -- once more ---------------------------------------------------------------------------------------------------------


def _event_in(delivery: Delivery) -> Event:
    branches = tuple(webhooks.BranchChange(**change) for change in delivery.facts["branches"])
    return Event(**{**delivery.facts, "branches": branches})


def can_be_redelivered(delivery: Delivery) -> bool:
    """Whether there is something to look at again. What an installation did is past: it may be otherwise by now."""
    return bool(delivery.facts) and delivery.facts["kind"] not in OF_INSTALLATIONS


def redeliver(delivery: Delivery, *, by: User, request: HttpRequest | None = None) -> Delivery:
    """Process what a delivery said once more, as a person asks for it; the new row. Failed.

    ValueError unless it can be redelivered.
    """
    owner = delivery.hook or delivery.connection
    if not can_be_redelivered(delivery) or owner is None:
        raise ValueError("there is nothing in it to process")
    event = _event_in(delivery)
    arrival = Arrival(delivery.headers, delivery.digest, delivery.size, event)
    again = _new(owner, arrival, redelivered_from=delivery)
    try:
        with transaction.atomic():
            _process(again, event)
            again.save(force_insert=True)
            audit.record(
                "delivery.redelivered",
                organization=delivery.organization,
                actor=by,
                target=delivery,
                scope=owner,
                after={"outcome": again.outcome},
                request=request,
            )
            _trim(owner)
    except Exception as error:
        failure = Failed()
        logger.exception("A redelivery for %s failed, reference %s", owner.pk, failure.reference)
        _note_failure(_new(owner, arrival, redelivered_from=delivery), failure)
        raise failure from error
    return again


def take_again() -> str:
    """What the schedule calls: process those that failed a short while ago. Not every forge sends them again."""
    failed = Delivery.objects.filter(outcome=Outcome.FAILED, received_at__gte=timezone.now() - AGAIN_FOR)
    taken = sum(_again(pk) for pk in failed.order_by("received_at").values_list("pk", flat=True)[:500])
    return f"{taken} deliveries taken again"


def _again(pk: uuid.UUID) -> bool:
    try:
        with transaction.atomic():
            delivery = (
                Delivery.objects.select_for_update(of=("self",))
                .select_related("organization", "hook", "connection")
                .filter(pk=pk, outcome=Outcome.FAILED)
                .first()
            )
            if delivery is None or not delivery.facts:
                return False
            _process(delivery, _event_in(delivery))
            delivery.save(update_fields=["outcome", "detail", "runs", "processed_at"])
    except Exception:
        logger.exception("The delivery %s failed again", pk)
        return False
    return True
