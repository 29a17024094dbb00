"""URIs that name resources, and the types of what they hold."""

from __future__ import annotations

import re
from urllib.parse import unquote

LONGEST = 1024
LONGEST_MIME_TYPE = 120
# RFC 3986, 3.1 and appendix A: a scheme, a colon, and characters that a URI can hold, % only as an escape of a byte.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_REST = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
# RFC 6838, 4.2, with parameters as in RFC 9110, 8.3.1.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  # a token of HTTP's grammar
_MIME_TYPE = re.compile(rf"{_NAME}/{_NAME}(?:\s*;\s*{_TOKEN}=(?:{_TOKEN}|\"[^\"\\]*\"))*")


class BadUri(ValueError):
    """The text is a sentence for a person."""


class BadMimeType(ValueError):
    """The text is a sentence for a person."""


def check_uri(text: str) -> str:
    """An absolute URI, its scheme in small letters (RFC 3986, 3.1). Raises BadUri."""
    text = text.strip()
    if len(text) > LONGEST:
        raise BadUri(f"A URI can have {LONGEST:,} characters at most.")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise BadUri(
            "A URI begins with a scheme and a colon, such as docs://guides/start or https://example.com/start."
        )
    rest = text[scheme.end() :]
    if not rest or not rest.strip("/"):
        raise BadUri(f"Nothing follows “{scheme.group()}”. A URI goes on with what it names: docs://guides/start.")
    if rest.count("#") > 1:
        raise BadUri("A URI has one # at most, before its fragment. Write others as %23.")
    if "{" in rest or "}" in rest:
        raise BadUri("A URI holds no { or }: a resource has one address. What takes arguments is a tool.")
    fits = _REST.match(rest)
    if fits is None or fits.end() != len(rest):
        wrong = rest[fits.end() if fits else 0]
        if wrong == "%":
            raise BadUri("A % in a URI begins an escape of two hexadecimal digits. Write the character itself as %25.")
        name = "a space" if wrong == " " else f"“{wrong}”" if wrong.isprintable() else "an invisible character"
        escape = "".join(f"%{byte:02X}" for byte in wrong.encode(errors="replace"))
        raise BadUri(f"A URI cannot hold {name}. Write it as {escape}.")
    return scheme.group().lower() + rest


def check_mime_type(text: str) -> str:
    """A MIME type such as `text/markdown; charset=utf-8`; "" stays so. Raises BadMimeType."""
    text = text.strip()
    if len(text) > LONGEST_MIME_TYPE:
        raise BadMimeType(f"A MIME type can have {LONGEST_MIME_TYPE} characters at most.")
    if text and not _MIME_TYPE.fullmatch(text):
        raise BadMimeType("A MIME type has a slash between its type and subtype: text/markdown or application/json.")
    return text


class BadPath(ValueError):
    """The text is a sentence for a person."""


def check_upstream_path(text: str) -> str:
    """A path below a provider's base URL, with a query or without; "" stays so. It cannot lead out of the base URL.
    Raises BadPath."""
    text = text.strip()
    if not text:
        return ""
    if len(text) > LONGEST:
        raise BadPath(f"A path can have {LONGEST:,} characters at most.")
    if not text.startswith("/"):
        raise BadPath("A path begins with a slash, such as /reports/today: the provider’s base URL comes before it.")
    if "#" in text or "{" in text or "}" in text:
        raise BadPath("A path of a resource holds no #, { or }: it is asked for as it is.")
    fits = _REST.match(text)
    if fits is None or fits.end() != len(text):
        raise BadPath("A path holds the characters of URLs alone. Write others escaped, such as %20 for a space.")
    path = unquote(text.partition("?")[0]).replace("\\", "/")
    if path.startswith("//") or any(segment in (".", "..") for segment in path.split("/")):
        raise BadPath("A path has no segments . or .. and no double slash at its start: it stays below the base URL.")
    return text
