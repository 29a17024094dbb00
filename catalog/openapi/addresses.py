"""The servers of a document, as base URLs to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from openapi_pydantic.v3 import v3_1
from pydantic import ValidationError

from catalog.checking.urls import check_base_url
from catalog.openapi.reading import Document

_MOST = 20


def base_urls(document: Document, *, found_at: str = "") -> list[str]:
    """Those that can be used, each once, with the defaults of their variables; relative ones below the address that
    the document was read from, if it was."""
    servers = document.tree.get("servers")
    raw = servers if isinstance(servers, list) and servers else [{"url": "/"}]
    return list(dict.fromkeys(_usable(raw, found_at)))[:_MOST]


def _usable(servers: list[Any], found_at: str) -> Iterator[str]:
    for each in servers:
        try:
            server = v3_1.Server.model_validate(each)
        except ValidationError:
            continue
        url = server.url
        for name, variable in (server.variables or {}).items():
            url = url.replace(f"{{{name}}}", variable.default)
        try:
            url = urljoin(found_at, url) if found_at else url
            if "$" not in url and "{" not in url and (checked := check_base_url(url)):
                yield checked
        except ValueError:
            continue
