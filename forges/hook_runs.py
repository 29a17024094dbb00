"""The Run that makes a webhook at its forge, or heals it, and the nightly round over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import chain

from django.urls import reverse
from django.utils import timezone

from forges import hooks
from forges.clients.base import Client
from forges.clients.errors import ForgeError, NotFound, RateLimited
from forges.models import Connection, ConnectionStatus, Hook, HookStatus
from forges.opening import client_through
from jobs.context import RunContext
from jobs.models import Run
from jobs.outcomes import Ending, Failure, Outcome, Waiting
from jobs.registry import Kind
from jobs.runs import cancel_queued
from orgs import access
from orgs.models import User

LATER = timedelta(minutes=10)
"""Until the next try, where the forge does not say when."""
PATIENCE = timedelta(days=1)
"""After which a Run that only ever waited fails; the next night asks for another."""


def check(context: RunContext) -> Outcome:
    """The job: make it, heal it, take a new secret to the forge; or remove it, if nobody needs it."""
    hook: Hook = context.subject
    hooks.forget_old_secret(hook)
    if not hooks.is_needed(hook) and (said := _remove(context, hook)):
        return Outcome(result={"warnings": [said]})
    _install(context, hook)
    if hook.status == HookStatus.FAILED:
        raise Failure("hook_failed", hook.reason)
    return Outcome(result={"warnings": [hook.reason]} if hook.reason else {})


def _install(context: RunContext, hook: Hook) -> None:
    """With the first credential that may."""
    trouble: list[ForgeError] = []
    for manager in hooks.clients_for(hook):
        context.check()
        context.progress(f"Asking {hooks.label(hook)}")
        try:
            with manager as client:
                hooks.put(hook, client)
                return
        except Ending as ending:
            context.log(f"A credential cannot be used now: {ending}", level="warning")
        except ForgeError as error:
            context.log(f"{error}", level="warning")
            trouble.append(error)
    passing = next((error for error in trouble if error.retryable), None)
    if passing is not None:
        raise _later(context, hook, passing)
    # What a person can do with least: a permission that is missing, before a credential that is refused.
    lacking = [error for error in trouble if not isinstance(error, NotFound)]
    hooks.note_trouble(hook, next(iter(lacking or trouble), None))


def _later(context: RunContext, hook: Hook, error: ForgeError) -> Ending:
    if timezone.now() - context.run.created_at > PATIENCE:
        return Failure(error.code, f"{error} {error.advice}".strip())
    until = error.reset_at if isinstance(error, RateLimited) else None
    return Waiting(until=until or timezone.now() + LATER, for_what=f"{hooks.label(hook)} to answer again")


def _remove(context: RunContext, hook: Hook) -> str:
    """What became of it, in a sentence; "" if somebody needs it after all."""
    done = "Nobody needed the webhook any more: it is removed."
    if hook.remote_id:
        for manager in chain(hooks.clients_for(hook), _last_resorts(hook, context.run.requested_by)):
            context.check()
            context.progress(f"Removing it from {hooks.label(hook)}")
            try:
                with manager as client:
                    return done if hooks.remove(hook, client) else ""
            except Ending as ending:
                context.log(f"A credential cannot be used now: {ending}", level="warning")
            except ForgeError as error:
                if error.retryable:
                    raise _later(context, hook, error) from error
                context.log(f"{error}", level="warning")
    stays = bool(hook.remote_id or hook.delivered_at)
    if not hooks.remove(hook, None):
        return ""
    return _by_hand(hook) if stays else done


def _last_resorts(hook: Hook, by: User | None) -> Iterator[AbstractContextManager[Client]]:
    """Once nothing follows it, nothing has a credential for it: what all members may use at that forge may, and what
    the person may who took away the last that did."""
    membership = access.membership_of(by, hook.organization_id) if by else None
    rows = Connection.objects.for_org(hook.organization).filter(shared=True)
    if membership is not None:
        rows = Connection.objects.usable_by(membership)
    there = rows.filter(forge=hook.forge, base_url=hook.base_url, status=ConnectionStatus.CONNECTED)
    for connection in there.order_by("shared", "created_at"):
        yield client_through(connection, seconds=hooks.SECONDS)


def _by_hand(hook: Hook) -> str:
    forge = hooks.label(hook)
    settings = "Repository settings" if hook.forge == "bitbucket" else "Settings"
    return (
        f"Nobody needed the webhook any more. It is removed here, and could not be removed at {forge}, where it stays: "
        f"delete it there by hand, in {hook.repository} under {settings} → Webhooks, where its address is "
        f"{hooks.address(hook)}. What it delivers until then is refused."
    )


def nightly() -> str:
    """What the schedule calls: ask for a look at every webhook. Returns how many, in words."""
    asked = 0
    for hook in list(Hook.objects.select_related("organization")):
        if not (hooks.is_needed(hook) or hook.remote_id or hook.delivered_at):
            cancel_queued(hook)
            hooks.remove(hook, None)
        else:
            hooks.request_check(hook)
            asked += 1
    return f"{asked} webhooks looked at"


def _subject_url(run: Run) -> str:
    hook: Hook | None = run.subject
    if hook is None:
        return ""
    return reverse("forges:hook", kwargs={"org": hook.organization.slug, "hook": hook.pk})


KIND = Kind(
    name=hooks.CHECK,
    label="Webhook",
    function=check,
    entitlement="integrations.import",
    subject_url=_subject_url,
    subjects=lambda: Hook.objects.select_related("organization"),
)
