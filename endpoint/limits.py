"""How often somebody may ask: so many requests a minute for each who asks, so many a month for each server.

Counted in Django's cache, in windows of a minute by the clock. With a cache in memory each web process counts by
itself; one that they share (CACHE_URL) counts for all.
"""

from __future__ import annotations

import ipaddress
import math
import time
from datetime import UTC, datetime

from django.core.cache import cache
from django.utils import timezone

from endpoint.admitted import Refused
from endpoint.models import Setup
from endpoint.recording import counts

WINDOW = 60
"""Seconds."""


def network_of(remote: str) -> str:
    """What an address is counted as: an IPv4 address is one client, and so is a /64 of IPv6, which one client has."""
    try:
        address = ipaddress.ip_address(remote.partition("%")[0])
    except ValueError:
        return "unknown"  # behind a Unix socket all are one
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))


def take(counted_as: str, most: int) -> None:
    """Count a request. Raises Refused (429) if it is more than `most` of this minute."""
    window, passed = divmod(time.time(), WINDOW)
    key = f"mcp-rate:{counted_as}:{int(window)}"
    number = _incremented(key) or (1 if cache.add(key, 1, timeout=2 * WINDOW) else _incremented(key))
    if number > most:
        raise _too_many(
            f"There were more than {_requests(most)} within a minute, which is the limit here. Wait, and ask again.",
            math.ceil(WINDOW - passed),
        )


def _incremented(key: str) -> int:
    """0 for one that is not there: nobody asked yet in this minute, or it was evicted in this moment."""
    try:
        return int(cache.incr(key))
    except ValueError:
        return 0


def check_quota(setup: Setup) -> None:
    """Raise Refused (429) if the month's requests of a server or toolkit are used up."""
    quota = setup.monthly_quota
    target = setup.server or setup.toolkit
    if quota is None or target is None:
        return
    now = timezone.now().astimezone(UTC)
    if counts.month(target, at=now) >= quota:
        following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
        raise _too_many(
            f"This address has used up its {_requests(quota)} of the calendar month. The next month begins on "
            f"{following:%-d %B %Y}, 00:00 UTC; whoever runs it can raise its quota.",
            math.ceil((following - now).total_seconds()),
        )


def _requests(number: int) -> str:
    return "one request" if number == 1 else f"{number:,} requests"


def _too_many(sentence: str, seconds: int) -> Refused:
    return Refused(sentence, status=429, headers={"Retry-After": str(max(seconds, 1))})
