"""How far away a moment is, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(), "now"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=2, hours=3), "2 days ago"),
        (timedelta(days=17), "2 weeks ago"),
        (timedelta(days=800), "2 years ago"),
        (-timedelta(days=6, hours=23, minutes=30), "6 days, 23 hours from now"),
    ],
)
def test_a_time_is_told_by_its_largest_unit_and_exactly_on_hover(passed: timedelta, words: str) -> None:
    moment = timezone.now() - passed
    shown = render_to_string("components/_time.html", {"value": moment})
    assert f">{words}</time>" in shown.replace("\xa0", " ")
    assert f"{moment:%Y, %H:%M:%S}" in shown
