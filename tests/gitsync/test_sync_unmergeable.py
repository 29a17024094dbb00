"""Edits of both sides that do not meet, and together break a rule."""

from __future__ import annotations

import pytest

from gitsync.models import EntityState
from tests.gitsync.mirror_world import DESK, Begin, begin, command

__all__ = ["begin"]

pytestmark = pytest.mark.django_db

AT = "commands/hello.json"
DESK_AT = "mcp-clients/desk.json"


def arguments(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_what_cannot_be_merged_is_a_conflict_that_a_person_can_decide(begin: Begin) -> None:
    hello = command("hello", id="hello-1", arguments=arguments("who", "city"), prompt="Hello {{who}}.")
    made = begin(files={AT: hello})
    made.edit(AT, arguments=arguments("who"))
    made.save("command", "hello", prompt="Hello {{who}} of {{city}}.")
    made.sync()
    assert made.states() == {AT: EntityState.CONFLICT}
    assert "city" in made.problem(AT)["message"]
    made.settle(AT, "ours")
    assert made.json(AT)["prompt"] == "Hello {{who}} of {{city}}."
    made.assert_in_step()


def test_what_only_lacks_something_when_merged_waits_for_that(begin: Begin) -> None:
    plain = {name: DESK[name] for name in ("id", "name", "slug", "kind")}
    made = begin(files={DESK_AT: plain})
    made.edit(DESK_AT, servers=["nowhere"])
    made.save("client", "desk", description="Ours.")
    made.sync()
    assert made.states() == {DESK_AT: EntityState.ERROR}
    assert made.problem(DESK_AT)["code"] == "MISSING_INTEGRATION"
    made.save("client", "desk", description="Ours again.")
    made.sync()
    assert made.json(DESK_AT)["description"] == "Ours again."
    made.assert_in_step()
