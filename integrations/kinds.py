"""The kinds of Runs that integrations bring."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from integrations.models import Integration
from integrations.preview import preview
from integrations.refresh import refresh
from integrations.refreshing import PREVIEW, REFRESH
from integrations.views.runs import details
from jobs.models import Run
from jobs.registry import Kind


def _subject_url(run: Run) -> str:
    integration: Integration | None = run.subject
    if integration is None:
        return ""
    return reverse("integrations:integration", args=[integration.server.organization.slug, integration.pk])


def _subjects() -> QuerySet[Any]:
    return Integration.objects.select_related("server__organization", "connection")


KINDS = (
    Kind(
        name=REFRESH,
        label="Refresh",
        function=refresh,
        entitlement="integrations.import",
        subject_url=_subject_url,
        details=details,
        subjects=_subjects,
        confirm_entitlement="contents.can_delete",
    ),
    Kind(
        name=PREVIEW,
        label="Preview",
        function=preview,
        entitlement="integrations.import",
        subject_url=_subject_url,
        details=details,
        subjects=_subjects,
    ),
)
