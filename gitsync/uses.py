"""What pushes and mirrors tell the apps below: which connections they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.urls import reverse

from forges.models import Connection
from forges.usage import Use, personal
from gitsync.mirror import hooks
from gitsync.models import Mirror, PushTarget


def uses_of(connections: Iterable[Connection]) -> dict[object, list[Use]]:
    """The servers that are pushed through each connection, and the mirrors, by its primary key, in two queries."""
    found: dict[object, list[Use]] = defaultdict(list)
    wanted = list(connections)
    targets = (
        PushTarget.objects.filter(connection__in=wanted)
        .select_related("server", "organization")
        .order_by("server_name", "repository")
    )
    for each in targets:
        found[each.connection_id].append(_use(each))
    for mirror in Mirror.objects.filter(connection__in=wanted).select_related("organization"):
        found[mirror.connection_id].append(hooks.use_of(mirror))
    return found


def _use(target: PushTarget) -> Use:
    if target.server is not None and target.server.owner_id is not None:
        return personal("push target", "pushes")
    url = ""
    if target.server is not None:
        url = reverse("gitsync:target", args=[target.organization.slug, target.server.slug])
    what = "pushes" if target.server is not None else "the removal"
    return Use(
        kind="push target",
        label=f"{target.server_name} to {target.repository}",
        url=url,
        stops=f"{what} of {target.server_name} to {target.repository}",
    )
