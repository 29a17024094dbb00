"""Encodings, what pages say of themselves, PDF files and texts; and what nobody would write."""

# ruff: noqa: E501  markup is written as generators write it

from __future__ import annotations

import io

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from indexing.extracting import Extracted, Trouble, extract
from indexing.extracting.charset import decode
from indexing.extracting.pdf import extract_pdf

URL = "https://docs.example.org/guide/"


def read(page: str | bytes, *, type_: str = "text/html", url: str = URL, **headers: str) -> Extracted:
    body = page.encode() if isinstance(page, str) else page
    return extract(body, url=url, content_type=type_, headers={key.replace("_", "-"): headers[key] for key in headers})


_JAPANESE = "<meta charset=shift_jis><p>設定ファイルを編集します。日本語の文章。</p>"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("a\ufeffé".encode("utf-8-sig"), "text/html; charset=latin-1", "aé"),
        ("né".encode("utf-16"), "text/html; charset=utf-8", "né"),
        ("<p>naïve café au lait</p>".encode("utf-16-le"), "text/html", "<p>naïve café au lait</p>"),
        ("“smart” – €".encode("cp1252"), "text/html; charset=iso-8859-1", "“smart” – €"),
        ("“smart” – €".encode(), "text/html; charset=iso-8859-1", "“smart” – €"),
        ("caf\xe9".encode("latin-1"), "text/html; charset=utf-8", "café"),
        (_JAPANESE.encode("shift_jis"), "text/html", _JAPANESE),
        (_JAPANESE.encode("shift_jis"), "text/html; charset=iso-8859-1", _JAPANESE),
        ("Привет, мир".encode("koi8-r"), "text/html; charset=koi8-r", "Привет, мир"),
        ("é".encode(), "text/html; charset=no-such-thing", "é"),
        (("é" * 50).encode() + b"\xff", "text/html; charset=utf-8", "é" * 50 + "\ufffd"),
        (b"a\x00b\x07c\r\nd\re\x0cf\tg", "text/html", "abc\nd\nef\tg"),
    ],
)
def test_bytes_are_read_in_the_encoding_that_they_are_in(body: bytes, content_type: str, expected: str) -> None:
    assert decode(body, content_type=content_type) == expected


def test_an_encoding_that_nobody_names_is_told_by_its_words() -> None:
    words = "<p>" + "Программа читает файл настроек и запускает сервер. " * 20 + "</p>"
    assert decode(words.encode("cp1251")) == words


def test_a_page_says_what_it_is() -> None:
    found = read("""<html><head><title>Routing — Example 2.1 documentation</title><link rel="canonical" href="/guide/routing/">
        <meta property="og:description" content="How &amp; where."><meta name="robots" content="NOINDEX, follow">
        <meta property="article:modified_time" content="2026-03-01T10:00:00Z">
        <link rel="alternate" type="text/markdown" href="routing.md"><script type="application/ld+json">{"@graph": [
        {"@type": "BreadcrumbList", "itemListElement": [{"position": 2, "name": "Guide"}, {"position": 1, "item": {"name": "Docs"}}]}
        ]}</script></head><body><main><h1>Routing<a class=headerlink href=#routing>¶</a></h1><p>About the ways of requests.</p>
        <a href="https://github.com/o/r/edit/main/docs/routing.md">Edit this page</a></main>
        <a href="https://gitlab.com/g/sub/p" title="Go to repository">source</a></body></html>""")

    assert found.title == "Routing"
    assert found.description == "How & where."
    assert found.breadcrumbs == ("Docs", "Guide")
    assert found.modified == "2026-03-01T10:00:00+00:00"
    assert found.canonical == "https://docs.example.org/guide/routing/"
    assert found.repositories == ("https://github.com/o/r", "https://gitlab.com/g/sub/p")
    assert (found.noindex, found.nofollow) == (True, False)
    assert "Edit" not in found.markdown


@pytest.mark.parametrize(
    ("title", "heading", "extra", "expected"),
    [
        ("Install | Example", "Install", "", "Install"),
        ("Install | Example", "Other words", '<meta property="og:site_name" content="Example">', "Install"),
        ("Example: Install", "Install", "", "Install"),
        ("Left - Right", "Other words", "", "Left - Right"),
        ("", "Install", "", "Install"),
        ("The Book - Chapter", "Chapter", "", "Chapter"),
    ],
)
def test_a_title_loses_the_name_of_its_site_where_that_is_plain(
    title: str, heading: str, extra: str, expected: str
) -> None:
    page = f"<title>{title}</title>{extra}<main><h1>{heading}</h1><p>Words that make it a page.</p></main>"
    assert read(page).title == expected


def test_breadcrumbs_and_dates_are_read_from_markup() -> None:
    found = read("""<main><nav aria-label="breadcrumbs" class="breadcrumbs"><ol><li>Docs</li><li>API ›</li></ol></nav>
        <p>Words that make it a page.</p><p>Last updated on Mar 3, 2026.</p></main>""")
    assert found.breadcrumbs == ("Docs", "API")
    assert found.modified == "2026-03-03"


@pytest.mark.parametrize(
    ("header", "expected"),
    [("noindex", (True, False)), ("none", (True, True)), ("otherbot: noindex, nofollow", (False, False)),
     ("unavailable_after: 25 Jun 2030 15:00:00 PST, nofollow", (False, True)), ("", (False, False))],
)  # fmt: skip
def test_robots_are_asked_by_header_too(header: str, expected: tuple[bool, bool]) -> None:
    for page, type_ in (("<main><p>Words that make it a page.</p></main>", "text/html"), ("# Words", "text/markdown")):
        found = read(page, type_=type_, X_Robots_Tag=header)
        assert (found.noindex, found.nofollow) == expected


def test_markdown_stays_as_it_is_but_for_its_addresses() -> None:
    text = '---\ntitle: Of it\n---\n# Head\n\n[a](b.md#c) `[x](y)` ![i](/i.png "t") [top](#top)\n\n```\n[x](y)\n```\n[r]: z.md\n'
    found = read(text, type_="text/markdown")

    assert found.markdown == (
        "---\ntitle: Of it\n---\n# Head\n\n[a](https://docs.example.org/guide/b.md#c) `[x](y)` "
        '![i](https://docs.example.org/i.png "t") [top](#top)\n\n```\n[x](y)\n```\n[r]: https://docs.example.org/guide/z.md\n'
    )
    assert (found.title, found.format) == ("Of it", "markdown")
    assert [link.url for link in found.links] == [
        f"https://docs.example.org/{each}" for each in ("guide/b.md", "i.png", "guide/z.md")
    ]


@pytest.mark.parametrize(
    ("url", "type_", "body", "format_", "title"),
    [
        ("/a.rst", "text/plain", "Title\n=====\n\nText", "rst", "Title"),
        ("/a.adoc", "application/octet-stream", "= Title\n\nText", "asciidoc", "Title"),
        ("/llms.txt", "text/plain", "# Title\n\n- [a](/b)", "markdown", "Title"),
        ("/a.txt", "text/plain", "<html> is a tag", "plain", ""),
        ("/a", "text/markdown; charset=utf-8", "# Title", "markdown", "Title"),
    ],
)
def test_texts_are_known_by_type_or_ending(url: str, type_: str, body: str, format_: str, title: str) -> None:
    found = read(body, type_=type_, url=f"https://docs.example.org{url}")
    assert (found.trouble, found.format, found.title) == (None, format_, title)


@pytest.mark.parametrize(
    ("type_", "body", "trouble"),
    [
        ("image/png", b"\x89PNG", Trouble.NOT_TEXT),
        ("text/plain", bytes(range(32)) * 99, Trouble.NOT_TEXT),
        ("application/json", b"{}", Trouble.NOT_TEXT),
        ("text/html", b"  ", Trouble.EMPTY),
        ("text/plain", b"\n", Trouble.EMPTY),
        ("application/pdf", b"%PDF-1.7 broken", Trouble.UNREADABLE),
        ("application/pdf", b"no pdf at all", Trouble.UNREADABLE),
    ],
)
def test_what_is_no_text_says_so(type_: str, body: bytes, trouble: Trouble) -> None:
    found = read(body, type_=type_)
    assert (found.trouble, found.markdown) == (trouble, "")
    assert found.detail


def test_html_without_a_type_and_a_text_that_is_too_long_are_told() -> None:
    assert read("<!doctype html><p>Words that make it a page.", type_="").markdown == "Words that make it a page.\n"
    found = extract(b"a b " * 100, url=URL, content_type="text/plain", max_chars=100)
    assert (found.trouble, found.markdown) == (Trouble.TOO_LARGE, "")


def _pdf(*pages: bytes, password: str = "") -> bytes:
    writer = PdfWriter()
    font = DictionaryObject({NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
                             NameObject("/BaseFont"): NameObject("/Helvetica")})  # fmt: skip
    for content in pages:
        page = writer.add_blank_page(600, 800)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(content)
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode(9))
    writer.add_metadata({"/Title": "The manual"})
    if pages:
        writer.add_outline_item(title="Second part", page_number=len(pages) - 1)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


_PAGE = b"BT /F1 12 Tf 50 700 Td (%s) Tj 0 -20 Td (# of words) Tj ET"


def test_a_pdf_is_its_text_with_its_bookmarks_as_headings() -> None:
    found = read(_pdf(_PAGE % b"First part", _PAGE % b"Second part"), type_="application/octet-stream")
    assert found.markdown == "First part\n\\# of words\n\n# Second part\n\n\\# of words\n"
    assert found.title == "The manual"


def test_an_encrypted_pdf_and_one_of_pictures_say_so() -> None:
    assert read(_pdf(_PAGE % b"x", password="secret"), type_="application/pdf").detail == "The PDF is encrypted."
    assert read(_pdf(b""), type_="application/pdf").trouble == Trouble.EMPTY


def test_a_pdf_that_asks_for_too_much_ends() -> None:
    bomb = _pdf(b"BT /F1 12 Tf " + b"(x) Tj " * 1_000_000 + b"ET")
    found = extract_pdf(bomb, max_chars=1_000_000, seconds=1, memory=400 << 20)
    assert found.trouble in (Trouble.TOO_LARGE, Trouble.EMPTY, Trouble.UNREADABLE)


_HOSTILE = {
    "nested": "<div>" * 100_000 + "deep" + "<p>after</p>",
    "nested lists": "<ul><li>a" * 5_000,
    "nested quotes": "<blockquote>a" * 5_000,
    "nested tables": "<table><tr><td>a" * 5_000,
    "links in links": "<a href=x>" * 8_000 + "words",
    "an attribute": f"<p title='{'a' * 10_000_000}'>Words that are here.</p><p>More words here.</p>",
    "attributes": "<p " + " ".join(f"a{at}=1" for at in range(100_000)) + ">words",
    "hidden attributes": "<!-- <b a=\" --><p x=\">\" " + " ".join(f"a{at}" for at in range(100_000)) + ">words",
    "entities": "<!DOCTYPE html [<!ENTITY a 'lol'>" + "".join(f"<!ENTITY a{at} '&a;&a;'>" for at in range(99)) + "]><p>&a9;",
    "comments": "<!--" * 500_000,
    "a wide table": f"<main><table><tr>{'<td colspan=1000 rowspan=1000>a' * 2_000}</table></main>",
    "many cells": f"<main>{'words ' * 9}<table>{'<tr><td>a<td>b' * 5_000}</table></main>",
    "brackets": "<p>" + "[" * 100_000 + "(" * 100_000,
    "backticks": f"<pre>{'`' * 100_000}</pre><p>{'`' * 100_000}",
    "crumbs": "<div class=breadcrumb>" * 200 + "<span>a</span>" * 20_000,
    "tabs": "<div role=tablist><div role=tab>a</div></div><div role=tabpanel>b</div>" * 1_000,
    "halves": "<p>&#xd800;&#0;&#xdfff; words that are here",
    "declared": '<?xml version="1.0" encoding="utf-16"?><html><body><main>Words that are here, all of them.</main>',
    "no page": "<",
    "json": f'<script type="application/ld+json">{"[" * 100_000}</script><p>words',
}  # fmt: skip


@pytest.mark.parametrize("name", _HOSTILE)
def test_nothing_that_a_site_sends_is_an_exception_or_takes_forever(name: str) -> None:
    for type_ in ("text/html", "text/markdown"):
        found = read(_HOSTILE[name], type_=type_)
        assert found.detail != "The page could not be read."
        assert "\0" not in found.markdown
        found.markdown.encode()
