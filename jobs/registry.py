"""Which kinds of work exist: the apps above fill this in their `ready()`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

if TYPE_CHECKING:  # the models import this module, for the names of kinds
    from jobs.context import RunContext
    from jobs.models import Run
    from jobs.outcomes import Outcome
    from orgs.models import Membership


@dataclass(frozen=True)
class Kind:
    """One kind of work.

    `name` is stored in the Run (`integrations.refresh`), `label` is shown (“Refresh”). `function` does it, and has to
    be safe to run twice. `entitlement` is what the person who asked needs, when they ask, when it runs, and to cancel
    or retry it; None lets every member. `confirm_entitlement`, if given, is needed besides to confirm a held one.

    `subject_url` leads to the page of what the Run is about. Lists call it for each row with `run.subject` at hand:
    it must not ask the database, so `subjects` may give a queryset of the subjects with what it needs
    (`select_related`). `details` renders what the Run's page shows besides, if the kind has more to tell. For a held
    Run that is what a person decides on, with the buttons to confirm and decline below it: the page then has no others.
    """

    name: str
    label: str
    function: Callable[[RunContext], Outcome]
    entitlement: str | None
    subject_url: Callable[[Run], str]
    details: Callable[[HttpRequest, Membership, Run], SafeString] | None = None
    subjects: Callable[[], QuerySet[Any]] | None = None
    confirm_entitlement: str | None = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind, or replace the one of the same name."""
    _kinds[kind.name] = kind


def unregister(name: str) -> None:
    _kinds.pop(name, None)


def kind(name: str) -> Kind:
    """The kind of this name; KeyError for one that no app brought (any more)."""
    return _kinds[name]


def find(name: str) -> Kind | None:
    return _kinds.get(name)


def kinds() -> list[Kind]:
    """All of them by label."""
    return sorted(_kinds.values(), key=lambda each: each.label)


def label_of(name: str) -> str:
    """What people read for a kind, also for one that is gone."""
    known = find(name)
    return known.label if known else name
