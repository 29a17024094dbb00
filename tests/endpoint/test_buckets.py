"""Percentiles from buckets are as exact as is said of them."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint.recording.buckets import LAST, SMALLEST, bucket_of, lower, percentile, upper

ERROR = 2**0.25 - 1


@given(st.floats(0, 1e7))
def test_a_time_is_within_the_bounds_of_its_bucket(milliseconds: float) -> None:
    bucket = bucket_of(milliseconds)
    assert lower(bucket) * (1 - 1e-9) <= milliseconds <= upper(bucket) * (1 + 1e-9)


def test_a_bound_belongs_to_the_bucket_below() -> None:
    for bucket in range(LAST - 1):
        assert bucket_of(upper(bucket)) == bucket
        assert bucket_of(upper(bucket) * 1.001) == bucket + 1


@pytest.mark.parametrize("nonsense", [-1.0, math.nan, -math.inf, 0.0])
def test_what_is_no_time_is_in_the_first(nonsense: float) -> None:
    assert bucket_of(nonsense) == 0


def test_endless_is_in_the_last() -> None:
    assert bucket_of(math.inf) == LAST
    assert percentile({LAST: 5}, 0.5) == pytest.approx(upper(LAST - 1))


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99, 1.0])
def test_percentiles_are_within_a_bucket_of_the_exact_ones(seed: int, share: float) -> None:
    chance = random.Random(seed)
    times = [chance.choice((chance.lognormvariate(3, 1.5), chance.uniform(1, 9_000))) for _ in range(seed * 400 + 5)]
    exact = sorted(times)[max(math.ceil(share * len(times)) - 1, 0)]
    found = percentile(Counter(map(bucket_of, times)), share)
    assert found is not None
    assert abs(found - exact) <= max(exact * ERROR * 1.001, SMALLEST)


def test_hours_are_added_up_to_what_the_whole_would_be() -> None:
    chance = random.Random(1)
    hours = [[chance.expovariate(1 / (50 * hour)) for _ in range(200)] for hour in range(1, 25)]
    added: Counter[int] = Counter()
    for hour in hours:
        added.update(map(bucket_of, hour))
    whole = Counter(bucket_of(each) for hour in hours for each in hour)
    assert [percentile(added, share) for share in (0.5, 0.99)] == [percentile(whole, share) for share in (0.5, 0.99)]


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 0}, 0.5) is None
