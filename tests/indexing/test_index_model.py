"""Whatever happens to a server, in whatever order: a search finds what is there, where it is, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.models import Server
from indexing import sources
from indexing.sites import writing
from jobs import context
from orgs.models import User
from tests.indexing import repository_sources, site_sources
from tests.indexing.index_model import Machine
from tests.indexing.repository_sources import add
from tests.indexing.site_sources import crawled
from tests.wire.forge import Forge

__all__ = ["add", "crawled"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [1])
def test_a_search_finds_what_is_there_whatever_happened_before(
    seed: int,
    docs: Server,
    alice: User,
    crawled: site_sources.Add,
    add: repository_sources.Add,
    forge: Forge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context, "ASK_EVERY", 0.0)
    monkeypatch.setattr(writing, "BATCH", 2)
    monkeypatch.setenv(context.STOP_VARIABLE, str(tmp_path / "stop"))
    hosted = forge.repository("acme/book")
    machine = Machine(
        seed,
        server=docs,
        by=alice,
        crawled=crawled(),
        read=add(hosted),
        hosted=hosted,
        stop=tmp_path / "stop",
    )
    for _ in range(2):
        for _ in range(6):
            machine.step()
        machine.settle()
    machine.forget()
    sources.delete(machine.crawled.source, by=alice)
    machine.has_site = False
    machine.compare()
    machine.forget()
