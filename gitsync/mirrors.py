"""The repository that an organisation's entities are kept the same with: connected, changed, taken away, synced.

What is entered is tried at the forge first (`gitsync.mirror_testing`), outside any transaction; who may is asked again
at the moment of saving.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from catalog.models import Client, Command, Server, Skill, Toolkit
from forges.connecting import ConnectionRefused, connect_consumer
from forges.models import Connection
from forges.picking import INTERACTIVE_SECONDS, FieldError
from gitsync import places
from gitsync.credentials import open_client
from gitsync.mirror.requesting import request_sync
from gitsync.mirror_hooks import checked_secret, want_hook
from gitsync.mirror_testing import NotConnected, Tried, try_out
from gitsync.mirror_trials import Consumer, consumer_trial, stored_consumer, trial_again, trial_with
from gitsync.models import Mirror, Mode
from gitsync.places import Place, place_of
from gitsync.probing import Assignment
from gitsync.requesting import ASSIGN
from gitsync.targets import check_chosen, chosen_connection, with_stored_token
from jobs import runs
from jobs.models import Run, Trigger
from jobs.outcomes import Failure, Waiting
from orgs import access, audit
from orgs.models import Membership, Organization

__all__ = [
    "EDIT",
    "Connected",
    "Consumer",
    "FieldError",
    "NeedsAgreement",
    "NotConnected",
    "StaleMirror",
    "Wanted",
    "connect_mirror",
    "disconnect_mirror",
    "edit_mirror",
    "mirror_of",
    "sync_now",
    "use_pull_requests",
]

EDIT, MANAGE = "entities.edit", "connections.manage"
LEAST_POLL_MINUTES, MOST_POLL_MINUTES = 5, 1440
ENTITIES = (Toolkit, Command, Server, Client, Skill)
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


def mirror_of(organization: Organization) -> Mirror | None:
    """Its mirror, with its connection."""
    found = Mirror.objects.select_related("connection__user", "assigned_by").filter(organization=organization).first()
    if found is not None:
        found.organization = organization
    return found


def connect_mirror(
    *,
    membership: Membership,
    values: Wanted,
    consumer: Consumer | None = None,
    seen_revision: int | None = None,
    agreed: bool = False,
    request: HttpRequest | None = None,
) -> Connected:
    """Try the repository and keep the organisation's entities the same with it from now on, or with it in place of
    the one before, which takes `agreed`.

    `seen_revision` is that of the mirror on the form, None where there was none. Raises NotConnected or FieldError with
    nothing saved, StaleMirror, NeedsAgreement, PermissionDenied.
    """
    needs = (ASSIGN, MANAGE) if consumer else (ASSIGN,)
    for each in needs:
        access.require(membership, each)
    _check_poll(values)
    wanted = replace(values, webhook_secret=checked_secret(values.webhook_secret))
    current = mirror_of(membership.organization)
    connection: Connection | None = None
    if consumer is not None:
        consumer = consumer.cleaned()
        connection = stored_consumer(membership, consumer)
        manager, trial = consumer_trial(wanted.assignment, consumer, connection)
    else:
        connection = chosen_connection(wanted.assignment, membership)
        wanted = replace(wanted, assignment=with_stored_token(wanted.assignment, current))
        manager, trial = trial_with(wanted.assignment, connection)
    tried = try_out(manager, trial)
    _check_agreed(current, tried.place, places.clean_directory(wanted.assignment.directory), agreed=agreed)
    if consumer is not None and consumer.secret:
        try:
            connection = connect_consumer(
                membership, base_url=trial.base_url, key=consumer.key, secret=consumer.secret, request=request
            ).connection
        except ConnectionRefused as error:
            raise NotConnected("credential", str(error)) from error
    return _save(
        membership, wanted, tried, connection, needs=needs, seen_revision=seen_revision, agreed=agreed, request=request
    )


def edit_mirror(
    *,
    mirror: Mirror,
    membership: Membership,
    values: Wanted,
    seen_revision: int,
    agreed: bool = False,
    request: HttpRequest | None = None,
) -> Connected:
    """Change branch, directory, mode and the rest; the repository and its credential stay. Raises as `connect_mirror`.

    Through whatever connection it has: who may assign need not be one who may use somebody's connection elsewhere.
    """
    access.require(membership, ASSIGN)
    _check_poll(values)
    given = values.assignment
    trial = trial_again(mirror, given)
    try:
        tried = try_out(open_client(mirror, seconds=INTERACTIVE_SECONDS), trial)
    except Waiting as waiting:
        raise NotConnected("", f"It waits for {waiting.for_what}.") from waiting
    except Failure as failure:
        raise NotConnected("", failure.text) from failure
    _check_agreed(mirror, tried.place, places.clean_directory(given.directory), agreed=agreed)
    stored = mirror.token if mirror.connection_id is None else ""
    values = replace(values, assignment=replace(given, token=stored, username=mirror.username))
    return _save(
        membership,
        values,
        tried,
        mirror.connection,
        needs=(ASSIGN,),
        seen_revision=seen_revision,
        agreed=agreed,
        request=request,
        as_it_is=True,
    )


def use_pull_requests(mirror: Mirror, membership: Membership, request: HttpRequest | None = None) -> Run:
    """Sync by a side branch and a pull request from now on. Raises FieldError where the forge has none."""
    access.require(membership, ASSIGN)
    if mirror.forge == "git":
        raise FieldError("mode", "Plain git has no pull requests: let the account push to the branch.")
    with transaction.atomic():
        access.require_still(membership.user, membership.organization_id, ASSIGN)
        mirror = Mirror.objects.select_for_update(of=("self",)).get(pk=mirror.pk, organization=membership.organization)
        before, mirror.mode = mirror.mode, Mode.PULL_REQUEST
        mirror.problem, mirror.problem_text, mirror.problem_details = "", "", {}
        mirror.revision += 1
        mirror.save()
        _audit("mirror.changed", mirror, membership, request, before={"mode": before}, after={"mode": mirror.mode})
        return request_sync(mirror, trigger=Trigger.MANUAL, by=membership.user)


def disconnect_mirror(
    mirror: Mirror, membership: Membership, *, seen_revision: int | None = None, request: HttpRequest | None = None
) -> None:
    """Sync no more: the files stay in git and the entities here, what was agreed on is forgotten. StaleMirror."""
    access.require(membership, ASSIGN)
    with transaction.atomic():
        access.require_still(membership.user, membership.organization_id, ASSIGN)
        rows = Mirror.objects.select_for_update(of=("self",)).filter(organization=membership.organization)
        found = rows.filter(pk=mirror.pk).first()
        if found is None:
            return
        if seen_revision is not None and seen_revision != found.revision:
            raise StaleMirror(found)
        runs.cancel_queued(found, by=membership.user)
        counted = {"entities": found.entities.exclude(entity=None).count()}
        _audit("mirror.disconnected", found, membership, request, before=facts(found) | counted)
        _clear_states(membership.organization)
        found.delete()


def sync_now(mirror: Mirror, membership: Membership, request: HttpRequest | None = None) -> Run:  # noqa: ARG001
    """Compare both sides now, also what waits or is blocked. The Run says who asked."""
    access.require(membership, EDIT)
    return request_sync(mirror, trigger=Trigger.MANUAL, by=membership.user)


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
    count = mirror.entities.exclude(entity=None).count()
    named = f"{count:,} {'entity' if count == 1 else 'entities'}"
    return (
        f"What Millrace and {mirror.repository} agreed on about {named} is forgotten, with open conflicts and "
        f"problems. The files stay in {mirror.repository} on {mirror.branch}, and nothing is deleted here. The new "
        "place is compared from the beginning: what is only there comes here, what is only here goes there, and what "
        "differs is a conflict for a person to settle."
    )


def _check_poll(values: Wanted) -> None:
    minutes = values.poll_minutes
    if minutes and not LEAST_POLL_MINUTES <= minutes <= MOST_POLL_MINUTES:
        raise FieldError("poll_minutes", f"Enter {LEAST_POLL_MINUTES} to {MOST_POLL_MINUTES} minutes, or 0 for never.")


def _check_agreed(mirror: Mirror | None, place: Place, directory: str, *, agreed: bool) -> None:
    if mirror is not None and not agreed and mirror.entities.exists() and _moves(mirror, place, directory):
        raise NeedsAgreement(forgotten(mirror))


def _moves(mirror: Mirror, place: Place, directory: str) -> bool:
    return place_of(mirror) != place or mirror.directory != directory


# -- what is saved -----------------------------------------------------------------------------------------------------


def _save(
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
    """`as_it_is`: its connection is not chosen anew."""
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
        _check_agreed(mirror, place, directory, agreed=agreed)
        if clash := places.mirror_clash(place, directory, organization=organization):
            raise FieldError("directory", f"A server is pushed to {clash} there. Choose another directory.")
        before = facts(mirror) if mirror else {}
        moved = mirror is not None and _moves(mirror, place, directory)
        mirror = mirror or Mirror(organization=organization)
        connection = mirror.connection if as_it_is else connection
        _take(mirror, values, tried, connection)
        mirror.directory, mirror.assigned_by = directory, membership.user
        if moved:
            mirror.entities.all().delete()
            mirror.changes.all().delete()
            _clear_states(organization)
            for name, value in _NEW_PLACE.items():
                setattr(mirror, name, value)
        mirror.revision += 1 if before else 0
        mirror.save()
        _audit(
            "mirror.changed" if before else "mirror.connected",
            mirror,
            membership,
            request,
            before=before,
            after=facts(mirror) | ({"webhook_secret": "replaced"} if values.webhook_secret else {}),
        )
        secret = want_hook(mirror, values.webhook_secret, membership, request)
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


def _clear_states(organization: Organization) -> None:
    """Nothing is told of any entity any more. No revision: nothing of theirs changes."""
    for model in ENTITIES:
        rows: Any = model._default_manager.filter(organization=organization).exclude(git_integration={})
        rows.update(git_integration={})


def _audit(
    action: str,
    mirror: Mirror,
    membership: Membership,
    request: HttpRequest | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action,
        organization=mirror.organization,
        actor=membership.user,
        target=mirror,
        before=before,
        after=after,
        request=request,
    )
