"""What becomes of a page, and of a crawl: tables."""

from __future__ import annotations

import pytest

from indexing.reasons import Reason, SkipReason
from indexing.sites.deciding import START, Crawled, Fate, Tally, believes, beyond_cap, fate_of, goes, nothing_found

START_PAGE = "https://docs.example.com/"
PAGE = "https://docs.example.com/a"
OTHER = "https://docs.example.com/b"


@pytest.mark.parametrize(
    ("skip", "fate"),
    [
        (SkipReason.SERVER_ERROR, Fate.FAIL),
        (SkipReason.NETWORK, Fate.FAIL),
        (SkipReason.NOT_FOUND, Fate.GO),
        (SkipReason.NOINDEX, Fate.GO),
        (SkipReason.ROBOTS, Fate.DOUBT),
        (SkipReason.NOT_TEXT, Fate.DOUBT),
        (SkipReason.TOO_LARGE, Fate.DOUBT),
        (SkipReason.NEEDS_JAVASCRIPT, Fate.DOUBT),
        (SkipReason.EMPTY, Fate.DOUBT),
        (SkipReason.UNREADABLE, Fate.DOUBT),
        (SkipReason.REDIRECTED_AWAY, Fate.DOUBT),
        (SkipReason.BLOCKED_ADDRESS, Fate.DOUBT),
        (SkipReason.AUTH_REQUIRED, Fate.DOUBT),
        (SkipReason.TRAP, Fate.DOUBT),
        (SkipReason.BEYOND_LIMIT, Fate.DOUBT),
        (None, Fate.TAKE),
    ],
)
def test_a_page_goes_only_when_the_site_says_so_and_a_failure_changes_nothing(
    skip: SkipReason | None, fate: Fate
) -> None:
    assert fate_of(not_modified=False, skip=skip) is fate


def test_what_the_site_calls_unchanged_stays() -> None:
    assert fate_of(not_modified=True, skip=None) is Fate.STAY


def tally(asked: int, failed: int) -> Tally:
    counted = Tally()
    for number in range(asked):
        counted.add(Fate.FAIL if number < failed else Fate.TAKE)
    return counted


@pytest.mark.parametrize(
    ("asked", "failed", "too_many"),
    [(10, 10, False), (11, 4, True), (12, 4, False), (13, 5, True), (1000, 333, False), (1000, 334, True)],
)
def test_more_than_a_third_of_failures_is_too_many_once_ten_pages_were_asked(
    asked: int, failed: int, too_many: bool
) -> None:
    assert tally(asked, failed).too_many_failures is too_many


@pytest.mark.parametrize(
    ("crawled", "complete"),
    [
        (Crawled(), True),
        (Crawled(left=1), False),
        (Crawled(capped=True), False),
        (Crawled(blind=1), False),
        (Crawled(lists_failed=True), False),
    ],
)
def test_a_crawl_that_saw_less_than_all_is_not_complete(crawled: Crawled, complete: bool) -> None:
    assert crawled.complete is complete


def test_a_page_goes_when_two_complete_crawls_in_a_row_came_away_without() -> None:
    assert [goes(missed=missed) for missed in (0, 1, 2, 3)] == [False, False, True, True]


def test_a_capped_crawl_takes_no_more_than_what_is_beyond_the_cap() -> None:
    assert [beyond_cap(indexed=indexed, cap=1000) for indexed in (999, 1000, 1001, 1200)] == [0, 0, 1, 200]


@pytest.mark.parametrize(
    ("url", "canonical", "covered", "believed"),
    [
        (PAGE, OTHER, True, True),
        (PAGE, PAGE, True, False),
        (PAGE, "", True, False),
        (PAGE, "https://elsewhere.example/a", False, False),
        (PAGE, START_PAGE, True, False),
        (f"{START_PAGE}?print=1", START_PAGE, True, True),
        (f"{PAGE}?print=1", PAGE, True, True),
    ],
)
def test_another_address_is_believed_unless_it_cannot_stand_for_the_page(
    url: str, canonical: str, covered: bool, believed: bool
) -> None:
    assert believes(canonical, url=url, start=START_PAGE, covered=covered) is believed


def test_each_way_to_miss_the_first_page_has_its_reason() -> None:
    assert START[SkipReason.AUTH_REQUIRED] is Reason.AUTH_REQUIRED
    assert START[SkipReason.SERVER_ERROR] is START[SkipReason.NETWORK] is Reason.NETWORK
    assert SkipReason.NEEDS_JAVASCRIPT not in START, "other pages may have text"


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], Reason.EMPTY),
        ([("needs_javascript", 3)], Reason.NEEDS_JAVASCRIPT),
        ([("needs_javascript", 3), ("not_text", 1)], Reason.NEEDS_JAVASCRIPT),
        ([("needs_javascript", 1), ("empty", 5)], Reason.EMPTY),
        ([("too_large", 2)], Reason.TOO_LARGE),
        ([("noindex", 2), ("empty", 1)], Reason.EMPTY),
    ],
)
def test_a_site_without_a_text_has_the_reason_that_most_of_its_pages_have(
    reasons: list[tuple[str, int]], expected: Reason
) -> None:
    assert nothing_found(reasons) is expected
