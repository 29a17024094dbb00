"""`extract`: bytes of any kind, as the Markdown and the metadata that the index takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from indexing.extracting.html_pages import extract_html
from indexing.extracting.kinds import Kind, kind_of
from indexing.extracting.metadata import header_directives
from indexing.extracting.model import Extracted, Trouble
from indexing.extracting.pdf import extract_pdf
from indexing.extracting.plain import extract_text

MAX_CHARS = 5_000_000
MAX_BYTES = 64 << 20
logger = logging.getLogger(__name__)


def extract(
    body: bytes,
    *,
    url: str,
    content_type: str,
    headers: Mapping[str, str] | None = None,
    max_chars: int = MAX_CHARS,
) -> Extracted:
    """A fetched page. `url` is where it was found at last, which links are relative to; of the answer's `headers` only
    X-Robots-Tag is read. Never raises: what cannot be read has `trouble`, as has a text of more than `max_chars`."""
    headers = headers or {}
    try:
        found = _extract(body, url=url, content_type=content_type, headers=headers, max_chars=max_chars)
        if len(found.markdown) > max_chars:
            detail = f"The page has more than {max_chars:,} characters of text."
            found = replace(found, markdown="", trouble=Trouble.TOO_LARGE, detail=detail)
    except Exception:  # one bad page never ends a crawl, and its text is in no log
        logger.exception("A page could not be read")
        found = Extracted(trouble=Trouble.UNREADABLE, detail="The page could not be read.")
    asked = header_directives(headers)
    return replace(found, noindex=found.noindex or "noindex" in asked, nofollow=found.nofollow or "nofollow" in asked)


def _extract(body: bytes, *, url: str, content_type: str, headers: Mapping[str, str], max_chars: int) -> Extracted:
    if len(body) > MAX_BYTES:
        return Extracted(trouble=Trouble.TOO_LARGE, detail="The page is too large.")
    if not body.strip():
        return Extracted(trouble=Trouble.EMPTY, detail="The server sent nothing.")
    kind = kind_of(body, url=url, content_type=content_type)
    if kind is Kind.HTML:
        return extract_html(body, url=url, content_type=content_type, headers=headers)
    if kind is Kind.PDF:
        return extract_pdf(body, max_chars=max_chars)
    if kind is Kind.TEXT:
        return extract_text(body, url=url, content_type=content_type)
    return Extracted(trouble=Trouble.NOT_TEXT, detail="It is neither a page nor a text.")
