"""The whole, from the forge to the content: repositories that are followed through connections, at every forge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Content, Server
from forges.connecting import connect_installation
from forges.models import Connection, Hook
from integrations import automation, clock, connecting, probing, webhook
from integrations.automation import Automation
from integrations.models import Integration
from integrations.probing import Entered
from integrations.refreshing import REFRESH, request_automatic
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from jobs.runs import request_run
from orgs.models import User
from tests.forges_app.conftest import (
    Register,
    Registered,
    UserToken,
    app,
    at_once,
    make_due,
    of,
    register,
    user_token,
)
from tests.forges_app.followed import live
from tests.wire.forge import Forge
from tests.wire.hooks import Delivered, HostedHook
from tests.wire.installations import HostedApp
from tests.wire.repos import blob_id
from tests.wire.world import HostedRepository

__all__ = ["Register", "app", "at_once", "live", "make_due", "register", "user_token"]

FORGES = ("github", "gitlab", "bitbucket")
OWNER = "octo"
CHAPTERS = {f"chapters/{n:02}.md": f"# Chapter {n}\n" for n in range(1, 13)}
"""One more file than ten, so that the gates stand."""


def work() -> list[Run]:
    """Do what is queued, and what that asks for, as a worker does; the Runs as they are afterwards."""
    done: list[Run] = []
    while (run := Run.objects.filter(status=Status.QUEUED).exclude(pk__in=[r.pk for r in done]).first()) is not None:
        execute(str(run.pk))
        done.append(run)
    for run in done:
        run.refresh_from_db()
    return done


def strike(integration: Integration, when: str = "next_poll_at") -> list[Run]:
    """Let the clock strike for one of an integration's moments, and the worker do what follows."""
    Integration.objects.filter(pk=integration.pk).update(**{when: timezone.now() - timedelta(seconds=1)})
    clock.tick()
    return work()


@dataclass
class Synced:
    """A private repository that a server follows through a connection, with a webhook where the forge needs one."""

    forge: Forge
    key: str
    hosted: HostedRepository
    integration: Integration
    by: User

    @property
    def connection(self) -> Connection:
        found: Connection = Connection.objects.get(integrations=self.integration.pk)
        return found

    @property
    def hook(self) -> Hook:
        found = webhook.hook_of(self.integration)
        assert found is not None
        return found

    @property
    def remote(self) -> HostedHook:
        """The forge's side of the webhook."""
        (found,) = [
            each for each in self.forge.world.hooks.of(self.hosted, self.key) if each.url.endswith(str(self.hook.pk))
        ]
        return found

    def push(self, files: dict[str, Any], **how: Any) -> str:
        """At the forge, which tells of it; the commit's id."""
        return self.forge.push(self.hosted.full_name, files, **how)

    def refresh(self, *, trigger: str = Trigger.MANUAL) -> Run:
        """Ask for a refresh and let a worker do it: by hand, or (without a person) by the clock or a push."""
        run = self.ask(trigger=trigger)
        execute(str(run.pk))
        run.refresh_from_db()
        return run

    def ask(self, *, trigger: str = Trigger.MANUAL) -> Run:
        found = Integration.objects.select_related("server__organization").get(pk=self.integration.pk)
        if trigger != Trigger.MANUAL:
            return request_automatic(found, trigger=trigger)
        organization = found.server.organization
        return request_run(
            kind=REFRESH, subject=found, organization=organization, trigger=trigger, requested_by=self.by
        ).run

    def texts(self) -> dict[str, str]:
        """What the server's readers see: path -> text."""
        return dict(Content.objects.filter(server=self.integration.server_id).values_list("path", "blob__text"))

    def paths(self) -> list[str]:
        return sorted(self.texts())

    def at_head(self) -> bool:
        """Whether the content is what the branch holds at the forge."""
        here = {path: blob_id(text.encode()) for path, text in self.texts().items()}
        return here == self.hosted.git.files("main")

    def runs(self) -> list[Run]:
        """Its refreshes, the newest first."""
        return list(Run.objects.about(self.integration).filter(kind=REFRESH))

    def signing_with(self, other: HostedHook) -> HostedHook:
        """The webhook as the forge has it, but with another one's secret."""
        return replace(self.remote, secret=other.secret, signing_token=other.signing_token)

    def deliver(self, hook: HostedHook, delivered: Delivered) -> Delivered:
        """The body of a delivery, sent as if that webhook had made it."""
        return self.forge.world.hooks.send(hook, delivered.event, delivered.body)


Follow = Callable[..., Synced]


@pytest.fixture
def book(forge: Forge) -> HostedRepository:
    """A private repository of octo's."""
    hosted = forge.repository(f"{OWNER}/book", private=True)
    hosted.git.commit(CHAPTERS, "Write a book")
    return hosted


@pytest.fixture
def follow(forge: Forge, docs: Server, alice: User, book: HostedRepository) -> Follow:
    """Follow a repository through a connection: `follow(register("gitlab").connect(alice))`.

    By then it is imported once and, unless `on_push=False`, a webhook of ours is at the forge.
    """

    def followed(
        connection: Connection,
        *,
        repository: HostedRepository = book,
        server: Server = docs,
        by: User = alice,
        on_push: bool = True,
        **chosen: Any,
    ) -> Synced:
        form = Entered(
            forge=connection.forge,
            base_url=connection.base_url,
            repository=repository.full_name,
            connection=connection,
        )
        integration = connecting.connect(server, form, probing.probe(form), by=by).integration
        made = Synced(forge, connection.forge, repository, integration, by)
        assert made.refresh().status == Status.SUCCEEDED
        automation.configure(integration, Automation(on_push=on_push, **chosen), by=by)
        for run in work():
            assert run.status == Status.SUCCEEDED, run.error_text
        forge.requests.clear()
        return made

    return followed


@pytest.fixture
def install(forge: Forge, app: HostedApp, user_token: UserToken, alice: User) -> Callable[[], Connection]:
    """Connect the GitHub App, installed at octo."""

    def installed() -> Connection:
        number = forge.world.install(app, OWNER)
        made = connect_installation(of(alice), installation_id=str(number), user_token=user_token(OWNER))
        return made.connection

    return installed


@pytest.fixture
def oauth(register: Register) -> Callable[[str], Registered]:
    """An OAuth application whose tokens live for two hours at each forge, and are refreshed."""
    return lambda key: register(key, ttl=7200.0)
