"""The kind of Run that indexing brings."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from indexing.models import Source
from indexing.requesting import INDEX
from indexing.running import index
from jobs.models import Run
from jobs.registry import Kind


def _subject_url(run: Run) -> str:
    source: Source | None = run.subject
    if source is None:
        return ""
    return reverse("indexing:source", args=[source.server.organization.slug, source.pk])


def _subjects() -> QuerySet[Any]:
    return Source.objects.select_related("server__organization", "connection")


KINDS = (
    Kind(
        name=INDEX,
        label="Index",
        function=index,
        entitlement="sources.edit",
        subject_url=_subject_url,
        subjects=_subjects,
    ),
)
