"""An organisation and the repository that it is kept the same with, both of them real: edited on either side, and read.

The repository is on the local forge and is committed to by git itself, as somebody else; here it is the services that
save. `sync` does what a worker does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from catalog import clients, commands, porting, skills, toolkits
from catalog.models import Client, Command, Server, Skill, Toolkit
from catalog.portable import paths as portable_paths
from catalog.portable import reading
from catalog.portable.model import Kind
from forges.models import Connection
from gitsync.mirror.connecting import Wanted, connect_mirror
from gitsync.mirror.requesting import request_sync
from gitsync.mirror.settling import seen_of, settle, sides_of
from gitsync.models import EntityState, Mirror, MirroredEntity, Mode
from gitsync.probing import Assignment
from jobs import outbox
from jobs.execution import execute
from jobs.models import Run, Status, Trigger
from orgs.models import Organization, User
from tests.forges.conftest import SIDES
from tests.gitsync.conftest import connection_at, git, of, subjects
from tests.wire.forge import Forge
from tests.wire.repos import File
from tests.wire.world import HostedRepository

SERVICES: dict[str, Any] = {"command": commands, "skill": skills, "toolkit": toolkits, "client": clients}
MODELS: dict[str, Any] = {
    "command": Command,
    "skill": Skill,
    "toolkit": Toolkit,
    "client": Client,
    "server": Server,
}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6300010000050001"
    "0d0a2db40000000049454e44ae426082"
)
"""A picture: bytes that are no text."""

HELLO: dict[str, Any] = {
    "id": "hello-1",
    "name": "Hello",
    "slug": "hello",
    "description": "Greets somebody.",
    "arguments": [{"name": "who", "description": "Whom to greet.", "required": True}],
    "prompt": "Say hello to {{who}}.",
}
WEATHER: dict[str, Any] = {
    "id": "weather-1",
    "name": "Weather",
    "slug": "weather",
    "description": "What the sky does.",
    "instructions": "Ask for one place at a time.",
    "visibility": "private",
    "providers": [
        {
            "name": "Open Meteo",
            "baseUrl": "https://api.example.com/v1",
            "visibility": "private",
            "tools": [
                {"name": "getForecast", "method": "GET", "path": "/forecast", "description": "For tomorrow."},
                {"name": "getWeather", "method": "GET", "path": "/weather", "description": "Of today."},
            ],
        }
    ],
}
FORECASTS: dict[str, Any] = {
    "id": "forecasts-1",
    "name": "Forecasts",
    "slug": "forecasts",
    "description": "All about tomorrow.",
    "servers": {"weather": {"tools": ["getForecast"]}},
    "commands": ["hello"],
    "skills": ["pdf-forms"],
}
DESK: dict[str, Any] = {
    "id": "desk-1",
    "name": "Desk",
    "slug": "desk",
    "description": "On every desk.",
    "kind": "editor",
    "servers": ["weather"],
    "toolkits": ["forecasts"],
}
SKILL_MD = """\
---
name: pdf-forms
description: Fills in PDF forms.
license: MIT
---

# How

Run `scripts/fill.py`.
"""
SKILL: dict[str, File] = {
    "skills/pdf-forms/SKILL.md": SKILL_MD,
    "skills/pdf-forms/scripts/fill.py": "print('filled in')\n",
    "skills/pdf-forms/references/by/country/swiss.md": "# Grüezi\n",
    "skills/pdf-forms/assets/pixel.png": PIXEL,
}
ALL: dict[str, Any] = {
    "commands/hello.json": HELLO,
    "mcp-servers/weather.json": WEATHER,
    "toolkits/forecasts.json": FORECASTS,
    "mcp-clients/desk.json": DESK,
    **SKILL,
}
"""One of each kind, that refer to each other."""
UNITS = {
    "commands/hello.json",
    "mcp-servers/weather.json",
    "toolkits/forecasts.json",
    "mcp-clients/desk.json",
    "skills/pdf-forms",
}


def dumps(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def command(slug: str, **fields: Any) -> dict[str, Any]:
    """A command's file, made by hand: without an id."""
    return {"name": slug.replace("-", " ").title(), "slug": slug, "prompt": "Do it.", **fields}


def skill(name: str, description: str = "Does it.", body: str = "Do it.\n") -> str:
    """A SKILL.md without an id."""
    return f"---\nname: {name}\ndescription: {description}\n---\n\n{body}"


def work() -> list[Run]:
    """Do what was noted and what is queued, and what that asks for, as a worker does; the Runs as they are then."""
    done: list[Run] = []
    outbox.post_due()
    while (run := Run.objects.filter(status=Status.QUEUED).exclude(pk__in=[r.pk for r in done]).first()) is not None:
        execute(str(run.pk))
        done.append(run)
    for run in done:
        run.refresh_from_db()
    return done


@dataclass
class Mirrored:
    """An organisation, its Mirror, and the repository."""

    forge: Forge
    key: str
    hosted: HostedRepository
    organization: Organization
    by: User
    runs: list[Run] = field(default_factory=list)
    """The syncs that were done, the newest last."""

    @property
    def mirror(self) -> Mirror:
        rows = Mirror.objects.select_related("organization", "connection", "assigned_by")
        return rows.get(organization=self.organization)

    # -- in git --------------------------------------------------------------------------------------------------------

    def commit(self, files: Mapping[str, Any], message: str = "Edit by hand", **how: Any) -> str:
        """Commit as somebody else: path below the mirror's directory -> text, bytes, a document, or None to delete."""
        return self.hosted.git.commit(self._as_files(files), message, **how)

    def push(self, files: Mapping[str, Any], message: str = "Edit by hand", **how: Any) -> str:
        """The same, told to the webhooks that listen."""
        return self.forge.push(self.hosted.full_name, self._as_files(files), message, **how)

    def edit(self, path: str, **values: Any) -> str:
        """Change fields of a JSON file in git; a field that is None goes."""
        document = {name: value for name, value in {**self.json(path), **values}.items() if value is not None}
        return self.commit({path: document})

    def move(self, old: str, new: str, **values: Any) -> str:
        """Rename a JSON file in git in one commit, with fields of it."""
        return self.commit({old: None, new: {**self.json(old), **values}}, f"Move {old} to {new}")

    def _as_files(self, files: Mapping[str, Any]) -> dict[str, File | None]:
        base = f"{self.mirror.directory}/" if self.mirror.directory else ""
        return {f"{base}{path}": dumps(it) if isinstance(it, dict) else it for path, it in files.items()}

    def tree(self, branch: str = "main") -> dict[str, str]:
        """What the branch has below the mirror's directory: path -> blob id."""
        base = f"{self.mirror.directory}/" if self.mirror.directory else ""
        return {
            path.removeprefix(base): oid for path, oid in self.hosted.git.files(branch).items() if path.startswith(base)
        }

    def bytes_of(self, path: str, branch: str = "main") -> bytes:
        data = self.hosted.git.blob(self.tree(branch)[path])
        assert data is not None
        return data

    def text(self, path: str, branch: str = "main") -> str:
        return self.bytes_of(path, branch).decode()

    def json(self, path: str, branch: str = "main") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(path, branch))
        return found

    @property
    def head(self) -> str:
        return self.hosted.git.tip("main") or ""

    @property
    def subjects(self) -> list[str]:
        """The first lines of the commits, the newest first."""
        return subjects(self.hosted)

    def there(self, branch: str = "main") -> dict[str, dict[str, Any]]:
        """All entities that git has, as plain documents: path of the unit -> document."""
        tree = self.tree(branch)
        found = portable_paths.units(tree)
        assert not found.problems, found.problems
        read = {}
        for path, unit in found.units.items():
            data = {each: self.bytes_of(each, branch) for each in unit.files}
            read[path] = dict(reading.read(unit, data).document)
        return read

    # -- here ----------------------------------------------------------------------------------------------------------

    def here(self) -> dict[str, dict[str, Any]]:
        """The same of the database."""
        return {
            portable_paths.path_of(kind, each.slug): dict(each.document)
            for kind in Kind
            for each in porting.ours(self.organization, kind).values()
        }

    def row(self, kind: str, slug: str) -> Any:
        """The organisation's own row."""
        return MODELS[kind].objects.for_org(self.organization).get(slug=slug)

    def create(self, kind: str, /, *, by: User | None = None, owner: User | None = None, **values: Any) -> Any:
        """Through the service that pages call."""
        owned = {} if kind == "client" else {"owner": owner}
        make = getattr(SERVICES[kind], f"create_{kind}")
        return make(organization=self.organization, values=values, by=by or self.by, **owned)

    def save(self, kind: str, slug: str, /, *, by: User | None = None, **values: Any) -> Any:
        edit = getattr(SERVICES[kind], f"edit_{kind}")
        return edit(**{kind: self.row(kind, slug)}, values=values, seen_revision=None, by=by or self.by)

    def delete(self, kind: str, slug: str, *, by: User | None = None) -> None:
        getattr(SERVICES[kind], f"delete_{kind}")(**{kind: self.row(kind, slug)}, by=by or self.by)

    # -- both ----------------------------------------------------------------------------------------------------------

    def ask(self, trigger: str = Trigger.MANUAL) -> Run:
        return request_sync(self.mirror, trigger=trigger, by=self.by if trigger == Trigger.MANUAL else None)

    def tried(self) -> Run:
        """Ask for a sync and do all there is to do; the Run that was asked for, however it ended."""
        run = self.ask()
        work()
        run.refresh_from_db()
        return run

    def sync(self, trigger: str = Trigger.MANUAL) -> Run:
        """The same, where it has to end well."""
        run = self.ask(trigger)
        work()
        run.refresh_from_db()
        assert run.status in (Status.SUCCEEDED, Status.PARTIAL), (run.status, run.error_text, run.waiting_for)
        self.runs.append(run)
        return run

    def settle(self, path: str, choice: str, **more: Any) -> None:
        """Decide, as its page does, and let the worker do it."""
        self.decide(path, choice, **more)
        work()

    def decide(self, path: str, choice: str, **more: Any) -> Run:
        found = self.entity(path)
        seen = seen_of(found, sides_of(found))
        return settle(found, choice, of(self.by, self.organization), seen=seen, **more)

    def entity(self, path: str) -> MirroredEntity:
        return MirroredEntity.objects.get(mirror=self.mirror, path=path)

    def problem(self, path: str) -> dict[str, Any]:
        """What is told of the entity: the same on its row, where there is one, and on the path. {} for nothing."""
        found = MirroredEntity.objects.filter(mirror=self.mirror, path=path).first()
        if found is None or found.state in (EntityState.IN_STEP, EntityState.PROPOSED):
            if found is not None and found.entity is not None:
                row = MODELS[found.kind].objects.filter(pk=found.entity).first()
                assert row is None or row.git_integration == {}, row.git_integration
            return {}
        if found.entity is not None:
            row = MODELS[found.kind].objects.get(pk=found.entity)
            told = row.git_integration
            assert {name: told[name] for name in ("code", "message", "path")} == {
                name: found.error[name] for name in ("code", "message", "path")
            }
            return {**told, "state": found.state}
        return {**found.error, "state": found.state}

    def states(self) -> dict[str, str]:
        """Of all that want a person: path -> state."""
        wanting = MirroredEntity.objects.filter(mirror=self.mirror).exclude(
            state__in=(EntityState.IN_STEP, EntityState.PROPOSED)
        )
        return dict(wanting.values_list("path", "state"))

    def assert_in_step(self) -> None:
        """Both sides are the same, nothing is told of anything, and another sync writes nothing."""
        assert self.states() == {}
        assert self.there() == self.here()
        head = self.head
        run = self.sync()
        assert self.head == head, self.subjects[0]
        assert (run.counts.get("written", 0), run.counts.get("read", 0)) == (0, 0)

    @property
    def log(self) -> str:
        """All that git ever had, with messages and people."""
        return git(self.hosted, "log", "-p", "--all", "--format=%an <%ae> %cn <%ce>%n%B")


Begin = Callable[..., Mirrored]


def connect(
    forge: Forge,
    key: str,
    hosted: HostedRepository,
    organization: Organization,
    by: User,
    *,
    connection: Connection | None = None,
    mode: str = Mode.COMMIT,
    branch: str = "",
    directory: str = "",
    **wanted: Any,
) -> Mirrored:
    """Connect the repository, as the settings page does; nothing is synced yet."""
    entered: dict[str, Any] = {"mode": mode, "branch": branch, "directory": directory}
    if key == "git":
        token = SIDES["git"].credential(forge, "octo").token
        entered |= {"repository": forge.clone_url(hosted.full_name), "token": token}
    else:
        connection = connection or connection_at(forge, key, organization, by)
        entered |= {"connection_id": connection.pk, "repository": hosted.full_name}
    connect_mirror(membership=of(by, organization), values=Wanted(Assignment(**entered), **wanted))
    return Mirrored(forge, key, hosted, organization, by)


@pytest.fixture
def begin(forge: Forge, acme: Organization, alice: User) -> Begin:
    """Acme and a repository of octo's with somebody's README: `begin("gitlab", files=ALL)`.

    With `files` they are committed; `empty=True` is a repository without a commit. It is synced once, unless
    `synced=False`.
    """

    def begun(
        key: str = "github",
        files: Mapping[str, Any] | None = None,
        *,
        empty: bool = False,
        synced: bool = True,
        organization: Organization = acme,
        by: User = alice,
        name: str = "octo/entities",
        **fields: Any,
    ) -> Mirrored:
        hosted = forge.world.find(name) or forge.repository(name, private=True)
        if not empty and hosted.git.empty:
            hosted.git.commit({"README.md": "# Ours\n"}, "Begin")
        made = connect(forge, key, hosted, organization, by, **fields)
        if files:
            made.commit(files, "Write files by hand")
        if synced:
            made.sync()
        return made

    return begun
