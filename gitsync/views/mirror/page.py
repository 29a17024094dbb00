"""What the pages of a mirror share, and its own page: how it stands, what wants a person, its webhook and its Runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.models import EntityKind
from catalog.views.page import permission
from forges import hooks
from forges.clients import FORGES
from forges.models import Hook
from gitsync.mirror.connecting import EDIT, MANAGE, mirror_of
from gitsync.mirror.hooks import hook_of, told_by_app
from gitsync.mirror.requesting import SYNC
from gitsync.mirror.settling import entities_wanting
from gitsync.mirror.states import state_of
from gitsync.models import EntityState, Mirror, MirroredEntity, Problem
from gitsync.requesting import ASSIGN
from gitsync.states import State
from gitsync.views.page import Credential, credential_of, web_address
from jobs.models import Run, Status
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

LAST_RUNS = 5
PROBLEMS_SHOWN = 100
TONES = {
    EntityState.ERROR: "error",
    EntityState.CONFLICT: "error",
    EntityState.MISSING: "warn",
    EntityState.CONFIRM: "warn",
}
_PAGES = {
    "github": "{web}/blob/{commit}/{path}",
    "gitlab": "{web}/-/blob/{commit}/{path}",
    "bitbucket": "{web}/src/{commit}/{path}",
}


def required(membership: Membership) -> Mirror:
    """The organisation's mirror, 404 where there is none."""
    found = mirror_of(membership.organization)
    if found is None:
        raise Http404
    return found


def page_context(membership: Membership, **more: Any) -> dict[str, Any]:
    may = {
        "assign": permission(membership, ASSIGN),
        "manage": permission(membership, MANAGE),
        "sync": permission(membership, EDIT),
        "see_hook": permission(membership, "integrations.import"),
    }
    organization = membership.organization
    return {"membership": membership, "organization": organization, "org": organization.slug, "may": may, **more}


@dataclass(frozen=True, slots=True)
class Wanting:
    """One entity, or path, that wants a person."""

    it: MirroredEntity
    url: str

    @property
    def tone(self) -> str:
        return TONES.get(EntityState(self.it.state), "warn")

    @property
    def kind(self) -> str:
        return EntityKind(self.it.kind).label

    @property
    def where(self) -> str:
        """line 3, column 14"""
        error = self.it.error
        words = [f"{name} {error[name]}" for name in ("line", "column") if error.get(name)]
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the status shows."""

    mirror: Mirror
    state: State
    credential: Credential
    runs: tuple[Run, ...]
    wanting: tuple[Wanting, ...]
    wanting_count: int
    hook: Hook | None

    @property
    def forge_label(self) -> str:
        known = FORGES.get(self.mirror.forge)
        return known.label_at(self.mirror.base_url) if known and self.mirror.base_url else "git"

    @property
    def web_url(self) -> str:
        return web_address(self.mirror.web_url)

    @property
    def commit_url(self) -> str:
        return web_address(self.mirror.last_commit_url)

    @property
    def pull_request_url(self) -> str:
        return web_address(self.mirror.pull_request_url)

    @property
    def never_worked(self) -> bool:
        """Whether what stands against it is what connecting could not find out."""
        return self.mirror.synced_at is None and self.state.code in ("failed", "blocked")

    @property
    def offers_pull_requests(self) -> bool:
        mirror = self.mirror
        return mirror.problem == Problem.PROTECTED and mirror.forge != "git" and mirror.mode == "commit"

    @property
    def told_by_app(self) -> bool:
        return told_by_app(self.mirror)

    @property
    def has_hooks(self) -> bool:
        return hooks.possible(self.mirror.forge)

    @property
    def hook_addresses(self) -> list[tuple[str, str]]:
        """What to enter at the forge: its own address, and the one that is the same for all repositories."""
        found = [("Webhook URL", fixed_address(self.mirror.forge))]
        return [*found, ("Its own URL", hooks.address(self.hook))] if self.hook else found

    @property
    def every(self) -> str:
        """How often the page asks how things stand; "" for never."""
        run = self.state.run
        if run is None or not run.is_live:
            return "5s" if self.state.code == "pending" and self.state.tone == "wait" else ""
        return "10s" if run.status == Status.WAITING else "1500ms"

    @property
    def digest(self) -> str:
        """Differs when anything that is shown does."""
        mirror = self.mirror
        seen = [
            *(self.state.code, self.state.text, self.credential, mirror.revision, mirror.last_commit),
            *(mirror.summary, mirror.synced_at, mirror.pull_request, mirror.problem_details, self.wanting_count),
            [(each.it.pk, each.it.updated_at, each.it.state) for each in self.wanting],
            [(run.pk, run.status, run.stage, run.done, run.total, run.wait_until) for run in self.runs],
        ]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def fixed_address(forge: str) -> str:
    """The webhook address that is the same for all repositories of a forge."""
    return f"{settings.BASE_URL}" + reverse("inbox:fixed", args=[forge]).removesuffix("/")


def shown(membership: Membership, mirror: Mirror) -> Shown:
    """Asks the database a constant number of times, and no forge."""
    runs = Run.objects.for_org(membership.organization).about(mirror).filter(kind=SYNC, joined_to=None)
    last = tuple(runs.select_related("requested_by").defer("result", "options")[:LAST_RUNS])
    for run in last:
        run.organization = membership.organization
    rows = entities_wanting(mirror)
    found = list(rows.defer("document", "theirs")[: PROBLEMS_SHOWN + 1])
    return Shown(
        mirror=mirror,
        state=state_of(mirror),
        credential=credential_of(mirror, membership),
        runs=last,
        wanting=tuple(_wanting(membership, found[:PROBLEMS_SHOWN])),
        wanting_count=len(found) if len(found) <= PROBLEMS_SHOWN else rows.count(),
        hook=hook_of(mirror),
    )


def _wanting(membership: Membership, rows: Iterable[MirroredEntity]) -> Iterable[Wanting]:
    for row in rows:
        yield Wanting(row, reverse("gitsync:mirror_entity", args=[membership.organization.slug, row.pk]))


def file_url(mirror: Mirror, path: str, commit: str = "") -> str:
    """Where a person sees a file at the forge, "" where that is not known. `path` is below the mirror's directory."""
    page, web = _PAGES.get(mirror.forge), web_address(mirror.web_url)
    if page is None or not web:
        return ""
    return page.format(web=web.rstrip("/"), commit=commit or quote(mirror.branch), path=quote(mirror.base + path))


@require_safe
@access.for_members()
def mirror(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Every member may see how it stands."""
    found = mirror_of(membership.organization)
    context = page_context(membership, shown=shown(membership, found) if found else None)
    return render(request, "gitsync/mirror/mirror.html", context)


@require_safe
@access.for_members()
def state(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """How it stands, which the page asks for while a sync is at work; nothing where that is as it was."""
    found = mirror_of(membership.organization)
    if found is None or not is_fragment(request):
        return go_to(request, reverse("gitsync:mirror", args=[membership.organization.slug]))
    now = shown(membership, found)
    if request.GET.get("seen") == now.digest:
        return HttpResponse(status=204)
    return render(request, "gitsync/mirror/_state.html", page_context(membership, shown=now))
