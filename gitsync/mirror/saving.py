"""What is kept of the repository that an organisation is connected with, written with all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog import porting
from catalog.portable.model import Kind
from forges import hooks
from forges.models import Connection
from forges.picking import FieldError
from gitsync import places
from gitsync.mirror.hooks import hook_of, want_hook
from gitsync.mirror.probing import Tried
from gitsync.mirror.reporting import counted
from gitsync.mirror.requesting import request_sync
from gitsync.models import Mirror, Mode
from gitsync.places import Place, place_of
from gitsync.probing import Assignment
from gitsync.targets import check_chosen
from jobs import runs
from jobs.models import Trigger
from orgs import access, audit
from orgs.models import Membership, Organization

_NEW_PLACE: dict[str, Any] = {
    "last_commit": "",
    "last_commit_url": "",
    "last_pushed_at": None,
    "side_branch": "",
    "pull_request": "",
    "pull_request_url": "",
    "synced_at": None,
    "looked_at": None,
    "counts": {},
    "summary": "",
}
"""What is known of one place says nothing of another."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the forms hold."""

    assignment: Assignment
    apply_deletions: bool = False
    poll_minutes: int = 15
    webhook_secret: str = field(default="", repr=False)
    """Empty means the one that the webhook has, or a new one."""


@dataclass(frozen=True, slots=True)
class Connected:
    mirror: Mirror
    notes: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    """Of a new webhook, where Millrace chose it: to be shown this once."""


class StaleMirror(ValueError):
    """Somebody else changed it first; `current` is it as it is now, None when there is none any more."""

    def __init__(self, current: Mirror | None) -> None:
        super().__init__("Somebody else changed this while you were editing it. Look at it and save again.")
        self.current = current


class NeedsAgreement(ValueError):
    """The person has to agree first; the text is what is forgotten."""


def save(
    membership: Membership,
    values: Wanted,
    tried: Tried,
    connection: Connection | None,
    *,
    needs: tuple[str, ...],
    seen_revision: int | None,
    agreed: bool,
    request: HttpRequest | None,
    as_it_is: bool = False,
) -> Connected:
    """One transaction. `needs` are the entitlements that it takes still; `as_it_is`: its connection is not chosen anew.
    Raises StaleMirror, NeedsAgreement, FieldError, PermissionDenied."""
    directory, place = places.clean_directory(values.assignment.directory), tried.place
    with transaction.atomic():
        # One at a time in an organisation, which has one of them.
        organization = Organization.objects.select_for_update().get(pk=membership.organization_id)
        for each in needs:
            access.require_still(membership.user, membership.organization_id, each)
        if connection is not None and not as_it_is:
            check_chosen(connection, membership)
        places.lock(place)
        mirror = Mirror.objects.select_for_update(of=("self",)).filter(organization=organization).first()
        if seen_revision != (mirror.revision if mirror else None):
            raise StaleMirror(mirror)
        check_agreed(mirror, place, directory, agreed=agreed)
        if clash := places.mirror_clash(place, directory, organization=organization):
            raise FieldError("directory", f"A server is pushed to {clash} there. Choose another directory.")
        before = facts(mirror) if mirror else {}
        moved = mirror is not None and _moves(mirror, place, directory)
        followed = hook_of(mirror) if mirror else None
        mirror = mirror or Mirror(organization=organization)
        connection = mirror.connection if as_it_is else connection
        _take(mirror, values, tried, connection)
        mirror.directory, mirror.assigned_by = directory, membership.user
        if moved:
            mirror.entities.all().delete()
            mirror.changes.all().delete()
            clear_states(organization)
            for name, value in _NEW_PLACE.items():
                setattr(mirror, name, value)
        mirror.revision += 1 if before else 0
        mirror.save()
        record(
            "mirror.changed" if before else "mirror.connected",
            mirror,
            membership,
            request,
            before=before,
            after=facts(mirror) | ({"webhook_secret": "replaced"} if values.webhook_secret else {}),
        )
        secret = want_hook(mirror, values.webhook_secret, membership, request)
        hooks.release(followed, by=membership.user)
        runs.cancel_queued(mirror, by=membership.user)
        request_sync(mirror, trigger=Trigger.MANUAL if before and not moved else Trigger.CONNECT, by=membership.user)
    return Connected(mirror, tried.notes, secret)


def _take(mirror: Mirror, values: Wanted, tried: Tried, connection: Connection | None) -> None:
    found, entered = tried.found, values.assignment
    mirror.forge, mirror.base_url, mirror.branch = found.forge, found.base_url, found.branch
    mirror.repository_id, mirror.repository = found.repository.id, found.repository.full_name
    mirror.web_url, mirror.mode = found.repository.web_url, Mode(entered.mode)
    mirror.connection, mirror.credential_lost = connection, ""
    mirror.token = "" if connection else entered.token
    mirror.username = "" if connection else entered.username
    mirror.apply_deletions = values.apply_deletions
    mirror.poll_minutes = values.poll_minutes
    mirror.problem, mirror.problem_text, mirror.problem_details = "", "", {}


def clear_states(organization: Organization) -> None:
    """Nothing is told of any entity any more. No revision: nothing of theirs changes."""
    for kind in Kind:
        porting.rows_of(organization, kind).exclude(git_integration={}).update(git_integration={})


def record(
    action: str,
    mirror: Mirror,
    membership: Membership,
    request: HttpRequest | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """In the audit log."""
    audit.record(
        action,
        organization=mirror.organization,
        actor=membership.user,
        target=mirror,
        before=before,
        after=after,
        request=request,
    )


def facts(mirror: Mirror) -> dict[str, Any]:
    """What the audit log says of it."""
    return {
        "forge": mirror.forge,
        "repository": mirror.repository,
        "branch": mirror.branch,
        "directory": mirror.directory or places.ROOT,
        "mode": mirror.mode,
        "apply_deletions": mirror.apply_deletions,
        "poll_minutes": mirror.poll_minutes,
        "connection": str(mirror.connection_id or ""),
        "token": Mirror.token.is_set(mirror),
    }


def forgotten(mirror: Mirror) -> str:
    """What another repository, branch or directory means, for a person who has to agree."""
    named = counted(mirror.entities.exclude(entity=None).count())
    return (
        f"What Millrace and {mirror.repository} agreed on about {named} is forgotten, with open conflicts and "
        f"problems. The files stay in {mirror.repository} on {mirror.branch}, and nothing is deleted here. The new "
        "place is compared from the beginning: what is only there comes here, what is only here goes there, and what "
        "differs is a conflict for a person to settle."
    )


def check_agreed(mirror: Mirror | None, place: Place, directory: str, *, agreed: bool) -> None:
    """NeedsAgreement where something would be forgotten that nobody agreed to."""
    if mirror is not None and not agreed and mirror.entities.exists() and _moves(mirror, place, directory):
        raise NeedsAgreement(forgotten(mirror))


def _moves(mirror: Mirror, place: Place, directory: str) -> bool:
    return place_of(mirror) != place or mirror.directory != directory
