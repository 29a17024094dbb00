"""Clients with this installation's caps: what is different while somebody waits for them."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack

import pytest
from pytest_django import Settings

from forges import opening
from forges.clients.base import Client, Credential
from forges.clients.errors import Busy, TooLarge, TooLargeNow
from forges.opening import AT_ONCE, WHOLE, client_for, limits
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository


def git_client(*, seconds: float | None = None) -> AbstractContextManager[Client]:
    return client_for(forge="git", base_url="", credential=Credential(), seconds=seconds)


@pytest.fixture
def heavy(forge: Forge) -> HostedRepository:
    """Files of three megabytes together, none of which is too large by itself."""
    hosted = forge.repository("acme/heavy")
    hosted.git.commit({f"{n}.md": f"{n}\n" * 100_000 for n in range(10, 20)})
    return hosted


def test_who_waits_has_an_end_of_the_whole_and_a_worker_has_none(settings: Settings) -> None:
    settings.FORGE_TIMEOUT = 30.0
    waiting = limits(seconds=5)
    assert (waiting.timeout, waiting.total_timeout, waiting.deadline) == (5, 5, WHOLE * 5)
    assert limits().deadline is None


def test_what_is_too_large_while_somebody_waits_is_read_by_a_worker(
    forge: Forge, heavy: HostedRepository, settings: Settings
) -> None:
    settings.FORGE_INTERACTIVE_MAX_BYTES = 1 << 20
    url, commit = forge.clone_url("acme/heavy"), heavy.git.tip("main") or ""
    with pytest.raises(TooLargeNow, match="while you wait") as caught, git_client(seconds=20) as client:
        client.tree(url, commit)
    assert caught.value.workers_can
    with git_client() as client:
        assert len(client.tree(url, commit).entries) == 10


def test_what_is_too_large_for_a_worker_as_well_is_said_to_be(
    forge: Forge, heavy: HostedRepository, settings: Settings
) -> None:
    settings.FORGE_MAX_ARCHIVE_BYTES = 1 << 20
    with pytest.raises(TooLarge) as caught, git_client(seconds=20) as client:
        client.tree(forge.clone_url("acme/heavy"), heavy.git.tip("main") or "")
    assert not caught.value.workers_can


def test_only_a_few_may_wait_for_forges_at_once_and_workers_are_not_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "TURN_SECONDS", 0.05)
    with ExitStack() as others:
        for _ in range(AT_ONCE):
            others.enter_context(git_client(seconds=5))
        with pytest.raises(Busy, match="Many people ask forges"), git_client(seconds=5):
            pass
        with git_client():
            pass
    with git_client(seconds=5):
        pass


def test_a_turn_is_given_back_whatever_happens() -> None:
    for _ in range(2 * AT_ONCE):
        with pytest.raises(ZeroDivisionError), git_client(seconds=5):
            raise ZeroDivisionError
