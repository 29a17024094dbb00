"""Which repository a server is pushed to: assigned, assigned anew, taken away, and pushed to by hand.

What was chosen is tried at the forge first (`gitsync.probing`), outside any transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from catalog.models import Server
from forges.connections import may_use
from forges.models import Connection
from forges.picking import FieldError
from gitsync import places, probing
from gitsync.deciding import allow_finding, take_over, use_pull_requests
from gitsync.models import Mirror, Mode, PendingChange, PushTarget
from gitsync.places import Place, place_of
from gitsync.probing import Assignment, Found
from gitsync.requesting import ASSIGN, EDIT, request_push
from jobs import runs
from jobs.models import Run, Trigger
from lib.crypto import CryptoError
from orgs import access, audit
from orgs.models import Membership

__all__ = [
    "Assignment",
    "FieldError",
    "StaleTarget",
    "abandon",
    "allow_finding",
    "assign",
    "push_now",
    "take_over",
    "unassign",
    "use_pull_requests",
    "with_stored_token",
]

PERSONAL = "A personal server never leaves the database, so it has no repository to be pushed to."
_NEW_PLACE: dict[str, Any] = {
    "pushed_revision": None,
    "last_commit": "",
    "last_commit_url": "",
    "last_pushed_at": None,
    "foreign": {},
    "foreign_count": 0,
    "side_branch": "",
    "pull_request": "",
    "pull_request_url": "",
}
"""What is known of one branch says nothing of another."""


class StaleTarget(ValueError):
    """Somebody else changed the assignment first; `current` is it as it is now, None when there is none any more."""

    def __init__(self, current: PushTarget | None) -> None:
        super().__init__("Somebody else changed this assignment while you were editing it. Look at it and save again.")
        self.current = current


def assign(
    *,
    server: Server,
    values: Assignment,
    membership: Membership,
    seen_revision: int | None = None,
    request: HttpRequest | None = None,
) -> PushTarget:
    """Assign a repository to the server, or change the assignment, and push at once.

    `seen_revision` is that of the assignment on the form, None where there was none. In another repository or branch
    nothing is known to be ours, and what was pushed to the former one stays there; from another directory our files go
    with the next push. Raises FieldError, StaleTarget, and PermissionDenied for who may not assign (any more).
    """
    access.require(membership, ASSIGN)
    if server.owner_id is not None:
        raise FieldError("", PERSONAL)
    connection = chosen_connection(values, membership)
    current = PushTarget.objects.filter(server=server, organization=membership.organization).first()
    values = with_stored_token(values, current)
    directory = places.clean_directory(values.directory)
    found = probing.probe(values, connection)
    follows = values.directory.strip() == ""
    place = Place(found.forge, found.base_url, found.repository.id, found.branch)
    with transaction.atomic():
        server = Server.objects.for_org(membership.organization).select_for_update().get(pk=server.pk)
        access.require_still(membership.user, membership.organization_id, ASSIGN)
        if server.owner_id is not None:
            raise FieldError("", PERSONAL)
        if connection is not None:
            check_chosen(connection, membership)
        places.lock(place)
        target = PushTarget.objects.select_for_update().filter(server=server).first()
        if seen_revision != (target.revision if target else None):
            raise StaleTarget(target)
        directory = places.directory_of(server.slug) if follows else directory
        before = facts(target) if target else {}
        target = target or PushTarget(organization=membership.organization, server=server)
        if places.taken(place, directory, but=target):
            raise FieldError(
                "directory", "Another server's files are in this directory, or above or below it. Choose another one."
            )
        moved = bool(before) and place_of(target) != place
        former = target.directory
        _take(target, found, values, connection)
        target.directory, target.directory_follows = directory, follows
        target.server_name, target.assigned_by = server.name, membership.user
        target.problem, target.problem_text, target.problem_details, target.credential_lost = "", "", {}, ""
        if moved:
            target.files.all().delete()
            target.changes.all().delete()
            for name, value in _NEW_PLACE.items():
                setattr(target, name, value)
        elif before and former != directory:
            target.last_commit = ""  # what else is in the new directory is not known at it
        target.revision += 1 if before else 0
        target.save()
        _note_assignment(target, membership, before=before, moved=moved, former=former)
        audit.record(
            "target.changed" if before else "target.assigned",
            organization=membership.organization,
            actor=membership.user,
            target=target,
            scope=server,
            before=before,
            after=facts(target) | ({"token": "replaced"} if values.token else {}),
            request=request,
        )
        runs.cancel_queued(target, by=membership.user)
        # What was pushed already may be somewhere else now, such as in a pull request that is none any more: compare.
        again = bool(before) and not moved
        request_push(target, trigger=Trigger.MANUAL if again else Trigger.CONNECT, by=membership.user)
    return target


def unassign(*, server: Server, membership: Membership, request: HttpRequest | None = None) -> None:
    """Push the server no more. What was pushed stays in the repository. Nothing to do without an assignment."""
    access.require(membership, ASSIGN)
    with transaction.atomic():
        target = (
            PushTarget.objects.select_for_update()
            .filter(server=server, organization=membership.organization, server__isnull=False)
            .first()
        )
        if target is not None:
            _drop(target, membership, request)


def abandon(target: PushTarget, membership: Membership, request: HttpRequest | None = None) -> None:
    """Give up removing the files of a deleted server: they stay in the repository."""
    access.require(membership, ASSIGN)
    with transaction.atomic():
        rows = PushTarget.objects.select_for_update().filter(organization=membership.organization, server=None)
        if (found := rows.filter(pk=target.pk).first()) is not None:
            _drop(found, membership, request)


def push_now(target: PushTarget, membership: Membership, request: HttpRequest | None = None) -> Run:  # noqa: ARG001
    """Compare with the repository and push what differs, also where it is blocked or waits. The Run says who asked."""
    access.require(membership, EDIT)
    return request_push(target, trigger=Trigger.MANUAL, by=membership.user)


def facts(target: PushTarget) -> dict[str, Any]:
    """What the audit log says of it."""
    return {
        "forge": target.forge,
        "repository": target.repository,
        "branch": target.branch,
        "directory": target.directory or places.ROOT,
        "follows_the_name": target.directory_follows,
        "mode": target.mode,
        "connection": str(target.connection_id or ""),
        "token": PushTarget.token.is_set(target),
    }


def chosen_connection(values: Assignment, membership: Membership) -> Connection | None:
    """The connection that is meant, None for plain git by itself. FieldError for one that is not theirs to use."""
    if not values.connection_id:
        return None
    try:
        found = Connection.objects.usable_by(membership).filter(pk=values.connection_id).first()
    except (ValidationError, ValueError):  # no id at all
        found = None
    if found is None:
        raise FieldError("connection", "This is not a connection that you may use (any more). Choose another.")
    chosen: Connection = found
    return chosen


def check_chosen(connection: Connection, membership: Membership) -> None:
    """The same at the moment of saving; until that ends, the connection stays as it is."""
    current = Connection.objects.select_for_update(of=("self",)).filter(pk=connection.pk).first()
    now = access.membership_of(membership.user, membership.organization_id)
    if current is None or now is None or not may_use(now, current):
        raise FieldError("connection", "This is not a connection that you may use (any more). Choose another.")


def with_stored_token(values: Assignment, current: PushTarget | Mirror | None) -> Assignment:
    """An empty token keeps the stored one, but for its own repository alone: it is never sent to another address."""
    if values.connection_id or values.token or current is None or not type(current).token.is_set(current):
        return values
    asked = probing.asked_of(values, None)
    if probing.normalised(asked) != current.repository_id:
        return values
    try:
        return replace(values, token=current.token, username=values.username or current.username)
    except CryptoError as error:
        raise FieldError("token", str(error)) from error


def _take(target: PushTarget, found: Found, values: Assignment, connection: Connection | None) -> None:
    target.forge, target.base_url = found.forge, found.base_url
    target.repository_id, target.repository = found.repository.id, found.repository.full_name
    target.web_url, target.branch, target.mode = found.repository.web_url, found.branch, Mode(values.mode)
    target.connection = connection
    target.token = "" if connection else values.token
    target.username = "" if connection else values.username


def _note_assignment(
    target: PushTarget, membership: Membership, *, before: dict[str, Any], moved: bool, former: str
) -> None:
    """A change to be told of by the commit, where one follows."""
    verb, was = "add", ""
    if before and not moved:
        if former == target.directory:
            return
        verb, was = "move", former or places.ROOT
    PendingChange.objects.create(
        target=target, person=membership.user, verb=verb, kind="server", name=target.server_name, former=was
    )


def _drop(target: PushTarget, membership: Membership, request: HttpRequest | None) -> None:
    runs.cancel_queued(target, by=membership.user)
    audit.record(
        "target.unassigned",
        organization=membership.organization,
        actor=membership.user,
        target=target,
        scope=target.server,
        before=facts(target) | {"files_left": target.files.count()},
        request=request,
    )
    target.delete()
