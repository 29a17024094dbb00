"""Queries that found nothing: what people look for and a server does not have."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import Server
from indexing.models import EmptyQuery
from indexing.search.words import fold

logger = logging.getLogger(__name__)

LONGEST = 200
KEPT = 500
"""Queries that are remembered of one server; the one that was asked longest ago goes first."""


def note(server: Server, query: str) -> None:
    """Count it. Queries that differ in case or spaces are the same. A search never fails for it."""
    folded = " ".join(fold(query).split())[:LONGEST]
    try:
        _count(server, folded)
    except DatabaseError:
        logger.warning("A query that found nothing on server %s was not counted", server.pk, exc_info=True)


def _count(server: Server, folded: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        known = EmptyQuery.objects.filter(server=server, query=folded)
        if known.update(times=F("times") + 1, last_at=now):
            return
        EmptyQuery.objects.bulk_create(
            [EmptyQuery(server=server, query=folded, first_at=now, last_at=now)], ignore_conflicts=True
        )
        of_server = EmptyQuery.objects.filter(server=server).order_by("-last_at", "-pk")
        if old := list(of_server.values_list("pk", flat=True)[KEPT:]):
            EmptyQuery.objects.filter(pk__in=old).delete()
