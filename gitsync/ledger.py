"""What we remember of the files that we wrote, kept so that a push that was killed anywhere knows its own.

Before the commit each path is noted with what is about to be there; after it, that is what is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models import F

from gitsync.comparing import Wrote
from gitsync.models import Mirror, PushedFile, PushTarget
from gitsync.places import place_of, under
from jobs.context import RunContext
from jobs.outcomes import Cancelled

BATCH = 500
_T = TypeVar("_T")
DESTINATION = TypeVar("DESTINATION", PushTarget, Mirror)


def rows_of(target: PushTarget) -> dict[str, Wrote]:
    rows = PushedFile.objects.filter(target=target).values_list("path", "oid", "intended")
    return {path: Wrote(oid, intended) for path, oid, intended in rows}


def others_have(target: PushTarget, paths: Collection[str]) -> set[str]:
    """Those of the paths that other targets of the same branch have written, or are about to."""
    others = PushedFile.objects.filter(target__in=place_of(target).targets().exclude(pk=target.pk))
    found: set[str] = set()
    for some in _batches(sorted(paths)):
        found.update(others.filter(path__in=some).values_list("path", flat=True))
    return found


def vacated(target: PushTarget) -> set[str]:
    """Paths in its directory that other servers of the organisation wrote: they were there before, and are leaving."""
    leaving = place_of(target).targets().filter(organization=target.organization_id).exclude(pk=target.pk)
    rows = PushedFile.objects.filter(under(target.directory), target__in=leaving)
    return set(rows.values_list("path", flat=True))


def current(context: RunContext, target: DESTINATION) -> DESTINATION:
    """The target, locked, within the transaction that writes about it. Raises LeaseLost when the Run is not ours any
    more, and Cancelled when the assignment was changed or deleted meanwhile: what was found out is about another one.
    """
    context.fence()
    rows = type(target)._default_manager.select_for_update()
    found = rows.filter(pk=target.pk, revision=target.revision).first()
    if found is None:
        raise Cancelled
    return found


@transaction.atomic
def intend(context: RunContext, target: PushTarget, rows: Mapping[str, Wrote]) -> None:
    """Note what is about to be written."""
    current(context, target)
    PushedFile.objects.bulk_create(
        [PushedFile(target=target, path=path, oid=row.oid, intended=row.intended) for path, row in rows.items()],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["target", "path"],
        update_fields=["oid", "intended"],
    )


def settle(
    target: PushTarget, wanted: Collection[str], known: Mapping[str, Wrote], leaving: Collection[str] = ()
) -> None:
    """It is all there: what was intended is written, and of `known` what is not `wanted` is gone. Part of the caller's
    transaction.

    Of those `leaving` that is only proposed: as long as they are as we wrote them, they stay ours to be removed.
    """
    files = PushedFile.objects.filter(target=target)
    gone = set(known) - set(wanted)
    for some in _batches(sorted(gone.difference(leaving))):
        files.filter(path__in=some).delete()
    files.exclude(intended="").update(oid=F("intended"), intended="")
    for some in _batches(sorted(gone.intersection(leaving))):
        for path in some:
            files.filter(path=path).update(oid="", intended=known[path].oid or known[path].intended)


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
