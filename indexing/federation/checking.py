"""The Run of a source that is another MCP server: whether it can be asked, and by which of its tools."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from indexing.federation.asking import find_tool
from indexing.federation.model import NoAnswer
from indexing.federation.tools import shown
from indexing.models import Source
from indexing.reasons import Reason
from jobs.context import RunContext
from jobs.outcomes import Ending, Failure, Outcome, Waiting
from lib.database import release_connections

SECONDS = 20.0
"""Of the whole conversation."""
UNSAID, LONGEST = timedelta(minutes=5), timedelta(days=1)
"""How long a server is left alone that asks for it, where it does not say for how long, and at most."""


def check(context: RunContext, source: Source) -> Outcome:
    """The Indexer of MCP servers; nothing of them is in the index. Failure with a Reason; Waiting for a rate limit."""
    context.progress("Asking for its tools")
    release_connections()
    try:
        tool = find_tool(source, seconds=SECONDS)
    except NoAnswer as error:
        raise _ending(error) from error
    context.check()
    notice = f"Searches ask its tool “{shown(tool.name)}”."
    with transaction.atomic():
        context.fence()
        Source.objects.filter(pk=source.pk).update(notice=notice, pages=0, chunks=0)
    context.log(notice)
    return Outcome(result={"tool": tool.name, "argument": tool.argument, "protocol": tool.protocol})


def _ending(error: NoAnswer) -> Ending:
    if error.reason != Reason.RATE_LIMITED:
        return Failure(error.reason, str(error))
    wait = UNSAID if error.wait is None else min(timedelta(seconds=error.wait), LONGEST)
    return Waiting(timezone.now() + wait, "the MCP server, which allows no more requests for now")
