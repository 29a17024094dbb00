"""What the tests of pages share."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.utils import timezone

from integrations.models import Integration
from integrations.refreshing import REFRESH
from jobs.models import FINISHED, Run, Status

HTMX = {"HX-Request": "true"}
"""The header of a request that wants a fragment."""


def said(response: Any) -> list[str]:
    """The messages that the response leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def run_of(integration: Integration, status: str = Status.SUCCEEDED, **fields: Any) -> Run:
    """A refresh as it would be in the database; nothing was done."""
    run: Run = Run.objects.create(
        organization=integration.server.organization,
        kind=REFRESH,
        subject=integration,
        status=status,
        **{
            "finished_at": timezone.now() if status in FINISHED else None,
            "options_key": str(Run.objects.count()),
            **fields,
        },
    )
    return run
