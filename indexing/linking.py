"""“Link GitHub” beside a source that an account has to be connected for: through its forge's consent and back.

Beside a source the way back gives it the connection and asks for it to be indexed. On the Add page what is entered is
kept meanwhile; the form's button posts to `indexing:link_with` with `with` = `Offer.key`, and the way back leads to
`indexing:source_add` with `draft` and `connection` in its query, which `entered` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from catalog.models import Server
from forges import connections, flows, returning
from forges.applications import APP_KEY
from forges.clients import FORGES
from forges.drafts import Drafts
from forges.models import Connection, Method
from forges.standing import MAKER_LEFT
from indexing import sources
from indexing.models import Source
from indexing.probing import Probe
from indexing.reasons import Reason
from indexing.requesting import request_index
from orgs import access
from orgs.models import Membership

DRAFTS = Drafts(
    "indexing.drafts",
    ("url", "kind", "name", "branch", "include", "exclude", "max_pages", "max_depth", "search_tool", "auto_refresh"),
)
"""What is entered on the Add page, while somebody is at a forge; never a token."""
TOKEN = "token"  # noqa: S105  # the key of a way to connect an account
SALT = "indexing.linking"


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to connect an account that may read it."""

    key: str
    """Of the flow; the value of the button's `with` on the Add page."""
    label: str
    """“Link GitHub”, “Connect again”."""
    url: str
    """Where it begins, a plain link; "" where the member may not, and on the Add page, where the form is posted."""
    why_not: str = ""
    """The sentence for a member who may not."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What was on the Add page before somebody left for a forge."""

    values: dict[str, str]
    """By the names of DRAFTS."""
    connection: Connection | None
    """What they came back with, if it worked."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to connect an account at one forge."""

    key: str
    label: str
    why_not: str
    flow: flows.Flow | None = None


def _begin(flow: flows.Flow | None, membership: Membership, back: str) -> str:
    """Where it begins; without a flow a token is entered."""
    if flow is not None:
        return flows.start_url(flow, membership, back=back)
    start = reverse("forges:connection_token", args=[membership.organization.slug])
    return f"{start}?{urlencode({'return_to': returning.sign(back, membership)})}"


def _ways(membership: Membership, forge: str, base_url: str) -> Iterator[_Way]:
    """A person's own account first, then the GitHub App, and a token where the operator has set up neither."""
    if forge not in FORGES or forge == "git":
        return
    found = [flow for flow in flows.offered(membership) if (flow.forge, flow.base_url) == (forge, base_url)]
    for flow in sorted(found, key=lambda flow: flow.key == APP_KEY):
        yield _Way(flow.key, f"Link {flow.label}", flow.why_not, flow)
    if not found:
        label = f"Link {FORGES[forge].label_at(base_url)} with a token"
        yield _Way(TOKEN, label, connections.why_not_add(membership, Method.TOKEN))


# -- beside a source ---------------------------------------------------------------------------------------------------


def offer(source: Source, membership: Membership) -> Offer | None:
    """For a source that cannot be read with what it has; None where connecting an account would not help.

    Asks the database nothing if the source comes with its connection and server.
    """
    connection = source.connection
    lost = connection is not None and not connection.is_connected
    if source.kind != Source.Kind.REPOSITORY or not (
        lost or source.credential_lost or source.error_code == Reason.AUTH_REQUIRED
    ):
        return None
    why_not = "" if access.may(membership, sources.EDIT) else access.why_not(sources.EDIT)
    if connection is not None and lost and not why_not and _may_reconnect(connection, membership):
        back = _way_back(source, membership)
        return Offer("again", "Connect again", flows.again_url(connection, membership, back=back))
    ways = list(_ways(membership, source.forge, source.base_url))
    if not ways:
        return None
    way = next((way for way in ways if not way.why_not), ways[0])
    if why_not := why_not or way.why_not:
        return Offer(way.key, way.label, "", why_not)
    return Offer(way.key, way.label, _begin(way.flow, membership, _way_back(source, membership)))


def _may_reconnect(connection: Connection, membership: Membership) -> bool:
    """As `forges.connections.may_manage`, without asking the database who is here."""
    if connection.user_id == membership.user_id and connection.method in connections.PERSONAL:
        return True
    ours = connection.shared or connection.reason_code == MAKER_LEFT
    return ours and access.may(membership, "connections.manage")


def _way_back(source: Source, membership: Membership) -> str:
    """An address that does something, so it is signed for one member and one source, and good for an hour."""
    signed = signing.dumps([str(membership.pk), str(source.pk)], salt=SALT)
    return reverse("indexing:linked", args=[membership.organization.slug, source.pk, signed])


def verified(signed: str, source: Source, membership: Membership) -> bool:
    """Whether it is of a way back that was made for this member and source within the hour."""
    try:
        made_for = signing.loads(signed, salt=SALT, max_age=returning.MAX_AGE)
    except signing.BadSignature:
        return False
    return bool(made_for == [str(membership.pk), str(source.pk)])


def link(source: Source, connection: Connection, *, by: Membership, request: HttpRequest | None = None) -> None:
    """Let a source be read with it, and ask for its index, also where it had that connection already.

    Raises what `indexing.sources.edit` does.
    """
    asked = sources.edit(source, {"connection": connection}, by=by, request=request)
    if not asked and source.paused_at is None:
        request_index(source, by=by.user)


# -- on the Add page ---------------------------------------------------------------------------------------------------


def offers_for(probe: Probe, membership: Membership) -> tuple[Offer, ...]:
    """For the Add page, when the address needs an account."""
    if probe.reason != Reason.AUTH_REQUIRED or probe.kind != Source.Kind.REPOSITORY:
        return ()
    ways = _ways(membership, probe.forge, probe.base_url)
    return tuple(Offer(way.key, way.label, "", way.why_not) for way in ways)


def set_out(request: HttpRequest, membership: Membership, server: Server) -> str | None:
    """Keep what is entered, and tell where the flow that the button names begins; None where there is none."""
    key = request.POST.get("with", "")
    flow = next((flow for flow in flows.offered(membership) if flow.key == key), None)
    if flow is None and key != TOKEN:
        return None
    draft = DRAFTS.keep(request.session, request.POST.dict(), membership=membership, about=server)
    page = reverse("indexing:source_add", args=[membership.organization.slug, server.slug])
    return _begin(flow, membership, f"{page}?{urlencode({'draft': draft})}")


def entered(request: HttpRequest, membership: Membership, server: Server) -> Entered | None:
    """What the Add page was left with, on the way back to it; None for any other visit."""
    signed = request.GET.get("draft", "")
    values = DRAFTS.find(request.session, signed, membership=membership, about=server) if signed else None
    return None if values is None else Entered(values, returning.brought(request, membership))
