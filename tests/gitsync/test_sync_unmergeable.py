"""Edits of both sides that do not meet, and together break a rule."""

from __future__ import annotations

import pytest

from gitsync.models import EntityState
from tests.gitsync.mirror_world import DESK, Begin, begin

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

AT = "mcp-clients/desk.json"


def test_what_cannot_be_merged_is_a_conflict_that_a_person_can_decide(begin: Begin) -> None:
    plain = {name: DESK[name] for name in ("id", "name", "slug", "kind")}
    made = begin(files={AT: plain})
    made.edit(AT, servers=["nowhere"])
    made.save("client", "desk", description="Ours.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    assert "nowhere" in made.problem(AT)["message"]
    made.settle(AT, "ours")
    assert made.json(AT)["description"] == "Ours."
    assert "servers" not in made.json(AT)
    made.assert_in_step()
