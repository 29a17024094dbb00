"""Push: picture -> render -> scan -> compare with the tree -> one commit -> record.

What has to change is always derived by comparing, so a push that was interrupted anywhere is repaired by running it
again, and one that came back finds nothing to do.
"""

from __future__ import annotations

from forges.clients.base import Client
from forges.clients.errors import ForgeError, NotFound
from gitsync.credentials import open_client, turn
from gitsync.endings import Blocked, ending_of, stopped
from gitsync.gate import findings_in
from gitsync.messages import Message
from gitsync.models import Problem, PushTarget
from gitsync.news import follow_rename
from gitsync.picture import Files, Picture, files_of, take_picture
from gitsync.targets import PERSONAL
from gitsync.work import Report, Work
from jobs.context import RunContext
from jobs.outcomes import Cancelled, Failure, Outcome
from lib.crypto import CryptoError


def push(context: RunContext) -> Outcome:
    """The job. Options: `compare` (bool): ask the forge although nothing is known to be missing there."""
    target: PushTarget = context.subject
    if target.server is not None and target.server.owner_id is not None:
        raise stopped(context, target, Problem.FAILED, PERSONAL, code="personal", result={})
    target = _fresh(target)
    if not context.options.get("compare") and _is_told(target):
        return Outcome(result={"unchanged": True})
    report = Report()
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


def _is_told(target: PushTarget) -> bool:
    """Whether the repository has what is saved, as far as is known here: the push before this one took it along."""
    server = target.server
    return (
        server is not None
        and not target.problem
        and target.pushed_revision == server.config_revision
        and not target.changes.exists()
    )


def _push(context: RunContext, client: Client, target: PushTarget, report: Report) -> Outcome:
    context.progress("Making the files")
    picture = take_picture(target)
    files = _made(context, target, picture)
    work = Work(context, client, target, picture, files, report)
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
    none = ", or say that it is none" if all(found["allowable"] for found in findings) else ""
    raise Blocked(
        Problem.SECRET,
        f"What looks like a secret ({first['kind']}) is in {where}{more}. Nothing was pushed. Put it into a secret "
        f"variable and write ${{NAME}} in its place{none}.",
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
