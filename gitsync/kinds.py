"""The kinds of Runs that pushes and mirrors bring."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from gitsync.mirror.requesting import SYNC
from gitsync.mirror.syncing import sync
from gitsync.models import Mirror, PushTarget
from gitsync.pushing import push
from gitsync.requesting import EDIT, PUSH
from gitsync.views.runs import details
from jobs.models import Run
from jobs.registry import Kind


def _subject_url(run: Run) -> str:
    target: PushTarget | None = run.subject
    if target is None or target.server is None:
        return ""
    return reverse("gitsync:target", args=[target.organization.slug, target.server.slug])


def _subjects() -> QuerySet[Any]:
    return PushTarget.objects.select_related("organization", "server", "connection", "assigned_by")


def _mirror_url(run: Run) -> str:
    mirror: Mirror | None = run.subject
    return "" if mirror is None else reverse("gitsync:mirror", args=[mirror.organization.slug])


def _mirrors() -> QuerySet[Any]:
    return Mirror.objects.select_related("organization", "connection", "assigned_by")


KINDS = (
    Kind(
        name=PUSH,
        label="Push",
        function=push,
        # Not `gitsync.assign`: who saves a server has it pushed, too.
        entitlement=EDIT,
        subject_url=_subject_url,
        subjects=_subjects,
        details=details,
    ),
    Kind(
        name=SYNC,
        label="Sync",
        function=sync,
        # Not `gitsync.assign`: who saves an entity has it synced, too.
        entitlement="entities.edit",
        subject_url=_mirror_url,
        subjects=_mirrors,
    ),
)
