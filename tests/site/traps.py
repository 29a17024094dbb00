"""What waits for a crawler on the web: each function sets one up on a site and returns where it begins."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterator

from tests.site.pages import MARKDOWN, PDF, TEXT, XML, Page, html_page, pdf
from tests.site.server import SITEMAP_XMLNS, Site
from tests.wire.messages import Headers, Reply, Request

Trap = Callable[[Site], str]
MIB = 1 << 20
PRIVATE = ("http://127.0.0.2:9/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]:9/")
"""Where a redirect must not lead."""


def _html(body: str, **headers: str) -> Reply:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(200, html_page("A page", body).encode(), Headers({"Content-Type": "text/html", **fields}.items()))


def _links(*targets: str) -> str:
    return "".join(f'<p><a href="{target}">{target.replace("&", "&amp;")}</a></p>' for target in targets)


# -- endless -----------------------------------------------------------------------------------------------------------


def calendar(site: Site) -> str:
    """`/calendar/<year>/<month>/`: each month links to the one before and after, and to its days, for ever."""

    def month(request: Request) -> Reply:
        parts = [int(part) for part in request.path.split("/") if part.isdecimal()] or [2026]
        year, now = parts[0], (parts[1] if len(parts) > 1 else 11)
        after, before = year * 12 + now, year * 12 + now - 2
        days = [f"/calendar/{year}/{now:02}/{day:02}/" for day in range(1, 29)] if len(parts) < 3 else []
        months = [f"/calendar/{each // 12}/{each % 12 + 1:02}/" for each in (after, before)]
        return _html(f"<h1>{request.path}</h1><p>Nothing happens.</p>{_links(*months, *days)}")

    site.routes["/calendar/"] = month
    return "/calendar/2026/11/"


def calendar_by_parameter(site: Site) -> str:
    """`/events?date=2026-11-20`: each day links to its neighbours, for ever."""

    def day(request: Request) -> Reply:
        here = time.strptime(request.query.get("date", "2026-11-20"), "%Y-%m-%d")
        stamp = time.mktime((*here[:3], 12, 0, 0, 0, 0, -1))
        around = [time.strftime("%Y-%m-%d", time.localtime(stamp + step * 86_400)) for step in (-1, 1, 7, 30)]
        return _html(f"<h1>{request.target}</h1>{_links(*(f'/events?date={each}' for each in around))}")

    site.routes["/events"] = day
    return "/events"


def parameters(site: Site) -> str:
    """`/list?…`: every page links to itself with one more filter, in any order: endlessly many of the same."""

    def listing(request: Request) -> Reply:
        query = request.target.partition("?")[2]
        more = [f"/list?{query}{'&amp;' if query else ''}f{name}={len(query)}" for name in "abcd"]
        return _html(f"<h1>List</h1><p>The same as everywhere.</p>{_links(*more)}")

    site.routes["/list"] = listing
    return "/list"


def repeating(site: Site) -> str:
    """`/deep/`: a link that was meant to be absolute, so that each page is one folder deeper: a/b/a/b/a/b/…"""

    def deeper(request: Request) -> Reply:
        return _html(f"<h1>Deep</h1>{_links('guide/', 'api/')}")

    site.routes["/deep/"] = deeper
    return "/deep/"


def sessions(site: Site) -> str:
    """`/shop/`: three pages, each link with a session of its own in its address."""
    counter = iter(range(10**9))

    def page(request: Request) -> Reply:
        paths = ("/shop/", "/shop/a", "/shop/b")
        return _html(
            f"<h1>Shop {request.path}</h1>{_links(*(f'{path}?PHPSESSID={next(counter):08x}' for path in paths))}"
        )

    site.routes["/shop/"] = page
    return "/shop/"


# -- twins -------------------------------------------------------------------------------------------------------------


def twins(site: Site) -> str:
    """`/twins/`: the same page by many spellings; one page and its two neighbours are all there is."""
    links = (
        "/twins/one",
        "/twins/one#top",
        "/twins/one?utm_source=mail&amp;utm_medium=x",
        "/twins/one?gclid=7&amp;fbclid=8",
        "/twins/../twins/./one",
        "/TWINS/../twins/one",
        "/twins/%6fne",
        f"{site.url.replace('http:', 'HTTP:')}/twins/one",
        "/twins/index.html",
        "/twins/index.htm#a",
        "/twins/two?b=2&amp;a=1",
        "/twins/two?a=1&amp;b=2",
    )
    site.add("/twins/", html_page("Twins", f"<h1>Twins</h1>{_links(*links)}"))
    site.add("/twins/index.html", site.pages["/twins/"])
    site.add("/twins/one", html_page("One", "<h1>One</h1><p>The first of two that are not the same.</p>"))
    site.add("/twins/two", html_page("Two", "<h1>Two</h1><p>The second of two that are not the same.</p>"))
    return "/twins/"


def canonical_twin(site: Site) -> str:
    """`/canonical/print` says that `/canonical/page` is the real one; `/canonical/copy` is the same without saying."""
    body = "<h1>Canonical</h1><p>This text is at three addresses and should be found once.</p>"
    head = f'<link rel="canonical" href="{site.url}/canonical/page">'
    site.add("/canonical/page", html_page("Canonical", body))
    site.add("/canonical/copy", html_page("Canonical", body))
    site.add("/canonical/print", html_page("Canonical", body, head=head))
    site.add("/canonical/", html_page("All", _links("/canonical/page", "/canonical/print", "/canonical/copy")))
    return "/canonical/"


def noindex(site: Site) -> str:
    """`/hidden/`: one page says noindex in its head, one in its headers, one has a nofollow link to a fourth."""
    site.add("/hidden/", html_page("Hidden", _links("/hidden/meta", "/hidden/header", "/hidden/nofollow")))
    meta = '<meta name="robots" content="noindex">'
    site.add("/hidden/meta", html_page("Meta", "<h1>Not for an index</h1>" + _links("/hidden/behind"), head=meta))
    header = Page(html_page("Header", "<h1>Neither</h1>"), headers={"X-Robots-Tag": "noindex, nofollow"})
    site.add("/hidden/header", header)
    site.add("/hidden/nofollow", html_page("Nofollow", '<a rel="nofollow" href="/hidden/unfollowed">No</a>'))
    site.add("/hidden/behind", html_page("Behind", "<h1>Behind</h1><p>Reached by a page that is not indexed.</p>"))
    site.add("/hidden/unfollowed", html_page("Unfollowed", "<h1>Unfollowed</h1>"))
    return "/hidden/"


# -- redirects ---------------------------------------------------------------------------------------------------------


def private_redirect(site: Site, *, hops: int = 0, to: str = "") -> str:
    """A redirect to an address that is refused (`site.elsewhere()` unless `to`), after so many harmless hops."""
    target = to or f"{site.elsewhere()}/secret"
    site.add("/secret", html_page("Secret", "<h1>Nobody outside may read this</h1>"))
    names = [f"/hop/{hops}/{number}" for number in range(hops, -1, -1)]
    for here, there in zip(names, [*names[1:], target], strict=True):
        site.redirect(here, there, status=(301, 302, 303, 307, 308)[len(here + there) % 5])
    return names[0]


def redirects(site: Site) -> str:
    """`/moved/`: links that lead on: within the site, in a circle, to another origin, to nothing, to no URL."""
    site.redirect("/moved/here", "/moved/there", status=301)
    site.add("/moved/there", html_page("There", "<h1>There</h1><p>Moved, once.</p>"))
    site.redirect("/moved/a", "/moved/b")
    site.redirect("/moved/b", "/moved/a")
    site.redirect("/moved/away", f"{site.neighbour()}/moved/there")
    site.redirect("/moved/gone", "/moved/nowhere")
    site.redirect("/moved/broken", "http://[not-an-address/")
    names = ("here", "there", "a", "b", "away", "gone", "broken")
    site.add("/moved/", html_page("Moved", _links(*(f"/moved/{name}" for name in names))))
    return "/moved/"


def cookie_wall(site: Site) -> str:
    """`/wall`: redirects to itself until a cookie comes back, which never does."""

    def wall(request: Request) -> Reply:
        if "seen=1" in request.headers.get("Cookie", ""):
            return _html("<h1>Behind the wall</h1>")
        return Reply(302, b"", Headers({"Location": "/wall", "Set-Cookie": "seen=1; Path=/"}.items()))

    site.routes["/wall"] = wall
    return "/wall"


# -- slow and large ----------------------------------------------------------------------------------------------------


def slow_headers(site: Site, *, pause: float = 0.05) -> str:
    """`/slow-headers`: a header line now and then, without an end."""

    def drip(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        while True:
            request.pause(pause)
            yield b"X-Still: here\r\n"

    site.routes["/slow-headers"] = lambda request: Reply(raw=drip(request))
    return "/slow-headers"


def slow_body(site: Site, *, pause: float = 0.05) -> str:
    """`/slow-body`: a byte now and then, without an end."""

    def drip(request: Request) -> Iterator[bytes]:
        while True:
            request.pause(pause)
            yield b"."

    site.routes["/slow-body"] = lambda request: Reply(200, drip(request), Headers([("Content-Type", "text/html")]))
    return "/slow-body"


def huge(site: Site, *, size: int = 50 * MIB, declared: bool = False) -> str:
    """`/huge`: a page of 50 MB, streamed without its length, or with it."""
    piece = b"<p>" + b"On and on and on. " * 3640 + b"</p>\n"

    def pieces() -> Iterator[bytes]:
        yield b"<!doctype html><title>Huge</title><main><h1>Huge</h1>"
        for _ in range(size // len(piece)):
            yield piece

    headers = {"Content-Type": "text/html", **({"Content-Length": str(size)} if declared else {})}
    site.routes["/huge"] = lambda _: Reply(200, pieces(), Headers(headers.items()))
    return "/huge"


def gzip_bomb(site: Site, *, size: int = 1 << 30, content_type: str = "text/html", path: str = "/bomb") -> str:
    """1 MB that unpacks to 1 GB."""
    member = gzip.compress(b"\0" * (10 * MIB), mtime=0)
    bomb = member * (size // (10 * MIB))
    site.add(path, Page(bomb, content_type, headers={"Content-Encoding": "gzip"}, conditional=False))
    return path


def compressed(site: Site) -> str:
    """`/compressed/gzip`, `/compressed/deflate`, and `/compressed/broken`, which says gzip and is none."""
    whole = html_page("Packed", "<h1>Packed</h1><p>It came compressed.</p>").encode()
    bodies = {"gzip": gzip.compress(whole), "deflate": zlib.compress(whole), "broken": b"this is no gzip at all"}
    for name, body in bodies.items():
        encoding = "gzip" if name == "broken" else name
        site.add(f"/compressed/{name}", Page(body, headers={"Content-Encoding": encoding}))
    site.add("/compressed/", html_page("Compressed", _links(*(f"/compressed/{name}" for name in bodies))))
    return "/compressed/"


# -- odd content -------------------------------------------------------------------------------------------------------


def charsets(site: Site) -> str:
    """`/charset/…`: "Grüße, naïve café" in encodings that are told wrongly, elsewhere or not at all."""
    text = html_page("Grüße", "<h1>Grüße</h1><p>Ein naïves Café für alle.</p>").replace('<meta charset="utf-8">', "")
    latin = text.encode("latin-1")
    in_head = text.replace("<head>", '<head><meta charset="iso-8859-1">').encode("latin-1")
    served = {
        "latin-as-utf8": Page(latin, "text/html; charset=utf-8"),
        "latin-in-head": Page(in_head, "text/html"),
        "latin-header": Page(latin, "text/html; charset=ISO-8859-1"),
        "utf8-as-latin": Page(text.encode(), "text/html; charset=iso-8859-1"),
        "utf16": Page(text.encode("utf-16"), "text/html"),
        "unknown": Page(text.encode(), "text/html; charset=klingon-8"),
        "nul": Page(text.replace("naïves", "na\0ïves").encode(), "text/html"),
        "none": Page(text.encode(), ""),
    }
    for name, page in served.items():
        site.add(f"/charset/{name}", page)
    site.add("/charset/", html_page("Charsets", _links(*(f"/charset/{name}" for name in served))))
    return "/charset/"


def odd_types(site: Site) -> str:
    """`/files/`: a PDF, a broken PDF, an image, a picture that says it is a page, plain text, Markdown, nothing."""
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
    served = {
        "manual.pdf": Page(pdf("The manual of the pump"), PDF),
        "broken.pdf": Page(b"%PDF-1.4\nthis is no PDF", PDF),
        "picture.png": Page(png, "image/png"),
        "liar.html": Page(png, "text/html"),
        "notes.txt": Page("Notes\n\nPlain as they are.\n", TEXT),
        "guide.md": Page("# Guide\n\nIn Markdown.\n", MARKDOWN),
        "empty.html": Page("", "text/html"),
        "archive.zip": Page(b"PK\x03\x04" + bytes(64), "application/zip"),
    }
    for name, page in served.items():
        site.add(f"/files/{name}", page)
    site.add("/files/", html_page("Files", _links(*(f"/files/{name}" for name in served))))
    return "/files/"


def script_only(site: Site, path: str = "/app") -> str:
    """A page that a script makes in the browser."""
    body = '<!doctype html><title>App</title><body><div id="root"></div><script src="/static/app.4f2a.js"></script>'
    site.add(path, Page(f"{body}<noscript>You need to enable JavaScript to run this app.</noscript>"))
    return path


# -- told by the site --------------------------------------------------------------------------------------------------


def llms(site: Site, *, full: bool = False) -> str:
    """`/llms.txt` with three links, and `.md` twins of the pages it names; `/llms-full.txt` if `full`."""
    names = ("install", "configure", "repair")
    listed = "".join(f"- [{name.title()}]({site.url}/guide/{name}.md): how to {name} it\n" for name in names)
    site.add("/llms.txt", Page(f"# Pump\n\n> All about the pump.\n\n## Docs\n\n{listed}", TEXT))
    for name in names:
        site.add(f"/guide/{name}.md", Page(f"# {name.title()}\n\nHow to {name} the pump, as text.\n", MARKDOWN))
        site.add(f"/guide/{name}", html_page(name.title(), f"<h1>{name.title()}</h1><p>How to {name} the pump.</p>"))
    site.add("/guide/", html_page("Guide", _links(*(f"/guide/{name}" for name in names))))
    if full:
        site.add("/llms-full.txt", Page("# Pump\n\n" + "Everything about the pump, at once.\n\n" * 40, TEXT))
    return "/llms.txt"


def sitemap_index(site: Site, paths: list[str], *, per_file: int = 50) -> str:
    """`/sitemap_index.xml`, named in robots.txt: an index of gzipped sitemaps, one of them missing, one no XML."""
    files = [paths[start : start + per_file] for start in range(0, len(paths), per_file)]
    for number, part in enumerate(files):
        entries = "".join(f"<url><loc>{site.url}{path}</loc><lastmod>2026-11-01</lastmod></url>" for path in part)
        whole = f'<?xml version="1.0"?><urlset xmlns="{SITEMAP_XMLNS}">{entries}</urlset>'
        site.add(f"/sitemaps/{number}.xml.gz", Page(gzip.compress(whole.encode()), "application/gzip"))
    site.add("/sitemaps/broken.xml", Page("<html>not a sitemap", XML))
    names = [*(f"{number}.xml.gz" for number in range(len(files))), "missing.xml", "broken.xml"]
    listed = "".join(f"<sitemap><loc>{site.url}/sitemaps/{name}</loc></sitemap>" for name in names)
    site.add("/sitemap_index.xml", Page(f'<sitemapindex xmlns="{SITEMAP_XMLNS}">{listed}</sitemapindex>', XML))
    site.robots = f"{site.robots or 'User-agent: *'}\nSitemap: {site.url}/sitemap_index.xml\n"
    return "/sitemap_index.xml"


def entity_bomb(site: Site, path: str = "/sitemap.xml") -> str:
    """A sitemap whose entities would fill the memory, and one that names a file of the machine."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE urlset [<!ENTITY e0 "lol"><!ENTITY file SYSTEM "file:///etc/passwd">{entities}]>'
    urls = "<url><loc>&e9;</loc></url><url><loc>&file;</loc></url>"
    site.add(path, Page(f'<?xml version="1.0"?>{head}<urlset xmlns="{SITEMAP_XMLNS}">{urls}</urlset>', XML))
    return path
