"""What a client says of itself, by registering (RFC 7591) or in its metadata document. Pure.

https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from endpoint.oauth import redirects
from endpoint.oauth.metadata import AUTH_METHODS

LONGEST_NAME = 100
MOST_REDIRECTS = 20


class Invalid(ValueError):
    """What it says is not good. The text is a sentence for its developer, `code` one of RFC 7591, 3.2.2."""

    def __init__(self, sentence: str, code: str = "invalid_client_metadata") -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Said:
    name: str
    """Without anything that is not seen or turns the text around it; may be empty."""
    redirect_uris: tuple[str, ...]
    auth_method: str


def read(values: Any, *, default_method: str = "client_secret_basic") -> Said:
    """What matters of a client's metadata. Raises Invalid.

    Scopes are not for clients to choose here, and grant types are always the same two: what they ask for besides is
    left out, which RFC 7591 leaves to us.
    """
    if not isinstance(values, dict):
        raise Invalid("Send a JSON object.")
    method = values.get("token_endpoint_auth_method") or default_method
    if method not in AUTH_METHODS:
        raise Invalid(f"token_endpoint_auth_method can be {', '.join(AUTH_METHODS)}.")
    if "authorization_code" not in _texts(values, "grant_types", ["authorization_code"]):
        raise Invalid("grant_types must have authorization_code: there is no other way to a token here.")
    if "code" not in _texts(values, "response_types", ["code"]):
        raise Invalid("response_types must have code.")
    return Said(_name(values.get("client_name")), _redirect_uris(values), method)


def _texts(values: dict[str, Any], field: str, default: list[str] | None = None) -> list[str]:
    found = values.get(field)
    if found is None and default is not None:
        return default
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Invalid(f"{field} must be a list of texts.")
    return found


def _redirect_uris(values: dict[str, Any]) -> tuple[str, ...]:
    try:
        uris = _texts(values, "redirect_uris")
    except Invalid as error:
        raise Invalid(str(error), "invalid_redirect_uri") from error
    if not 1 <= len(uris) <= MOST_REDIRECTS:
        raise Invalid(f"redirect_uris must have 1 to {MOST_REDIRECTS} addresses.", "invalid_redirect_uri")
    for uri in uris:
        if sentence := redirects.trouble(uri):
            raise Invalid(sentence, "invalid_redirect_uri")
    return tuple(uris)


def _name(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid("client_name must be a text.")
    # Control characters, and those that are not seen or change the direction of writing.
    seen = "".join(" " if unicodedata.category(each) in ("Zl", "Zp", "Cc") else each for each in value[:1000])
    seen = "".join(each for each in seen if unicodedata.category(each) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(seen.split())[:LONGEST_NAME].strip()
