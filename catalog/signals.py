"""News of the catalog for the apps above it. Receive it only to enqueue: it is sent when the change is committed, and a
receiver's error is logged and stops nobody."""

from __future__ import annotations

from django.dispatch import Signal

content_changed = Signal()
"""A server's live content changed: `server_id` (UUID), `organization_id` (UUID)."""

version_served = Signal()
"""What a server serves changed, because a version was activated, cleared or deleted: `server_id`, `organization_id`."""
