"""What a site says of its own pages: sitemaps of all kinds, llms.txt, and Markdown in the place of pages."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexing.crawling import llms, sitemaps
from tests.indexing.crawls import crawl, crawler
from tests.site import XML, Page, Site, html_page, traps
from tests.site.server import SITEMAP_XMLNS

ENTRIES = "<url><loc>https://e.com/a</loc><lastmod>2026-11-01</lastmod></url><url><loc> https://e.com/b </loc></url>"


@pytest.mark.parametrize(
    "text",
    [
        f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{SITEMAP_XMLNS}">{ENTRIES}</urlset>',
        f"\ufeff\n<urlset>{ENTRIES}</urlset>",
        f'<urlset xmlns="http://www.google.com/schemas/sitemap/0.84">{ENTRIES}</urlset>',
        f"<urlset>{ENTRIES}<url><lo",
        "https://e.com/a\r\nnothing\nhttps://e.com/b\n",
    ],
)
def test_a_sitemap_is_read_in_every_dialect(text: str) -> None:
    for body in (text.encode(), gzip.compress(text.encode())):
        assert [entry.url for entry in sitemaps.read(body).entries] == ["https://e.com/a", "https://e.com/b"]


def test_a_sitemap_that_breaks_off_is_read_until_there() -> None:
    many = "".join(f"<url><loc>https://e.com/{number}</loc></url>" for number in range(2000)).encode()
    packed = gzip.compress(b"<urlset>" + many + b"</urlset>", mtime=0)
    assert 100 < len(sitemaps.read(packed[: len(packed) // 2]).entries) < 2000


def test_a_lastmod_is_a_date_or_nothing() -> None:
    said = ("2026-11-01", "2026-11-01T10:00:00+01:00", "2026", "yesterday", "2026-11-01T10:00Z")
    body = "".join(f"<url><loc>https://e.com/{n}</loc><lastmod>{each}</lastmod></url>" for n, each in enumerate(said))
    read = sitemaps.read(f"<urlset>{body}</urlset>".encode())
    assert [entry.modified for entry in read.entries] == [
        "2026-11-01",
        "2026-11-01T10:00:00+01:00",
        "",
        "",
        "2026-11-01T10:00Z",
    ]


def test_entities_of_a_sitemap_are_not_filled_in() -> None:
    head = '<!DOCTYPE urlset [<!ENTITY e "https://e.com/e"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    body = f"{head}<urlset><url><loc>&e;</loc></url><url><loc>https://e.com/&f;</loc></url>{ENTRIES}</urlset>"
    assert [entry.url for entry in sitemaps.read(body.encode()).entries] == ["https://e.com/a", "https://e.com/b"]


@settings(max_examples=60)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x1f\x8b", b"<urlset>", b"<sitemapindex><sitemap><loc>", b"# A\n[b]("]),
)
def test_any_bytes_can_be_a_sitemap_or_an_llms_txt(noise: bytes, head: bytes) -> None:
    sitemaps.read(head + noise)
    llms.links((head + noise).decode("utf-8", "replace"))


def test_pages_that_nothing_links_to_are_found_in_the_sitemap(site: Site) -> None:
    site.sitemap = True
    for number in range(30):
        site.add(f"/{number or ''}", html_page(str(number), f"Page {number}"))
    done = crawl(site)
    assert len(done.read) == 30
    assert done["/7"].via == "sitemap"
    assert done["/7"].modified.startswith("2025-")
    assert not site.repeated()


def test_an_index_of_packed_sitemaps_is_read_with_one_missing_and_one_broken(site: Site) -> None:
    paths = [f"/p/{number}" for number in range(120)]
    for path in ("/", *paths):
        site.add(path, html_page(path, path))
    traps.sitemap_index(site, paths)
    done = crawl(site)
    assert len(done.read) == 121
    assert done["/p/119"].modified == "2026-11-01"
    assert not site.counts["/sitemap.xml"]  # robots.txt named another
    assert not site.repeated()


def test_a_sitemap_brings_no_more_than_the_cap_nor_what_is_not_covered(site: Site) -> None:
    urls = [f"{site.url}/docs/{number}" for number in range(50)] + [f"{site.url}/blog/1", "https://example.com/docs/1"]
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    site.add("/sitemap.xml", Page(f"<urlset>{entries}</urlset>", XML))
    for number in range(50):
        site.add(f"/docs/{number}", html_page(str(number), str(number)))
    site.add("/docs/", html_page("Docs", "Docs"))
    done = crawl(site, "/docs/", pages=20)
    assert done.read == sorted(["/docs/", *(f"/docs/{number}" for number in range(19))])
    assert done.crawler.capped


def test_an_index_that_names_itself_ends(site: Site) -> None:
    site.add("/", "x")
    index = f"<sitemapindex><sitemap><loc>{site.url}/sitemap.xml</loc></sitemap></sitemapindex>"
    site.add("/sitemap.xml", Page(index, XML))
    crawl(site)
    assert site.counts["/sitemap.xml"] == 1


def test_links_of_an_llms_txt_are_read_with_relative_ones() -> None:
    text = (
        '# Pump\n\n> All of it\n\n- [A](https://e.com/a.md): why\n- [B](/b.md "t")\n'
        "- [again](/b.md)\n* [C](<c d>)\n[D](e)\n[E] (no) [F]()\n"
    )
    assert llms.links(text) == ["https://e.com/a.md", "/b.md", "c d", "e"]
    assert llms.links("<!doctype html><a>[a](/b)</a>") == []


def test_markdown_is_asked_for_in_the_place_of_the_pages_that_have_it(site: Site) -> None:
    traps.llms(site)
    site.add("/", html_page("Start", '<a href="/guide/">x</a>'))
    done = crawl(site)
    assert done.read == ["/", "/guide/", "/guide/configure.md", "/guide/install.md", "/guide/repair.md"]
    assert done["/guide/install.md"].via == "llms"
    assert not site.counts["/guide/install"]
    assert done.crawler.llms_full == f"{site.url}/llms-full.txt"
    assert not site.counts["/llms-full.txt"]
    assert done.crawler.twins[f"{site.url}/guide/install.md"] == f"{site.url}/guide/install"
    assert not done.crawler.lists_failed


def test_a_page_whose_markdown_is_missing_is_asked_for_itself(site: Site) -> None:
    traps.llms(site)
    site.add("/", html_page("Start", '<a href="/guide/">x</a>'))
    site.remove("/guide/install.md")
    assert "/guide/install" in crawl(site).read


def test_an_llms_full_txt_is_there_for_pages_that_cannot_be_read(site: Site) -> None:
    traps.llms(site, full=True)
    site.add("/", html_page("Start", ""))
    with crawler(site) as running:
        visits = []
        for visit in running:
            visits.append(visit)
            if visit.via == "start":
                running.found(visit, [running.llms_full])
    assert b"Everything about the pump" in next(v for v in visits if v.url.endswith("/llms-full.txt")).body


def test_a_start_page_in_the_place_of_everything_is_no_llms_txt(site: Site) -> None:
    for path in ("/", "/llms.txt", "/sitemap.xml", "/robots.txt"):
        site.add(path, html_page("App", '<a href="/[x](/trap)">x</a>'))
    done = crawl(site)
    assert done.crawler.llms_full == ""
    assert "/trap" not in site.counts


def test_twins_of_a_page_are_where_sites_keep_them() -> None:
    assert "https://e.com/a.md" in llms.twins("https://e.com/a")
    assert "https://e.com/a.html.md" in llms.twins("https://e.com/a.html")
    assert "https://e.com/a/index.html.md" in llms.twins("https://e.com/a/")
    assert llms.twins("https://e.com/a.md") == []


def test_an_llms_txt_can_be_the_start(site: Site) -> None:
    traps.llms(site)
    done = crawl(site, "/llms.txt")
    assert done.skipped == {}
    assert done.read == ["/guide/configure.md", "/guide/install.md", "/guide/repair.md", "/llms.txt"]


@pytest.mark.parametrize("path", ["/sitemap.xml", "/llms.txt"])
def test_a_list_that_cannot_be_read_this_time_is_told(site: Site, path: str) -> None:
    site.add("/", "x")
    site.fail(path, status=502)
    done = crawl(site)
    assert done.crawler.lists_failed
    assert done.read == ["/"]
