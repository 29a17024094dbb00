"""What GitLab's answers say, checked before it is believed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from forges.clients.answers import MAX_URL, commit_of, id_of, name_of, page_of
from forges.clients.base import Branch, RemoteHook, Repository
from forges.clients.transport import refusal_in

_SCOPES = ("api", "read_api", "read_repository", "write_repository", "read_user")
"""Scopes that a message may name: https://docs.gitlab.com/security/tokens/#personal-access-token-scopes"""

_REASONS = (
    "not allowed to push",
    "protected branch",
    "pre-receive",
    "gitlab:",
    "start_sha",
)
"""Parts of what GitLab says when it refuses a commit, in lower case."""


def repository_of(found: Mapping[str, Any]) -> Repository:
    """A project in forge-neutral terms; TypeError, ValueError or LookupError for one that cannot be."""
    return Repository(
        id=id_of(found["id"]),
        full_name=name_of(found["path_with_namespace"]).lower(),
        # None for a project without a commit, and for one whose code this credential may not see.
        default_branch=name_of(found.get("default_branch") or ""),
        private=found.get("visibility") != "public",
        web_url=page_of(found["web_url"]),
    )


def branch_of(found: Mapping[str, Any]) -> Branch:
    return Branch(name_of(found["name"], most=MAX_URL), commit_of(found["commit"]["id"]))


def hook_of(found: Mapping[str, Any]) -> RemoteHook:
    """`complete` is False for one that lacks a signing token which this server could have, too."""
    return RemoteHook(
        id=id_of(found["id"]),
        url=name_of(found["url"], most=MAX_URL),
        # Servers from before 15.2 switch no hook off and say nothing of it.
        active=found.get("alert_status", "executable") == "executable",
        complete=(
            found.get("push_events") is True
            and found.get("enable_ssl_verification") is True
            and not found.get("push_events_branch_filter")
            and found.get("signing_token_present") is not False
            and found.get("token_present") is not False
        ),
    )


def scopes_of(value: object) -> frozenset[str] | None:
    return frozenset(name_of(scope) for scope in value) if isinstance(value, list) else None


def expiry_of(value: object) -> datetime | None:
    """`2026-12-31`: a token ends as that day begins, in UTC. None for one without an end.

    https://docs.gitlab.com/user/profile/personal_access_tokens/#access-token-expiration
    """
    try:
        moment = datetime.strptime(str(value), "%Y-%m-%d")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if 2000 <= moment.year < 9000 else None


def ends_in(seconds: object) -> datetime | None:
    """When an OAuth token ends that has so many seconds left."""
    if type(seconds) is not int or not 0 <= seconds < 1 << 31:
        return None
    return datetime.now(UTC) + timedelta(seconds=seconds)


def next_page(response: requests.Response) -> dict[str, str]:
    """What to ask for to get the page after this one; {} after the last.

    Only the place in the list is taken from the link, never the address: that is ours. Servers that do not page a list
    by keyset, whatever they were asked, count its pages instead. ValueError for a link without a place.
    """
    link = response.links.get("next", {}).get("url")
    if link is None:
        page = response.headers.get("x-next-page", "")
        return {"page": page} if page.isascii() and page.isdecimal() else {}
    query = parse_qs(urlsplit(link).query)
    for name in ("page_token", "page"):
        if query.get(name):
            return {name: query[name][0]}
    raise ValueError("the next page is nowhere")


def said(response: requests.Response) -> tuple[frozenset[str], tuple[str, ...]]:
    """Which of the reasons that we know GitLab gives for a refusal, and the scopes that it names; never its words."""
    data = refusal_in(response)
    message = f"{data.get('message', '')} {data.get('error', '')}".lower()
    reasons = frozenset(reason for reason in _REASONS if reason in message)
    if data.get("error") != "insufficient_scope":
        return reasons, ()
    wanted = set(re.findall(r"\w+", str(data.get("scope", ""))))
    return reasons | {"insufficient_scope"}, tuple(scope for scope in _SCOPES if scope in wanted)
