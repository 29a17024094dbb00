"""Isolation cases of webhooks and connections. What forges post to is open to all, and believes nobody unsigned."""

from __future__ import annotations

from typing import Any

from forges.models import Connection, Delivery, Method
from orgs.models import Organization
from tests.forges_app.posting import BASE_URLS, hook_of
from tests.isolation import Case


def _hook(acme: Organization) -> dict[str, Any]:
    return {"hook": hook_of(acme).pk}


def _delivery(acme: Organization) -> dict[str, Any]:
    made = Delivery.objects.create(organization=acme, hook=hook_of(acme), event="push", digest="0" * 64)
    return {"delivery": made.pk}


def _installation(acme: Organization) -> dict[str, Any]:
    made = Connection.objects.create(
        organization=acme,
        shared=True,
        forge="github",
        base_url=BASE_URLS["github"],
        method=Method.GITHUB_APP,
        account="acme",
        installation_id="5",
    )
    return {"connection": made.pk}


def _callback(_acme: Organization) -> dict[str, Any]:
    return {"key": "github"}


def _posted(arguments: Any) -> Case:
    return Case(
        arguments,
        method="post",
        viewer=401,
        nobody=401,
        outsider=401,
        elsewhere=401,
        why="Forges post here: a signature opens it, no session does.",
    )


CASES = {
    "forges:hook": Case(_hook, viewer=403),
    "forges:hook_panel": Case(_hook, viewer=403),
    "forges:hook_secret": Case(_hook, viewer=403, method="post"),
    "forges:hook_rotate": Case(_hook, viewer=403),
    "forges:hook_check": Case(_hook, viewer=403, method="post"),
    "forges:redeliver": Case(_delivery, viewer=403, method="post"),
    "forges:app_deliveries": Case(_installation, viewer=403),
    "forges:connections": Case(viewer=403),
    "forges:connection_add": Case(viewer=403),
    "forges:connection_attention": Case(viewer=302),
    "forges:connection_token": Case(viewer=403),
    "forges:connection_consumer": Case(viewer=403),
    "forges:install": Case(viewer=403),
    "forges:start": Case(lambda _acme: {"key": "github"}, viewer=404, method="post"),
    "forges:connection": Case(_installation, viewer=403),
    "forges:avatar": Case(_installation, viewer=403),
    "forges:connection_rename": Case(_installation, viewer=403, method="post"),
    "forges:connection_share": Case(_installation, viewer=403, method="post"),
    "forges:connection_check": Case(_installation, viewer=403, method="post"),
    "forges:connection_disconnect": Case(_installation, viewer=403, method="post"),
    "forges:connection_delete": Case(_installation, viewer=403, method="post"),
    "oauth:callback": Case(
        _callback,
        viewer=404,
        outsider=404,
        why="Forges send people back here; whose way back it is, their own session says.",
    ),
    "inbox:app": _posted(lambda _acme: {}),
    "inbox:hook": _posted(lambda acme: {"forge": "github", "hook": str(hook_of(acme).pk)}),
    "inbox:fixed": _posted(lambda _acme: {"forge": "gitlab"}),
}
