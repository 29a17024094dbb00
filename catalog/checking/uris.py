"""URIs that name resources, and the types of what they hold."""

from __future__ import annotations

import re

LONGEST = 1024
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
    if text and not _MIME_TYPE.fullmatch(text):
        raise BadMimeType("A MIME type has a slash between its type and subtype: text/markdown or application/json.")
    return text
