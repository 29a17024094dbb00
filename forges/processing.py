"""What follows from a delivery: Runs of those who follow the branch, new names, and connections that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal

from forges import standing
from forges.clients.webhook_payloads import OF_INSTALLATIONS
from forges.clients.webhooks import Event
from forges.models import Connection, Delivery, Hook, HookStatus
from forges.signals import connection_changed, repository_changed, repository_pushed
from jobs.models import Run


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it. `detail` says for a person why nothing did, or what else than Runs."""

    accepted: bool
    detail: str = ""
    runs: tuple[Run, ...] = ()


def ignored(detail: str) -> Found:
    return Found(accepted=False, detail=detail)


NOTHING = "Millrace does nothing with this event."


def process(delivery: Delivery, event: Event) -> Found:
    """Do it for the delivery's organisation, within the caller's transaction."""
    if event.kind == "ping":
        return ignored("A ping: the webhook works.")
    if event.kind in OF_INSTALLATIONS:
        return _installation(delivery, event)
    if event.kind == "ignored":
        return ignored(NOTHING)
    where = _where(delivery, event)
    if where is None:
        return ignored("It is about another repository than the one that this webhook is for.")
    if delivery.connection is not None and not delivery.connection.is_connected:
        return ignored(f"The connection of {delivery.connection} is not connected.")
    if event.kind == "push":
        return _pushed(where, event)
    return _changed(where, event)


def _where(delivery: Delivery, event: Event) -> dict[str, Any] | None:
    """What signals say of the repository, None where a webhook speaks for one that is not its own."""
    owner = delivery.hook or delivery.connection
    if owner is None or (delivery.hook is not None and delivery.hook.repository_id != event.repository_id):
        return None
    return {
        "organization": delivery.organization,
        "forge": owner.forge,
        "base_url": owner.base_url,
        "repository_id": event.repository_id,
    }


def _send(signal: Signal, **facts: Any) -> tuple[Run, ...]:
    answers: list[tuple[Any, Any]] = signal.send(sender=Delivery, **facts)
    return tuple(run for _, runs in answers for run in runs or ())


def _pushed(where: dict[str, Any], event: Event) -> Found:
    moved = tuple(change.branch for change in event.branches if change.after)
    gone = tuple(change.branch for change in event.branches if not change.after)
    runs = _send(repository_pushed, **where, branches=moved)
    if gone:
        runs += _send(repository_changed, **where, kind="branch_deleted", repository=event.repository, branches=gone)
    if runs:
        return Found(accepted=True, runs=runs)
    return ignored(f"No integration that could refresh now follows {_branches(moved)}.")


def _branches(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"the branch {shown}" if len(names) == 1 else f"one of the branches {shown}"


def _changed(where: dict[str, Any], event: Event) -> Found:
    gone = tuple(change.branch for change in event.branches)
    hooks = Hook.objects.filter(**where)
    detail = {
        "renamed": f"The repository is called {event.repository} now.",
        "transferred": f"The repository moved to {event.repository}.",
        "deleted": "The repository was deleted at the forge.",
        "branch_deleted": f"Deleted at the forge: {_branches(gone)}.",
    }[event.kind]
    if event.kind in ("renamed", "transferred"):
        hooks.update(repository=event.repository)
    elif event.kind == "deleted":
        hooks.update(status=HookStatus.FAILED, reason=detail, remote_id="")
    runs = _send(repository_changed, **where, kind=event.kind, repository=event.repository, branches=gone)
    return Found(accepted=True, detail=detail, runs=runs)


def _installation(delivery: Delivery, event: Event) -> Found:
    """Of the GitHub App: who has it decides at the forge what it may see."""
    connection = delivery.connection
    if connection is None or delivery.hook is not None:
        return ignored(NOTHING)  # only the App's own secret signs these: a repository's webhook has no say in them
    if connection.connected_at > delivery.received_at:
        return ignored("The connection was made after this.")
    if event.kind == "repositories_changed":
        if not connection.is_connected:
            return ignored(f"The connection of {connection} is not connected.")
        if event.name == "installation_repositories.removed":
            return ignored("Refreshes find out by themselves what the App does not see any more.")
        connection_changed.send(sender=Connection, connection=connection, kind="connected")
        return Found(accepted=True, detail="The App sees more than before: what waited for it goes on.")
    if event.kind == "unsuspended":
        if connection.reason_code != standing.SUSPENDED or not standing.mend(connection):
            return ignored("The connection was not suspended.")
        return Found(accepted=True, detail="The App works again for this account.")
    account = connection.account or connection
    code, reason = {
        "uninstalled": (
            standing.UNINSTALLED,
            f"The GitHub App was uninstalled from {account}. Install it there again, then reconnect.",
        ),
        "suspended": (
            standing.SUSPENDED,
            f"The GitHub App was suspended for {account}. Who manages that account can lift it at GitHub.",
        ),
    }[event.kind]
    if not standing.lose(connection, code=code, reason=reason):
        return ignored("The connection was not connected before.")
    return Found(accepted=True, detail=reason)
