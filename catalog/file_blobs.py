"""The bytes of skills' files: stored once in an organisation by their git blob id, and collected once neither a skill
nor its history has them.

As with texts (`catalog.blobs`) they go in before the short transaction that points to them, so a crash leaves only
bytes that nobody uses; those are deleted a day after they were last stored.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.bulk import insert_rows
from catalog.models import FileBlob
from orgs.models import Organization

logger = logging.getLogger(__name__)

GRACE = timedelta(days=1)
"""How long bytes that nothing refers to are kept: longer than any save takes to get from its bytes to its rows."""
BATCH = 500
TOUCH = timedelta(hours=1)
"""Bytes stored again are marked so at most this often; far below GRACE, so that none in use is collected."""


def oid_of(data: bytes) -> str:
    """git's name for a file's bytes: SHA-1 over `blob <length>\\0` and the bytes, 40 hex digits."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def store(organization: Organization, files: Iterable[bytes]) -> dict[str, int]:
    """Store each file's bytes once for the organisation and return {git blob id: primary key}.

    Harmless to repeat, and safe while others store the same. Call it outside the transaction that points to them, so
    that no other writer waits. Sizes are the caller's to check.
    """
    wanted = {oid_of(data): data for data in files}
    ids: dict[str, int] = {}
    # Again for old ones that were collected between being found and being marked: fresh ones never are.
    while missing := sorted(wanted.keys() - ids.keys()):
        there = set(FileBlob.objects.filter(organization=organization, oid__in=missing).values_list("oid", flat=True))
        # In one order everywhere: two that insert the same rows wait for each other but never in a circle.
        for oid in (oid for oid in missing if oid not in there):
            insert_rows(
                FileBlob,
                ("organization", "oid", "size", "data"),
                [(organization.pk, oid, len(wanted[oid]), wanted[oid])],
                same={"stored_at": timezone.now()},
                ignore_conflicts=True,
            )
        ids |= _spare(organization, missing)
    return ids


def _spare(organization: Organization, oids: Iterable[str]) -> dict[str, int]:
    """The primary keys of those that are there, each marked as just stored, so that none is collected now."""
    found = FileBlob.objects.filter(organization=organization, oid__in=list(oids))
    rows = list(found.values_list("oid", "pk", "stored_at"))
    now = timezone.now()
    if old := [pk for _, pk, stored_at in rows if stored_at < now - TOUCH]:
        marked = FileBlob.objects.filter(pk__in=old)
        if marked.update(stored_at=now) < len(old):
            gone = set(old) - set(marked.values_list("pk", flat=True))
            rows = [row for row in rows if row[1] not in gone]
    return {oid: pk for oid, pk, _ in rows}


def bytes_of(blobs: Mapping[str, int]) -> dict[str, bytes]:
    """The bytes of blobs by their primary keys: {path: bytes} for {path: primary key}."""
    data = dict(FileBlob.objects.filter(pk__in=set(blobs.values())).values_list("pk", "data"))
    return {path: bytes(data[pk]) for path, pk in blobs.items() if pk in data}


def collect_unused(older_than: timedelta = GRACE) -> int:
    """Delete what nothing refers to and nobody stored within `older_than`; return how many went.

    Whatever has a foreign key to FileBlob counts as a use. The statement that deletes asks the same question again,
    and the foreign keys refuse it if a row came to refer to one meanwhile.
    """
    before = timezone.now() - older_than
    collected = 0
    last = 0
    while ids := list(_unused(before).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        last = ids[-1]
        try:
            with transaction.atomic():
                # Not delete(): that reads the rows first and then deletes by id, also what was stored again between.
                collected += _unused(before).filter(pk__in=ids)._raw_delete(DEFAULT_DB_ALIAS)
        except IntegrityError:
            logger.info(
                "Some of %d unused files came into use while they were collected; the next run looks again", len(ids)
            )
    return collected


def _unused(before: Any) -> models.QuerySet[FileBlob]:
    unused = FileBlob.objects.filter(stored_at__lt=before)
    for relation in FileBlob._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            users = relation.related_model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
            unused = unused.filter(~Exists(users))
    return unused
