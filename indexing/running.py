"""A Run that indexes a source: which kind does what, and what is remembered of how it ended."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from indexing import contents, federation
from indexing.models import Source
from indexing.reasons import Reason
from indexing.repositories import indexing as repositories
from indexing.sites import indexing as sites
from indexing.totals import counted
from jobs.context import RunContext
from jobs.outcomes import Cancelled, Ending, Failure, Interrupted, Outcome

logger = logging.getLogger(__name__)

Indexer = Callable[[RunContext, Source], Outcome]
"""Brings the index of one source up to date. Raises Failure with a `Reason` as its code, or Waiting."""

INDEXERS: dict[str, Indexer] = {
    Source.Kind.CONTENT: contents.index,
    Source.Kind.SITE: sites.index,
    Source.Kind.REPOSITORY: repositories.index,
    Source.Kind.MCP: federation.check,
}


def index(context: RunContext) -> Outcome:
    """What the kind `indexing.index` does."""
    source: Source | None = context.subject
    if source is None:
        return Outcome()  # deleted meanwhile
    if source.paused_at is not None:
        return Outcome(result={"paused": True})
    try:
        outcome = INDEXERS[source.kind](context, source)
    except Failure as failure:
        note(context, source, error_code=failure.code, error_text=failure.text)
        raise
    except (Ending, Cancelled, Interrupted):
        count(context, source)  # what was done until then stays
        raise
    except Exception as error:
        if not Source.objects.filter(pk=source.pk).exists():
            raise Cancelled from error  # deleted meanwhile, and with it what this stood on
        reference = secrets.token_hex(4)
        logger.exception("Indexing source %s failed, reference %s", source.pk, reference)
        text = f"Something went wrong in Millrace itself; its log has it under the reference {reference}."
        note(context, source, error_code=Reason.UNKNOWN, error_text=text, error_reference=reference)
        raise Failure(Reason.UNKNOWN, text) from error
    note(context, source, indexed_at=timezone.now(), error_code="", error_text="")
    return outcome


def note(context: RunContext, source: Source, **facts: Any) -> None:
    """Write what came of it. Raises LeaseLost where that is another worker's to say by now."""
    facts = {"error_reference": "", "checked_at": timezone.now(), **facts}
    with transaction.atomic():
        context.fence()
        Source.objects.filter(pk=source.pk).update(**facts)
    count(context, source)


def count(context: RunContext, source: Source) -> None:
    """Write how much of it is in the index; what a server's own content has is for `indexing.contents` to say."""
    if source.kind == Source.Kind.CONTENT:
        return
    with transaction.atomic():
        context.fence()
        Source.objects.filter(pk=source.pk).update(**counted(source))
