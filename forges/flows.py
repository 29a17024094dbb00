"""“Connect with …”: the flows at forges that pages of the apps above can begin, and their addresses."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from forges import connections, returning
from forges.applications import APP_KEY, github_app
from forges.models import Connection, Method
from forges.ways import ways
from orgs.models import Membership


@dataclass(frozen=True, slots=True)
class Flow:
    """A way to connect an account by consent at the forge."""

    key: str
    """Of the OAuth application; `APP_KEY` is the GitHub App."""
    forge: str
    base_url: str
    label: str
    """As in “Connect with …”."""
    why_not: str = ""
    """The sentence for a member who may not."""

    @property
    def may(self) -> bool:
        return not self.why_not


def offered(membership: Membership) -> tuple[Flow, ...]:
    """What the operator set up, the GitHub App first. What is wrong with the settings is told on Connections."""
    known = ways(membership)
    found = []
    if known.app and (app := github_app()):
        found.append(
            Flow(
                APP_KEY,
                "github",
                app.base_url,
                "the GitHub App",
                connections.why_not_add(membership, Method.GITHUB_APP),
            )
        )
    why_not = connections.why_not_add(membership, Method.OAUTH)
    found += [Flow(each.key, each.app.forge, each.base_url, each.label, why_not) for each in known.oauth]
    return tuple(found)


def start_url(
    flow: Flow, membership: Membership, *, back: str, into: Connection | None = None, writing: bool = False
) -> str:
    """Where the flow begins. It comes back to `back`, a path of ours, with `connection` in the query if it worked.

    `into` is connected again; `writing` asks for webhooks and pushes, too, where the forge tells them from reading.
    """
    asked = {"return_to": returning.sign(back, membership)}
    if into is not None:
        asked["into"] = str(into.pk)
    if writing:
        asked["write"] = "1"
    org = membership.organization.slug
    start = (
        reverse("forges:install", args=[org]) if flow.key == APP_KEY else reverse("forges:start", args=[org, flow.key])
    )
    return f"{start}?{urlencode(asked)}"


def again_url(connection: Connection, membership: Membership, *, back: str) -> str:
    """Where a connection is connected again: in its own flow, or on its page where it has none."""
    for flow in offered(membership):
        method = Method.GITHUB_APP if flow.key == APP_KEY else Method.OAUTH
        if (flow.forge, flow.base_url, method) == (connection.forge, connection.base_url, connection.method):
            return start_url(flow, membership, back=back, into=connection)
    return reverse("forges:connection", args=[membership.organization.slug, connection.pk])
