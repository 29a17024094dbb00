"""Lists and links made to fill the memory, or to keep a processor busy: as many as nobody has."""

from __future__ import annotations

import pytest

from indexing.crawling import links, lists, traps
from indexing.crawling.asking import Answer
from indexing.crawling.frontier import MemoryFrontier
from indexing.crawling.links import Links
from indexing.crawling.lists import read_sitemaps
from indexing.crawling.model import Limits
from indexing.crawling.robots import Robots
from indexing.crawling.traps import Traps
from indexing.crawling.urls import Cover


def robots(text: str) -> Robots:
    return Robots.of(Answer("https://example.com/robots.txt", 200, {}, text.encode()), "Millrace/1.0")


def test_rules_are_not_kept_for_each_of_ten_thousand_other_robots() -> None:
    names = "".join(f"User-agent: robot{number}\n" for number in range(10_000))
    rules = "".join(f"Disallow: /{number}/\n" for number in range(10_000))
    found = robots(f"{names}User-agent: *\n{rules}")
    assert not found.allows("https://example.com/7/")
    assert found.file is not None
    assert len(found.file._user_agents) == 2


@pytest.mark.parametrize("name", ["user-agent: {}", "User-Agent:{}", "USER AGENT {}", " useragent : {} # us"])
def test_groups_of_others_stay_apart_from_ours(name: str) -> None:
    groups = [("other*", "/theirs"), ("*", "/all"), ("Mill*race", "/ours"), ("millrace-news", "/news")]
    found = robots("\n".join(f"{name.format(robot)}\nDisallow: {path}\n" for robot, path in groups))
    refused = {path for _, path in groups if not found.allows(f"https://example.com{path}")}
    assert refused == {"/ours"}


def test_of_a_sitemap_that_names_endless_others_a_few_are_looked_at() -> None:
    named = "".join(f"<sitemap><loc>https://example.com/{number}.xml</loc></sitemap>" for number in range(3_000))
    looked_at: list[str] = []

    def ask(url: str, _max_bytes: int) -> Answer:
        return Answer(url, 200, {}, f"<sitemapindex>{named}</sitemapindex>".encode())

    def allows(url: str) -> bool:
        looked_at.append(url)
        return url.endswith("/sitemap.xml")

    found = read_sitemaps(Cover.of("https://example.com/"), [], ask=ask, allows=allows, most=10, files=5)
    assert not found.complete
    assert len(set(looked_at)) == lists.MOST_FILES_NAMED + 1


def test_addresses_that_never_end_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_LINKS", 100)
    found = Links(Cover.of("https://example.com/"), limits=Limits(pages=10), frontier=MemoryFrontier())
    for page in range(50):
        found.add((f"https://example.com/{page}/{number}" for number in range(100)), depth=1)
    assert len(found._seen) <= links.MOST_SEEN * 10 + 101
    assert found.capped
    assert found.dropped


def test_traps_at_ever_new_paths_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traps, "MOST_PATHS", 50)
    found = Traps()
    for number in range(500):
        assert found.catches(f"https://example.com/{number}?a=1&b=1&c=1&d=1&date=2026-01-01")
    assert len(found._combinations) <= 50
    assert len(found._dates) <= 50
