"""What several addresses say is in the index once, and stays in it when the page that had it goes."""

from __future__ import annotations

import pytest

from indexing.models import Text
from tests.indexing.site_sources import Add, Indexed, crawled, page
from tests.site import Page, Site, traps

__all__ = ["crawled"]

pytestmark = pytest.mark.django_db
SAME = "This text is at more than one address."


def same(title: str = "Same", *links: str, canonical: str = "") -> str:
    return page(title, *links, text=SAME, head=f'<link rel="canonical" href="{canonical}">' if canonical else "")


@pytest.fixture
def copies(site: Site, crawled: Add) -> Indexed:
    """A page and two copies of it, indexed."""
    site.add("/", page("Start", "/a", "/b", "/c"))
    for path in "abc":
        site.add(f"/{path}", same())
    indexed = crawled()
    indexed.index()
    return indexed


def test_pages_of_the_same_text_are_one_and_the_others_remember_which(copies: Indexed) -> None:
    assert copies.paths == ["/", "/a"]
    assert copies.duplicates == {"/b": "/a", "/c": "/a"}
    assert Text.objects.count() == 2
    assert copies.found(SAME) == ["/a"]


def test_duplicates_that_have_not_changed_stay_as_they_are(copies: Indexed) -> None:
    run = copies.index()
    assert copies.site.statuses()[304] == 4
    assert (run.counts["unchanged"], run.counts["skipped"]) == (2, 2)
    assert copies.paths == ["/", "/a"]


def test_when_the_kept_one_is_gone_another_comes(copies: Indexed) -> None:
    copies.site.remove("/a")
    copies.index()
    assert copies.paths == ["/", "/b"]
    assert copies.duplicates == {"/c": "/b"}
    assert copies.found(SAME) == ["/b"]


def test_when_the_kept_one_says_something_else_another_comes(copies: Indexed) -> None:
    copies.site.change("/a", page("A", text="Something else by now."))
    run = copies.index()
    assert run.counts["changed"] == 1
    assert copies.paths == ["/", "/a", "/b"]
    assert copies.duplicates == {"/c": "/b"}


def test_when_the_kept_one_is_not_reached_any_more_another_comes(copies: Indexed) -> None:
    copies.site.change("/", page("Start", "/b", "/c"))
    copies.index()
    copies.index()
    assert copies.paths == ["/", "/b"]


def test_a_copy_that_becomes_a_page_of_its_own_is_indexed(copies: Indexed) -> None:
    copies.site.change("/b", page("B", text="A text of its own."))
    assert copies.index().counts["indexed"] == 1
    assert copies.paths == ["/", "/a", "/b"]
    assert copies.duplicates == {"/c": "/a"}


def test_all_that_change_alike_are_one_again(copies: Indexed) -> None:
    for path in "abc":
        copies.site.change(f"/{path}", page("Other", text="All of them changed."))
    copies.index()
    assert copies.paths == ["/", "/a"]
    assert copies.duplicates == {"/b": "/a", "/c": "/a"}


def test_a_copy_that_fails_and_comes_back_is_a_copy_again(copies: Indexed) -> None:
    fault = copies.site.fail("/b", status=500)
    copies.index()
    assert copies.skips["/b"] == "server_error"
    copies.site.disarm(fault)
    copies.index()
    assert copies.duplicates == {"/b": "/a", "/c": "/a"}


def test_a_page_that_names_another_as_canonical_is_left_out_for_it(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/print", "/page"))
    site.add("/print", page("Print", text="For printers.", head='<link rel="canonical" href="/page">'))
    site.add("/page", page("Page", text="For everybody."))
    indexed = crawled()
    indexed.index()
    assert indexed.paths == ["/", "/page"]
    assert indexed.duplicates == {"/print": "/page"}
    indexed.index()
    assert indexed.paths == ["/", "/page"]


def test_a_canonical_page_that_nothing_else_links_is_asked_for(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/print"))
    site.add("/print", page("Print", text="For printers.", head='<link rel="canonical" href="/page">'))
    site.add("/page", page("Page", text="For everybody."))
    indexed = crawled()
    for _ in range(3):
        indexed.index()
        assert indexed.paths == ["/", "/page"]


def test_a_page_is_indexed_itself_where_its_canonical_one_is_not_there(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/print"))
    site.add("/print", page("Print", text="For printers.", head='<link rel="canonical" href="/page">'))
    indexed = crawled()
    indexed.index()
    assert indexed.paths == ["/", "/print"]
    site.add("/page", page("Page", text="For everybody."))
    indexed.index()
    assert indexed.paths == ["/", "/page"], "it is there by now"
    site.remove("/page")
    indexed.index()
    assert indexed.paths == ["/", "/print"], "and gone again"
    assert indexed.found("For printers") == ["/print"]


def test_pages_that_name_each_other_are_one(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a", "/b"))
    site.add("/a", page("A", text="One.", head='<link rel="canonical" href="/b">'))
    site.add("/b", page("B", text="Two.", head='<link rel="canonical" href="/a">'))
    indexed = crawled()
    for _ in range(3):
        indexed.index()
        assert indexed.paths == ["/", "/b"]


def test_a_chain_of_canonical_pages_ends_at_the_last(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/a"))
    for here, there in ("ab", "bc", "cd"):
        site.add(f"/{here}", page(here, text=f"Text {here}.", head=f'<link rel="canonical" href="/{there}">'))
    site.add("/d", page("d", text="Text d."))
    indexed = crawled()
    for _ in range(2):
        indexed.index()
        assert indexed.paths == ["/", "/d"]
        assert indexed.duplicates == {"/a": "/d", "/b": "/d", "/c": "/d"}


def test_a_site_whose_pages_all_name_the_first_as_canonical_is_indexed_all_the_same(site: Site, crawled: Add) -> None:
    head = '<link rel="canonical" href="/">'
    site.add("/", page("Start", "/a", "/b", head=head))
    site.add("/a", page("A", head=head))
    site.add("/b", page("B", head=head))
    indexed = crawled()
    indexed.index()
    assert indexed.paths == ["/", "/a", "/b"]


def test_a_page_moves_to_the_address_that_it_redirects_to(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/old"))
    site.add("/old", page("Old", text="It will move."))
    indexed = crawled()
    indexed.index()
    site.redirect("/old", "/new", status=301)
    site.add("/new", page("Old", text="It will move."))
    for _ in range(2):
        indexed.index()
        assert indexed.paths == ["/", "/new"]
        assert indexed.duplicates == {"/old": "/new"}
    assert not {path: times for path, times in site.repeated().items() if path in ("/old", "/new")}


def test_a_redirect_to_nothing_keeps_the_page_for_one_more_crawl(site: Site, crawled: Add) -> None:
    site.add("/", page("Start", "/old"))
    site.add("/old", page("Old", text="It will be lost."))
    indexed = crawled()
    indexed.index()
    site.redirect("/old", "/new", status=301)
    indexed.index()
    assert indexed.paths == ["/", "/old"]
    indexed.index()
    assert indexed.paths == ["/"]


@pytest.mark.parametrize("trap", [traps.twins, traps.canonical_twin, traps.redirects])
def test_twins_of_every_kind_are_indexed_once(site: Site, crawled: Add, trap: traps.Trap) -> None:
    indexed = crawled(trap(site))
    indexed.index()
    texts = [indexed.text(path) for path in indexed.paths]
    assert len(texts) == len(set(texts))
    before = indexed.paths
    indexed.index()
    assert indexed.paths == before


def test_the_start_is_known_by_the_address_that_it_leads_to(site: Site, crawled: Add) -> None:
    site.redirect("/", "/en/", status=302)
    site.redirect("/en/", "/en/latest/", status=302)
    site.add("/en/latest/", page("Start", "a"))
    site.add("/en/latest/a", page("A"))
    indexed = crawled()
    run = indexed.index()
    assert run.counts["indexed"] == 2
    assert indexed.paths == ["/en/latest/", "/en/latest/a"]
    run = indexed.index()
    assert (run.counts["unchanged"], run.counts["removed"], run.result["complete"]) == (2, 0, True)


def test_markdown_is_read_in_the_place_of_pages_that_keep_their_address(site: Site, crawled: Add) -> None:
    traps.llms(site)
    indexed = crawled("/guide/")
    indexed.index()
    assert indexed.paths == ["/guide/", "/guide/configure", "/guide/install", "/guide/repair"]
    assert "as text" in indexed.text("/guide/install")
    run = indexed.index()
    assert run.counts["unchanged"] == 4
    assert site.statuses()[200] <= 2, "robots and llms.txt alone"
    site.remove("/llms.txt")
    for _ in range(3):
        indexed.index()
    assert len(indexed.paths) == 4


def test_a_page_whose_markdown_is_gone_is_read_as_it_is(site: Site, crawled: Add) -> None:
    traps.llms(site)
    indexed = crawled("/guide/")
    indexed.index()
    site.remove("/guide/install.md")
    indexed.index()
    assert "/guide/install" in indexed.paths
    assert "as text" not in indexed.text("/guide/install")


def test_pages_without_etags_are_told_apart_by_what_they_say(site: Site, crawled: Add) -> None:
    site.add("/", Page(page("Start", "/a", "/b"), conditional=False))
    for path in "ab":
        site.add(f"/{path}", Page(same(), conditional=False))
    indexed = crawled()
    for _ in range(2):
        indexed.index()
        assert indexed.duplicates == {"/b": "/a"}
