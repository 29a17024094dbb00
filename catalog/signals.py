"""News of the catalog for the apps above it.

Receive it only to enqueue: unless said otherwise it is sent when the change is committed, and a receiver's error is
logged and stops nobody.
"""

from __future__ import annotations

from django.dispatch import Signal

content_changed = Signal()
"""A server's live content changed: `server_id` (UUID), `organization_id` (UUID)."""

version_served = Signal()
"""What a server serves changed, because a version was activated, cleared or deleted: `server_id`, `organization_id`."""

config_saved = Signal()
"""A server's configuration was saved, or the server made: `server`, `change` (`catalog.saving.Change`), `by` (a User;
None for Millrace), `source` (`EntityRevision.Source`).

Sent within the transaction that saves it, so that what a receiver writes is kept with it or not at all. A receiver does
little (a person waits) and within a savepoint of its own: its errors are logged and stop nobody."""

server_leaving = Signal()
"""A server is about to be deleted: `server`, `by`, `source`. Sent within the transaction that deletes it, like
`config_saved`."""

entity_saved = Signal()
"""A toolkit, command, skill or client was saved or deleted: `kind` (`EntityKind`), `organization`, `pk` (UUID), `owner`
(a User; None for what is the organisation's), `change` (`catalog.saving.Change`), `by`, and `source`
(`EntityRevision.Source`).

Sent like `config_saved`, within the transaction. Servers tell by `config_saved`, also when they are created."""
