"""pytest fixtures; the conftest names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.site.server import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """A running site without pages, one for each test: `site.add("/", "…")`, or `tests.site.traps`.

    The tests' settings allow 127.0.0.1, so that `lib.policy.egress_policy()` reaches it.
    """
    with Site() as running:
        yield running
    assert not running.errors, running.errors
