"""Sync: what is here and what is in git, compared with what both last agreed on; then each side gets what it lacks. ::

    head -> the same, and nothing here differs? done
    list -> fetch what differs -> read -> match -> decide -> save here -> one commit -> remember

What has to change is always derived by comparing, so a sync that was interrupted anywhere is repaired by running it
again, and one that came back finds nothing to do.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog import porting
from catalog.portable.model import BadFile, Code
from forges.clients.base import Client
from forges.clients.errors import ForgeError, Moved
from gitsync.credentials import open_client, turn
from gitsync.endings import ending_of, stopped
from gitsync.ledger import current
from gitsync.mirror import noting, outgoing
from gitsync.mirror.applying import Applying
from gitsync.mirror.comparing import compare
from gitsync.mirror.deciding import Action
from gitsync.mirror.local import Gone, Local, is_as_it_was, last_change, take_local
from gitsync.mirror.pairs import Pair
from gitsync.mirror.reporting import Report, counted, summary_of
from gitsync.mirror.secrets import Scanner
from gitsync.mirror.showing import show
from gitsync.mirror.spool import Spool
from gitsync.mirror.there import There, check_seen, head_of, list_there
from gitsync.mirror.writing import Overtaken, Sent, Writing, message_of, settle_changes, undone
from gitsync.models import EntityState, Mirror, Mode, Problem
from gitsync.news import follow_rename
from jobs.context import RunContext
from jobs.models import Status
from jobs.outcomes import Cancelled, Outcome, Waiting
from lib.crypto import CryptoError

ROUNDS = 5
"""Times that it begins anew where somebody else was quicker, here or in git."""
_FIRST_WAIT = 0.3
"""Seconds, on average, before the second round; twice as long before each further one."""
_LATER = timedelta(minutes=1)


def sync(context: RunContext) -> Outcome:
    """The job. Options: `compare` (bool): look at everything, also at what is known to be as it was."""
    mirror = _fresh(context.subject)
    report = Report()
    try:
        with (
            turn(context, mirror),
            open_client(mirror, seconds=None, max_blob_bytes=settings.ENTITY_MAX_FILE_BYTES) as client,
        ):
            report.usage = client.usage
            return _rounds(context, client, mirror, report)
    except ForgeError as error:
        _sum_up(context, mirror, report, f"{error}")
        raise ending_of(context, mirror, error, result=report.result()) from error
    except CryptoError as error:
        _sum_up(context, mirror, report, f"{error}")
        raise stopped(
            context, mirror, Problem.FAILED, str(error), code="unreadable_secret", result=report.result()
        ) from error


def _fresh(mirror: Mirror) -> Mirror:
    try:
        return Mirror.objects.select_related("organization", "connection", "assigned_by").get(pk=mirror.pk)
    except Mirror.DoesNotExist as error:
        raise Cancelled from error


def _rounds(context: RunContext, client: Client, mirror: Mirror, report: Report) -> Outcome:
    for number in range(ROUNDS):
        if number:
            time.sleep(_FIRST_WAIT * 2 ** (number - 1) * (0.5 + random.random()))  # noqa: S311  # jitter
            context.log("Something changed here or in git meanwhile: it is compared again.")
        with suppress(Moved):
            outcome = _Round(context, client, mirror, report).run()
            if outcome is not None:
                return outcome
        mirror = _fresh(mirror)
    raise Waiting(until=timezone.now() + _LATER, for_what="others to be done with their changes")


class _Round:
    """One time through all of it."""

    def __init__(self, context: RunContext, client: Client, mirror: Mirror, report: Report) -> None:
        self._context, self._client, self._mirror, self._report = context, client, mirror, report
        self._everything = bool(context.options.get("compare"))

    def run(self) -> Outcome | None:
        """None where it has to begin anew."""
        context, client, mirror = self._context, self._client, self._mirror
        context.progress("Looking at what is here")
        up_to = last_change(mirror)
        unchanged = is_as_it_was(mirror)
        local = take_local(mirror) if self._everything or not unchanged else None
        context.progress("Looking at the repository")
        name, head = head_of(client, mirror)
        check_seen(mirror, head)
        Mirror.objects.filter(pk=mirror.pk).update(looked_at=timezone.now())
        if local is None:
            if head and head == mirror.last_commit:
                return self._nothing_new(up_to)
            local = take_local(mirror)
        context.progress("Listing the repository")
        there = list_there(client, mirror, name, head)
        if there.name != mirror.repository:
            follow_rename(mirror, there.name)
        scanner = Scanner(mirror.organization)
        with Spool(there, porting.limits(), scanner) as spool:
            pairs = compare(client, mirror, local, there, spool, everything=self._everything, tell=self._tell)
            return self._carry_out(local, there, spool, scanner, pairs)

    def _tell(self, stage: str, done: int, total: int) -> None:
        self._context.check()
        self._context.progress(stage, done, total)

    def _nothing_new(self, up_to: int) -> Outcome:
        with transaction.atomic():
            current(self._context, self._mirror)
            settle_changes(self._mirror, up_to)
            if self._mirror.problem == Problem.FAILED:
                Mirror.objects.filter(pk=self._mirror.pk).update(problem="", problem_text="", problem_details={})
        return Outcome(result=self._report.result() | {"unchanged": True})

    def _carry_out(
        self, local: Local, there: There, spool: Spool, scanner: Scanner, pairs: list[Pair]
    ) -> Outcome | None:
        mirror, report = self._mirror, self._report
        url = self._client.commit_url(there.name, there.commit) if there.commit else ""
        proposed = [(pair, dict(pair.row.proposed)) for pair in pairs if pair.row.proposed]
        self._say_what_is_void(pairs)
        try:
            applied = Applying(self._context, mirror, there, spool, commit_url=url).apply(pairs)
            report.read |= applied.read
            sent = self._write(local, there, spool, scanner, pairs, proposed) if there.complete else Sent()
        except (Gone, Overtaken):
            return None
        written = sent.written
        moved = written is not None and written.branch == mirror.branch and written.parent != there.commit
        if applied.again or moved:
            return None
        return self._done(local, there, pairs, sent)

    def _say_what_is_void(self, pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            if pair.row.settle and not pair.settled:
                self._context.log(
                    f"{pair.path} changed after somebody had decided about it, or they may not decide that any more; "
                    "it is asked again.",
                    "warning",
                )

    def _write(
        self,
        local: Local,
        there: There,
        spool: Spool,
        scanner: Scanner,
        pairs: list[Pair],
        proposed: list[tuple[Pair, dict[str, str]]],
    ) -> Sent:
        context, mirror, report = self._context, self._mirror, self._report
        context.progress("Making files")
        going, refused = outgoing.make(mirror, pairs, there, scanner)
        for pair, bad in refused:
            _refuse(context, mirror, there, pair, bad)
        back: dict[str, tuple[str, bytes | None]] = {}
        if mirror.mode == Mode.PULL_REQUEST and mirror.side_branch:
            oids = undone(proposed, there, mirror.base)
            spool.fetch_blobs(
                self._client, [oid for _, oid in oids.values() if oid], partial(self._tell, "Fetching files")
            )
            found = {path: (held, spool.bytes_of(oid) if oid else None) for path, (held, oid) in oids.items()}
            back = {path: each for path, each in found.items() if each[1] is not None or not oids[path][1]}
        if not going and not back and there.commit:
            return Sent()
        message = message_of(mirror, going, local.changes, scanner)
        report.message = message.subject
        sent = Writing(context, self._client, mirror, there, going, undone=back, message=message).write()
        report.written |= {each.pair.key for each in going if each.path not in sent.left}
        if (written := sent.written) is not None and written.changed:
            report.commit, report.parent, report.branch = written.commit, written.parent, written.branch
            report.commit_url = self._client.commit_url(written.name, written.commit)
        report.pull_request = {"number": sent.opened.number, "url": sent.opened.url} if sent.opened else {}
        for path in sent.left:
            context.log(f"{path} was changed by somebody else in the pull request's branch; it is left so.", "warning")
        return sent

    def _done(self, local: Local, there: There, pairs: Sequence[Pair], sent: Sent) -> Outcome:
        mirror, report, written = self._mirror, self._report, sent.written
        show(mirror)
        counts = report.count(pairs)
        report.complete = there.complete
        report.unfetched = mirror.entities.filter(error__code=Code.FETCH_FAILED).count()
        report.summary = summary_of(counts, there)
        now = timezone.now()
        url = self._client.commit_url
        head = written.commit if written is not None and written.branch == mirror.branch else there.commit
        fields: dict[str, Any] = {
            "last_commit": head if there.complete and not sent.left else "",
            "last_commit_url": url(there.name, head) if head else "",
            "synced_at": now,
            "counts": counts,
            "summary": report.summary,
            "problem": Problem.NONE,
            "problem_text": "",
            "problem_details": {},
            "updated_at": now,
        }
        if written is not None and written.changed:
            fields["last_pushed_at"] = now
        if mirror.mode != Mode.PULL_REQUEST or not mirror.entities.filter(state=EntityState.PROPOSED).exists():
            fields |= {"side_branch": "", "pull_request": "", "pull_request_url": ""}
        elif written is not None:
            opened = sent.opened
            fields |= {
                "side_branch": written.branch if opened else "",
                "pull_request": opened.number if opened else "",
                "pull_request_url": opened.url if opened else "",
            }
        with transaction.atomic():
            current(self._context, mirror)
            settle_changes(mirror, local.up_to)
            Mirror.objects.filter(pk=mirror.pk).update(**fields)
        status = Status.PARTIAL if counts["failed"] or not there.complete else Status.SUCCEEDED
        return Outcome(status=status, counts=counts, result=report.result())


def _refuse(context: RunContext, mirror: Mirror, there: There, pair: Pair, bad: BadFile) -> None:
    """What could not be written; it stays as it is on both sides."""
    pair.action, pair.bad = Action.FAIL, bad
    with transaction.atomic():
        current(context, mirror)
        noting.told(pair, there, EntityState.ERROR, noting.error_of(bad)).save()


def _sum_up(context: RunContext, mirror: Mirror, report: Report, why: str) -> None:
    """What is told of a sync that the forge stopped."""
    show(mirror)
    done = len(report.read | report.written)
    report.summary = f"Synced {counted(done)}, and stopped: {why}"
    with transaction.atomic():
        current(context, mirror)
        Mirror.objects.filter(pk=mirror.pk).update(
            summary=report.summary[:2000], counts={"read": len(report.read), "written": len(report.written)}
        )
