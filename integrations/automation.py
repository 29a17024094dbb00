"""Refreshing without a click, on push and by the clock: what a person chooses of it.

A webhook (`integrations.news`) or the clock (`integrations.clock`) only asks for a Run; what changed is found by the
refresh itself, as always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from forges import hooks
from forges.picking import FieldError
from integrations import timing
from integrations.clock import next_poll, next_refresh
from integrations.models import AfterRefresh, Integration, Schedule
from integrations.webhook import hook_of, want_hook
from orgs import access, audit
from orgs.models import Organization, User


@dataclass(frozen=True, slots=True)
class Automation:
    """How an integration refreshes by itself, and what comes of it."""

    on_push: bool = False
    schedule: str = Schedule.NEVER
    cron: str = ""
    time_zone: str = ""
    prune: bool = False
    after_refresh: str = AfterRefresh.NOTHING


def automation_of(integration: Integration) -> Automation:
    return Automation(
        on_push=integration.on_push,
        schedule=integration.schedule,
        cron=integration.cron,
        time_zone=integration.time_zone,
        prune=integration.automatic_prune,
        after_refresh=integration.after_refresh,
    )


@transaction.atomic
def configure(
    integration: Integration, chosen: Automation, *, by: User, request: HttpRequest | None = None
) -> Integration:
    """Save it, and ask for a webhook where one is wanted. Raises FieldError for a cron expression that is none, and
    PermissionDenied for what the person may not do themselves; what others chose before them stays."""
    now = timezone.now()
    if chosen.schedule == Schedule.CRON:
        try:
            timing.check_cron(chosen.cron, chosen.time_zone, now=now)
        except timing.BadCron as error:
            raise FieldError("cron", str(error)) from error
    integration = (
        Integration.objects.select_for_update(of=("self",))
        .select_related("server__organization")
        .get(pk=integration.pk)
    )
    before = automation_of(integration)
    _check_may(by, integration.server.organization, before, chosen)
    takes_over = _takes_over(integration, chosen, by)
    if before == chosen and not takes_over:
        return integration
    integration.on_push, integration.schedule = chosen.on_push, chosen.schedule
    integration.cron = chosen.cron if chosen.schedule == Schedule.CRON else ""
    integration.time_zone, integration.automatic_prune = chosen.time_zone, chosen.prune
    integration.after_refresh = chosen.after_refresh
    for name in takes_over:
        setattr(integration, name, by)
    if not chosen.after_refresh:
        integration.version_due = False
    integration.next_refresh_at = next_refresh(integration, now)
    integration.next_poll_at = next_poll(integration, now)
    integration.save()
    audit.record(
        "integration.automated",
        organization=integration.server.organization,
        actor=by,
        target=integration,
        scope=integration.server,
        before=_plain(before),
        after=_plain(chosen),
        request=request,
    )
    if chosen.on_push and not before.on_push:
        want_hook(integration)
    elif before.on_push and not chosen.on_push:
        hooks.release(hook_of(integration), by=by)
    return integration


def _takes_over(integration: Integration, chosen: Automation, person: User) -> tuple[str, ...]:
    """In whose name things are done from now on that need a right: the fields that the person's name goes into.

    That of who chose it stays for as long as they have the right.
    """
    fields = []
    if chosen.prune and not (integration.automatic_prune and may_prune(integration)):
        fields.append("prune_by")
    published = integration.after_refresh == chosen.after_refresh and may_publish(integration)
    if chosen.after_refresh and not published:
        fields.append("publish_by")
    rights = {"prune_by": "contents.can_delete", "publish_by": "versions.publish"}
    return tuple(field for field in fields if _still_may(person, integration, rights[field]))


def _check_may(person: User, organization: Organization, before: Automation, chosen: Automation) -> None:
    membership = access.membership_of(person, organization.pk)
    needed = ["integrations.import"]
    if chosen.prune and not before.prune:
        needed.append("contents.can_delete")
    if chosen.after_refresh and chosen.after_refresh != before.after_refresh:
        needed.append("versions.publish")
    for entitlement in needed:
        if not access.may(membership, entitlement):
            raise PermissionDenied(access.why_not(entitlement))


def prune_no_more(integration: Integration, *, by: User, request: HttpRequest | None = None) -> None:
    """Once somebody who may not delete changed which files it brings: automatic runs would delete in their place."""
    membership = access.membership_of(by, integration.server.organization_id)
    pruning = Integration.objects.filter(pk=integration.pk, automatic_prune=True)
    if access.may(membership, "contents.can_delete") or not pruning.exists():
        return
    notice = f"{by} changed which files it brings, and may not delete content: they are pruned by themselves no more."
    pruning.update(automatic_prune=False, notice=notice)
    audit.record(
        "integration.automated",
        organization=integration.server.organization,
        actor=by,
        target=integration,
        scope=integration.server,
        before={"prune": True},
        after={"prune": False},
        request=request,
    )


def _plain(automation: Automation) -> dict[str, Any]:
    return {name: getattr(automation, name) for name in Automation.__dataclass_fields__}


def may_prune(integration: Integration) -> bool:
    """Whether an automatic refresh may prune: for as long as who chose it may delete content themselves."""
    return _still_may(integration.prune_by, integration, "contents.can_delete")


def may_publish(integration: Integration) -> bool:
    """Whether it may cut versions, and activate them: likewise."""
    return _still_may(integration.publish_by, integration, "versions.publish")


def _still_may(person: User | None, integration: Integration, entitlement: str) -> bool:
    if person is None:
        return False
    return access.may(access.membership_of(person, integration.server.organization_id), entitlement)


_REMEDY = "Somebody who may can save this again; it is done in their name then."


def left_undone(integration: Integration) -> tuple[str, ...]:
    """What was chosen and is not done, because who chose it lost the right to: a sentence each."""
    found = []
    if integration.automatic_prune and not may_prune(integration):
        who = _who(integration.prune_by)
        found.append(f"Automatic refreshes prune nothing: {who} may not delete content any more. {_REMEDY}")
    if integration.after_refresh and not may_publish(integration):
        who = _who(integration.publish_by)
        found.append(f"No version is cut after a refresh: {who} may not publish versions any more. {_REMEDY}")
    return tuple(found)


def _who(person: User | None) -> str:
    return f"{person}, who chose that," if person else "whoever chose that"
