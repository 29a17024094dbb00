"""The values of a provider, as a form or a document gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from catalog.checking.names import check_line, check_text
from catalog.checking.problems import Findings
from catalog.checking.templates import check_template, only_reference
from catalog.checking.urls import check_base_url, check_link, check_token_url

LONGEST_CREDENTIAL = 512
MOST_SCOPES = 100
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,200}")  # RFC 6749, 3.3


def clean_provider(values: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Those of the values that are given, as they are kept; what is wrong goes into `findings`."""
    clean = dict(values)
    for field, check in _CHECKS.items():
        if field in values:
            clean[field] = findings.tried(field, partial(check, values[field]), values[field])
    if "name" in clean and not clean["name"]:
        findings.add("name", "A provider needs a name, such as Weather.")
    if not clean.get("oauth2_token_url", True):
        for field in ("oauth2_client_id", "oauth2_client_secret", "oauth2_scopes"):
            if clean.get(field):
                findings.add("oauth2_token_url", "Say where tokens are asked for, or empty the other OAuth2 fields.")
                break
    elif clean.get("oauth2_token_url") and not clean.get("oauth2_client_id", True):
        findings.add("oauth2_client_id", "Tokens are asked for with a client id. Enter it, or a reference to it.")
    return clean


def check_scopes(scopes: Iterable[Any]) -> list[str]:
    """Names of OAuth2 scopes, each once, in order. Raises ValueError with a sentence."""
    kept = list(dict.fromkeys(str(scope) for scope in scopes))
    for scope in kept:
        if not _SCOPE.fullmatch(scope):
            raise ValueError(f"“{scope[:40]}” is no scope: one a line, without spaces, quotes and backslashes.")
    if len(kept) > MOST_SCOPES:
        raise ValueError(f"These are {len(kept)} scopes; {MOST_SCOPES} is the most.")
    return kept


def _check_client_id(text: str) -> str:
    return check_template(check_line(text, longest=LONGEST_CREDENTIAL))


def _check_client_secret(text: str) -> str:
    text = text.strip()
    if text and not only_reference(text):
        raise ValueError(
            "A secret is never written here. Make a secret variable on the Variables tab, and enter ${NAME}, its name."
        )
    return text


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": check_line,
    "description": check_text,
    "base_url": check_base_url,
    "documentation_url": check_link,
    "icon_url": check_link,
    "oauth2_token_url": check_token_url,
    "oauth2_client_id": _check_client_id,
    "oauth2_client_secret": _check_client_secret,
    "oauth2_scopes": check_scopes,
}
