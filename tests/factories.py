"""Things to test with: each function makes one saved, valid thing, and takes what the test cares about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from django.utils.text import slugify

from catalog.file_blobs import oid_of
from catalog.models import (
    Blob,
    Client,
    Command,
    Content,
    FileBlob,
    Prompt,
    Provider,
    Resource,
    Server,
    Skill,
    SkillFile,
    Tool,
    Toolkit,
    ToolkitItem,
    Variable,
)
from forges.models import Connection, Hook, Method
from indexing.models import Source
from integrations.models import Integration, Track
from jobs.models import Run, Trigger
from jobs.runs import request_run
from orgs.models import Membership, Organization, Role, User

_number = count(1)
PASSWORD = "correct horse battery staple"


def user(email: str = "", **fields: Any) -> User:
    email = email or f"person{next(_number)}@example.com"
    return User.objects.create_user(email, PASSWORD, **fields)


def organization(name: str = "", **fields: Any) -> Organization:
    name = name or f"Organisation {next(_number)}"
    return Organization.objects.create(name=name, slug=fields.pop("slug", slugify(name)), **fields)


def membership(person: User, org: Organization, role: str = Role.VIEWER, **fields: Any) -> Membership:
    return Membership.objects.create(user=person, organization=org, role=role, **fields)


def server(org: Organization, name: str = "", **fields: Any) -> Server:
    name = name or f"Server {next(_number)}"
    return Server.objects.create(organization=org, name=name, slug=fields.pop("slug", slugify(name)), **fields)


def source(of: Server, kind: str = Source.Kind.SITE, **fields: Any) -> Source:
    number = next(_number)
    fields.setdefault("url", f"https://docs{number}.example.com/" if kind != Source.Kind.CONTENT else "")
    return Source.objects.create(server=of, kind=kind, name=fields.pop("name", f"Source {number}"), **fields)


def blob(text: str) -> Blob:
    fresh = Blob.of(text)
    return Blob.objects.get_or_create(sha256=fresh.sha256, defaults={"text": fresh.text, "size": fresh.size})[0]


def content(on: Server, path: str = "", text: str = "Hello\n", **fields: Any) -> Content:
    return Content.objects.create(server=on, path=path or f"file{next(_number)}.md", blob=blob(text), **fields)


def provider(on: Server, name: str = "", **fields: Any) -> Provider:
    """An upstream API of a server, without credentials."""
    number = next(_number)
    values = {"name": name or f"Weather {number}", "base_url": f"https://api{number}.example.com/v1"}
    return Provider.objects.create(server=on, **{**values, **fields})


def tool(of: Provider, name: str = "", **fields: Any) -> Tool:
    """A GET without arguments."""
    number = next(_number)
    values = {"name": name or f"getWeather{number}", "path": f"/weather/{number}"}
    return Tool.objects.create(server=of.server, provider=of, **{**values, **fields})


def resource(of: Provider, name: str = "", **fields: Any) -> Resource:
    """A text that is kept here."""
    number = next(_number)
    values = {"name": name or f"Guide {number}", "uri": f"docs://guides/{number}", "mime_type": "text/markdown"}
    return Resource.objects.create(server=of.server, provider=of, **{"text": "Hello\n", **values, **fields})


def prompt(of: Provider, name: str = "", **fields: Any) -> Prompt:
    """One message of a user, without arguments."""
    values = {"name": name or f"greet{next(_number)}", "messages": [{"role": "user", "text": "Say hello."}]}
    return Prompt.objects.create(server=of.server, provider=of, **{**values, **fields})


def variable(on: Server, name: str = "", value: str = "", **fields: Any) -> Variable:
    """A plain one; `secret="…"` makes it secret, to be sent to api.example.com."""
    fields.setdefault("is_secret", "secret" in fields)
    fields.setdefault("hosts", ["api.example.com"] if fields["is_secret"] else [])
    return Variable.objects.create(server=on, name=name or f"NAME_{next(_number)}", value=value, **fields)


def command(org: Organization, name: str = "", **fields: Any) -> Command:
    """A prompt without arguments; `owner=…` makes it personal."""
    name = name or f"Greet {next(_number)}"
    values = {"slug": slugify(name), "prompt": "Say hello."}
    return Command.objects.create(organization=org, name=name, **{**values, **fields})


def skill(org: Organization, name: str = "", files: Mapping[str, bytes] | None = None, **fields: Any) -> Skill:
    """Instructions, and `files` beside them."""
    name = name or f"Forms {next(_number)}"
    values = {"slug": slugify(name), "description": "Fills in forms.", "instructions": "Fill it in."}
    made = Skill.objects.create(organization=org, name=name, **{**values, **fields})
    for path, data in (files or {}).items():
        blob, _ = FileBlob.objects.get_or_create(
            organization=org, oid=oid_of(data), defaults={"size": len(data), "data": data}
        )
        SkillFile.objects.create(skill=made, path=path, blob=blob)
    return made


def toolkit(
    org: Organization,
    name: str = "",
    *items: Tool | Prompt | Resource,
    commands: Iterable[Command] = (),
    skills: Iterable[Skill] = (),
    **fields: Any,
) -> Toolkit:
    """A choice of `items`, commands and skills; an empty one unless told."""
    name = name or f"Toolkit {next(_number)}"
    made = Toolkit.objects.create(organization=org, name=name, **{"slug": slugify(name), **fields})
    for item in items:
        ToolkitItem.objects.create(toolkit=made, **{str(item._meta.model_name): item})
    made.commands.set(commands)
    made.skills.set(skills)
    return made


def client(
    org: Organization, name: str = "", servers: Iterable[Server] = (), toolkits: Iterable[Toolkit] = (), **fields: Any
) -> Client:
    """An application that may reach these; nothing unless told."""
    name = name or f"Editor {next(_number)}"
    made = Client.objects.create(organization=org, name=name, **{"slug": slugify(name), **fields})
    made.servers.set(servers)
    made.toolkits.set(toolkits)
    return made


def integration(on: Server, repository: str = "", **fields: Any) -> Integration:
    """A public repository of GitHub, with one branch; nothing has been imported."""
    repository = repository or f"acme/repository-{next(_number)}"
    track = {name: fields.pop(name) for name in ("branch", "include", "exclude", "mount_path") if name in fields}
    made = Integration.objects.create(
        server=on,
        forge=fields.pop("forge", "github"),
        base_url=fields.pop("base_url", "https://api.github.com"),
        repository=repository,
        repository_id=fields.pop("repository_id", str(next(_number))),
        **fields,
    )
    Track.objects.create(integration=made, **{"branch": "main", **track})
    return made


def connection(org: Organization, maker: User | None = None, **fields: Any) -> Connection:
    """An access token for an account of GitHub, made by `maker`."""
    number = next(_number)
    values = {
        "forge": "github",
        "base_url": "https://api.github.com",
        "method": Method.TOKEN,
        "account": f"octo{number}",
        "account_id": str(number),
        "token": f"ghp_{number:036}",
    }
    return Connection.objects.create(organization=org, user=maker, **{**values, **fields})


def hook(org: Organization, **fields: Any) -> Hook:
    """The webhook of a repository of GitHub."""
    number = next(_number)
    values = {
        "forge": "github",
        "base_url": "https://api.github.com",
        "repository_id": str(number),
        "repository": f"acme/repository-{number}",
        "secret": f"a secret of webhook {number}",
    }
    return Hook.objects.create(organization=org, **{**values, **fields})


def run(about: Server, *, kind: str = "tests.work", **fields: Any) -> Run:
    """A Run about a server, in whatever state."""
    asked = request_run(
        kind=kind, subject=about, organization=about.organization, trigger=Trigger.MANUAL, enqueue=False
    ).run
    for name, value in fields.items():
        setattr(asked, name, value)
    asked.save()
    return asked
