"""Requests to the endpoint, as they are recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from catalog.models import Server, Toolkit
from endpoint.recording import Event
from orgs.models import Organization


def event(
    target: Server | Toolkit | None,
    *,
    organization: Organization | None = None,
    at: datetime | None = None,
    **said: Any,
) -> Event:
    """A call of the tool `search` that took 12 ms; `said` is what the test cares about."""
    organization = organization or (target.organization if target else None)
    fields: dict[str, Any] = {
        "version": None,
        "caller": "anonymous",
        "key_id": None,
        "client": "inspector 1.0",
        "method": "tools/call",
        "subject": "search",
        "arguments": None,
        "query": "",
        "found": None,
        "outcome": "ok",
        "code": "",
        "milliseconds": 12.0,
        "bytes_in": 100,
        "bytes_out": 1_000,
    }
    return Event(
        organization_id=organization.pk if organization else None,
        server_id=target.pk if isinstance(target, Server) else None,
        toolkit_id=target.pk if isinstance(target, Toolkit) else None,
        at=at or timezone.now(),
        **{**fields, **said},
    )
