"""The ways to connect an account, in the order in which they are offered, and which of them the operator has set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from forges import connections
from forges.applications import OAuthApplication, github_app, oauth_applications
from forges.clients import FORGES
from forges.models import Method
from orgs import access
from orgs.models import Membership

OAUTH_FORGES = ("github", "gitlab", "bitbucket")


@dataclass(frozen=True, slots=True)
class Ways:
    """What a member can choose from. Access tokens can always be entered."""

    app: bool
    """Whether the operator has a GitHub App."""
    oauth: tuple[OAuthApplication, ...]
    may_manage: bool
    """Whether they may connect Apps and consumers, and share what they connect."""
    missing: tuple[str, ...] = ()
    """What is not set up: GitHub App, GitHub OAuth …"""
    problems: tuple[str, ...] = field(default=())
    """What is wrong with the settings; sentences for the operator."""

    @property
    def why_not(self) -> str:
        return access.why_not("connections.manage")


def ways(membership: Membership) -> Ways:
    problems: list[str] = []
    try:
        app = github_app() is not None
    except ImproperlyConfigured as error:
        app = False
        problems.append(str(error))
    try:
        found = sorted(oauth_applications(), key=lambda each: OAUTH_FORGES.index(each.app.forge))
    except ImproperlyConfigured as error:
        found = []
        problems.append(str(error))
    return Ways(
        app=app,
        oauth=tuple(found),
        may_manage=connections.may_add(membership, Method.GITHUB_APP),
        missing=tuple(_missing(app, {each.app.forge for each in found})),
        problems=tuple(problems),
    )


def _missing(app: bool, forges: set[str]) -> Iterator[str]:
    if not app:
        yield "the GitHub App"
    for forge in OAUTH_FORGES:
        if forge not in forges:
            yield f"{FORGES[forge].label} OAuth"
