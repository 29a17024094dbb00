"""A repository of the local forge that is refreshed on push, and its webhook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from catalog.models import Server
from forges import hooks
from forges.models import Hook
from forges.opening import client_for
from integrations.models import Integration
from jobs.execution import execute
from jobs.models import Run
from tests import factories
from tests.forges.conftest import SIDES
from tests.wire.forge import Forge
from tests.wire.hooks import HostedHook
from tests.wire.world import HostedRepository, uuid_of


@dataclass
class Followed:
    """A repository of the local forge that an integration refreshes on push, and its webhook."""

    forge: Forge
    key: str
    repository: HostedRepository
    integration: Integration
    hook: Hook

    def remote(self) -> list[HostedHook]:
        """What the forge has."""
        return self.forge.world.hooks.of(self.repository, self.key)

    def look(self) -> Run:
        """Do the Run that looks at the forge."""
        run: Run = hooks.request_check(self.hook).run
        execute(str(run.pk))
        run.refresh_from_db()
        self.hook.refresh_from_db()
        return run

    def client(self) -> Any:
        credential = SIDES[self.key].credential(self.forge, "acme")
        return client_for(forge=self.key, base_url=self.hook.base_url, credential=credential)

    def give(self, login: str) -> None:
        """Let the integration speak for another account."""
        credential = SIDES[self.key].credential(self.forge, login)
        self.integration.token, self.integration.username = credential.token, credential.username
        self.integration.save()


Follow = Callable[..., Followed]


@pytest.fixture
def follow(forge: Forge, github_repo: HostedRepository, docs: Server) -> Follow:
    """Follow the public repository `acme/docs` with the token of an account: `follow("gitlab", login="mallory")`."""

    def followed(key: str = "github", login: str = "acme") -> Followed:
        base_url = SIDES[key].base_url(forge)
        number = uuid_of(github_repo.id) if key == "bitbucket" else str(github_repo.id)
        of: dict[str, Any] = {"forge": key, "base_url": base_url, "repository_id": number}
        integration = factories.integration(docs, "acme/docs", on_push=True, **of)
        hook = hooks.want(docs.organization, repository="acme/docs", **of)
        made = Followed(forge, key, github_repo, integration, hook)
        if login:
            made.give(login)
        return made

    return followed


@pytest.fixture
def live(transactional_db: None, live_server: LiveServer, settings: Settings) -> LiveServer:
    """This site, where the local forge reaches it."""
    settings.BASE_URL = live_server.url
    return live_server
