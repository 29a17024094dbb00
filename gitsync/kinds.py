"""The kinds of Runs that pushes bring."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from gitsync.models import PushTarget
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
)
