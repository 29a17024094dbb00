"""What the views of this app share: the assignment of a server, and what its panel shows of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from catalog.models import Server
from catalog.views.page import permission, server_context
from forges import standing
from forges.clients import FORGES
from forges.connection_rows import tone_of, why_it_only_reads
from forges.connections import may_use
from forges.models import Connection
from gitsync.deciding import digest_of
from gitsync.models import Mirror, Problem, PushTarget
from gitsync.requesting import ASSIGN, EDIT, PUSH
from gitsync.states import State, notice_of, state_of
from jobs.models import Run, Status
from orgs.models import Membership

LAST_RUNS = 5
FILES_SHOWN = 50


def target_of(server: Server) -> PushTarget | None:
    """What is assigned to the server, with its connection."""
    found = PushTarget.objects.select_related("connection__user").filter(server=server).first()
    if found is not None:
        found.server, found.organization = server, server.organization
    return found


def page_context(membership: Membership, server: Server, **more: Any) -> dict[str, Any]:
    """The context of a page about a server's pushes."""
    context = server_context(membership, server, "general", org=membership.organization.slug, **more)
    context["may"] |= {"assign": permission(membership, ASSIGN), "push": permission(membership, EDIT)}
    return context


@dataclass(frozen=True, slots=True)
class Credential:
    """With what the forge is spoken to, and whether that works."""

    text: str
    tone: str
    word: str
    reason: str = ""
    url: str = ""
    """Of the connection's page, for who sees that."""


@dataclass(frozen=True, slots=True)
class Files:
    """Some of a list of files."""

    shown: tuple[str, ...]
    kept: int
    """How many of them are known by name, all of which the digest stands for."""
    count: int
    digest: str

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel shows of an assignment beside its form."""

    target: PushTarget
    state: State
    credential: Credential
    runs: tuple[Run, ...]

    @property
    def forge_label(self) -> str:
        known = FORGES.get(self.target.forge)
        return known.label_at(self.target.base_url) if known and self.target.base_url else "git"

    @property
    def web_url(self) -> str:
        return web_address(self.target.web_url)

    @property
    def commit_url(self) -> str:
        return web_address(self.target.last_commit_url)

    @property
    def pull_request_url(self) -> str:
        return web_address(self.target.pull_request_url)

    @property
    def notice(self) -> str:
        return notice_of(self.target)

    @property
    def findings(self) -> list[list[dict[str, Any]]]:
        """Each with all the places where the same was found."""
        details = self.target.problem_details if self.target.problem == Problem.SECRET else {}
        same: dict[str, list[dict[str, Any]]] = {}
        for finding in details.get("findings", []):
            same.setdefault(finding["digest"], []).append(finding)
        return list(same.values())

    @property
    def in_the_way(self) -> Files | None:
        if self.target.problem != Problem.CONFLICT:
            return None
        details = self.target.problem_details
        return _files(details.get("files", {}), count=details.get("count"))

    @property
    def foreign(self) -> Files | None:
        return _files(self.target.foreign, count=self.target.foreign_count)

    @property
    def can_open_pull_requests(self) -> bool:
        return self.target.forge != "git"

    @property
    def every(self) -> str:
        """How often the page asks how things stand; "" for never."""
        run = self.state.run
        if run is None or not run.is_live:
            return "5s" if self.state.code == "pending" else ""
        return "10s" if run.status == Status.WAITING else "1500ms"

    @property
    def digest(self) -> str:
        """Differs when anything that is shown does."""
        target, runs = self.target, self.runs
        seen = [
            self.state.code,
            self.state.text,
            self.credential,
            target.revision,
            target.last_commit,
            target.last_pushed_at,
            target.pull_request,
            target.problem_details,
            target.foreign_count,
            target.foreign,
            [(run.pk, run.status, run.stage, run.done, run.total, run.wait_until) for run in runs],
        ]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def shown(membership: Membership, target: PushTarget) -> Shown:
    """Asks the database a constant number of times, and no forge."""
    runs = Run.objects.for_org(membership.organization).about(target).filter(kind=PUSH, joined_to=None)
    last = tuple(runs.select_related("requested_by").defer("result", "options")[:LAST_RUNS])
    for run in last:
        run.organization = membership.organization
    return Shown(target, state_of(target), credential_of(target, membership), last)


@dataclass(frozen=True, slots=True)
class Group:
    """A connection in the list of repositories."""

    it: Connection
    mine: bool

    @property
    def where(self) -> str:
        return standing.where(self.it)

    @property
    def why_it_only_reads(self) -> str:
        return why_it_only_reads(self.it)

    @property
    def tone(self) -> str:
        return tone_of(self.it)


def connection_groups(membership: Membership) -> list[Group]:
    """The connections whose repositories a member may choose, their own first. One query."""
    rows = Connection.objects.usable_by(membership).select_related("user")
    groups = [Group(each, each.user_id == membership.user_id) for each in rows]
    return sorted(groups, key=lambda group: (not group.it.is_connected, not group.mine, str(group.it).casefold()))


def credential_of(target: PushTarget | Mirror, membership: Membership) -> Credential:
    """With `connection` at hand it asks nobody."""
    connection = target.connection
    if connection is None:
        if target.credential_lost:
            return Credential("", "error", "Disconnected", target.credential_lost)
        if type(target).token.is_set(target):
            return Credential("A token or password of its own", "ok", "Stored")
        return Credential("The repository is asked without a token", "idle", "None")
    seen = may_use(membership, connection)
    named = f"the connection of {connection}" if seen else standing.named(connection)
    return Credential(
        named[:1].upper() + named[1:],
        tone_of(connection),
        connection.get_status_display(),
        "" if connection.is_connected else connection.reason,
        reverse("forges:connection", args=[membership.organization.slug, connection.pk]) if seen else "",
    )


def _files(files: dict[str, str], *, count: int | None) -> Files | None:
    """None for none. There can be more of them than are kept."""
    if not files:
        return None
    return Files(tuple(sorted(files)[:FILES_SHOWN]), len(files), max(count or 0, len(files)), digest_of(files))


def web_address(url: str) -> str:
    """The same, if it is a web address: it is what the forge said, and anyone can run one."""
    return url if url.startswith(("https://", "http://")) else ""


def panel_url(server: Server) -> str:
    """The address of the panel."""
    return reverse("gitsync:target", args=[server.organization.slug, server.slug])
