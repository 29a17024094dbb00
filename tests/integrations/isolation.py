"""Isolation cases of integrations."""

from __future__ import annotations

from typing import Any

from integrations.models import FileChange, Integration
from integrations.refreshing import PREVIEW, REFRESH
from jobs.models import Run, Status
from orgs.models import Organization
from tests import factories
from tests.isolation import Case


def _server(acme: Organization) -> dict[str, Any]:
    return {"server": factories.server(acme).slug}


def _made(acme: Organization) -> Integration:
    return factories.integration(factories.server(acme))


def _integration(acme: Organization) -> dict[str, Any]:
    return {"integration": _made(acme).pk}


def _track(acme: Organization) -> dict[str, Any]:
    integration = _made(acme)
    return {"integration": integration.pk, "track": integration.tracks.get().pk}


def _draft(acme: Organization) -> dict[str, Any]:
    return {**_server(acme), "draft": "not-a-draft"}


def _run(integration: Integration, kind: str) -> Run:
    run: Run = Run.objects.create(
        organization=integration.server.organization,
        kind=kind,
        subject=integration,
        status=Status.SUCCEEDED,
        options_key="0" * 64,
    )
    return run


def _preview(acme: Organization) -> dict[str, Any]:
    integration = _made(acme)
    return {"integration": integration.pk, "run": _run(integration, PREVIEW).pk}


def _change(acme: Organization) -> dict[str, Any]:
    run = _run(_made(acme), REFRESH)
    return {"run": run.pk, "change": FileChange.objects.create(run=run, action="added", path="a.md").pk}


def _left_over(acme: Organization) -> dict[str, Any]:
    return {**_server(acme), "key": "0" * 64}


CASES = {
    "integrations:list": Case(viewer=200),
    "integrations:refresh_matching": Case(viewer=403, method="post"),
    "integrations:row": Case(_integration, viewer=302),
    "integrations:refresh": Case(_integration, viewer=403, method="post"),
    "integrations:edit": Case(_integration, viewer=403),
    "integrations:integration": Case(_integration, viewer=200),
    "integrations:automation": Case(_integration, viewer=403, method="post"),
    "integrations:automation_times": Case(_integration, viewer=403, method="post"),
    "integrations:branches_of": Case(_integration, viewer=403, method="post"),
    "integrations:count_of": Case(_integration, viewer=403, method="post"),
    "integrations:branch_add": Case(_integration, viewer=403, method="post"),
    "integrations:branch_edit": Case(_track, viewer=403, method="post"),
    "integrations:branch_remove": Case(_track, viewer=403, method="post"),
    "integrations:delete": Case(_integration, viewer=403, method="post"),
    "integrations:history": Case(_integration, viewer=200),
    "integrations:skips": Case(_integration, viewer=200),
    "integrations:preview": Case(_integration, viewer=403, method="post"),
    "integrations:preview_run": Case(_preview, viewer=403),
    "integrations:preview_diff": Case(_preview, viewer=403),
    "integrations:server": Case(_server, viewer=200),
    "integrations:refresh_all": Case(_server, viewer=403, method="post"),
    "integrations:connect": Case(_server, viewer=403),
    "integrations:connect_with": Case(_server, viewer=403, method="post"),
    "integrations:connect_return": Case(_draft, viewer=403),
    "integrations:repositories": Case(_server, viewer=403, method="post"),
    "integrations:branches": Case(_server, viewer=403, method="post"),
    "integrations:count": Case(_server, viewer=403, method="post"),
    "integrations:left_overs": Case(_left_over, viewer=403, method="post"),
    "integrations:change": Case(_change, viewer=200),
}
