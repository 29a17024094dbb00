"""What leaves the database in clear text, and what does not."""

from __future__ import annotations

import pytest

from catalog.exchange.masking import mask_credential, mask_headers, mask_variable
from catalog.exchange.model import MASK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "application/json"),
        ("CONTENT-TYPE", "text/plain"),
        ("Authorization", "Bearer ${TOKEN}"),
        ("Authorization", "${TOKEN}"),
        ("Authorization", "Basic ${USER}:${PASSWORD}"),
        ("Authorization", "Token token=${TOKEN}"),
        ("X-Api-Key", "${KEY}"),
        ("Cookie", "session=${SESSION}; theme=${THEME}"),
        ("Accept", ""),
    ],
)
def test_a_header_without_a_literal_is_told(name: str, value: str) -> None:
    assert mask_headers({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Tenant", "acme"),
        ("Authorization", "Bearer sk-live-1"),
        ("Authorization", "hunter ${TOKEN}"),  # an unknown word may be half of a password
        ("Authorization", "Bearer ${TOKEN}x"),
        ("Authorization", "Bearer ${TOKEN}\nhunter2"),
        ("Authorization", "Bearer ${token}"),
        ("Cookie", "session=abc; other=${THEME}"),
        ("X-Accept", "application/json"),
        ("X-Key", MASK),
        ("X-Tenant", ""),  # what it was is not here yet
    ],
)
def test_a_header_with_a_literal_is_masked(name: str, value: str) -> None:
    assert mask_headers({name: value}) == {name: MASK}


def test_client_ids_and_secrets_are_told_as_references_alone() -> None:
    assert mask_credential("${CLIENT_ID}") == "${CLIENT_ID}"
    assert mask_credential("") == ""
    for literal in ("my-client", "my-${CLIENT}", "${CLIENT}\n", MASK):
        assert mask_credential(literal) == MASK


def test_a_secret_variable_is_masked_whether_or_not_it_was_entered() -> None:
    assert mask_variable("", secret=True) == mask_variable("x", secret=True) == MASK
    assert mask_variable("plain", secret=False) == "plain"
