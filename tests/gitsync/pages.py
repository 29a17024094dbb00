"""What the tests of the pages share: assignments in whatever state, connections to the local forge, and the form."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from catalog.models import Server
from forges.models import Connection
from gitsync.forms import Choice
from gitsync.models import PushTarget
from gitsync.requesting import PUSH
from jobs.models import FINISHED, Run, Status
from orgs.models import Organization, User
from tests import factories
from tests.wire.forge import Forge
from tests.wire.world import HostedRepository

HTMX = {"HX-Request": "true"}
"""The header of a request that wants a fragment."""

_number = count(1)


def said(response: Any) -> list[str]:
    """The messages that the response leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def account(forge: Forge, org: Organization, maker: User | None, login: str = "acme", **fields: Any) -> Connection:
    """A connection of somebody's account at the local forge."""
    values = {"base_url": forge.url, "token": forge.token(login), "account": login, **fields}
    return factories.connection(org, maker, **values)


def choice(connection: Connection, repository: HostedRepository) -> str:
    """The value of the radio button."""
    return str(Choice(connection.pk, str(repository.id), repository.full_name))


def target_for(server: Server, **fields: Any) -> PushTarget:
    """An assignment as it would be in the database, that holds what is saved; no forge was asked."""
    values = {
        "forge": "github",
        "base_url": "https://api.github.com",
        "repository_id": str(next(_number)),
        "repository": "acme/config",
        "web_url": "https://github.com/acme/config",
        "branch": "main",
        "directory": server.slug,
        "pushed_revision": server.config_revision,
        "last_commit": "a" * 40,
        "last_commit_url": f"https://github.com/acme/config/commit/{'a' * 40}",
        "last_pushed_at": timezone.now(),
    }
    return PushTarget.objects.create(
        organization=server.organization, server=server, server_name=server.name, **{**values, **fields}
    )


def run_of(target: PushTarget, status: str = Status.SUCCEEDED, **fields: Any) -> Run:
    """A push as it would be in the database; nothing was done."""
    run: Run = Run.objects.create(
        organization=target.organization,
        kind=PUSH,
        subject=target,
        status=status,
        **{
            "finished_at": timezone.now() if status in FINISHED else None,
            "options_key": str(Run.objects.count()),
            **fields,
        },
    )
    return run


def address(part: str = "", server: str = "docs", org: str = "acme") -> str:
    return f"/o/{org}/servers/{server}/push/{part}"


def save(
    client: Client, target: PushTarget | None = None, *, server: str = "docs", htmx: bool = False, **chosen: Any
) -> Any:
    """The form as a browser sends it."""
    form = {
        "choice": "none",
        "url": "",
        "username": "",
        "token": "",
        "branch": "",
        "directory": "",
        "mode": "commit",
        "seen_revision": "" if target is None else str(target.revision),
    }
    headers = HTMX if htmx else {}
    return client.post(address(server=server), {**form, **chosen}, headers=headers)


def shown(client: Client, part: str = "", **headers: Any) -> str:
    """The page's, or the fragment's, text."""
    response = client.get(address(part), headers=headers)
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())
