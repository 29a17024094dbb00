"""How a crawl ends: what was not reached goes, what stood for others is settled, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from catalog.bulk import insert_rows
from indexing.crawling.model import Visit
from indexing.models import Page, Source
from indexing.reasons import Reason, SkipReason
from indexing.sites.deciding import CRAWLS_WITHOUT, FAILED, START, Crawled, Tally, beyond_cap, nothing_found
from indexing.sites.duplicates import settle
from indexing.sites.frontier import asked_at, batches, key_of, path_of
from indexing.sites.opening import Crawl
from indexing.sites.removing import remove, sweep
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Failure, Outcome

_LOOK = 500


def start_missed(visit: Visit, *, inward: str) -> Failure | None:
    """Why nothing can be said of a site whose first page could not be had; None where that does not matter.

    `inward`: why the address that it leads to is refused, "" where it is not.
    """
    reason = START.get(visit.skip) if visit.skip else None
    if reason is None:
        return None
    if visit.skip == SkipReason.REDIRECTED_AWAY and inward:
        return Failure(Reason.BLOCKED_ADDRESS, f"{visit.url} leads to another address. {inward}")
    words: dict[SkipReason | None, str] = {
        SkipReason.AUTH_REQUIRED: f"{visit.url} answered with {visit.status}: it wants to know who asks.",
        SkipReason.NOT_FOUND: f"{visit.url} answered with {visit.status}: there is no such page.",
        SkipReason.ROBOTS: f"The robots.txt of {visit.url} does not allow its pages to be read.",
    }
    return Failure(reason, words.get(visit.skip, f"{visit.url} could not be read. {visit.detail}").strip())


def too_many_failures(tally: Tally) -> Failure:
    return Failure(
        Reason.TOO_MANY_FAILURES,
        f"{tally.failed:,} of {tally.asked:,} pages could not be read, so the crawl was stopped.",
        {"asked": tally.asked, "failed": tally.failed},
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the crawler says of its work."""

    traps: tuple[str, ...] = ()
    dropped: int = 0
    """Addresses beyond the cap that were too many to be remembered."""
    exhausted: str = ""
    """Why it ended before its end, as a sentence."""
    lists_failed: bool = False
    requests: int = 0


def remember(crawl: Crawl, *, beyond: Sequence[tuple[str, int]], twins: Mapping[str, str]) -> None:
    """Pages that were found beyond the cap, and where people see those that were read as Markdown."""
    for some in batches(beyond):
        with transaction.atomic():
            crawl.claim()
            known = set(_at(crawl, [url for url, _ in some]).values_list("key", flat=True))
            insert_rows(
                Page,
                ("key", "url", "path", "depth"),
                ((key_of(url), url, path_of(url), depth) for url, depth in some if key_of(url) not in known),
                same={"source": crawl.source.pk, "skip_reason": SkipReason.BEYOND_LIMIT},
            )
    for names in batches(list(twins)):
        with transaction.atomic():
            crawl.claim()
            for page in _at(crawl, names):
                shown = twins[asked_at(page)]
                if page.url != shown:
                    page.meta = {**page.meta, "asked": asked_at(page)}
                    page.url, page.path = shown, path_of(shown)
                    page.save(update_fields=["url", "path", "meta"])


def _at(crawl: Crawl, urls: Iterable[str]) -> QuerySet[Page]:
    found: QuerySet[Page] = Page.objects.filter(source=crawl.source, key__in=[key_of(url) for url in urls])
    return found


def left_to_ask(crawl: Crawl) -> int:
    return Page.objects.filter(source=crawl.source, reached=crawl.number).exclude(fetched=crawl.number).count()


def settled(crawl: Crawl) -> bool:
    """Settle who stands for whom. False where pages have to be asked for again before the crawl is at its end."""
    with transaction.atomic():
        crawl.claim()
        again = settle(crawl.source)
        if again:
            Page.objects.filter(pk__in=again).update(fetched=crawl.number - 1, etag="", last_modified="")
    return not again


def close(context: RunContext, crawl: Crawl, told: Told) -> Outcome:
    """The end of a crawl that has asked for all that it may. Raises Failure where nothing at all is in the index."""
    source = crawl.source
    left = left_to_ask(crawl) if told.exhausted else 0
    beyond = _beyond_cap(crawl) + told.dropped
    crawled = Crawled(left=left, capped=beyond > 0, blind=_blind(crawl), lists_failed=told.lists_failed)
    if not left:
        context.progress("Removing what is gone")
        with transaction.atomic():
            crawl.claim()
            if crawled.complete:
                _mark(crawl)
            Source.objects.filter(pk=source.pk).update(crawl_open=False)
        sweep(source, crawl.claim, context.check)
        if crawled.capped:
            _keep_cap(crawl)
    notice = _notice(crawl, told, left=left, beyond=beyond)
    with transaction.atomic():
        crawl.claim()
        Source.objects.filter(pk=source.pk).update(notice=notice)
    counts = _counts(crawl)
    result = {"crawl": crawl.number, "complete": crawled.complete, "requests": told.requests, "notice": notice}
    if not Page.objects.filter(source=source, text__isnull=False).exists():
        raise _empty(crawl, counts, result)
    partial = bool(counts["failed"] or left)
    return Outcome(status=Status.PARTIAL if partial else Status.SUCCEEDED, counts=counts, result=result)


def _blind(crawl: Crawl) -> int:
    """Pages that began to fail in this crawl and were never read: what they lead to nobody knows.

    One that failed the last time already has led to nothing by which anything was known.
    """
    failed = Page.objects.filter(source=crawl.source, fetched=crawl.number, skip_reason__in=FAILED, links=None)
    return failed.filter(meta__failing_since=crawl.number).count()


def _mark(crawl: Crawl) -> None:
    """Count this complete crawl for each page that it came away without. At once with closing it: it counts once."""
    pages = Page.objects.filter(source=crawl.source)
    reached = pages.filter(reached=crawl.number)
    doubtful = Q(text__isnull=False) & ~Q(skip_reason__in=["", *FAILED])
    reached.exclude(doubtful).filter(missed__gt=0).update(missed=0)
    reached.filter(doubtful).update(missed=F("missed") + 1)
    unreached = pages.exclude(reached=crawl.number)
    unreached.filter(text__isnull=False).update(missed=F("missed") + 1)
    unreached.filter(text=None).update(missed=CRAWLS_WITHOUT)


def _keep_cap(crawl: Crawl) -> None:
    indexed = Page.objects.filter(source=crawl.source, text__isnull=False)
    too_many = beyond_cap(indexed=indexed.count(), cap=crawl.limits.pages)
    unreached = indexed.exclude(reached=crawl.number).order_by("-missed", "-depth", "-pk")
    remove(crawl.source, list(unreached.values_list("pk", flat=True)[:too_many]), crawl.claim)


def _notice(crawl: Crawl, told: Told, *, left: int, beyond: int) -> str:
    """What is worth knowing, a sentence a line."""
    lines = []
    if left:
        lines.append(f"{told.exhausted} {_pages(left)} left for the next refresh.")
    if beyond:
        cap = crawl.limits.pages
        higher = "" if cap >= settings.INDEX_MAX_PAGES else " Raise its limit to have more of them."
        lines.append(
            f"The site has more than the {cap:,} pages that are read of it: {_pages(beyond)} left out.{higher}"
        )
    lines += told.traps
    if told.lists_failed:
        lines.append("A sitemap could not be read, so nothing was removed because it was not found any more.")
    return "\n".join(lines)


def _pages(number: int) -> str:
    return "1 page that is known is" if number == 1 else f"{number:,} pages that are known are"


def _beyond_cap(crawl: Crawl) -> int:
    beyond = Page.objects.filter(source=crawl.source, skip_reason=SkipReason.BEYOND_LIMIT)
    return beyond.exclude(reached=crawl.number).count()


def _counts(crawl: Crawl) -> dict[str, int]:
    """What the crawl did, over all attempts at it."""
    done = Source.objects.filter(pk=crawl.source.pk).values_list("crawl_counts", flat=True).first() or {}
    asked = Page.objects.filter(source=crawl.source, fetched=crawl.number)
    seen = asked.aggregate(
        failed=Count("pk", filter=Q(skip_reason__in=FAILED)),
        skipped=Count("pk", filter=~Q(skip_reason__in=["", *FAILED])),
        here=Count("pk", filter=Q(text__isnull=False, skip_reason="")),
    )
    indexed, changed = done.get("indexed", 0), done.get("changed", 0)
    return {
        "indexed": indexed,
        "changed": changed,
        "unchanged": max(0, seen["here"] - indexed - changed),
        "removed": done.get("removed", 0),
        "skipped": seen["skipped"],
        "failed": seen["failed"],
    }


def _empty(crawl: Crawl, counts: dict[str, int], result: dict[str, object]) -> Failure:
    skipped = Page.objects.filter(source=crawl.source).exclude(skip_reason="").order_by()
    reasons = list(skipped.values_list("skip_reason").annotate(number=Count("pk")))
    reason = nothing_found(reasons)
    words = {
        Reason.NEEDS_JAVASCRIPT: "The pages are made by a script in the browser: there is no text in them.",
        Reason.TOO_LARGE: "The pages are larger than pages may be.",
    }
    return Failure(reason, words.get(reason, "No page with a text was found."), result, counts=counts)
