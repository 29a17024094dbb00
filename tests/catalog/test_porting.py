"""Rows as documents and back, by the rules of the pages, for what syncs with a repository."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import porting
from catalog.file_blobs import oid_of
from catalog.models import Server
from catalog.portable import reading, writing
from catalog.portable.model import BadFile, Code, Definition, Kind, Unit
from catalog.portable.normal import normal
from catalog.revisions import Source
from catalog.saving import Stale
from orgs.models import AuditEvent, Organization, User
from tests import factories

GIT = Source(kind="git", commit="a" * 40, url="https://git.example.com/commit/a")
GREET: dict[str, Any] = {
    "name": "Greet",
    "slug": "greet",
    "description": "Says hello.",
    "arguments": [{"name": "who", "required": True}, {"name": "how", "description": "Warmly"}],
    "prompt": "Say hello to {{who}} {{how}}.",
}


def definition(kind: Kind, document: dict[str, Any], data: dict[str, bytes] | None = None) -> Definition:
    return Definition(kind, "", document["slug"], document["name"], document, raw={}, data=data or {})


def apply(
    org: Organization,
    kind: Kind,
    document: dict[str, Any],
    *,
    pk: UUID | None = None,
    seen: int | None = None,
    data: dict[str, bytes] | None = None,
    by: User | None = None,
) -> porting.Ours:
    what = definition(kind, document, data)
    return porting.apply(org, what, pk=pk, seen_revision=seen, by=by, source=GIT)


def refused(org: Organization, kind: Kind, document: dict[str, Any], **how: Any) -> list[tuple[Code, tuple[str, ...]]]:
    with pytest.raises(BadFile) as bad:
        apply(org, kind, document, **how)
    assert all(each.path and each.message for each in bad.value.problems)
    return [(each.code, each.fields) for each in bad.value.problems]


@pytest.fixture
def world(acme: Organization, docs: Server) -> dict[str, Any]:
    """A server with things, a command, a skill and a toolkit of all of it."""
    weather = factories.provider(docs)
    things: dict[str, Any] = {
        "tool": factories.tool(weather, "getWeather"),
        "prompt": factories.prompt(weather, "askWeather"),
        "resource": factories.resource(weather, "Guide", uri="docs://guide"),
        "command": factories.command(acme, "Greet"),
        "skill": factories.skill(acme, "Forms", {"scripts/a.py": b"print()\n", "b.bin": b"\0\xff"}),
    }
    chosen = (things["tool"], things["prompt"], things["resource"])
    things["toolkit"] = factories.toolkit(
        acme, "Weather", *chosen, commands=[things["command"]], skills=[things["skill"]]
    )
    things["client"] = factories.client(acme, "Editor", [docs], [things["toolkit"]], kind="editor")
    return {**things, "server": docs}


WEATHER = {
    "name": "Weather",
    "slug": "weather",
    "servers": {"docs": {"tools": ["getWeather"], "prompts": ["askWeather"], "resources": ["docs://guide"]}},
    "commands": ["greet"],
    "skills": ["forms"],
}


def test_documents_say_what_rows_hold(acme: Organization, world: dict[str, Any]) -> None:
    toolkit = porting.ours(acme, Kind.TOOLKIT)[world["toolkit"].pk]
    assert dict(toolkit.document) == WEATHER
    assert list(toolkit.document) == ["name", "slug", "servers", "commands", "skills"]
    client = porting.ours(acme, Kind.CLIENT)[world["client"].pk]
    assert dict(client.document) == {
        "name": "Editor",
        "slug": "editor",
        "kind": "editor",
        "servers": ["docs"],
        "toolkits": ["weather"],
    }
    skill = porting.ours(acme, Kind.SKILL)[world["skill"].pk]
    assert skill.files == {"b.bin": oid_of(b"\0\xff"), "scripts/a.py": oid_of(b"print()\n")}
    assert skill.document["files"] == skill.files
    assert porting.file_bytes(skill.pk, ["b.bin", "none"]) == {"b.bin": b"\0\xff"}
