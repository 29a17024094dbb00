"""The repository that an organisation's entities are kept the same with: connected, changed, taken away, synced.

What is entered is tried at the forge first (`gitsync.mirror.probing`), outside any transaction; who may is asked again
at the moment of saving.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.http import HttpRequest

from forges import hooks
from forges.connecting import ConnectionRefused, connect_consumer
from forges.models import Connection
from forges.picking import INTERACTIVE_SECONDS, FieldError
from gitsync import places
from gitsync.credentials import open_client
from gitsync.mirror.hooks import checked_secret, hook_of
from gitsync.mirror.probing import NotConnected, try_out
from gitsync.mirror.requesting import request_sync
from gitsync.mirror.saving import (
    Connected,
    NeedsAgreement,
    StaleMirror,
    Wanted,
    check_agreed,
    clear_states,
    facts,
    record,
    save,
)
from gitsync.mirror.trials import Consumer, consumer_trial, stored_consumer, trial_again, trial_with
from gitsync.models import Mirror, Mode
from gitsync.requesting import ASSIGN
from gitsync.targets import chosen_connection, with_stored_token
from jobs import runs
from jobs.models import Run, Trigger
from jobs.outcomes import Failure, Waiting
from orgs import access
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
    check_agreed(current, tried.place, places.clean_directory(wanted.assignment.directory), agreed=agreed)
    if consumer is not None and consumer.secret:
        try:
            connection = connect_consumer(
                membership, base_url=trial.base_url, key=consumer.key, secret=consumer.secret, request=request
            ).connection
        except ConnectionRefused as error:
            raise NotConnected("credential", str(error)) from error
    return save(
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
    check_agreed(mirror, tried.place, places.clean_directory(given.directory), agreed=agreed)
    stored = mirror.token if mirror.connection_id is None else ""
    values = replace(values, assignment=replace(given, token=stored, username=mirror.username))
    return save(
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
    """Sync by a side branch and a pull request from now on. Raises FieldError where the forge has none, StaleMirror."""
    access.require(membership, ASSIGN)
    if mirror.forge == "git":
        raise FieldError("mode", "Plain git has no pull requests: let the account push to the branch.")
    with transaction.atomic():
        access.require_still(membership.user, membership.organization_id, ASSIGN)
        rows = Mirror.objects.select_for_update(of=("self",)).filter(organization=membership.organization)
        found = rows.filter(pk=mirror.pk).first()
        if found is None:
            raise StaleMirror(None)
        mirror = found
        before, mirror.mode = mirror.mode, Mode.PULL_REQUEST
        mirror.problem, mirror.problem_text, mirror.problem_details = "", "", {}
        mirror.revision += 1
        mirror.save()
        record("mirror.changed", mirror, membership, request, before={"mode": before}, after={"mode": mirror.mode})
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
        record("mirror.disconnected", found, membership, request, before=facts(found) | counted)
        clear_states(membership.organization)
        hook = hook_of(found)
        found.delete()
        hooks.release(hook, by=membership.user)


def sync_now(mirror: Mirror, membership: Membership) -> Run:
    """Compare both sides now, also what waits or is blocked. The Run says who asked."""
    access.require(membership, EDIT)
    return request_sync(mirror, trigger=Trigger.MANUAL, by=membership.user)


def _check_poll(values: Wanted) -> None:
    minutes = values.poll_minutes
    if minutes and not LEAST_POLL_MINUTES <= minutes <= MOST_POLL_MINUTES:
        raise FieldError("poll_minutes", f"Enter {LEAST_POLL_MINUTES} to {MOST_POLL_MINUTES} minutes, or 0 for never.")
