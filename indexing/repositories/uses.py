"""What sources tell the apps below: which connections they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.urls import reverse

from forges.models import Connection
from forges.usage import Use, personal
from indexing.models import Source


def uses_of(connections: Iterable[Connection]) -> dict[object, list[Use]]:
    """The sources that are read through each connection, by its primary key, in one query."""
    found: dict[object, list[Use]] = defaultdict(list)
    sources = Source.objects.filter(connection__in=connections).select_related("server__organization")
    for each in sources.order_by("server__name", "name"):
        server = each.server
        found[each.connection_id].append(
            personal("source", "the indexing")
            if server.owner_id is not None
            else Use(
                kind="source",
                label=f"{each.name} on {server}",
                url=reverse("indexing:source", args=[server.organization.slug, each.pk]),
                stops=f"the indexing of {each.name} on {server}",
            )
        )
    return found
