"""allauth's title case in our sentence case."""

from __future__ import annotations

import pytest
from django.utils.safestring import SafeString, mark_safe

from orgs.templatetags.sentences import sentence


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("  Sign In\n", "Sign in"),
        ("Two-Factor Authentication", "Two-factor authentication"),
        ("Set up TOTP", "Set up TOTP"),
        ("ändern", "Ändern"),
        ("", ""),
        ("Hello <b>You</b>", "Hello <b>You</b>"),
    ],
)
def test_a_heading_is_a_sentence(given: str, shown: str) -> None:
    assert sentence(given) == shown


def test_what_was_not_safe_does_not_become_it() -> None:
    assert not isinstance(sentence("A & B"), SafeString)
    assert isinstance(sentence(mark_safe("A &amp; B")), SafeString)
