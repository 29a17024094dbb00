"""Push: wait until nobody saves any more -> picture -> render -> scan -> compare with the tree -> one commit -> record.

What has to change is always derived by comparing, so a push that was interrupted anywhere is repaired by running it
again, and one that came back finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from forges import writing
from forges.clients.base import Author, Client, PullRequest, Usage
from forges.clients.errors import ForgeError, NotFound
from forges.writing import Written
from gitsync import ledger, pull_requests
from gitsync.comparing import Plan, compare, intentions
from gitsync.credentials import open_client, turn
from gitsync.endings import Blocked, ending_of, stopped
from gitsync.gate import findings_in
from gitsync.messages import Message
from gitsync.models import Mode, PendingChange, Problem, PushTarget
from gitsync.news import follow_rename
from gitsync.picture import Files, Picture, files_of, message_of, take_picture
from gitsync.targets import PERSONAL
from jobs.context import RunContext
from jobs.outcomes import Cancelled, Failure, Outcome
from lib.crypto import CryptoError

SLICE = 0.25
"""Seconds between two looks whether somebody saved again."""
QUIET_TIMES = 4
"""Times as long as it waits for a quiet moment, it waits for one at most."""
FOREIGN_KEPT = 100
_LISTED = 200
"""Paths of each sort that a Run keeps for who reads it."""


@dataclass(slots=True)
class _Report:
    """What a Run tells of a push."""

    usage: Usage = field(default_factory=Usage)
    plan: Plan = field(default_factory=Plan)
    message: str = ""
    commit: str = ""
    commit_url: str = ""
    branch: str = ""
    pull_request: dict[str, str] = field(default_factory=dict)

    def result(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "message": self.message,
            "commit": self.commit,
            "commit_url": self.commit_url,
            "branch": self.branch,
            "pull_request": self.pull_request,
            "added": list(plan.added[:_LISTED]),
            "changed": list(plan.changed[:_LISTED]),
            "removed": list(plan.removed[:_LISTED]),
            "edited": list(plan.edited[:_LISTED]),
            "foreign": len(plan.foreign),
            "requests": self.usage.requests,
            "rate_remaining": self.usage.rate_remaining,
            "rate_limit": self.usage.rate_limit,
            "rate_reset_at": self.usage.rate_reset_at.isoformat() if self.usage.rate_reset_at else None,
        }


def push(context: RunContext) -> Outcome:
    """The job. Options: `compare` (bool): ask the forge although nothing is known to be missing there."""
    target: PushTarget = context.subject
    if target.server is not None and target.server.owner_id is not None:
        raise stopped(context, target, Problem.FAILED, PERSONAL, code="personal", result={})
    _wait_until_quiet(context, target)
    target = _fresh(target)
    if not context.options.get("compare") and _is_told(target):
        return Outcome(result={"unchanged": True})
    report = _Report()
    try:
        with turn(context, target), open_client(target, seconds=None) as client:
            report.usage = client.usage
            return _push(context, client, target, report)
    except ForgeError as error:
        raise ending_of(context, target, error, result=report.result()) from error
    except Blocked as blocked:
        raise stopped(
            context,
            target,
            blocked.problem,
            blocked.text,
            code=str(blocked.problem),
            result=report.result() | blocked.details,
            details=blocked.details,
        ) from blocked


def _fresh(target: PushTarget) -> PushTarget:
    rows = PushTarget.objects.select_related("organization", "server", "connection", "assigned_by")
    try:
        return rows.get(pk=target.pk)
    except PushTarget.DoesNotExist as error:
        raise Cancelled from error


def _wait_until_quiet(context: RunContext, target: PushTarget) -> None:
    """Saves within a few seconds become one commit: the Run waits here, and what is saved meanwhile is in it."""
    quiet = settings.GITSYNC_QUIET_SECONDS
    end = time.monotonic() + QUIET_TIMES * quiet
    while time.monotonic() < end:
        last = PendingChange.objects.filter(target=target).aggregate(at=Max("at"))["at"]
        left = 0.0 if last is None else quiet - (timezone.now() - last).total_seconds()
        if left <= 0:
            return
        context.progress("Waiting for more to be saved")
        context.check()
        time.sleep(min(left, SLICE))


def _is_told(target: PushTarget) -> bool:
    """Whether the repository has what is saved, as far as is known here: the push before this one took it along."""
    server = target.server
    return (
        server is not None
        and not target.problem
        and target.pushed_revision == server.config_revision
        and not target.changes.exists()
    )


def _push(context: RunContext, client: Client, target: PushTarget, report: _Report) -> Outcome:
    context.progress("Making the files")
    picture = take_picture(target)
    files = _made(context, target, picture)
    work = _Work(context, client, target, picture, files, report)
    _refuse_secrets(context, target, files, work.message)
    try:
        written, opened = work.write()
    except NotFound:
        if not _renamed(context, client, target):
            raise
        written, opened = work.write()
    context.progress("Noting what was pushed")
    return work.record(written, opened)


def _made(context: RunContext, target: PushTarget, picture: Picture) -> Files:
    try:
        return files_of(target, picture)
    except Failure as failure:
        raise stopped(context, target, Problem.FAILED, failure.text, code=failure.code, result={}) from failure


def _refuse_secrets(context: RunContext, target: PushTarget, files: Files, message: Message) -> None:
    context.progress("Looking for secrets")
    try:
        findings = findings_in(target, files, message)
    except CryptoError as error:
        raise stopped(context, target, Problem.FAILED, str(error), code="unreadable_secret", result={}) from error
    if not findings:
        return
    first = findings[0]
    where = f"{first['path']}, {first['field']}" if first["field"] else first["path"]
    more = f", and in {len(findings) - 1} more places" if len(findings) > 1 else ""
    raise Blocked(
        Problem.SECRET,
        f"What looks like a secret ({first['kind']}) is in {where}{more}. Nothing was pushed. Put it into a secret "
        "variable and write ${NAME} in its place, or say that it is none.",
        {"findings": findings},
    )


def _renamed(context: RunContext, client: Client, target: PushTarget) -> bool:
    """Whether the repository has another name now, which is taken over. Raises NotFound when it is gone, too."""
    try:
        found = client.find(target.repository_id)
    except NotFound as error:
        raise NotFound(
            f"The repository {target.repository} was deleted, or this account does not see it any more.",
            advice="Assign another repository, or a connection that sees it.",
        ) from error
    if found.full_name == target.repository:
        return False
    follow_rename(target, found.full_name, found.web_url)
    context.log(f"The repository is called {found.full_name} now.")
    return True


class _Work:
    """One push, from the comparison to what is remembered of it."""

    def __init__(
        self,
        context: RunContext,
        client: Client,
        target: PushTarget,
        picture: Picture,
        files: Files,
        report: _Report,
    ) -> None:
        self._context, self._client, self._target = context, client, target
        self._picture, self._files, self._report = picture, files, report
        self._rows = ledger.rows_of(target)
        self._vacated = ledger.vacated(target)
        self._others = ledger.others_have(target, self._rows.keys() - files.ids.keys())
        initial = not any(row.oid for row in self._rows.values())
        self.message = message_of(target, picture, initial=initial)

    def write(self) -> tuple[Written, PullRequest | None]:
        """The commit that it takes, if any, and the pull request in that mode."""
        self._report.message = self.message.subject  # which holds no secret, by now
        target = self._target
        if target.mode != Mode.PULL_REQUEST:
            return self._write(target.branch), None
        side = pull_requests.side_of(self._client, target)
        if side.branch != target.side_branch or side.open is None:
            _note_side(self._context, target, side.branch)
        return pull_requests.propose(self._client, target, side, self._write, self.message)

    def _write(self, branch: str) -> Written:
        target = self._target
        self._context.progress(f"Comparing with {branch}")
        return writing.write(
            self._client,
            name=target.repository,
            repository_id=target.repository_id,
            branch=branch,
            base=target.branch,
            propose=self._propose,
            message=self.message.text,
            author=self.message.author or committer(),
            committer=committer(),
            known=self._known(),
            check=self._context.check,
        )

    def _known(self) -> tuple[str, Mapping[str, str]] | None:
        """What was there at the last push: all that a comparison asks for, as long as the head is the same."""
        target = self._target
        if not target.last_commit or target.foreign_count > len(target.foreign):
            return None
        if any(row.intended for row in self._rows.values()):
            return None
        return target.last_commit, {**target.foreign, **{path: row.oid for path, row in self._rows.items()}}

    def _propose(self, tree: Mapping[str, str]) -> dict[str, bytes | None]:
        """Refuses what is in somebody's way, and notes what is about to be written."""
        target, want = self._target, self._files.ids
        plan = compare(
            tree,
            want,
            self._rows,
            directory=target.directory,
            vacated=self._vacated,
            others=self._others,
        )
        self._report.plan = plan
        if plan.blocking and self._picture.config is not None:
            raise _in_the_way(plan.blocking)
        intended = intentions(tree, want, self._rows)
        if intended:
            ledger.intend(self._context, target, intended)
            self._rows.update(intended)
        self._context.progress("Committing")
        return {**self._files.data, **dict.fromkeys(plan.removed)}

    def record(self, written: Written, opened: PullRequest | None) -> Outcome:
        """Note what the repository has now, and say it."""
        target, plan, picture = self._target, self._report.plan, self._picture
        for path in plan.edited[:_LISTED] if written.changed else ():
            self._context.log(f"{path} had been changed in git since it was pushed; that is overwritten.", "warning")
        if written.name != target.repository:
            follow_rename(target, written.name)
        url = self._client.commit_url(written.name, written.commit) if written.commit else ""
        report = self._report
        report.commit, report.commit_url, report.branch = written.commit, url, written.branch
        report.pull_request = {"number": opened.number, "url": opened.url} if opened else {}
        counts = {"added": len(plan.added), "changed": len(plan.changed), "removed": len(plan.removed)}
        outcome = Outcome(counts=counts if written.changed else {}, result=report.result())
        with transaction.atomic():
            now = ledger.current(self._context, target)
            PendingChange.objects.filter(target=target, pk__lte=picture.up_to).delete()
            if picture.config is None:
                now.delete()
                return outcome
            ledger.settle(target, self._files.ids.keys(), self._rows.keys())
            fields: dict[str, Any] = {
                "pushed_revision": picture.revision,
                # Where the directory became another one meanwhile, what else is there is not known.
                "last_commit": written.commit if now.directory == target.directory else "",
                "last_commit_url": url,
                "side_branch": written.branch if opened else "",
                "pull_request": opened.number if opened else "",
                "pull_request_url": opened.url if opened else "",
                "problem": Problem.NONE,
                "problem_text": "",
                "problem_details": {},
                "foreign": dict(list(plan.foreign.items())[:FOREIGN_KEPT]),
                "foreign_count": len(plan.foreign),
                "updated_at": timezone.now(),
            }
            if written.changed:
                fields["last_pushed_at"] = timezone.now()
            PushTarget.objects.filter(pk=target.pk).update(**fields)
        return outcome


@transaction.atomic
def _note_side(context: RunContext, target: PushTarget, branch: str) -> None:
    """Which side branch is about to be made, so that a push that is killed before its pull request goes on there."""
    ledger.current(context, target)
    fields = {"side_branch": branch, "pull_request": "", "pull_request_url": ""}
    PushTarget.objects.filter(pk=target.pk).update(**fields)
    for name, value in fields.items():
        setattr(target, name, value)


def _in_the_way(files: Mapping[str, str]) -> Blocked:
    first = next(iter(files))
    others = f" and {len(files) - 1} more files" if len(files) > 1 else ""
    return Blocked(
        Problem.CONFLICT,
        f"{first}{others} in the repository would be overwritten, and Millrace did not write them. Nothing was pushed. "
        "Take them over, choose another directory, or move them away in the repository.",
        {"files": dict(list(files.items())[:1000]), "count": len(files)},
    )


def committer() -> Author:
    """Whom commits are made by (GITSYNC_COMMITTER), whoever their author is."""
    name, _, email = settings.GITSYNC_COMMITTER.rpartition("<")
    return Author(name.strip() or "Millrace", email.strip(" >"))
