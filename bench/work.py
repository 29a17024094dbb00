"""The pieces of work that are measured, each run alone: `python -m bench.work <name> <arguments as JSON>`."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import Measurement, measuring, report

PATIENT_SECONDS, PATIENT_ITEMS = 3600, 1_000_000


def migrate() -> Measurement:
    _django()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        version = connection.cursor().execute("SHOW server_version").fetchone()[0].split()[0]
    else:
        version = sqlite3.sqlite_version
    connection.close()  # SQLite then brings its log into the one file that is copied
    return Measurement(said={"database": f"{connection.display_name} {version}"})


def connect(*, url: str, token: str, repository: str) -> Measurement:
    """An operator connects the repository to a server; again with another token, it updates what is there."""
    _django()
    from catalog.models import Server
    from integrations import connecting, probing
    from orgs.models import Role, User
    from tests import factories

    server = Server.objects.first()
    person = User.objects.first()
    if server is None or person is None:
        acme = factories.organization("Acme")
        person = factories.user("operator@example.com")
        factories.membership(person, acme, Role.ADMIN)
        server = factories.server(acme, "Docs")
    entered = probing.Entered(forge="github", base_url=url, repository=repository, token=token)
    with measuring() as measured:
        connecting.connect(server, entered, probing.probe(entered), by=person)
    return measured


def refresh() -> Measurement:
    """One refresh, as the worker does it: the first is the import."""
    _django()
    from integrations.models import Integration
    from integrations.refreshing import REFRESH
    from jobs import runs
    from jobs.context import Budget
    from jobs.models import Status, Trigger

    integration = Integration.objects.select_related("server__organization", "created_by").get()
    with measuring() as measured, _longest_transaction(measured):
        requested = runs.request_run(
            kind=REFRESH,
            subject=integration,
            organization=integration.server.organization,
            scope=str(integration.server_id),
            options={"prune": True},
            trigger=Trigger.MANUAL,
            requested_by=integration.created_by,
            enqueue=False,
        )
        run = runs.run_inline(requested.run, budget=Budget(PATIENT_SECONDS, PATIENT_ITEMS))
    assert run.status == Status.SUCCEEDED, (run.status, run.error_text)
    assert run.result["requests"] == measured.requests, "the Run tells people another number of requests"
    measured.said = run.counts
    return measured


def webhook() -> Measurement:
    """A webhook of GitHub's, and an integration that refreshes when it tells of a push."""
    _django()
    from tests import factories
    from tests.forges_app.posting import address, following, hook_of

    acme = factories.organization("Acme")
    following(factories.server(acme, "Docs"))
    hook = hook_of(acme)
    return Measurement(said={"path": address(hook), "secret": hook.secret})


def delivered() -> Measurement:
    """What a burst left behind."""
    _django()
    from forges.models import Delivery
    from jobs.models import Run

    return Measurement(said={"rows": Delivery.objects.count(), "runs": Run.objects.count()})


def clone(*, url: str, into: str) -> Measurement:
    """What git itself needs for the same files. Its requests are read from its own trace."""
    with tempfile.NamedTemporaryFile() as trace:
        environment = {
            **os.environ,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_TRACE_CURL": trace.name,
            "GIT_TRACE_CURL_NO_DATA": "1",
        }
        with measuring() as measured:
            subprocess.run(["git", "clone", "--quiet", "--depth=1", url, into], env=environment, check=True)
        sent = Path(trace.name).read_text(errors="replace")
    measured.requests = sent.count("=> Send header: GET ") + sent.count("=> Send header: POST ")
    measured.said = {"files": len(_pages(into))}
    measured.peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return measured


def insert(*, folder: str) -> Measurement:
    """The least that an import has to write: the texts of a clone, a blob and a content row each, nothing compared.

    In one transaction and by the quickest way there is here, so that what Millrace adds to it is seen.
    """
    _django()
    from django.db import transaction

    from catalog.bulk import insert_rows
    from catalog.models import Blob, Content, Origin
    from tests import factories

    server = factories.server(factories.organization("Acme"), "Docs")
    with measuring() as measured, _longest_transaction(measured), transaction.atomic():
        paths = _pages(folder)
        digests: dict[str, str] = {}

        def blobs() -> Iterator[tuple[str, int, str]]:
            for path in paths:
                text = path.read_text()
                digests[Blob.digest(text)] = str(path.relative_to(folder))
                yield Blob.digest(text), len(text.encode()), text

        insert_rows(Blob, ("sha256", "size", "text"), blobs())
        ids = Blob.objects.values_list("sha256", "pk").iterator()
        rows = [(digests[digest], pk) for digest, pk in ids]
        insert_rows(Content, ("path", "blob"), rows, same={"server": server.pk, "origin": Origin.IMPORTED})
    measured.said = {"files": len(rows)}
    return measured


def langchain(*, url: str, token: str, repository: str) -> Measurement:
    """LangChain's GithubFileLoader: one request for the tree, and one for each file."""
    warnings.simplefilter("ignore", DeprecationWarning)  # its maintainers look for successors
    from langchain_community.document_loaders import GithubFileLoader

    loader = GithubFileLoader(
        repo=repository,
        branch="main",
        access_token=token,
        github_api_url=url,
        file_filter=lambda path: path.endswith(".md"),
    )
    with measuring() as measured:
        documents = loader.load()
    measured.said = {"files": len(documents)}
    return measured


def _pages(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.md"))


@contextmanager
def _longest_transaction(measured: Measurement) -> Iterator[None]:
    """Watch this thread's transactions from BEGIN to COMMIT."""
    from django.db import connection

    connection.ensure_connection()
    switch = connection.set_autocommit
    began = 0.0

    def watched(autocommit: bool, *args: Any, **kwargs: Any) -> None:
        nonlocal began
        switch(autocommit, *args, **kwargs)
        now = time.perf_counter()
        if autocommit:
            measured.longest_transaction = max(measured.longest_transaction, now - began)
        began = now

    connection.set_autocommit = watched  # type: ignore[method-assign]
    try:
        yield
    finally:
        connection.set_autocommit = switch  # type: ignore[method-assign]


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()


WORK = {
    function.__name__: function
    for function in (migrate, connect, refresh, webhook, delivered, clone, insert, langchain)
}

if __name__ == "__main__":
    report(WORK[sys.argv[1]](**json.loads(sys.argv[2])))
