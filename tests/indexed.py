"""A server's own content in its index, as a worker brings it there."""

from __future__ import annotations

from catalog.models import Server
from indexing.contents import source_of_content
from indexing.requesting import request_index
from jobs import runs
from jobs.context import Budget
from jobs.models import Status


def index_contents(server: Server) -> None:
    """Not for use within a transaction."""
    run = runs.run_inline(request_index(source_of_content(server)), budget=Budget(seconds=600, items=1_000_000))
    assert run.status == Status.SUCCEEDED, run.error_text
