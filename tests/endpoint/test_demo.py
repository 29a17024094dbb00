"""What `make demo` prints about agents works as it is: the SDK's own client finds and reads what Refresh brought in."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from pytest_django import Settings

from catalog.models import Server
from config.demo import connect, repository, world
from indexing.content_news import ask_for_runs
from indexing.requesting import INDEX
from integrations.models import Integration
from integrations.refreshing import request_refresh
from jobs import runs
from jobs.models import Run, Status
from orgs.models import Membership, Organization
from tests.endpoint.live import HANDSHAKE, MODERN, Live

PAGE = "docs/guides/umbrellas.md"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.FORGE_LOCAL_ROOTS = [str(tmp_path)]
    made = tmp_path / "acme-weather"
    repository.create(made)
    return made


def _addresses(live: Live) -> list[str]:
    """Of the printed commands, where they lead."""
    printed = connect.lines(world.open_to_agents(Organization.objects.get()), live.url)
    commands = [shlex.split(line) for line in printed if not line.startswith("http")]
    assert [command[0] for command in commands] == ["claude", "npx"]
    return [word for command in commands for word in command if word.startswith("http://")]


def _refresh(folder: Path) -> None:
    (folder / PAGE).write_text("# Umbrellas\n\nCarry a pelerine instead when gusts pass 60 km/h.\n")
    subprocess.run(["git", "-C", str(folder), "add", PAGE], check=True)
    subprocess.run(["git", "-C", str(folder), "commit", "-qm", "Tell of umbrellas"], check=True)
    alice = Membership.objects.get(user__email="alice@acme.example")
    run = request_refresh(Integration.objects.get(server__slug="handbook"), prune=True, membership=alice)
    assert run.status == Status.SUCCEEDED
    ask_for_runs()  # as the worker does within the minute
    for queued in Run.objects.filter(kind=INDEX, status=Status.QUEUED):
        assert runs.run_inline(queued, budget=world.PATIENT).status == Status.SUCCEEDED


async def _find_and_read(client: Client) -> tuple[list[str], Any, str]:
    """As an agent goes about it: which tools, search, and fetch what was found first."""
    names = [tool.name for tool in (await client.list_tools()).tools]
    found = (await client.call_tool("search", {"query": "pelerine in strong gusts"})).structured_content
    assert found is not None
    first = found["results"][0]
    read = (await client.call_tool("fetch", {"id": first["id"]})).structured_content
    assert read is not None
    return names, first, read["text"]


def test_an_agent_finds_and_reads_a_file_that_refresh_brought_in_a_moment_ago(live: Live, folder: Path) -> None:
    world.seed(folder)
    address, *others = set(_addresses(live))
    assert not others
    _refresh(folder)
    for era in (HANDSHAKE, MODERN):
        names, first, text = live.talk(address.removeprefix(live.url), _find_and_read, era=era)
        assert {"search", "fetch", "list"} <= set(names)
        assert first["path"] == PAGE
        assert first["citation"]["commit"] == _head(folder)
        assert "Carry a pelerine instead" in text


@pytest.mark.django_db
def test_where_somebody_made_it_private_the_demo_says_where_keys_are_made(folder: Path) -> None:
    world.seed(folder)
    Server.objects.filter(slug="handbook").update(visibility=Server.Visibility.PRIVATE)
    server = world.open_to_agents(Organization.objects.get())
    assert connect.lines(server, "http://127.0.0.1:8000") == [
        "http://127.0.0.1:8000/o/acme/servers/handbook/connect/  (it is private: make a key there)"
    ]
    assert connect.lines(None, "http://127.0.0.1:8000") == []


def _head(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
