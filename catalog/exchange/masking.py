"""What does not leave the database in clear text, decided in this one place.

Values of secret variables; OAuth2 client ids and secrets, and values of headers, unless they are nothing but `${NAME}`
references. Headers of HARMLESS never carry credentials and are told as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.exchange.model import MASK, ServerConfig

HARMLESS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-version",
        "api-version",
        "cache-control",
        "content-type",
        "notion-version",
        "prefer",
        "user-agent",
        "x-api-version",
        "x-github-api-version",
    }
)
"""Names of headers, in small letters."""

# https://www.iana.org/assignments/http-authschemes and those that large APIs made up. A closed list: an unknown word
# before a reference may be the beginning of a password.
SCHEMES = frozenset(
    {
        "apikey",
        "basic",
        "bearer",
        "bot",
        "deepl-auth-key",
        "digest",
        "dpop",
        "geniekey",
        "key",
        "klaviyo-api-key",
        "negotiate",
        "ssws",
        "token",
    }
)
_REFERENCE = r"\$\{[A-Z][A-Z0-9_]{0,63}\}"
_ONE_REFERENCE = re.compile(_REFERENCE)
# `${KEY}`, `Bearer ${TOKEN}`, `Basic ${USER}:${PASSWORD}`, `Token token=${TOKEN}`
_ONLY_REFERENCES = re.compile(rf"(?:(?P<scheme>[A-Za-z-]{{1,32}}) )?(?:[a-z_]{{1,16}}=)?{_REFERENCE}(?::{_REFERENCE})?")
_COOKIE = rf"[A-Za-z0-9_.-]{{1,64}}={_REFERENCE}"
_COOKIES = re.compile(rf"{_COOKIE}(?:; ?{_COOKIE})*")


@dataclass(frozen=True)
class Masked:
    """A place in a configuration where a value is not told."""

    kind: str
    """variable, provider or tool"""
    name: str
    what: str
    """In words: “its value”, “the header X-Tenant”."""
    provider: str = ""
    """Of a tool."""


def masked(config: ServerConfig) -> Iterator[Masked]:
    """All of them, in the order of the document."""
    for variable in config.variables:
        if is_masked(variable.value):
            yield Masked("variable", variable.name, VALUE)
    for provider in config.providers:
        for field, words in CREDENTIALS.items():
            if provider.oauth2 and is_masked(getattr(provider.oauth2, field)):
                yield Masked("provider", provider.name, words)
        for tool in provider.tools:
            for name, value in tool.headers.items():
                if is_masked(value):
                    yield Masked("tool", tool.name, header_words(name), provider.name)


VALUE = "its value"
CREDENTIALS = {"client_id": "the OAuth2 client id", "client_secret": "the OAuth2 client secret"}


def header_words(name: str) -> str:
    return f"the header {name}"


def is_masked(value: str) -> bool:
    """Whether this stands for a value that stayed in the database."""
    return value == MASK


def mask_variable(value: str, *, secret: bool) -> str:
    """A secret one's is masked whether or not it has been entered, so that the document does not change with it."""
    return MASK if secret else value


def mask_credential(value: str) -> str:
    """An OAuth2 client id or secret."""
    return value if not value or _ONE_REFERENCE.fullmatch(value) else MASK


def mask_client_id(value: str) -> str:
    """Of a provider that asks for tokens, so that it has one: MASK also before it is entered, as after an import."""
    return mask_credential(value) or MASK


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """One without a value lacks what was masked when it was imported: it stays masked, and the document as it was."""
    return {name: value if _may_leave(name, value) else MASK for name, value in headers.items()}


def _may_leave(name: str, value: str) -> bool:
    if name.lower() in HARMLESS:
        return True
    if name.lower() == "cookie":
        return _COOKIES.fullmatch(value) is not None
    found = _ONLY_REFERENCES.fullmatch(value)
    return found is not None and (found["scheme"] is None or found["scheme"].lower() in SCHEMES)
