"""What the tests of search put into an index."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from catalog.models import Content, Server
from indexing import texts
from indexing.models import Page, Source, Text
from indexing.search.model import Hit, Results
from tests import factories


def stored(server: Server, text: str, *, path: str, name: str = "") -> Text:
    """A text in the server's index, as a file or a page at this path brings it."""
    name = name or path.rpartition("/")[2]
    new = texts.NewText(blob_id=factories.blob(text).pk, text=text, format=texts.format_of(path), name=name)
    return texts.store(texts.index_of(server), [new])[0]


def put_file(server: Server, path: str, text: str, **fields: Any) -> Content:
    """A file of the live content, indexed."""
    stored(server, text, path=path)
    return factories.content(server, path, text, **fields)


def put_page(source: Source, url: str, text: str, *, path: str = "") -> Page:
    """A page of a source, indexed; `path` for a repository's file."""
    name = path or urlsplit(url).path
    return Page.objects.create(
        source=source,
        key=hashlib.sha256((path or url).encode()).hexdigest(),
        url=url,
        path=name,
        text=stored(source.server, text, path=path or "page.md", name=name.rpartition("/")[2] or "home"),
    )


def shown(hit: Hit) -> str:
    """A hit's snippet, its marks in brackets."""
    return "".join(f"[{part.text}]" if part.marked else part.text for part in hit.snippet)


def where(results: Results) -> list[str]:
    """Where the hits are, in their order."""
    return [hit.path or hit.url for hit in results.hits]
