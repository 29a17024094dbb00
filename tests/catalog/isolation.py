"""Isolation cases of servers, content, versions, and of toolkits, commands, skills and clients."""

from __future__ import annotations

from functools import partial
from typing import Any

from catalog import versions
from catalog.documents import document_of
from catalog.models import EntityKind, Origin
from catalog.revisions import Source, record
from orgs.models import Organization
from tests import factories
from tests.isolation import Case


def _server(acme: Organization) -> dict[str, Any]:
    return {"server": factories.server(acme).slug}


def _content(acme: Organization, origin: str = Origin.TYPED) -> dict[str, Any]:
    server = factories.server(acme)
    return {"server": server.slug, "content": factories.content(server, "a.md", origin=origin).pk}


def _imported(acme: Organization) -> dict[str, Any]:
    return _content(acme, Origin.IMPORTED)


def _version(acme: Organization) -> dict[str, Any]:
    server = factories.server(acme)
    factories.content(server, "a.md")
    return {"server": server.slug, "number": versions.cut_version(server=server).number}


def _entry(acme: Organization) -> dict[str, Any]:
    server = factories.server(acme)
    factories.content(server, "a.md")
    version = versions.cut_version(server=server)
    return {"server": server.slug, "number": version.number, "entry": version.entries.get().pk}


def _version_server(acme: Organization) -> dict[str, Any]:
    return {"server": _version(acme)["server"]}


def _provider(acme: Organization) -> dict[str, Any]:
    provider = factories.provider(factories.server(acme))
    return {"server": provider.server.slug, "pk": provider.pk}


def _tool(acme: Organization) -> dict[str, Any]:
    tool = factories.tool(factories.provider(factories.server(acme)))
    return {"server": tool.server.slug, "pk": tool.pk}


def _resource(acme: Organization) -> dict[str, Any]:
    resource = factories.resource(factories.provider(factories.server(acme)))
    return {"server": resource.server.slug, "pk": resource.pk}


def _prompt(acme: Organization) -> dict[str, Any]:
    prompt = factories.prompt(factories.provider(factories.server(acme)))
    return {"server": prompt.server.slug, "pk": prompt.pk}


def _variable(acme: Organization) -> dict[str, Any]:
    variable = factories.variable(factories.server(acme))
    return {"server": variable.server.slug, "pk": variable.pk}


def _command(acme: Organization) -> dict[str, Any]:
    return {"pk": factories.command(acme).pk}


def _skill(acme: Organization) -> dict[str, Any]:
    return {"pk": factories.skill(acme, files={"a.txt": b"x"}).pk}


def _toolkit(acme: Organization) -> dict[str, Any]:
    return {"pk": factories.toolkit(acme).pk}


def _client(acme: Organization) -> dict[str, Any]:
    return {"pk": factories.client(acme).pk}


def _changed(acme: Organization, kind: str) -> dict[str, Any]:
    """One with a history."""
    row = getattr(factories, kind)(acme)
    facts = {"kind": EntityKind(kind), "pk": row.pk, "owner": None, "name": row.name, "slug": row.slug}
    made = record(organization=acme, verb="create", document=document_of(row), by=None, source=Source(), **facts)
    return {"pk": row.pk, "number": made.number}


_FILE = {"path": "a.txt"}
_MADE = {"toolkit": _toolkit, "command": _command, "skill": _skill, "client": _client}
_LIBRARY = {
    name: case
    for kind, made in _MADE.items()
    for name, case in {
        f"library:{kind}s": Case(viewer=200),
        f"library:{kind}_delete": Case(made, viewer=403, method="post"),
        f"library:{kind}_history": Case(made, viewer=200),
        f"library:{kind}_restore": Case(partial(_changed, kind=kind), viewer=403, method="post"),
    }.items()
}
"""The pages that all kinds of the Library have."""
CASES = {
    **_LIBRARY,
    "library:deleted": Case(viewer=200),
    "library:toolkit": Case(_toolkit, viewer=200),
    "library:toolkit_create": Case(viewer=403, method="post", data={"name": "Mine"}),
    "library:toolkit_edit": Case(_toolkit, viewer=403, method="post", data={"name": "Mine"}),
    "library:toolkit_share": Case(_toolkit, viewer=403, method="post"),
    "library:command_share": Case(_command, viewer=403, method="post"),
    "library:skill_share": Case(_skill, viewer=403, method="post"),
    "library:client": Case(_client, viewer=200),
    "library:client_create": Case(viewer=403, method="post", data={"name": "Mine", "kind": "agent"}),
    "library:client_edit": Case(_client, viewer=403, method="post", data={"name": "Mine", "kind": "agent"}),
    "catalog:servers": Case(viewer=200),
    "catalog:create": Case(viewer=403, method="post", data={"name": "Mine", "visibility": "private"}),
    "catalog:server": Case(_server, viewer=200),
    "catalog:edit": Case(_server, viewer=403, method="post", data={"name": "Mine"}),
    "catalog:attached": Case(_server, viewer=403, method="post", data={"seen": ""}),
    "catalog:delete": Case(_server, viewer=403, method="post"),
    "catalog:tools": Case(_server, viewer=200),
    "catalog:tool": Case(_tool, viewer=200),
    "catalog:tool_create": Case(_provider, viewer=403, method="post", data={"name": "getMine"}),
    "catalog:tool_edit": Case(_tool, viewer=403, method="post", data={"name": "getMine"}),
    "catalog:tool_enable": Case(_tool, viewer=403, method="post", data={"enabled": "0"}),
    "catalog:tool_try": Case(_tool, viewer=403, method="post"),
    "catalog:tool_delete": Case(_tool, viewer=403, method="post"),
    "catalog:provider": Case(_provider, viewer=200),
    "catalog:provider_create": Case(_server, viewer=403, method="post", data={"name": "Mine"}),
    "catalog:provider_edit": Case(_provider, viewer=403, method="post", data={"name": "Mine"}),
    "catalog:provider_delete": Case(_provider, viewer=403, method="post"),
    "catalog:resource": Case(_resource, viewer=200),
    "catalog:resource_raw": Case(_resource, viewer=200),
    "catalog:resource_create": Case(_provider, viewer=403, method="post", data={"name": "Mine"}),
    "catalog:resource_edit": Case(_resource, viewer=403, method="post", data={"name": "Mine"}),
    "catalog:resource_delete": Case(_resource, viewer=403, method="post"),
    "catalog:prompt": Case(_prompt, viewer=200),
    "catalog:prompt_create": Case(_provider, viewer=403, method="post", data={"name": "mine"}),
    "catalog:prompt_edit": Case(_prompt, viewer=403, method="post", data={"name": "mine"}),
    "catalog:prompt_delete": Case(_prompt, viewer=403, method="post"),
    "catalog:variables": Case(_server, viewer=200),
    "catalog:variable_create": Case(_server, viewer=403, method="post", data={"name": "MINE"}),
    "catalog:variable_edit": Case(_variable, viewer=403, method="post", data={"name": "MINE"}),
    "catalog:variable_delete": Case(_variable, viewer=403, method="post"),
    "catalog:contents": Case(_server, viewer=200),
    "catalog:content_at": Case(_server, viewer=302, data={"path": "a.md"}),
    "catalog:content_create": Case(_server, viewer=403, method="post", data={"path": "a.md", "text": "x"}),
    "catalog:content_upload": Case(_server, viewer=403, method="post"),
    "catalog:content": Case(_content, viewer=200),
    "catalog:content_raw": Case(_content, viewer=200),
    "catalog:content_edit": Case(_content, viewer=403, method="post", data={"text": "x"}),
    "catalog:content_rename": Case(_content, viewer=403, method="post", data={"path": "b.md"}),
    "catalog:content_detach": Case(_imported, viewer=403, method="post"),
    "catalog:content_delete": Case(_content, viewer=403, method="post"),
    "catalog:versions": Case(_server, viewer=200),
    "catalog:version_cut": Case(_server, viewer=403, method="post"),
    "catalog:version_notice": Case(_server, viewer=302),
    "catalog:version_clear": Case(_server, viewer=403, method="post", data={"pointer": "active"}),
    "catalog:version": Case(_version, viewer=200),
    "catalog:version_file": Case(_entry, viewer=200),
    "catalog:version_file_raw": Case(_entry, viewer=200),
    "catalog:version_point": Case(_version, viewer=403, method="post", data={"pointer": "active"}),
    "catalog:version_delete": Case(_version, viewer=403, method="post", data={"confirmed": "1"}),
    "catalog:compare": Case(_version_server, viewer=200),
    "catalog:compare_file": Case(_version_server, data={"before": "1", "after": "live", "path": "a.md"}, viewer=200),
    "catalog:openapi": Case(_server, viewer=403, method="post", data={"text": "{}"}),
    "catalog:export": Case(_server, viewer=403),
    "catalog:export_file": Case(_server, viewer=403),
    "catalog:import": Case(_server, viewer=403, method="post", data={"text": "{}"}),
    "catalog:server_import": Case(viewer=403, method="post", data={"text": "{}"}),
    "catalog:activity": Case(_server, viewer=200),
    "schemas:schema": Case(
        lambda _: {"kind": "toolkit"}, nobody=200, outsider=200, why="the schema of files, which is the same everywhere"
    ),
    "library:command": Case(_command, viewer=200),
    "library:command_create": Case(viewer=403, method="post", data={"name": "Mine", "prompt": "x"}),
    "library:command_edit": Case(_command, viewer=403, method="post", data={"name": "Mine", "prompt": "x"}),
    "library:skill": Case(_skill, viewer=200),
    "library:skill_create": Case(viewer=403, method="post", data={"name": "Mine", "description": "x"}),
    "library:skill_import": Case(viewer=403, method="post"),
    "library:skill_edit": Case(_skill, viewer=403, method="post", data={"name": "Mine", "description": "x"}),
    "library:skill_archive": Case(_skill, viewer=200),
    "library:skill_upload": Case(_skill, viewer=403, method="post"),
    "library:skill_file": Case(_skill, viewer=200, data=_FILE),
    "library:skill_file_raw": Case(_skill, viewer=200, data=_FILE),
    "library:skill_file_create": Case(_skill, viewer=403, method="post", data={**_FILE, "text": "x"}),
    "library:skill_file_edit": Case(_skill, viewer=403, data=_FILE),
    "library:skill_file_replace": Case(_skill, viewer=403, data=_FILE),
    "library:skill_file_rename": Case(_skill, viewer=403, data=_FILE),
    "library:skill_file_delete": Case(_skill, viewer=403, data=_FILE),
}
