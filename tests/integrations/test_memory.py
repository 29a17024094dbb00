"""What a refresh holds in memory does not grow with what it brings."""

from __future__ import annotations

import tracemalloc

import pytest

from jobs.models import Status
from tests.integrations.conftest import Connect
from tests.wire import samples
from tests.wire.forge import Forge

pytestmark = pytest.mark.django_db

MB = 1 << 20


def test_large_files_are_stored_as_they_come_and_do_not_gather(forge: Forge, connect: Connect) -> None:
    repository = forge.repository("acme/large")
    page = samples.markdown("Large", words=2000)
    pages = page * (900 * 1024 // len(page))
    repository.git.commit({f"{n:03}.md": b"# %d\n%b" % (n, pages) for n in range(100)}, "Write much")
    connection = connect(repository)

    tracemalloc.start()
    try:
        run = connection.refresh()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert run.status == Status.SUCCEEDED
    assert run.counts["added"] == 100
    assert peak < 40 * MB
