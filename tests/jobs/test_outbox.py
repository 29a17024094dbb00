"""What apps note in passing is asked for by the workers' supervisor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs import outbox


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Without what the apps have registered."""
    before = dict(outbox._posters)
    outbox._posters.clear()
    yield
    outbox._posters.clear()
    outbox._posters.update(before)


def test_every_app_is_asked_and_what_they_asked_for_is_counted() -> None:
    outbox.register("pushes", lambda: 2)
    outbox.register("others", lambda: 1)
    assert outbox.post_due() == 3


def test_an_app_that_fails_does_not_keep_the_others_from_theirs(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> int:
        raise RuntimeError("broken")

    outbox.register("broken", fails)
    outbox.register("others", lambda: 1)
    assert outbox.post_due() == 1
    assert "What was noted for broken cannot be asked for now" in caplog.text


def test_an_app_that_registers_again_replaces_what_it_had() -> None:
    outbox.register("pushes", lambda: 2)
    outbox.register("pushes", lambda: 5)
    assert outbox.post_due() == 5
