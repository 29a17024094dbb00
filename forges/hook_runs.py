"""The Run that makes a webhook at its forge, or heals it, and the nightly round over all of them."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from forges import hooks
from forges.clients.errors import ForgeError, NotFound, RateLimited
from forges.models import Hook, HookStatus
from jobs.context import RunContext
from jobs.models import Run
from jobs.outcomes import Ending, Failure, Outcome, Waiting
from jobs.registry import Kind
from jobs.runs import cancel_queued

LATER = timedelta(minutes=10)
"""Until the next try, where the forge does not say when."""
PATIENCE = timedelta(days=1)
"""After which a Run that only ever waited fails; the next night asks for another."""


def check(context: RunContext) -> Outcome:
    """The job: make it, heal it, take a new secret to the forge; or remove it, if nobody needs it."""
    hook: Hook = context.subject
    hooks.forget_old_secret(hook)
    if not hooks.is_needed(hook) and _remove(context, hook):
        return Outcome(result={"warnings": ["Nobody needed the webhook any more: it is removed."]})
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


def _remove(context: RunContext, hook: Hook) -> bool:
    """False if somebody needs it after all. Where nobody may delete it at the forge, it stays there without a row."""
    if hook.remote_id:
        for manager in hooks.clients_for(hook):
            context.check()
            context.progress(f"Removing it from {hooks.label(hook)}")
            try:
                with manager as client:
                    return hooks.remove(hook, client)
            except Ending as ending:
                context.log(f"A credential cannot be used now: {ending}", level="warning")
            except ForgeError as error:
                if error.retryable:
                    raise _later(context, hook, error) from error
                context.log(f"{error}", level="warning")
        context.log(f"It could not be removed from {hooks.label(hook)}; delete it there.", level="warning")
    return hooks.remove(hook, None)


def nightly() -> str:
    """What the schedule calls: ask for a look at every webhook. Returns how many, in words."""
    asked = 0
    for hook in list(Hook.objects.select_related("organization")):
        if not hooks.is_needed(hook) and not hook.remote_id:
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
