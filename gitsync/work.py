"""One push at the forge: compared with what is there, committed, and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from forges import writing
from forges.clients.base import Author, Client, PullRequest, Usage
from forges.writing import Written
from gitsync import ledger, pull_requests
from gitsync.comparing import Plan, compare, intentions
from gitsync.endings import Blocked
from gitsync.gate import message_for
from gitsync.models import Mode, PendingChange, Problem, PushTarget
from gitsync.news import follow_rename
from gitsync.picture import Files, Picture
from jobs.context import RunContext
from jobs.outcomes import Outcome

FOREIGN_KEPT = 100
_LISTED = 200
"""Paths of each sort that a Run keeps for who reads it."""


@dataclass(slots=True)
class Report:
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


class Work:
    """One push, from the comparison to what is remembered of it."""

    def __init__(
        self,
        context: RunContext,
        client: Client,
        target: PushTarget,
        picture: Picture,
        files: Files,
        report: Report,
    ) -> None:
        self._context, self._client, self._target = context, client, target
        self._picture, self._files, self._report = picture, files, report
        self._rows = ledger.rows_of(target)
        self._vacated = ledger.vacated(target)
        self._others = ledger.others_have(target, self._rows.keys() - files.ids.keys())
        initial = not any(row.oid for row in self._rows.values())
        self._goes_on = False
        """Whether the pull request was open already, with what earlier pushes removed in it."""
        self.message = message_for(target, picture, initial=initial)

    def write(self) -> tuple[Written, PullRequest | None]:
        """The commit that it takes, if any, and the pull request in that mode."""
        self._report.message = self.message.subject  # which holds no secret, by now
        target = self._target
        if target.mode != Mode.PULL_REQUEST:
            return self._write(target.branch), None
        side = pull_requests.side_of(self._client, target)
        self._goes_on = side.open is not None
        if side.branch != target.side_branch or side.open is None:
            pull_requests.note_side(self._context, target, side.branch)
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

    def _leaving(self, opened: PullRequest | None) -> set[str]:
        """Files of ours that the open pull request removes, which can be closed as well as merged."""
        if opened is None:
            return set()
        before = {path for path, row in self._rows.items() if not row.oid} if self._goes_on else set()
        return before.union(self._report.plan.removed)

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
            ledger.settle(target, self._files.ids.keys(), self._rows, leaving=self._leaving(opened))
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
