"""What the tests of the pages of sources share."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.messages import get_messages
from django.utils import timezone

from indexing.models import Page, Source, Text
from indexing.requesting import INDEX
from jobs.models import FINISHED, Run, Status

HTMX = {"HX-Request": "true"}
"""The header of a request that wants a fragment."""


def said(response: Any) -> list[str]:
    """The messages that the response leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def run_of(source: Source, status: str = Status.RUNNING, **fields: Any) -> Run:
    """A Run that indexes a source, as it would be in the database; nothing is done."""
    made: Run = Run.objects.create(
        organization=source.server.organization,
        kind=INDEX,
        subject=source,
        subject_label=source.name,
        status=status,
        **{
            "finished_at": timezone.now() if status in FINISHED else None,
            "options_key": str(Run.objects.count()),
            **fields,
        },
    )
    return made


def page_of(source: Source, path: str, *, text: Text | None = None, **fields: Any) -> Page:
    """A page that a source knows of."""
    url = f"{source.url}{path}"
    key = hashlib.sha256(url.encode()).hexdigest()
    return Page.objects.create(source=source, key=key, url=url, path=path, text=text, **fields)


def indexed(source: Source, **fields: Any) -> Source:
    """The same source, once it has been indexed completely."""
    for name, value in {"indexed_at": timezone.now(), "checked_at": timezone.now(), **fields}.items():
        setattr(source, name, value)
    source.save()
    return source
