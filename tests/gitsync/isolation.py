"""Isolation cases of git push sync."""

from __future__ import annotations

from typing import Any

from gitsync.models import PushTarget
from orgs.models import Organization
from tests import factories
from tests.gitsync.mirrors import entity_of, mirror_for
from tests.isolation import Case


def _server(acme: Organization) -> dict[str, Any]:
    """A server that is assigned a repository."""
    server = factories.server(acme)
    PushTarget.objects.create(
        organization=acme,
        server=server,
        server_name=server.name,
        forge="github",
        base_url="https://api.github.com",
        repository_id=str(server.pk.int % 10**9),
        repository="acme/config",
        branch="main",
        directory=server.slug,
    )
    return {"server": server.slug}


def _leaving(acme: Organization) -> dict[str, Any]:
    """A server that was deleted, whose files are still in its repository."""
    arguments = _server(acme)
    target = PushTarget.objects.get(server__organization=acme, server__slug=arguments["server"])
    PushTarget.objects.filter(pk=target.pk).update(server=None)
    return {"target": target.pk}


def _mirror(acme: Organization) -> dict[str, Any]:
    """An organisation whose entities are synced."""
    mirror_for(acme)
    return {}


def _entity(acme: Organization) -> dict[str, Any]:
    """One of them that wants a person."""
    return {"pk": entity_of(mirror_for(acme)).pk}


CASES = {
    "gitsync:target": Case(_server, viewer=200),
    "gitsync:state": Case(_server, viewer=302),
    "gitsync:repositories": Case(_server, viewer=403),
    "gitsync:branches": Case(_server, viewer=403, method="post"),
    "gitsync:preview": Case(_server, viewer=403),
    "gitsync:push_now": Case(_server, viewer=403, method="post"),
    "gitsync:take_over": Case(_server, viewer=403, method="post"),
    "gitsync:allow": Case(_server, viewer=403, method="post"),
    "gitsync:pull_requests": Case(_server, viewer=403, method="post"),
    "gitsync:settings": Case(viewer=403),
    "gitsync:settings_example": Case(viewer=403, method="post"),
    "gitsync:again": Case(_leaving, viewer=403, method="post"),
    "gitsync:abandon": Case(_leaving, viewer=403, method="post"),
    "gitsync:mirror": Case(_mirror, viewer=200),
    "gitsync:mirror_state": Case(_mirror, viewer=302),
    "gitsync:mirror_bitbucket": Case(_mirror, viewer=200),
    "gitsync:mirror_connection": Case(_mirror, viewer=200),
    "gitsync:mirror_repositories": Case(_mirror, viewer=403),
    "gitsync:mirror_branches": Case(_mirror, viewer=403, method="post"),
    "gitsync:mirror_settings": Case(_mirror, viewer=403),
    "gitsync:mirror_now": Case(_mirror, viewer=403, method="post"),
    "gitsync:mirror_pull_requests": Case(_mirror, viewer=403, method="post"),
    "gitsync:mirror_disconnect": Case(_mirror, viewer=403),
    "gitsync:mirror_preview": Case(_mirror, viewer=403),
    "gitsync:mirror_entity": Case(_entity, viewer=403),
}
