"""Texts and bytes that are stored once: spared while somebody is about to use them, collected once nothing refers to
them.

They go in before the short transaction that points to them, so a crash leaves only some that nobody uses; those are
deleted a day after they were last stored.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.models import Blob, FileBlob

logger = logging.getLogger(__name__)

GRACE = timedelta(days=1)
"""How long one that nothing refers to is kept: longer than anything takes to get from what it stored to its rows."""
TOUCH = timedelta(hours=1)
"""One stored again is marked so at most this often; far below GRACE, so that none in use is collected."""
BATCH = 500
Stored = Blob | FileBlob


def spare(found: models.QuerySet[Stored], name: str) -> dict[str, int]:
    """The primary keys of those that are there by their field `name`, each marked as just stored, so that none of them
    is collected now."""
    rows = list(found.values_list(name, "pk", "stored_at"))
    now = timezone.now()
    if old := [pk for _, pk, stored_at in rows if stored_at < now - TOUCH]:
        marked = found.model._default_manager.filter(pk__in=old)
        if marked.update(stored_at=now) < len(old):
            gone = set(old) - set(marked.values_list("pk", flat=True))
            rows = [row for row in rows if row[1] not in gone]
    return {named: pk for named, pk, _ in rows}


def collect(model: type[Stored], older_than: timedelta) -> int:
    """Delete those that nothing refers to and that nobody stored within `older_than`; return how many went.

    Whatever has a foreign key to the model counts as a use, in this app or in one above. The statement that deletes
    asks the same question again, and the foreign keys refuse it if a row came to refer to one meanwhile.
    """
    before = timezone.now() - older_than
    collected = 0
    last = 0
    while ids := list(_unused(model, before).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        try:
            with transaction.atomic():
                # Not delete(): that reads the rows first and then deletes by id, also what was stored again between.
                collected += _unused(model, before).filter(pk__in=ids)._raw_delete(DEFAULT_DB_ALIAS)
        except IntegrityError:
            words = "Some of %d unused %s came into use while they were collected; the next run looks again"
            logger.info(words, len(ids), model._meta.verbose_name_plural)
    return collected


def _unused(model: type[Stored], before: datetime) -> models.QuerySet[Stored]:
    unused = model._default_manager.filter(stored_at__lt=before)
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            users = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
            unused = unused.filter(~Exists(users))
    return unused
