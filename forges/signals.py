"""News for the apps above. Receivers only enqueue; what they return is kept with the delivery that caused it."""

from __future__ import annotations

from django.dispatch import Signal

repository_pushed = Signal()
"""Branches of a repository moved, or seem to have: `organization`, `forge`, `base_url`, `repository_id` and `branches`
(a tuple of names; empty when it is not known which). Receivers return the Runs that they asked for."""

repository_changed = Signal()
"""A repository itself changed: `organization`, `forge`, `base_url`, `repository_id`, `kind` (renamed, transferred,
deleted, branch_deleted), `repository` (its full name now), `branches`. Receivers return Runs, too."""

connection_changed = Signal()
"""`connection` can be used again, or not any more: `kind` is connected, disconnected or deleted (told before it goes).
Sent within the transaction that changes it."""
