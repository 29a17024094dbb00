"""Addresses: one spelling for each, and which of them belong to a site."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from forges.reading.filters import EVERYTHING, PathFilter
from lib.egress import EgressError, check_url, origin

MAX_LENGTH = 2048
"""Longer ones are nobody's pages, and no column takes them."""

_TRACKING = re.compile(
    r"utm_.*|mtm_.*|pk_(campaign|kwd|source|medium|content)|hsa_.*|_hs(enc|mi)|mc_[ce]id|gclid|gclsrc|dclid|gbraid|wbraid"
    r"|fbclid|msclkid|yclid|igshid|twclid|ttclid|_ga|_gl|ref_src|vero_id|oly_(anon|enc)_id|trk|"
    r"phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|sid|session_?id",
    re.IGNORECASE,
)
"""Parameters that tell who came from where, and never which page is meant."""
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_INDEX = re.compile(r"/index\.html?$", re.IGNORECASE)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

_NO_PAGE = re.compile(
    r"\.(7z|aac|apk|avi|avif|bin|bmp|br|bz2|cab|css|csv|deb|dmg|docx?|eot|epub|exe|flac|flv|gif|gz|ico|img|iso|jar"
    r"|jpe?g|lz|m4[av]|mkv|mov|mp[34]|mpe?g|msi|od[pst]|ogg|ogv|otf|parquet|pkg|png|pptx?|psd|rar|rpm|svgz?|swf|tar|tgz"
    r"|tiff?|ttf|wasm|wav|web[mp]|webmanifest|whl|wmv|woff2?|xlsx?|xpi|xz|zip|zst)$",
    re.IGNORECASE,
)
"""Endings of what is no text. Not .js or .net: there are pages about these."""


def canonical(url: str, *, base: str = "") -> str:
    """The one spelling of an address, or "" for what is no page's: mailto:, javascript:, credentials, too long.

    Scheme and host in lower case, default ports, fragments, dot segments, tracking parameters and sessions gone,
    parameters sorted, percent-encodings alike (w3lib), and `index.html` gone from the end.
    """
    if len(url) > 4 * MAX_LENGTH:
        return ""
    if not base:
        return _spelled(url)
    try:
        return _spelled(urljoin(base, url.strip()))
    except ValueError:
        return ""


@lru_cache(maxsize=8192)
def _spelled(url: str) -> str:
    """Remembered: the same links stand on all pages of a site."""
    try:
        check_url(url.strip())
        scheme, host, path, query, _ = urlsplit(canonicalize_url(url))
    except (ValueError, EgressError):  # a UnicodeError is a ValueError
        return ""
    if not host:  # nothing but control characters
        return ""
    path = _INDEX.sub("/", _SESSION_IN_PATH.sub("", path)) or "/"
    kept = (pair for pair in query.split("&") if not _TRACKING.fullmatch(pair.partition("=")[0]))
    spelled = urlunsplit((scheme, host.removesuffix(_DEFAULT_PORTS[scheme]), path, "&".join(kept), ""))
    return spelled if len(spelled) <= MAX_LENGTH else ""


def is_index(url: str) -> bool:
    """Whether it names a folder's index.html, which `canonical` leaves out."""
    return bool(_INDEX.search(url.partition("#")[0].partition("?")[0]))


def may_be_page(url: str) -> bool:
    """Whether its ending leaves open that it can be read as text."""
    return not _NO_PAGE.search(urlsplit(url).path)


@dataclass(frozen=True)
class Cover:
    """What belongs to a site: one host (`www.` or not, http or https), a folder of it, and patterns of its paths."""

    start: str
    """Canonical."""
    prefix: str
    """The beginning of all paths; `/docs` stands for `/docs` and `/docs/…`, `/docs/` for its folder."""
    paths: PathFilter = EVERYTHING
    """Of paths without their slash at the beginning, percent-decoded. The start is covered whatever they say."""

    @classmethod
    def of(cls, start: str, *, paths: PathFilter = EVERYTHING) -> Cover:
        """All below the folder of an address: of `/docs/` and `/docs/intro` it is `/docs/`, of `/docs` itself.

        ValueError for an address that is none.
        """
        address = canonical(start)
        if not address:
            raise ValueError("This is not the address of a web page.")
        path = urlsplit(address).path
        folder, _, last = path.rpartition("/")
        alone = not folder and last and "." not in last
        return cls(address, path if alone else f"{folder}/", paths)

    def moved(self, start: str) -> Cover:
        """The same where its start leads to another address: there, and below its folder if that is outside of ours."""
        there = Cover.of(start, paths=self.paths)
        return replace(there, prefix=self.prefix) if self._within(urlsplit(there.start).path) else there

    def canonical(self, url: str, *, base: str = "") -> str:
        """As the function, and other spellings of this host (`www.`, http for https) told as the start's."""
        address = canonical(url, base=base)
        if not address or not self.same_host(address):
            return address
        parts, own = urlsplit(address), urlsplit(self.start)
        return urlunsplit((own.scheme, own.netloc, parts.path, parts.query, ""))

    def same_host(self, url: str) -> bool:
        """Whether a canonical address is of this host. Another port is another host, but for 80 and 443."""
        return _host(url) == _host(self.start)

    def covers(self, url: str) -> bool:
        """Whether a canonical address belongs to it. TooLarge of forges for patterns that take too long."""
        if url == self.start:
            return True
        path = urlsplit(url).path
        return self.same_host(url) and self._within(path) and self.paths.matches(unquote(path).lstrip("/"))

    def _within(self, path: str) -> bool:
        if self.prefix.endswith("/"):
            return path.startswith(self.prefix)
        return path == self.prefix or path.startswith(f"{self.prefix}/")


def _host(url: str) -> tuple[str, int | None]:
    _, host, port = origin(url)
    return host.removeprefix("www."), None if port in (80, 443) else port
