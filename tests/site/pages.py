"""What a site serves: pages, and a handbook of as many as are wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cached_property
from html import escape

HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml"
PDF = "application/pdf"

PER_SECTION = 40


@dataclass(frozen=True)
class Page:
    """One answer. `body` is sent as it is, text as UTF-8."""

    body: str | bytes
    content_type: str = HTML
    """Empty for no such header."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    modified: float = 1_760_000_000.0
    """Seconds since 1970: Last-Modified, and lastmod in the sitemap."""
    conditional: bool = True
    """Whether it has an ETag and Last-Modified, and answers 304."""

    @cached_property
    def bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.bytes).hexdigest()[:20]}"'

    @cached_property
    def last_modified(self) -> str:
        return formatdate(self.modified, usegmt=True)


def html_page(title: str, body: str, *, head: str = "", nav: str = "") -> str:
    """A whole HTML page around what stands in its <main>."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head>\n'
        f"<body><header>Local site</header><nav>{nav}</nav>\n<main>{body}</main>\n"
        "<footer>All of it is made up.</footer></body></html>\n"
    )


def sentence(number: int) -> str:
    """What stands on the handbook's page of that number, and nowhere else."""
    word = hashlib.sha256(f"page {number}".encode()).hexdigest()[:12]
    return f"The valve of chapter {number} is called quillwort{word} by those who service it."


def handbook(count: int) -> dict[str, Page]:
    """`count` pages in all: a start page, contents of forty chapters each, and the chapters, `/page/<number>`.

    A chapter has 2 kB with headings, a list, a table, a code block, and links to its neighbours.
    """
    contents = max(1, -(-count // (PER_SECTION + 1)))
    chapters = count - 1 - contents
    pages: dict[str, Page] = {"/": _list("Handbook", [f"/contents/{number}" for number in range(1, contents + 1)])}
    for number in range(1, contents + 1):
        first = (number - 1) * PER_SECTION + 1
        numbers = range(first, min(first + PER_SECTION, chapters + 1))
        pages[f"/contents/{number}"] = _list(f"Contents {number}", [f"/page/{chapter}" for chapter in numbers])
    for number in range(1, chapters + 1):
        pages[f"/page/{number}"] = Page(_chapter(number, chapters))
    return pages


def _list(title: str, paths: list[str]) -> Page:
    items = "".join(f'<li><a href="{path}">Go to {path.strip("/")}</a></li>' for path in paths)
    return Page(html_page(title, f"<h1>{title}</h1><p>What there is to read.</p><ul>{items}</ul>"))


def _chapter(number: int, last: int) -> str:
    before, after = max(1, number - 1), min(last, number + 1)
    nav = f'<a href="/">Home</a> <a href="/page/{before}">Before</a> <a href="/page/{after}">After</a>'
    steps = "".join(f"<li>Turn screw {number}.{step} until it holds.</li>" for step in range(1, 5))
    rows = "".join(f"<tr><td>option_{number}_{row}</td><td>{row * number}</td></tr>" for row in range(1, 5))
    return html_page(
        f"Chapter {number}",
        f"<h1>Chapter {number}</h1><p>{sentence(number)} Keep it dry, keep it level, and look at it each spring.</p>"
        f'<h2 id="adjusting">Adjusting</h2><ol>{steps}</ol>'
        f'<h2 id="settings">Settings</h2><table><tr><th>Name</th><th>Value</th></tr>{rows}</table>'
        f'<h2 id="example">Example</h2><pre><code class="language-python">def chapter_{number}():\n'
        f"    return valve.turn({number}, until=&quot;held&quot;)\n</code></pre>"
        f"<p>{'The pressure is read twice and noted in the book beside the door. ' * 8}</p>",
        nav=nav,
    )


def pdf(text: str) -> bytes:
    """The smallest PDF with one page and one line of text (ASCII, no brackets)."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer
