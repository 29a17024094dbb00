"""Work that tells which process does it, and goes on until the folder says that it may end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from jobs.context import RunContext
from jobs.models import Trigger
from jobs.outcomes import Outcome
from jobs.registry import Kind
from jobs.runs import request_run
from orgs.models import Organization


def work(context: RunContext) -> Outcome:
    context.progress(f"in process {os.getpid()}")
    while not Path(context.options["until"]).exists():
        context.check()
        time.sleep(0.05)
    return Outcome(counts={"added": 1})


KIND = Kind(
    name="tests.long",
    label="Long work",
    function=work,
    entitlement=None,
    subject_url=lambda run: f"/{run.subject_id}/",
)


def main() -> None:
    """`python -m tests.jobs.cluster.request <file>`: ask for the work, which ends once the file exists."""
    organization = Organization.objects.get_or_create(name="Acme", slug="acme")[0]
    request_run(
        kind=KIND.name,
        subject=organization,
        organization=organization,
        options={"until": sys.argv[1]},
        trigger=Trigger.SCHEDULE,
    )
