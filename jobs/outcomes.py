"""How a piece of work can end. A kind's function returns an `Outcome` or raises one of the others.

Exception
└── Ending
    ├── Waiting    goes on at a time, or when somebody calls `runs.resume`
    ├── Held       a person has to confirm it
    ├── HandOver   too big for the request that it began in: a worker does it
    └── Failure    did not work, with a sentence for a person
BaseException
└── Stop           raised by `check` and `fence`; not for catching, hence no Exception
    ├── Cancelled  somebody asked for it
    ├── LeaseLost  another worker owns the Run now: write nothing more
    └── Interrupted  this worker is shutting down: the next one goes on
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.models import Status


@dataclass(frozen=True)
class Outcome:
    """It worked: `status` is succeeded or partial, `counts` are shown as chips, `result` is kept as it is (JSON)."""

    status: str = Status.SUCCEEDED
    counts: dict[str, int] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in (Status.SUCCEEDED, Status.PARTIAL):
            raise ValueError(f"An outcome is succeeded or partial, not {self.status}.")


class Ending(Exception):
    """Every way to end that is not an Outcome."""


class Waiting(Ending):
    """Go on at `until`, or with None when `runs.resume` is called; `for_what` finishes the sentence “Waiting for …”."""

    def __init__(self, until: datetime | None = None, for_what: str = "") -> None:
        super().__init__(for_what)
        self.until = until
        self.for_what = for_what


class Held(Ending):
    """Ask a person first. `text` says what for, `result` holds what they decide on, and `confirm_options` are merged
    into the Run's options when they confirm."""

    def __init__(self, result: dict[str, Any], text: str, *, confirm_options: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.result = result
        self.text = text
        self.confirm_options = confirm_options or {}


class HandOver(Ending):
    """The work does not fit the budget of `run_inline`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Failure(Ending):
    """It did not work. `code` is for programs, `text` says what happened and what to do, without secrets."""

    def __init__(
        self, code: str, text: str, result: dict[str, Any] | None = None, *, counts: dict[str, int] | None = None
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.result = result or {}
        self.counts = counts or {}


class Stop(BaseException):
    """Stop now. Not an Exception, so that a step that survives any error of one item does not survive this."""


class Cancelled(Stop):
    """Somebody cancelled the Run."""


class LeaseLost(Stop):
    """The Run belongs to another worker, or to nobody: nothing that is written from here on would be right."""


class Interrupted(Stop):
    """The worker is shutting down; the Run goes back to the queue."""
