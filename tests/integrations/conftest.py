"""A repository on the local forge, connected to Acme's server `docs`, and a way to refresh it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from catalog.models import Content, Server
from integrations import connecting, probing
from integrations.models import Integration, Track
from integrations.probing import Entered
from integrations.refreshing import PREVIEW, REFRESH
from jobs import runs
from jobs.context import Budget
from jobs.models import Run, Trigger
from orgs.models import User
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

PATIENT = Budget(seconds=60, items=100_000)
"""Enough for any refresh of a test to end where it was asked for."""


@dataclass
class Connection:
    """A connected repository, seen from the test."""

    forge: Forge
    repository: HostedRepository
    integration: Integration
    by: User
    budget: Budget = field(default=PATIENT)

    @property
    def track(self) -> Track:
        return self.integration.tracks.get()

    @property
    def server(self) -> Server:
        return Server.objects.get(pk=self.integration.server_id)

    def refresh(self, *, prune: bool = True, by: User | None = None, **options: Any) -> Run:
        return self._run(REFRESH, {"prune": prune, **options}, by or self.by)

    def preview(self, *, prune: bool = True) -> Run:
        return self._run(PREVIEW, {"prune": prune}, self.by)

    def _run(self, kind: str, options: dict[str, Any], by: User) -> Run:
        integration = Integration.objects.select_related("server__organization").get(pk=self.integration.pk)
        requested = runs.request_run(
            kind=kind,
            subject=integration,
            organization=integration.server.organization,
            scope=str(integration.server_id),
            options=options,
            trigger=Trigger.MANUAL,
            requested_by=by,
            enqueue=False,
        )
        return runs.run_inline(requested.run, budget=self.budget)

    def texts(self) -> dict[str, str]:
        """What the server's readers see: path -> text."""
        return dict(Content.objects.filter(server=self.integration.server).values_list("path", "blob__text"))

    def paths(self) -> list[str]:
        return sorted(self.texts())


Connect = Callable[..., Connection]


def changes(run: Run) -> set[tuple[str, str]]:
    """What a Run did: (action, path on the server)."""
    return set(run.file_changes.values_list("action", "path"))


@pytest.fixture
def connect(forge: Forge, docs: Server, alice: User) -> Connect:
    """Connect a repository of the local forge: `connect(repository, include="docs/")`. Nothing is imported yet."""

    def connected(repository: HostedRepository, *, server: Server = docs, **entered: Any) -> Connection:
        entered = {"base_url": forge.url, "token": forge.token("acme", scopes=["repo"]), **entered}
        form = Entered(forge="github", repository=repository.full_name, **entered)
        made = connecting.connect(server, form, probing.probe(form), by=alice)
        return Connection(forge, repository, made.integration, alice)

    return connected


@pytest.fixture
def book(forge: Forge) -> HostedRepository:
    """Twelve chapters and nothing else: one more than ten, so that the gates stand."""
    hosted = forge.repository("acme/book")
    hosted.git.commit({f"chapters/{n:02}.md": f"# Chapter {n}\n" for n in range(1, 13)}, "Write a book")
    return hosted
