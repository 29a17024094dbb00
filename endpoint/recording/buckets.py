"""How long requests took, as counts in buckets on a logarithmic scale. Pure.

Counts can be added up over hours and processes, which percentiles cannot. Each bucket's upper bound is 2^¼ of its lower
one, so a percentile read from them is less than 19 % off what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

STEPS = 4
"""Buckets to a doubling."""
SMALLEST = 0.25
"""Milliseconds: the upper bound of bucket 0."""
LAST = 80
"""Holds whatever takes longer than bucket 79's upper bound: 0.25 ms · 2^(79/4), which is 220 s."""


def bucket_of(milliseconds: float) -> int:
    """The number of the bucket, 0 to LAST. What is no time (negative, not a number) is in the first."""
    if not milliseconds > SMALLEST:
        return 0
    if milliseconds >= upper(LAST - 1):
        return LAST
    return min(math.ceil(math.log2(milliseconds / SMALLEST) * STEPS - 1e-9), LAST)


def upper(bucket: int) -> float:
    """The bound in milliseconds that what is in the bucket does not exceed; infinite for the last one."""
    return math.inf if bucket >= LAST else float(SMALLEST * 2 ** (bucket / STEPS))


def lower(bucket: int) -> float:
    """Milliseconds that what is in the bucket took longer than."""
    return 0.0 if bucket <= 0 else upper(bucket - 1)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The milliseconds within which `share` (0 to 1) of the requests were answered; None where there were none.

    Within a bucket they are taken to be spread evenly.
    """
    total = sum(counts.values())
    if total <= 0:
        return None
    rank = max(share, 0.0) * total
    before = 0
    for bucket in sorted(counts):
        count = counts[bucket]
        if count > 0 and before + count >= rank:
            if bucket >= LAST:
                return lower(LAST)
            return lower(bucket) + (upper(bucket) - lower(bucket)) * (rank - before) / count
        before += count
    return lower(max(counts) + 1)  # rounding alone leads here
