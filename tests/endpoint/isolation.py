"""Who may open which of the endpoint's pages; see tests/isolation.py."""

from __future__ import annotations

from tests.isolation import Case

CASES: dict[str, Case] = {}
