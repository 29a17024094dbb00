"""A repository of the local forge as a source of Acme's server `docs`, and a way to index it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from catalog.models import Server
from forges.clients import normalise_repository
from indexing.models import Chunk, Page, Source
from indexing.recognising import repository_url
from indexing.requesting import INDEX
from jobs import runs
from jobs.context import Budget
from jobs.models import Run, Trigger
from orgs.models import User
from tests import factories
from tests.forges.conftest import SIDES, Side
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

PATIENT = Budget(seconds=60, items=100_000)
GITHUB = SIDES["github"]


@dataclass
class Indexed:
    """A source, seen from the test."""

    forge: Forge
    pk: Any
    by: User
    budget: Budget = field(default=PATIENT)

    @property
    def source(self) -> Source:
        found: Source = Source.objects.select_related("server__organization", "connection").get(pk=self.pk)
        return found

    def set(self, **fields: Any) -> None:
        source = self.source
        for name, value in fields.items():
            setattr(source, name, value)
        source.save()

    def index(self, *, by: User | None = None, trigger: str = Trigger.MANUAL, alone: bool = False) -> Run:
        """One Run, to its end; `alone` as the clock asks for it, for nobody."""
        source = self.source
        asked = runs.request_run(
            kind=INDEX,
            subject=source,
            organization=source.server.organization,
            scope=str(source.server_id),
            trigger=Trigger.SCHEDULE if alone else trigger,
            requested_by=None if alone else by or self.by,
            enqueue=False,
        )
        self.forge.requests.clear()
        return runs.run_inline(asked.run, budget=self.budget)

    @property
    def paths(self) -> list[str]:
        """Of the files in the index."""
        return sorted(Page.objects.filter(source=self.pk, text__isnull=False).values_list("path", flat=True))

    @property
    def skips(self) -> dict[str, str]:
        return dict(Page.objects.filter(source=self.pk).exclude(skip_reason="").values_list("path", "skip_reason"))

    def texts(self) -> dict[str, str]:
        """Path -> the bodies of its chunks, as they are searched."""
        pages = Page.objects.filter(source=self.pk, text__isnull=False)
        return {
            path: "\n".join(Chunk.objects.filter(text=text).order_by("ordinal").values_list("body", flat=True))
            for path, text in pages.values_list("path", "text")
        }


Add = Callable[..., Indexed]


@pytest.fixture
def add(forge: Forge, docs: Server, alice: User) -> Add:
    """Make a source of a repository; nothing is asked or indexed yet: `add(hosted, login="octo", branch="next")`."""

    def added(
        repository: HostedRepository, *, side: Side = GITHUB, login: str = "", server: Server = docs, **fields: Any
    ) -> Indexed:
        base_url = side.base_url(forge)
        name = normalise_repository(side.key, base_url, side.address(forge, repository))
        if login:
            credential = side.credential(forge, login)
            if side.key == "git":
                fields |= {"token": credential.token, "username": credential.username}
            else:
                fields["connection"] = factories.connection(
                    server.organization,
                    alice,
                    shared=True,
                    forge=side.key,
                    base_url=base_url,
                    account=login,
                    token=credential.token,
                    username=credential.username,
                )
        made = factories.source(
            server,
            Source.Kind.REPOSITORY,
            name=name,
            url=repository_url(side.key, base_url, name),
            forge=side.key,
            base_url=base_url,
            repository=name,
            **fields,
        )
        return Indexed(forge, made.pk, alice)

    return added


@pytest.fixture
def book(forge: Forge) -> HostedRepository:
    """A README, twelve chapters, and what is none of it."""
    hosted = forge.repository("acme/book")
    files: dict[str, str | bytes] = {f"chapters/{n:02}.md": f"# Chapter {n}\n\nOnce, {n}.\n" for n in range(1, 13)}
    hosted.git.commit({**files, "README.md": "# The Book\n\nRead me.\n", "main.py": "print()\n", "a.png": b"\x89PNG\0"})
    return hosted
