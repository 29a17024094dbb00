"""Secrets move to a new key: all of them, whatever stops or changes meanwhile."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from integrations.models import Integration
from lib.crypto import (
    Rotation,
    rotate,
)
from tests.lib.conftest import NEW, OLD, TOKEN


@pytest.fixture
def ring(settings: Settings) -> Settings:
    """The tests' settings, with a ring of the old key."""
    settings.ENCRYPTION_KEYS = OLD
    return settings


def tokens() -> dict[str, tuple[str, str]]:
    return {
        str(pk): (key, Integration.objects.get(pk=pk).token)
        for pk, key in Integration.objects.values_list("pk", "token_key")
    }


def test_rotation_moves_every_secret_to_the_newest_key_in_batches(
    ring: Settings, integration: Callable[..., Integration]
) -> None:
    made = {str(integration(f"token {number}").pk): ("new", f"token {number}") for number in range(5)}
    made[str(integration("").pk)] = ("", "")
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    told: list[Rotation] = []
    result = [done for done in rotate(batch_size=2, on_batch=told.append) if done.rotated]
    assert result == [Rotation("integrations.Integration.token", rotated=5)]
    assert [done.rotated for done in told] == [2, 4, 5]
    assert tokens() == made
    ring.ENCRYPTION_KEYS = NEW
    assert tokens() == made
    assert sum(done.rotated for done in rotate()) == 0


def test_rotation_goes_on_where_it_was_stopped(ring: Settings, integration: Callable[..., Integration]) -> None:
    for _ in range(5):
        integration()
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"

    class PulledPlug(Exception):
        pass

    updates = 0

    def pull(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal updates
        if sql.startswith("UPDATE"):
            updates += 1
            if updates == 4:
                raise PulledPlug
        return execute(sql, params, many, context)

    with connection.execute_wrapper(pull), pytest.raises(PulledPlug):
        rotate(batch_size=2)
    assert sorted(key for key, _ in tokens().values()) == ["new", "new", "old", "old", "old"]
    assert sum(done.rotated for done in rotate(batch_size=2)) == 3
    assert set(tokens().values()) == {("new", TOKEN)}


@pytest.mark.parametrize("keys", [f"{NEW},{OLD}", OLD], ids=["with the new ring", "by a process not yet restarted"])
def test_rotation_leaves_a_secret_that_was_changed_meanwhile(
    keys: str, ring: Settings, integration: Callable[..., Integration]
) -> None:
    rows = sorted((integration(), integration()), key=lambda row: row.pk)
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    changed = False

    def somebody_saves(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal changed
        if sql.startswith("UPDATE") and not changed:
            changed = True
            ring.ENCRYPTION_KEYS = keys
            for row in rows:
                row.token = "entered meanwhile"
                row.save()
            ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(somebody_saves):
        result = next(done for done in rotate() if done.changed)
    assert (result.rotated, result.changed, result.failures) == (0, 2, ())
    assert {token for _, token in tokens().values()} == {"entered meanwhile"}


def test_rotation_leaves_what_it_cannot_open_and_says_which(
    ring: Settings, integration: Callable[..., Integration]
) -> None:
    broken, whole, lost = integration(), integration(), integration()
    Integration.objects.filter(pk=broken.pk).update(token_nonce=os.urandom(12))
    Integration.objects.filter(pk=lost.pk).update(token_key="gone")
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    result = next(done for done in rotate(batch_size=1) if done.failures)
    assert result.rotated == 1
    assert (
        sorted(str(pk) in text for pk in (broken.pk, lost.pk) for text in result.failures) == [False] * 2 + [True] * 2
    )
    assert Integration.objects.filter(pk=whole.pk, token_key="new").exists()
    with pytest.raises(CommandError, match="2 secrets could not be opened"):
        call_command("rotate_keys", stdout=io.StringIO(), stderr=io.StringIO())


def test_the_command_reports_its_progress(ring: Settings, integration: Callable[..., Integration]) -> None:
    integration()
    ring.ENCRYPTION_KEYS = f"{NEW},{OLD}"
    said = io.StringIO()
    call_command("rotate_keys", stdout=said)
    assert "integrations.Integration.token: 1 re-encrypted" in said.getvalue()
    assert "under the key “new”" in said.getvalue()
    assert TOKEN not in said.getvalue()


def test_the_command_refuses_a_ring_that_is_none(ring: Settings) -> None:
    ring.ENCRYPTION_KEYS = "nonsense"
    with pytest.raises(CommandError, match="id:key"):
        call_command("rotate_keys")
