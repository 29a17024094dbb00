"""Addresses in a page, made absolute as a browser does. Pure."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin

from indexing.extracting.charset import presentable

_TRIMMED = " \t\n\r\f"
_INSIDE = re.compile(r"[\t\n\r]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_AS_MARKDOWN = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", "|": "%7C"})
LONGEST = 2_000


class Addresses:
    """Those of one page, with its <base> (https://html.spec.whatwg.org/multipage/semantics.html#the-base-element)."""

    def __init__(self, url: str, base: str = "") -> None:
        self.url = url
        self._base = (_absolute(url, base) if base else "") or url
        self._known: dict[str, str] = {}

    def absolute(self, href: str | None) -> str:
        """http, https or mailto, with its fragment; "" for anything else, and for what cannot be read."""
        if href is None:
            return ""
        known = self._known.get(href)
        if known is None:
            known = self._known[href] = _absolute(self._base, href)
        return known

    def web(self, href: str | None) -> str:
        """http or https without its fragment, else ""."""
        found = self.absolute(href)
        return urldefrag(found).url if found.startswith("http") else ""

    def in_markdown(self, href: str | None) -> str:
        """As it stands between the parentheses of a link."""
        return self.absolute(href).translate(_AS_MARKDOWN)


def _absolute(base: str, href: str) -> str:
    href = _INSIDE.sub("", href.strip(_TRIMMED))
    if len(href) > LONGEST or (_SCHEME.match(href) and not href.lower().startswith(("http:", "https:", "mailto:"))):
        return ""
    try:
        found = presentable(urljoin(base, href))
    except ValueError:
        return ""
    scheme = found.partition(":")[0].lower()
    return found if scheme in ("http", "https", "mailto") else ""
