"""How sources stand: for lists of them with a constant number of queries.

Whether a source is being indexed is what its Run says and nothing else, so that no source can be stuck at it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils import timezone

from forges.models import Connection
from indexing import clock
from indexing.linking import Offer, offer
from indexing.models import Source
from indexing.requesting import INDEX
from indexing.wording import Trouble, trouble
from jobs import heartbeats
from jobs.models import LIVE, Run, RunQuerySet, Status
from jobs.subjects import SubjectId
from orgs.models import Membership

PATIENCE = timedelta(seconds=15)
"""How long a Run may be queued before the row asks whether any worker is there."""


class Standing(TextChoices):
    PENDING = "pending", "Pending"
    INDEXING = "indexing", "Indexing"
    COMPLETE = "complete", "Complete"
    ERROR = "error", "Error"


_SECRETS = (
    tuple(
        f"connection__{name}"
        for secret in (Connection.token, Connection.refresh_token, Connection.consumer_secret)
        for name in secret.columns[:2]
    )
    + Source.token.columns[:2]
)


def indexings() -> RunQuerySet:
    """The Runs that index sources, but for those that another one does the work of."""
    subject_type = ContentType.objects.get_for_model(Source)
    found: RunQuerySet = Run.objects.filter(subject_type=subject_type, kind=INDEX, joined_to=None)
    return found


def listed(sources: QuerySet[Source]) -> QuerySet[Source]:
    """With what lists show, sort and filter by, `standing` among it; secrets stay in the database."""
    found = sources.select_related("server__organization", "connection__user").defer(*_SECRETS)
    return found.annotate(standing=_standing())


def _standing() -> Case:
    runs = indexings().filter(subject_id=SubjectId(OuterRef("pk")))
    begun = Exists(runs.filter(status__in=(Status.RUNNING, Status.WAITING)))
    queued = Exists(runs.filter(status=Status.QUEUED))
    return Case(
        When(Q(begun), then=Value(Standing.INDEXING)),
        When(Q(queued) & Q(indexed_at__isnull=False), then=Value(Standing.INDEXING)),
        When(Q(queued), then=Value(Standing.PENDING)),
        When(~Q(error_code=""), then=Value(Standing.ERROR)),
        When(indexed_at__isnull=False, then=Value(Standing.COMPLETE)),
        default=Value(Standing.PENDING),
        output_field=CharField(),
    )


def counts(membership: Membership) -> dict[Standing, int]:
    """How many of the sources that a member may see stand how; one query."""
    found = Source.objects.visible_to(membership).annotate(standing=_standing()).order_by()
    numbers = dict(found.values_list("standing").annotate(number=Count("pk")))
    return {standing: numbers.get(standing, 0) for standing in Standing}


@dataclass(frozen=True, slots=True)
class Row:
    """What a list shows of a source."""

    source: Source
    standing: Standing
    run: Run | None
    """The Run that is worked on, or is about to be."""
    trouble: Trouble | None
    offer: Offer | None
    """An account to connect, where that would help."""
    next_refresh_at: datetime | None
    """By the clock; None for what the clock does not ask."""
    worker_missing: bool

    @property
    def live(self) -> bool:
        return self.run is not None or self.standing == Standing.INDEXING

    @property
    def awaits_account(self) -> bool:
        """Whether nothing goes on before its `offer` is taken, as far as anybody knows."""
        return self.run is None or self.run.status == Status.WAITING

    @property
    def may_edit(self) -> bool:
        """A server's own content is indexed by itself: there is nothing to choose of it."""
        return self.source.kind != Source.Kind.CONTENT

    @property
    def why_no_refresh(self) -> str:
        """The reason why it cannot be refreshed now; "" where it can."""
        if self.source.paused_at is not None:
            return "It is paused."
        if self.run is not None and self.run.status != Status.WAITING:
            return "It is being indexed."
        return ""


def load(sources: Iterable[Source], *, membership: Membership) -> dict[uuid.UUID, Row]:
    """The rows by primary key, of sources that come from `listed`: one query, however many there are; two when a Run
    is queued for long."""
    wanted = list(sources)
    if not wanted:
        return {}
    runs = _live(wanted)
    waiting_long = any(
        run.status == Status.QUEUED and timezone.now() - run.created_at > PATIENCE for run in runs.values()
    )
    worker_missing = waiting_long and not heartbeats.worker_is_alive()
    rows = {}
    for source in wanted:
        run = runs.get(str(source.pk))
        if run is not None:
            run.organization = source.server.organization
        rows[source.pk] = Row(
            source,
            standing=Standing(vars(source)["standing"]),
            run=run,
            trouble=trouble(source),
            offer=offer(source, membership),
            next_refresh_at=source.next_refresh_at if clock.may_ask(source) else None,
            worker_missing=worker_missing and run is not None and run.status == Status.QUEUED,
        )
    return rows


def row_of(source: Source, *, membership: Membership) -> Row:
    """That of one source, read anew. Raises Source.DoesNotExist."""
    found = listed(Source.objects.all()).get(pk=source.pk)
    return load([found], membership=membership)[found.pk]


def _live(sources: list[Source]) -> dict[str, Run]:
    """By the sources' ids. What runs comes before what is queued, and that before what waits."""
    live = indexings().filter(subject_id__in=[str(source.pk) for source in sources], status__in=LIVE)
    order = (Status.WAITING, Status.QUEUED, Status.RUNNING)
    return {run.subject_id: run for run in sorted(live, key=lambda run: order.index(run.status))}
