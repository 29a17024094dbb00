"""Addresses that people enter: where a provider's API is, and links to read. Nothing is asked or resolved here."""

from __future__ import annotations

from urllib.parse import urlsplit

from catalog.checking.templates import REFERENCE, check_template
from lib.egress.errors import UrlRefused
from lib.egress.urls import check_url

LONGEST = 1024


class BadUrl(ValueError):
    """The text is a sentence for a person."""


def check_base_url(text: str) -> str:
    """The address that paths are put behind, without a slash at its end; "" stays so. It can hold `${NAME}`, also as
    its beginning. Raises BadUrl and BadTemplate."""
    text = _plain(check_template(text))
    if not text:
        return ""
    # Some digit stands for each value: it may be a host, a port or a segment of the path.
    tried = REFERENCE.sub("1", text)
    if REFERENCE.match(text):
        if tried[1:2] not in ("", "/"):
            raise BadUrl("What follows a variable that holds the whole address begins with a slash.")
        tried = f"https://example.com{tried[1:]}"
    _checked(tried)
    if "?" in text or "#" in text:
        raise BadUrl("A base URL has no query and no fragment: take away what begins with ? or #.")
    return text.rstrip("/")


def check_token_url(text: str) -> str:
    """The address of an OAuth2 token endpoint, which can hold `${NAME}` and a query (RFC 6749, 3.2); "" stays so.
    Raises BadUrl and BadTemplate."""
    text = _plain(check_template(text))
    if not text:
        return ""
    tried = REFERENCE.sub("1", text)
    _checked(f"https://example.com{tried[1:]}" if REFERENCE.match(text) else tried)
    if "#" in text:
        raise BadUrl("The address of a token endpoint has no fragment: take away what begins with #.")
    return text


def check_link(text: str) -> str:
    """An address that people follow or whose image they see: http or https; "" stays so. Raises BadUrl."""
    text = _plain(text)
    if text:
        _checked(text)
    return text


def is_readable_on_the_way(url: str) -> bool:
    """Whether what is sent there, credentials too, goes over plain http."""
    return urlsplit(url).scheme.lower() == "http"


def _plain(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        raise BadUrl(f"An address can have {LONGEST:,} characters at most.")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise BadUrl("An address holds no spaces, line breaks or invisible characters.")
    return text


def _checked(url: str) -> None:
    try:
        check_url(url)
        _ = urlsplit(url).port
    except UrlRefused as error:
        raise BadUrl(f"{error} Enter one such as https://api.example.com.") from error
    except ValueError as error:
        raise BadUrl("The address has no valid port. Enter one such as https://api.example.com:8443.") from error
