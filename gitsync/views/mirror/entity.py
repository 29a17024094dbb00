"""One entity on which both sides do not agree: what is wrong, where, what either has, and what a person can do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods

from catalog import library, porting, servers
from catalog.entity_uses import uses_of
from catalog.models import Client, EntityKind, Server
from catalog.portable import advice, merging
from catalog.portable.model import BadFile, Code, Kind
from catalog.saving import Stale
from catalog.views.page import Permission, permission
from gitsync.mirror import excerpts
from gitsync.mirror.settling import (
    CHOICES,
    Sides,
    StaleSettle,
    needed,
    seen_of,
    settle,
    sides_of,
    written,
)
from gitsync.models import EntityState, MirroredEntity
from gitsync.views.mirror.page import file_url, page_context, required
from orgs import access
from orgs.models import Membership

DONE = {
    "theirs": "Git’s version is taken over here with the sync that has begun.",
    "ours": "Ours is written to git with the sync that has begun.",
    "edit": "What you wrote is saved here, and written to git with the sync that has begun.",
    "delete": "It is deleted here with the sync that has begun. Its history keeps it.",
    "restore": "Its file is written to git again with the sync that has begun.",
    "confirm": "It is taken over with the sync that has begun.",
    "allow": "It is taken for no secret from now on, and synced.",
}
LONGEST_SHOWN = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """A member of the document as either side has it."""

    name: str
    ours: str
    theirs: str
    clash: bool
    """Whether both changed it, differently."""


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("entities.edit")
def entity(request: HttpRequest, membership: Membership, pk: int) -> HttpResponseBase:
    mirror = required(membership)
    found = MirroredEntity.objects.filter(mirror=mirror, pk=pk).first()
    if found is None:
        raise Http404
    found.mirror = mirror
    context: dict[str, Any] = {}
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        try:
            settle(
                found,
                choice,
                membership,
                seen=request.POST.get("seen", ""),
                document=request.POST.get("document", ""),
                finding=request.POST.get("finding", ""),
                request=request,
            )
        except (StaleSettle, Stale):
            messages.warning(request, str(StaleSettle()))
            return redirect("gitsync:mirror_entity", org=membership.organization.slug, pk=pk)
        except BadFile as error:
            context = {"wrong": error.problems, "document": request.POST.get("document", "")}
        else:
            messages.success(request, DONE[choice])
            return redirect("gitsync:mirror", org=membership.organization.slug)
    return _page(request, membership, found, context)


def _page(request: HttpRequest, membership: Membership, found: MirroredEntity, more: dict[str, Any]) -> HttpResponse:
    sides = sides_of(found)
    row = _row(membership, found)
    error = found.error
    context = page_context(
        membership,
        mirror=found.mirror,
        it=found,
        kind=EntityKind(found.kind).label,
        state=EntityState(found.state).label,
        row=row,
        row_url=_url_of(row),
        error=error,
        excerpt=excerpts.shown(error.get("excerpt") or {}),
        advice=error.get("advice") or _advice(str(error.get("code", ""))),
        file_url=file_url(found.mirror, error.get("path") or found.path, error.get("commit", "")),
        seen=seen_of(found, sides),
        choices={choice: _may(membership, found, choice) for choice in CHOICES.get(found.state, ())},
        waits=bool(found.settle),
        **_shown(found, sides, membership, row),
    )
    return render(request, "gitsync/mirror/entity.html", {**context, **more}, status=422 if more else 200)


def _shown(found: MirroredEntity, sides: Sides, membership: Membership, row: Any) -> dict[str, Any]:
    """What the page of its state takes besides."""
    match found.state:
        case EntityState.CONFLICT:
            return _conflict(found, sides)
        case EntityState.MISSING:
            return {"goes": _goes(row, membership)}
        case EntityState.ERROR:
            return {"findings": _findings(found)}
        case _:
            return {"hosts": found.error.get("hosts") or {}}


def _conflict(found: MirroredEntity, sides: Sides) -> dict[str, Any]:
    ours = sides.ours.document if sides.ours else None
    theirs = sides.theirs
    if ours is None or theirs is None:
        return {"rows": _rows(ours or {}, theirs or {}, {}), "here": ours is not None, "there": bool(found.theirs)}
    merged = merging.merge(sides.base, ours, theirs)
    rows = _rows(ours, theirs, sides.base)
    return {
        "rows": [each for each in rows if each.ours != each.theirs],
        "same": [each.name for each in rows if each.ours == each.theirs],
        "here": True,
        "there": True,
        "document": written(found, merged.document),
    }


def _rows(ours: Mapping[str, Any], theirs: Mapping[str, Any], base: Mapping[str, Any]) -> list[Row]:
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        Row(
            capfirst(name),
            _text(ours.get(name)),
            _text(theirs.get(name)),
            clash=base.get(name) not in (ours.get(name), theirs.get(name)),
        )
        for name in names
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _goes(row: Any, membership: Membership) -> list[str]:
    """What a deletion here takes along."""
    if row is None:
        return []
    owned = servers.removals(row) if isinstance(row, Server) else []
    used = uses_of(row, membership) if not isinstance(row, Client) else []
    return [*(f"{each.count:,} {each.label}" for each in owned), *(use.loss for use in used)]


def _findings(found: MirroredEntity) -> list[list[dict[str, Any]]]:
    """Each with all the places where the same was found."""
    same: dict[str, list[dict[str, Any]]] = {}
    for finding in found.error.get("findings", []):
        same.setdefault(str(finding.get("digest", "")), []).append(finding)
    return list(same.values())


def _may(membership: Membership, found: MirroredEntity, choice: str) -> Permission:
    answers = (permission(membership, each) for each in needed(found, choice))
    return next((answer for answer in answers if not answer), Permission(True))


def _row(membership: Membership, found: MirroredEntity) -> Any:
    if found.entity is None:
        return None
    return porting.rows_of(membership.organization, Kind(found.kind)).filter(pk=found.entity).first()


def _url_of(row: Any) -> str:
    if row is None:
        return ""
    if isinstance(row, Server):
        return reverse("catalog:server", args=[row.organization.slug, row.slug])
    return library.address(row)


def _advice(code: str) -> str:
    return advice.advice(Code(code)) if code in Code.__members__ else ""
