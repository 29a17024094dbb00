"""A site whose robots.txt has more rules than can be asked about each of its pages while somebody searches."""

from __future__ import annotations

import time

import pytest

from indexing.crawling.asking import Answer
from indexing.crawling.robots import Robots
from indexing.crawling.urls import Cover
from indexing.live.ranking import Document
from indexing.live.sites import JUDGED, PAGES, Listed, Visitor
from indexing.search.snippets import Marker
from lib.egress import Policy


def test_the_rules_are_asked_about_the_likeliest_pages_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    fetched: list[str] = []
    allows = Robots.allows

    def counted(self: Robots, url: str) -> bool:
        asked.append(url)
        return allows(self, url)

    monkeypatch.setattr(Robots, "allows", counted)
    rules = Answer("https://example.com/robots.txt", 200, {}, b"User-agent: *\nDisallow: /guide/0\n")
    named = tuple((f"https://example.com/guide/{number}", f"/guide/{number}") for number in range(500))
    listed = Listed(rules, Cover.of("https://example.com/"), named=named)
    visitor = Visitor(Policy(), "Millrace/1.0", time.monotonic() + 30)

    def kept(url: str, _fetch: object) -> Document | None:
        fetched.append(url)
        return None

    assert visitor.pages(listed, Marker(("guide",)), kept=kept) == []
    assert len(asked) <= JUDGED
    assert len(fetched) == PAGES
    assert "https://example.com/guide/0" not in fetched
