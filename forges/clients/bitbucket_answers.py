"""What Bitbucket's answers say, checked before it is believed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from forges.clients.answers import name_of, page_of, picture_of, scopes_in
from forges.clients.base import Account, EntryKind, RemoteHook, Repository
from forges.clients.bitbucket_names import UUID
from forges.clients.transport import refusal_in

EVENTS = ("repo:push", "repo:updated", "repo:transfer", "repo:deleted")
"""What a webhook of ours listens to. https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/"""

_LARGEST = 1 << 63
_KINDS = {
    "link": EntryKind.SYMLINK,
    "executable": EntryKind.EXECUTABLE,
    "subrepository": EntryKind.SUBMODULE,
}
_OBJECTS = "account|email|user|workspace|repository|pullrequest|webhook|project"
# Of OAuth and access tokens (repository:write) and of API tokens (write:repository:bitbucket).
_SCOPE = re.compile(rf"(?:{_OBJECTS})(?::(?:write|admin|delete))?|(?:read|write|admin|delete):(?:{_OBJECTS}):bitbucket")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Bitbucket says about an error: to be judged, never to be shown, but for the names of scopes."""

    message: str = ""
    """In lower case."""
    required: tuple[str, ...] = ()
    """Scopes that the request takes, where the credential has none of them."""
    granted: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file as a directory's listing tells of it."""

    size: int
    kind: EntryKind
    lfs: bool = False
    """Whether Git LFS keeps it: in the repository is a pointer, and the size is not the pointer's."""


def refusal_of(response: requests.Response) -> Refusal:
    """https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses"""
    error = refusal_in(response).get("error")
    if not isinstance(error, dict):
        return Refusal()
    detail = error.get("detail")
    required: tuple[str, ...] = ()
    granted = scopes_of(response.headers)
    if isinstance(detail, dict):
        required = tuple(_scopes(detail.get("required")))
        granted = granted if granted is not None or "granted" not in detail else frozenset(_scopes(detail["granted"]))
    return Refusal(str(error.get("message", "")).lower(), required, granted)


def _scopes(value: Any) -> list[str]:
    scopes = value if isinstance(value, list) else []
    return [scope for scope in scopes if isinstance(scope, str) and _SCOPE.fullmatch(scope)]


def scopes_of(headers: Mapping[str, str]) -> frozenset[str] | None:
    return scopes_in(headers.get("x-oauth-scopes"))


def account_of(data: Any, scopes: frozenset[str] | None) -> Account:
    """Whom `/user` names; TypeError, LookupError or ValueError for what it cannot be."""
    # An access token is to Bitbucket a user of its own, and no person's.
    person = data["type"] != "app_user"
    return Account(
        login=name_of(data.get("username") or data.get("nickname") or data["display_name"]) if person else None,
        scopes=scopes,
        avatar_url=picture_of(data.get("links", {}).get("avatar", {}).get("href")),
        id=uuid_of(data["uuid"]),
    )


def repository_of(data: Any) -> Repository:
    """A repository in forge-neutral terms; TypeError, LookupError or ValueError for one that cannot be."""
    main = data.get("mainbranch")
    return Repository(
        id=uuid_of(data["uuid"]),
        full_name=name_of(data["full_name"]).lower(),
        # One without a commit has none yet; the first commit usually makes this one.
        default_branch=name_of(main["name"]) if main else "main",
        private=data.get("is_private") is not False,
        web_url=link_of(data, "html"),
    )


def uuid_of(value: Any) -> str:
    uuid = str(value).lower()
    if not UUID.fullmatch(uuid):
        raise ValueError("no id")
    return uuid


def file_of(item: Any) -> File:
    """An entry of a directory that is none itself. `attributes` is a list, whatever the API's description says."""
    attributes = item["attributes"]
    size = item["size"]
    if type(size) is not int or not 0 <= size < _LARGEST or not isinstance(attributes, list):
        raise ValueError("no entry of a directory")
    kind = next((_KINDS[name] for name in attributes if name in _KINDS), EntryKind.FILE)
    return File(size, kind, lfs="lfs" in attributes)


def hook_of(data: Any) -> RemoteHook:
    """`complete` is False for one without a secret, too."""
    return RemoteHook(
        id=uuid_of(data["uuid"]),
        url=str(data["url"]),
        active=data["active"] is True,
        complete=(
            set(EVENTS) <= set(data["events"])
            and not data.get("skip_cert_verification")
            and data.get("secret_set") is not False
        ),
    )


def link_of(data: Any, name: str) -> str:
    """One of its links, if a page may link to it; "" for one that is missing."""
    return page_of(data.get("links", {}).get(name, {}).get("href", ""))
