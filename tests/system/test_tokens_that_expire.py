"""A minute of syncing with tokens that live for five seconds, on a clock that the test turns: nothing hangs on luck.

`bench.tokens` does the same with true seconds and processes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from bench.tokens import refresh_once
from forges.models import ConnectionStatus
from jobs.models import Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.forges_app.conftest import Register, at_once
from tests.system.conftest import OWNER, Follow, Synced
from tests.wire import faults
from tests.wire.forge import Forge

LIFE = 5.0
MINUTE = 60


def both_at_once(*followed: Synced) -> list[str]:
    waiting = [str(made.integration.pk) for made in followed]
    return at_once(len(waiting), lambda: refresh_once(waiting.pop()))


@pytest.mark.parametrize("key", ["gitlab", "bitbucket"])
@pytest.mark.django_db(transaction=True)
def test_a_minute_of_tokens_that_live_for_five_seconds_is_survived_by_two_workers(
    key: str, register: Register, follow: Follow, forge: Forge, acme: Organization, alice: User
) -> None:
    """In every other round three seconds pass while the forge is being read, so that tokens end in mid-run, too."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with time_machine.travel(noon, tick=False) as clock:
        registered = register(key, ttl=LIFE)
        connection = registered.connect(alice)
        followed = [follow(connection, on_push=False)]
        other = forge.repository(f"{OWNER}/atlas", private=True)
        other.git.commit({"maps.md": "# Maps\n"})
        followed.append(follow(connection, repository=other, server=factories.server(acme), on_push=False))
        before, rounds = registered.refreshes, 0

        while (datetime.now(UTC) - noon).total_seconds() < MINUTE:
            rounds += 1
            for made in followed:
                made.hosted.git.commit({f"notes/{rounds}.md": f"# Note {rounds}\n"})
            pause = faults.first(lambda: clock.shift(3))
            with forge.fault(pause, on="GET *", skip=1, times=rounds % 2):
                assert both_at_once(*followed) == [Status.SUCCEEDED] * 2
            clock.shift(1)

        elapsed = (datetime.now(UTC) - noon).total_seconds()
    assert rounds >= 20
    assert all(made.at_head() for made in followed)
    assert not Run.objects.exclude(status=Status.SUCCEEDED).exists()
    assert followed[0].connection.status == ConnectionStatus.CONNECTED
    assert elapsed / LIFE - 1 <= registered.refreshes - before <= elapsed / (LIFE / 2) + 1
    assert [request.status for request in forge.requests].count(401) > 0, "some ended in mid-run"
