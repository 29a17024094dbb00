"""The bytes of skills' files: stored once in an organisation by their git blob id, and collected once neither a skill
nor its history has them (see `catalog.collecting`)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.utils import timezone

from catalog.bulk import insert_rows
from catalog.collecting import GRACE, collect, spare
from catalog.models import FileBlob
from orgs.models import Organization


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
        ids |= spare(FileBlob.objects.filter(organization=organization, oid__in=missing), "oid")
    return ids


def bytes_of(blobs: Mapping[str, int]) -> dict[str, bytes]:
    """The bytes of blobs by their primary keys: {path: bytes} for {path: primary key}."""
    data = dict(FileBlob.objects.filter(pk__in=set(blobs.values())).values_list("pk", "data"))
    return {path: bytes(data[pk]) for path, pk in blobs.items() if pk in data}


def collect_unused(older_than: timedelta = GRACE) -> int:
    """`catalog.collecting.collect` of files."""
    return collect(FileBlob, older_than)
