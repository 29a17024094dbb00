"""What the integrations table shows of each integration, loaded with a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from forges.models import Connection, Hook, Method
from integrations import credential_state
from integrations.models import Integration, SkippedFile, Track
from integrations.refreshing import REFRESH
from integrations.wording import Step, next_steps
from jobs import heartbeats
from jobs.models import LIVE, Run, RunQuerySet, Status
from jobs.subjects import SubjectId
from orgs import access
from orgs.models import Membership

PATIENCE = timedelta(seconds=15)
"""How long a Run may be queued before the row asks whether any worker is there."""


_SECRETS = tuple(
    name
    for secret in (Connection.token, Connection.refresh_token, Connection.consumer_secret)
    for name in secret.columns[:2]
)


def listed(integrations: QuerySet[Integration]) -> QuerySet[Integration]:
    """With what the table sorts and filters by; secrets stay in the database.

    Adds `branch`, `mount_path`, `files`, `last_commit`, and of the last refresh `run_id`, `outcome` and `run_at`.
    """
    tracks = Track.objects.filter(integration=OuterRef("pk"))
    first = tracks.order_by("branch", "mount_path")
    files = tracks.order_by().values("integration").annotate(number=Sum("files"))
    runs = refreshes().filter(subject_id=SubjectId(OuterRef("pk"))).order_by("-created_at")
    ciphertext, nonce, _ = Integration.token.columns
    return integrations.defer(ciphertext, nonce).annotate(
        branch=Subquery(first.values("branch")[:1]),
        last_commit=Subquery(first.values("last_commit")[:1]),
        files=Subquery(files.values("number")),
        run_id=Subquery(runs.values("pk")[:1]),
        outcome=Subquery(runs.values("status")[:1]),
        run_at=Subquery(runs.values("created_at")[:1]),
    )


def refreshes() -> RunQuerySet:
    """The Runs that refresh integrations, but for those that another one does the work of."""
    subject_type = ContentType.objects.get_for_model(Integration)
    found: RunQuerySet = Run.objects.filter(subject_type=subject_type, kind=REFRESH, joined_to=None)
    return found


@dataclass(frozen=True, slots=True)
class TrackFacts:
    track: Track
    skipped: int
    edited: bool
    """Its filter or mount path is another one than at the last refresh."""


@dataclass(frozen=True, slots=True)
class Row:
    integration: Integration
    tracks: tuple[TrackFacts, ...]
    run: Run | None
    """The refresh to show: the one that is worked on or about to be, else the last one."""
    held: Run | None
    """The newest refresh that waits for somebody's confirmation."""
    steps: tuple[Step, ...]
    hook: Hook | None = None
    """The webhook that tells of its pushes, where it refreshes on push and has one."""

    @property
    def live(self) -> bool:
        return self.run is not None and self.run.is_live

    @property
    def changes(self) -> dict[str, int]:
        """What the Run changed; what it found as it was is in other columns."""
        counts = self.run.counts if self.run else {}
        return {name: number for name, number in counts.items() if name not in ("unchanged", "skipped") and number}


def load(integrations: Iterable[Integration], *, membership: Membership) -> dict[Any, Row]:
    """The rows by primary key: six queries (seven when a Run is queued for long), however many there are.

    The integrations come with their servers and organisations loaded. Steps that need the right to import are left
    without their link for those who do not have it.
    """
    wanted = list(integrations)
    if not wanted:
        return {}
    may_import = access.may(membership, "integrations.import")
    may_delete = access.may(membership, "contents.can_delete")
    tracks: dict[Any, list[Track]] = defaultdict(list)
    for track in Track.objects.filter(integration__in=wanted):
        tracks[track.integration_id].append(track)
    numbers = SkippedFile.objects.filter(track__integration__in=wanted).order_by().values("track")
    skipped = dict(numbers.annotate(number=Count("pk")).values_list("track", "number"))
    shown, held = _runs(wanted)
    waiting_long = any(
        run.status == Status.QUEUED and timezone.now() - run.created_at > PATIENCE for run in shown.values()
    )
    worker_missing = waiting_long and not heartbeats.worker_is_alive()
    connections, hooks = _connections(wanted), _hooks(wanted, membership)
    rows = {}
    for integration in wanted:
        facts = []
        for track in tracks[integration.pk]:
            track.integration = integration
            edited = bool(track.last_fingerprint) and track.last_fingerprint != track.fingerprint
            facts.append(TrackFacts(track, skipped.get(track.pk, 0), edited))
        run, waits = shown.get(str(integration.pk)), held.get(str(integration.pk))
        for each in (run, waits):
            if each is not None:
                each.organization = integration.server.organization
        connection = connections.get(integration.connection_id)
        hook = hooks.get(_repository(integration)) if integration.on_push else None
        if connection is not None and connection.method == Method.GITHUB_APP:
            hook = None  # the App's own webhook tells of its pushes
        steps = next_steps(
            integration,
            tracks=tracks[integration.pk],
            run=run,
            held=waits,
            credential=credential_state.step(integration, connection, membership, may_import=may_import),
            hook=hook,
            edited=any(fact.edited for fact in facts),
            worker_missing=worker_missing,
            may_import=may_import,
            may_delete=may_delete,
        )
        rows[integration.pk] = Row(integration, tuple(facts), run, waits, steps, hook)
    return rows


def _connections(integrations: list[Integration]) -> dict[Any, Connection]:
    """By primary key, without their secrets."""
    used = {pk for integration in integrations if (pk := integration.connection_id) is not None}
    found = Connection.objects.filter(pk__in=used).select_related("user")
    return {each.pk: each for each in found.defer(*_SECRETS)} if used else {}


def _repository(of: Integration | Hook) -> tuple[str, str, str]:
    return of.forge, of.base_url, of.repository_id


def _hooks(integrations: list[Integration], membership: Membership) -> dict[tuple[str, str, str], Hook]:
    """By repository, without their secrets."""
    wanted = {integration.repository_id for integration in integrations if integration.on_push}
    found = Hook.objects.filter(organization=membership.organization_id, repository_id__in=wanted)
    hidden = [name for secret in (Hook.secret, Hook.previous_secret) for name in secret.columns[:2]]
    return {_repository(each): each for each in found.defer(*hidden)} if wanted else {}


def _runs(integrations: list[Integration]) -> tuple[dict[str, Run], dict[str, Run]]:
    """By the integrations' ids: the Run to show, and the newest held one. One that waits hides no newer outcome."""
    ids = [str(integration.pk) for integration in integrations]
    last = [run_id for integration in integrations if (run_id := getattr(integration, "run_id", None))]
    found = {
        run.pk: run
        for run in (
            *refreshes().filter(pk__in=last).select_related("requested_by"),
            *refreshes().filter(subject_id__in=ids, status__in=[*LIVE, Status.HELD]).select_related("requested_by"),
        )
    }
    shown: dict[str, Run] = {}
    held: dict[str, Run] = {}
    working = (Status.QUEUED, Status.RUNNING)
    for run in sorted(
        found.values(), key=lambda run: (run.status in working, run.status == Status.RUNNING, run.created_at)
    ):
        shown[run.subject_id] = run
        if run.status == Status.HELD:
            held[run.subject_id] = run
    return shown, held
