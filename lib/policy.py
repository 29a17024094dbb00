"""What requests to addresses that people enter may reach, from the settings."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from lib.egress import Policy


def egress_policy() -> Policy:
    """Raises what `Policy.parse` does for settings that are none."""
    return _parsed(tuple(settings.EGRESS_ALLOW_HOSTS), tuple(settings.EGRESS_ALLOW_NETWORKS), settings.EGRESS_CA_FILE)


_parsed = lru_cache(maxsize=4)(Policy.parse)
