"""Isolation cases of Runs. Their kind is one that nobody knows, so only an owner may act on them."""

from __future__ import annotations

from typing import Any

from jobs.models import Run, Trigger
from jobs.runs import request_run
from orgs.models import Organization
from tests.isolation import Case


def _run(acme: Organization) -> dict[str, Any]:
    return {"pk": _requested(acme).pk}


def _requested(acme: Organization) -> Run:
    return request_run(kind="tests.unknown", subject=acme, organization=acme, trigger=Trigger.SCHEDULE).run


CASES = {
    "jobs:runs": Case(viewer=200),
    "jobs:run": Case(_run, viewer=200),
    "jobs:run_fragment": Case(_run, viewer=302),
    "jobs:cancel": Case(_run, viewer=403, method="post"),
    "jobs:retry": Case(_run, viewer=403, method="post"),
    "jobs:confirm": Case(_run, viewer=403, method="post"),
    "jobs:decline": Case(_run, viewer=403, method="post"),
}
