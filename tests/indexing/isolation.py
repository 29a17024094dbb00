"""Isolation cases of indexing."""

from __future__ import annotations

from typing import Any

from orgs.models import Organization
from tests import factories
from tests.isolation import Case


def _server(acme: Organization) -> dict[str, Any]:
    return {"server": factories.server(acme).slug}


def _source(acme: Organization) -> dict[str, Any]:
    return {"source": factories.source(factories.server(acme)).pk}


CASES = {
    "indexing:list": Case(viewer=200),
    "indexing:auto_refresh": Case(viewer=403),
    "indexing:source": Case(_source, viewer=200),
    "indexing:skipped": Case(_source, viewer=200),
    "indexing:row": Case(_source, viewer=302),
    "indexing:refresh": Case(_source, viewer=403, method="post"),
    "indexing:pause": Case(_source, viewer=403, method="post"),
    "indexing:go_on": Case(_source, viewer=403, method="post"),
    "indexing:edit": Case(_source, viewer=403, method="post"),
    "indexing:delete": Case(_source, viewer=403, method="post"),
    "indexing:linked": Case(lambda acme: {**_source(acme), "signed": "x"}, viewer=403),
    "indexing:link_with": Case(_server, viewer=403, method="post", data={"with": "token"}),
    "indexing:sources": Case(_server, viewer=200),
    "indexing:refresh_all": Case(_server, viewer=403, method="post"),
    "indexing:source_add": Case(_server, viewer=403, method="post"),
    "indexing:search": Case(_server, viewer=200, data={"q": "handbook"}),
    "indexing:misses": Case(_server, viewer=200),
}
