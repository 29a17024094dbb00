"""When a person leaves an organisation, or cannot sign in any more, their own accounts are used no longer.

What belongs to the organisation, GitHub Apps and OAuth consumers, stays.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Model, Q, QuerySet
from django.db.models.signals import post_save, pre_delete

from forges import standing
from forges.connections import PERSONAL, makers
from forges.models import Connection
from orgs.models import Membership, Organization, User


def connect() -> None:
    """The app's `ready()` calls it once."""
    pre_delete.connect(_on_leaving, sender=Membership, dispatch_uid="forges.leaving")
    post_save.connect(_on_saved_person, sender=User, dispatch_uid="forges.deactivated")


def disconnect_all_left(organization: Organization) -> int:
    """The same for those who went without a signal (a bulk update); returns how many connections that were."""
    left = Connection.objects.filter(~Q(Exists(makers())), organization=organization)
    return _disconnect(left, "Who made it is no longer a member here.")


def _on_leaving(sender: type[Model], instance: Membership, origin: Any = None, **_: Any) -> None:  # noqa: ARG001
    # With a whole organisation its connections go as well, and nothing may be written that would point to it.
    if origin is not None and getattr(origin, "model", type(origin)) not in (Membership, User):
        return
    own = Connection.objects.filter(organization=instance.organization_id, user=instance.user_id)
    _disconnect(own, f"{instance.user} left {instance.organization}.")


def _on_saved_person(sender: type[Model], instance: User, created: bool, raw: bool = False, **_: Any) -> None:  # noqa: ARG001
    if not (instance.is_active or created or raw):
        _disconnect(Connection.objects.filter(user=instance), f"The account of {instance} was deactivated.")


def _disconnect(connections: QuerySet[Connection], why: str) -> int:
    own = connections.filter(method__in=PERSONAL).exclude(reason_code__in=standing.DECIDED)
    return sum(
        standing.lose(
            connection,
            code=standing.MAKER_LEFT,
            reason=f"{why} Reconnect with another account, or choose another connection where this one was used.",
        )
        for connection in own.select_related("organization", "user")
    )
