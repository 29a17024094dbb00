"""What follows once every Track of an integration is refreshed: a version, and what the refresh told of the webhook."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from catalog import versions
from catalog.models import Server, Version
from forges import hooks
from forges.models import HookStatus
from integrations.automation import may_publish
from integrations.models import AfterRefresh, Integration, Track
from integrations.reporting import TrackReport
from integrations.webhook import hook_of
from jobs.context import RunContext
from jobs.models import Run, Status, Trigger


def finish(
    context: RunContext, integration: Integration, reports: Sequence[TrackReport], *, known: Collection[str]
) -> Version | None:
    """After a refresh that was whole. `known` are the commits that it had been refreshed to before.

    Returns the version that was cut, if its settings ask for one and something changed since the last.
    """
    Integration.objects.filter(pk=integration.pk).exclude(notice="").update(notice="")
    Track.objects.filter(integration=integration).exclude(notice="").update(notice="")
    moved = any(report.commit not in known for report in reports)
    if moved and context.run.trigger == Trigger.SCHEDULE and integration.on_push:
        _suspect_hook(context, integration)
    return _cut_version(context, integration, reports)


def _suspect_hook(context: RunContext, integration: Integration) -> None:
    """Looking found what the webhook had not told: it seems not to deliver. Its next delivery takes that back."""
    hook, seen_at = hook_of(integration), _last_look(context)
    if hook is None or hook.status not in (HookStatus.ACTIVE, HookStatus.MANUAL):
        return
    if seen_at is None or hook.created_at > seen_at:
        return  # the push may be older than the webhook
    if hook.delivered_at is None or hook.delivered_at < seen_at:
        hooks.note_silent(hook)


def _last_look(context: RunContext) -> datetime | None:
    """When the refresh before this one began to ask for heads, whether it found them changed or not."""
    before = Run.objects.about(context.subject).filter(
        kind=context.run.kind, status__in=(Status.SUCCEEDED, Status.PARTIAL)
    )
    began: datetime | None = before.values_list("started_at", flat=True).first()
    return began


def _cut_version(context: RunContext, integration: Integration, reports: Sequence[TrackReport]) -> Version | None:
    if not integration.after_refresh or not all(report.complete for report in reports):
        return None
    with transaction.atomic():
        context.fence()
        # The server first, as everybody who locks both.
        server = Server.objects.select_for_update().select_related("organization").get(pk=integration.server_id)
        due = Integration.objects.filter(pk=integration.pk, version_due=True).exclude(after_refresh="")
        chosen = due.values_list("after_refresh", flat=True).first()
        if chosen is None:
            return None
        if not may_publish(integration):
            text = "Who chose that versions are cut after a refresh may not do that any more, so none was cut."
            context.log(text, level="warning")
            return None
        commits = ", ".join(dict.fromkeys(f"{report.branch} at {report.commit[:10]}" for report in reports))
        version = versions.cut_version(
            server=server,
            note=f"{integration.short_name}: {commits}"[:200],
            activate=chosen == AfterRefresh.ACTIVATE,
        )
        due.update(version_due=False)
    return version
