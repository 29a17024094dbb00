"""What a page about usage shows, in a constant number of queries, however long the span."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Sum, Value, When
from django.db.models.query import QuerySet

from catalog.models import Server, Toolkit
from endpoint.models import Hour, LatencyHour, QueryHour
from endpoint.recording.buckets import percentile
from endpoint.usage.spans import Bar
from indexing.models import EmptyQuery
from orgs.models import Membership

TOP = 10
SHARES = (0.5, 0.95, 0.99)


@dataclass
class Numbers:
    """Of one bar, or of all of them."""

    calls: int = 0
    tool_errors: int = 0
    errors: int = 0
    refused: int = 0
    limited: int = 0
    bytes_out: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    @property
    def ok(self) -> int:
        return self.calls - self.failed - self.turned_away

    @property
    def failed(self) -> int:
        """Answered with an error, of a tool or of the protocol."""
        return self.tool_errors + self.errors

    @property
    def turned_away(self) -> int:
        return self.refused + self.limited

    @property
    def failed_share(self) -> float:
        """Per cent of what was answered."""
        answered = self.calls - self.turned_away
        return 100 * self.failed / answered if answered else 0.0

    @property
    def latencies(self) -> tuple[float | None, ...]:
        """Milliseconds at p50, p95 and p99; None where nothing was answered."""
        return tuple(percentile(self.buckets, share) for share in SHARES)


@dataclass(frozen=True)
class Usage:
    bars: Sequence[Bar]
    by_bar: Sequence[Numbers]
    total: Numbers


@dataclass(frozen=True)
class ToolUse:
    name: str
    calls: int
    errors: int
    milliseconds: float
    """On average."""

    @property
    def error_share(self) -> float:
        return 100 * self.errors / self.calls if self.calls else 0.0


@dataclass(frozen=True)
class QueryUse:
    query: str
    """"" for all that were not counted by themselves."""
    times: int
    empty: int


@dataclass(frozen=True)
class TargetUse:
    """A server or toolkit of an organisation."""

    target: Server | Toolkit
    calls: int
    failed: int


def of_target(target: Server | Toolkit) -> Q:
    return Q(target=target.pk)


def of_organization(membership: Membership) -> Q:
    """Of all that the member may see: what is personal to others is counted nowhere."""
    visible = Q()
    for name in ("server", "toolkit"):
        visible &= Q(**{f"{name}__owner": None}) | Q(**{f"{name}__owner": membership.user_id})
    return Q(organization=membership.organization_id) & visible


def usage(of: Q, bars: Sequence[Bar]) -> Usage:
    """Two queries."""
    by_bar = [Numbers() for _ in bars]
    names = ("calls", "tool_errors", "errors", "refused", "limited", "bytes_out")
    for row in (
        _in(Hour.objects.filter(of), bars).values("bar").annotate(**{f"sum_{name}": Sum(name) for name in names})
    ):
        for name in names:
            setattr(by_bar[row["bar"]], name, row[f"sum_{name}"])
    for row in _in(LatencyHour.objects.filter(of), bars).values("bar", "bucket").annotate(number=Sum("calls")):
        by_bar[row["bar"]].buckets[row["bucket"]] += row["number"]
    total = Numbers(**{name: sum(getattr(each, name) for each in by_bar) for name in names})
    for each in by_bar:
        total.buckets.update(each.buckets)
    return Usage(bars, by_bar, total)


def _in(rows: QuerySet[Any], bars: Sequence[Bar]) -> QuerySet[Any]:
    """Those of the span, each with the number of its `bar`."""
    within: QuerySet[Any] = _within(rows, bars)
    cases = [When(hour__lt=bar.ends, then=Value(number)) for number, bar in enumerate(bars)]
    numbered: QuerySet[Any] = within.annotate(bar=Case(*cases, output_field=IntegerField()))
    return numbered


def _within(rows: QuerySet[Any], bars: Sequence[Bar]) -> QuerySet[Any]:
    return rows.filter(hour__gte=bars[0].begins, hour__lt=bars[-1].ends).order_by()


def top_tools(of: Q, bars: Sequence[Bar]) -> list[ToolUse]:
    """The tools that were called most."""
    rows = _within(Hour.objects.filter(of).exclude(tool=""), bars).values("tool")
    sums = rows.annotate(number=Sum("calls"), failed=Sum(F("tool_errors") + F("errors")), took=Sum("milliseconds"))
    return [
        ToolUse(row["tool"], row["number"], row["failed"], row["took"] / row["number"] if row["number"] else 0.0)
        for row in sums.order_by("-number", "tool")[:TOP]
    ]


def top_queries(of: Q, bars: Sequence[Bar]) -> list[QueryUse]:
    """What was searched for most; what was not counted by itself comes last."""
    sums = _within(QueryHour.objects.filter(of), bars).values("query").annotate(number=Sum("times"), none=Sum("empty"))
    rows = list(sums.order_by("-number", "query")[: TOP + 1])
    uses = [QueryUse(row["query"], row["number"], row["none"]) for row in rows]
    return sorted(uses, key=lambda use: not use.query)[:TOP]


def empty_queries(server: Server, since: datetime) -> list[EmptyQuery]:
    """Queries that found nothing, last asked since then; those asked most often first."""
    return list(EmptyQuery.objects.filter(server=server, last_at__gte=since).order_by("-times", "-last_at")[:TOP])


def top_targets(membership: Membership, bars: Sequence[Bar]) -> list[TargetUse]:
    """The servers and toolkits that were asked most, in three queries."""
    rows = _within(Hour.objects.filter(of_organization(membership)), bars).values("server_id", "toolkit_id")
    sums = rows.annotate(number=Sum("calls"), failed=Sum(F("tool_errors") + F("errors"))).order_by("-number")[: 2 * TOP]
    found = list(sums)
    there: dict[Any, Server | Toolkit] = {}
    there |= Server.objects.in_bulk([row["server_id"] for row in found if row["server_id"]])
    there |= Toolkit.objects.in_bulk([row["toolkit_id"] for row in found if row["toolkit_id"]])
    named = [(there.get(row["server_id"] or row["toolkit_id"]), row) for row in found]  # or deleted a moment ago
    return [TargetUse(target, row["number"], row["failed"]) for target, row in named if target is not None][:TOP]


def ever(of: Q) -> bool:
    """Whether anything was asked in the last thirteen months."""
    return Hour.objects.filter(of).exists()
