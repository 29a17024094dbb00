"""What can go wrong between a client and a forge, on demand.

A fault is a function `(request, proceed) -> reply`: it may answer itself, act before it proceeds, alter the true reply,
or raise `CutConnection`. Arm one with `server.fault(...)`::

    with forge.fault(faults.status(502), on="GET */git/trees/*", times=2):
        ...

Replies that a fault made or altered are not checked against the contract: they are what a forge should not send.
"""

from __future__ import annotations

from tests.wire.faults.archives import archive_bomb, hostile_archive
from tests.wire.faults.arming import ArmedFault, Fault, instead
from tests.wire.faults.lies import (
    HOSTILE_PATHS,
    alter_json,
    entry,
    inject_entries,
    malformed_json,
    redirect,
    truncated_tree,
    web_page,
    wrong_blob,
)
from tests.wire.faults.line import (
    afterwards,
    cut_after_work,
    cut_before_reply,
    cut_body,
    cut_request,
    fail_after_work,
    first,
    slow,
    slow_body,
)
from tests.wire.faults.paging import next_page_on, page_that_is_its_own_next, pages_with_holes, pages_without_end
from tests.wire.faults.refusals import missing_scope, not_found, rate_limited, secondary_limited, status, unauthorized

__all__ = [
    "HOSTILE_PATHS",
    "ArmedFault",
    "Fault",
    "afterwards",
    "alter_json",
    "archive_bomb",
    "cut_after_work",
    "cut_before_reply",
    "cut_body",
    "cut_request",
    "entry",
    "fail_after_work",
    "first",
    "hostile_archive",
    "inject_entries",
    "instead",
    "malformed_json",
    "missing_scope",
    "next_page_on",
    "not_found",
    "page_that_is_its_own_next",
    "pages_with_holes",
    "pages_without_end",
    "rate_limited",
    "redirect",
    "secondary_limited",
    "slow",
    "slow_body",
    "status",
    "truncated_tree",
    "unauthorized",
    "web_page",
    "wrong_blob",
]
