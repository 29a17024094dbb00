"""An organisation of its own for each test, with its people, a server, and repositories connected to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Self

from catalog.models import Server
from integrations import connecting, probing
from integrations.models import Integration
from integrations.probing import Entered
from integrations.refreshing import REFRESH
from jobs import runs
from jobs.context import Budget
from jobs.models import Run, Trigger
from orgs.models import Organization, Role, User
from tests import factories
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

_number = count(1)
PATIENT = Budget(seconds=60, items=100_000)


@dataclass(frozen=True)
class Team:
    """Alice owns it, bob operates, carol views."""

    organization: Organization
    docs: Server
    alice: User
    bob: User
    carol: User

    @classmethod
    def new(cls) -> Self:
        slug = f"acme-{next(_number)}"
        organization = factories.organization("Acme", slug=slug)
        people = {}
        for name, role in (("alice", Role.OWNER), ("bob", Role.OPERATOR), ("carol", Role.VIEWER)):
            people[name] = factories.user(f"{name}@{slug}.example", name=name.capitalize())
            factories.membership(people[name], organization, role)
        return cls(organization, factories.server(organization, "Docs", slug="docs"), **people)

    @property
    def home(self) -> str:
        return f"/o/{self.organization.slug}/"

    @property
    def server_page(self) -> str:
        """The address of the server's General tab; those of the other tabs start with it."""
        return f"{self.home}servers/docs/"

    @property
    def integrations_page(self) -> str:
        return f"{self.server_page}integrations/"

    def connects(
        self, repository: HostedRepository, forge: Forge, *, server: Server | None = None, **entered: Any
    ) -> Integration:
        """Connect a repository and import it, as alice, before the browser comes."""
        entered.setdefault("token", forge.token("acme"))
        form = Entered(forge="github", base_url=forge.url, repository=repository.full_name, **entered)
        made = connecting.connect(server or self.docs, form, probing.probe(form), by=self.alice)
        self.refreshes(made.integration)
        return made.integration

    def refreshes(self, integration: Integration, *, prune: bool = True) -> Run:
        return self.runs(integration, REFRESH, prune=prune)

    def runs(self, integration: Integration, kind: str, *, prune: bool = True) -> Run:
        """Do it here and now, as alice."""
        requested = runs.request_run(
            kind=kind,
            subject=integration,
            organization=self.organization,
            scope=str(integration.server_id),
            options={"prune": prune},
            trigger=Trigger.MANUAL,
            requested_by=self.alice,
            enqueue=False,
        )
        return runs.run_inline(requested.run, budget=PATIENT)
