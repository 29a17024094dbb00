"""How a push or sync ended that the forge, or a person, has to have a say in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from forges.clients.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    ForgeError,
    NotFound,
    Protected,
    TooLarge,
    Unavailable,
)
from forges.patience import waits_for
from gitsync.ledger import DESTINATION, current
from gitsync.models import Problem
from jobs.context import RunContext
from jobs.outcomes import Ending, Failure

TRIES_FOR = timedelta(hours=6)
"""How long it is tried again by itself where the forge was not to be reached."""
_DETAILS = 4000
"""Characters of a sentence for a person that are kept."""
_ADVICE: tuple[tuple[type[ForgeError], str], ...] = (
    (Protected, "Switch to pull requests, or let this account push to the branch at the forge."),
    (AuthFailed, "Choose another connection, or enter a new token."),
    (
        Forbidden,
        "Let this account write to the repository at the forge, or choose another connection. Then try again.",
    ),
    (NotFound, "Assign another repository or branch, or a connection that sees it."),
    (Conflict, "Look at the repository at the forge, then try again."),
    (TooLarge, "Use a smaller repository, or ask the operator to raise the limit."),
    (Unavailable, "Try again later."),
)
"""What errors advise themselves is about reading, unless one knows better."""


class Blocked(Exception):  # an ending, as those of jobs
    """A person has to decide. Raised in the middle of the work; nothing is written."""

    def __init__(self, problem: Problem, text: str, details: dict[str, Any]) -> None:
        super().__init__(text)
        self.problem = problem
        self.text = text
        self.details = details


def ending_of(context: RunContext, target: DESTINATION, error: ForgeError, *, result: dict[str, Any]) -> Ending:
    """How a Run ends that the forge stopped. What a person has to act upon is kept on the target, too."""
    if (waiting := waits_for(context, error, tries_for=TRIES_FOR)) is not None:
        return waiting
    problem = Problem.PROTECTED if isinstance(error, Protected) else Problem.FAILED
    return stopped(context, target, problem, f"{error} {advice(error)}".strip(), code=error.code, result=result)


def advice(error: ForgeError) -> str:
    """What the person should do next."""
    if error.advice and error.advice != type(error).advice:
        return error.advice
    return next((text for kind, text in _ADVICE if isinstance(error, kind)), error.advice)


def stopped(
    context: RunContext,
    target: DESTINATION,
    problem: Problem,
    text: str,
    *,
    code: str,
    result: dict[str, Any],
    details: dict[str, Any] | None = None,
) -> Failure:
    """A Failure of the Run, which is kept on the target until a push succeeds. Nothing that was saved counts as
    told."""
    with transaction.atomic():
        current(context, target)
        type(target)._default_manager.filter(pk=target.pk).update(
            problem=problem, problem_text=text[:_DETAILS], problem_details=details or {}, updated_at=timezone.now()
        )
    return Failure(code, text[:_DETAILS], result)
