"""The kinds of Runs that forges bring."""

from __future__ import annotations

from forges import checking, hook_runs

KINDS = (checking.KIND, hook_runs.KIND)
