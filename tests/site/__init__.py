"""A local web site for tests, benches and the browser: pages that change between runs, and every trap of the web.

    with Site(pages=1200) as site:                 # or pages={"/": "<h1>Hello</h1>", "/a.md": Page("# A", MARKDOWN)}
        site.url                                   # "http://127.0.0.1:…"
        site.change("/page/900", "<main>…</main>") # another ETag and Last-Modified from now on
        site.fail("/page/7", status=503, times=2, retry_after=1)
        site.remove("/page/8")                     # 404; status=410 for gone
        traps.calendar(site)                       # see tests.site.traps for all of them
        site.robots = "User-agent: *\\nDisallow: /private/"
        site.counts["/page/900"], site.repeated(), site.peak, site.requests, site.reset()

`site.elsewhere()` is an address that the tests' egress policy refuses, `site.neighbour()` one that it allows and that
is another origin. Answers to conditional requests are 304 where they should be.
"""

from tests.site import traps
from tests.site.pages import HTML, MARKDOWN, PDF, TEXT, XML, Page, handbook, html_page, pdf, sentence
from tests.site.server import Site

__all__ = [
    "HTML",
    "MARKDOWN",
    "PDF",
    "TEXT",
    "XML",
    "Page",
    "Site",
    "handbook",
    "html_page",
    "pdf",
    "sentence",
    "traps",
]
