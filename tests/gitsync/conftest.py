"""A server of Acme that is pushed to a repository on the local forge, and what plain git says of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection as database

from catalog import tools
from catalog.models import Server, Tool
from forges.models import Connection
from gitsync import targets
from gitsync.models import Mode, PushTarget
from gitsync.probing import Assignment
from gitsync.saves import ask_for_pushes
from jobs.execution import execute
from jobs.models import Run, Status
from orgs.models import Membership, Organization, User
from tests import factories
from tests.forges.conftest import SIDES
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

FORGES = tuple(SIDES)
MANAGED = ("github", "gitlab", "bitbucket")


def of(person: User, organization: Organization | None = None) -> Membership:
    mine = Membership.objects.select_related("organization", "user").filter(user=person)
    return mine.get(organization=organization) if organization else mine.get()


def work() -> list[Run]:
    """Do what is queued, and what that asks for, as a worker does; the Runs as they are afterwards."""
    done: list[Run] = []
    ask_for_pushes()
    while (run := Run.objects.filter(status=Status.QUEUED).exclude(pk__in=[r.pk for r in done]).first()) is not None:
        execute(str(run.pk))
        done.append(run)
    for run in done:
        run.refresh_from_db()
    return done


def worked() -> Run:
    """The same where one Run is queued, which has to succeed."""
    (run,) = work()
    assert run.status == Status.SUCCEEDED, run.error_text
    return run


def aside(action: Callable[[], object]) -> Callable[[], None]:
    """The same for a thread of the forge's, whose connection to the database nobody else would close."""

    def act() -> None:
        try:
            action()
        finally:
            database.close()

    return act


def git(hosted: HostedRepository, *words: str) -> str:
    """What the git program says in the repository itself."""
    ended = subprocess.run(["git", *words], cwd=hosted.git.path, capture_output=True, check=True)
    return ended.stdout.decode()


def subjects(hosted: HostedRepository, branch: str = "main") -> list[str]:
    """The first lines of the branch's commits, the newest first."""
    return git(hosted, "log", "--format=%s", branch).splitlines()


def changed(hosted: HostedRepository, branch: str = "main") -> set[tuple[str, str]]:
    """What the branch's last commit did: (A, M or D, path)."""
    listed = git(hosted, "show", "--format=", "--name-status", "--no-renames", branch)
    return {(line.split("\t")[0], line.split("\t")[1]) for line in listed.splitlines()}


def paths(hosted: HostedRepository, branch: str = "main") -> set[str]:
    return set(git(hosted, "ls-tree", "-r", "--name-only", branch).splitlines())


def text(hosted: HostedRepository, path: str, branch: str = "main") -> str:
    return git(hosted, "show", f"{branch}:{path}")


def connection_at(forge: Forge, key: str, organization: Organization, maker: User, login: str = "octo") -> Connection:
    """A connection by an access token that may write what `login` may."""
    side = SIDES[key]
    credential = side.credential(forge, login)
    return factories.connection(
        organization,
        maker,
        forge=key,
        base_url=side.base_url(forge),
        account=login,
        token=credential.token,
        username=credential.username,
    )


@dataclass
class Pushed:
    """A server and the repository that it is pushed to."""

    forge: Forge
    hosted: HostedRepository
    server: Server
    by: User

    @property
    def target(self) -> PushTarget:
        rows = PushTarget.objects.select_related("organization", "server", "connection", "assigned_by")
        return rows.get(server=self.server)

    @property
    def tool(self) -> Tool:
        found: Tool = Tool.objects.select_related("server", "provider").filter(server=self.server).order_by("name")[0]
        return found

    def save(self, description: str = "", *, tool: Tool | None = None, by: User | None = None, **values: Any) -> Tool:
        """Save one of its tools."""
        values |= {"description": description} if description else {}
        saved = tools.edit_tool(tool=tool or self.tool, values=values, seen_revision=None, by=by or self.by)
        ask_for_pushes()  # as the worker does every two seconds
        return saved

    def push(self) -> Run:
        """By hand, to the end."""
        run = targets.push_now(self.target, of(self.by, self.server.organization))
        work()
        run.refresh_from_db()
        return run


Assign = Callable[..., Pushed]


@pytest.fixture
def weather(acme: Organization) -> Server:
    """A server with one provider and two tools."""
    server = factories.server(acme, "Weather", slug="weather", description="What the sky does.")
    provider = factories.provider(server, "Open Meteo", base_url="https://api.example.com/v1")
    factories.tool(provider, "getForecast", path="/forecast", description="For tomorrow.")
    factories.tool(provider, "getWeather", path="/weather", description="Of today.")
    return server


@pytest.fixture
def hosted(forge: Forge) -> HostedRepository:
    """A repository of octo's, with a file that is not ours."""
    found = forge.repository("octo/config", private=True)
    found.git.commit({"README.md": "# Config\n"}, "Begin")
    return found


@pytest.fixture
def assign(forge: Forge, weather: Server, hosted: HostedRepository, alice: User) -> Assign:
    """Assign a repository: `assign("gitlab", mode=Mode.PULL_REQUEST)`. Nothing is pushed yet."""

    def assigned(
        key: str = "github",
        *,
        server: Server = weather,
        to: HostedRepository = hosted,
        by: User = alice,
        connection: Connection | None = None,
        mode: str = Mode.COMMIT,
        **values: Any,
    ) -> Pushed:
        current = PushTarget.objects.filter(server=server).first()
        entered: dict[str, Any] = {"mode": mode, **values}
        if key == "git":
            credential = SIDES["git"].credential(forge, "octo")
            entered = {"repository": forge.clone_url(to.full_name), "token": credential.token, **entered}
        else:
            used = connection or connection_at(forge, key, server.organization, by)
            entered = {"connection_id": used.pk, "repository": to.full_name, **entered}
        targets.assign(
            server=server,
            values=Assignment(**entered),
            membership=of(by, server.organization),
            seen_revision=current.revision if current else None,
        )
        return Pushed(forge, to, server, by)

    return assigned
