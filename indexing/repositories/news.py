"""News from the forges' side: pushes, repositories that changed, and connections that come and go."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from forges import standing
from forges.models import Connection
from indexing.models import Source
from indexing.reasons import Reason
from indexing.repositories.finding import follow
from indexing.requesting import INDEX, request_index
from jobs import runs
from jobs.models import Run, Status, Trigger
from orgs.models import Organization


def _of_repository(organization: Organization, forge: str, base_url: str, repository_id: str) -> QuerySet[Source]:
    found: QuerySet[Source] = Source.objects.for_org(organization).filter(
        kind=Source.Kind.REPOSITORY, forge=forge, base_url=base_url, repository_id=repository_id
    )
    return found.select_related("server__organization")


def on_pushed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    branches: tuple[str, ...],
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_pushed`: a Run for each source that is refreshed by itself and is of such a branch.

    Sources make no webhook of their own: these are the news of those that are there for something else.
    """
    found = _of_repository(organization, forge, base_url, repository_id)
    found = found.filter(auto_refresh=True, paused_at=None, credential_lost="")
    if branches:
        found = found.filter(Q(branch__in=branches) | Q(branch="", default_branch__in=(*branches, "")))
    return [request_index(each, trigger=Trigger.WEBHOOK) for each in found]


def on_changed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    kind: str,
    repository: str,
    branches: tuple[str, ...] = (),
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_changed`: follows renames by the forge's id, and says what is gone."""
    found = _of_repository(organization, forge, base_url, repository_id)
    match kind:
        case "renamed" | "transferred" if repository:
            for source in found:
                follow(source, repository)
        case "deleted":
            found.update(notice="The repository was deleted at the forge. What was indexed of it stays.")
        case "branch_deleted":
            gone = Q(branch__in=branches) | Q(branch="", default_branch__in=branches)
            found.filter(gone).update(notice="Its branch was deleted at the forge. What was indexed of it stays.")
    return []


def on_connection_changed(*, connection: Connection, kind: str, **_: object) -> None:
    """Receives `forges.connection_changed`: what waited for it or failed without it goes on; what lost it says so."""
    using = Source.objects.filter(connection=connection).select_related("server__organization")
    if kind == "connected":
        _go_on(using)
        for source in using.filter(error_code=Reason.AUTH_REQUIRED, paused_at=None):
            request_index(source, trigger=Trigger.CONNECT)
    elif kind == "deleted":
        name = standing.named(connection)
        ids = list(using.values_list("pk", flat=True))
        using.update(credential_lost=f"{name[:1].upper()}{name[1:]} that it used was deleted.")
        _go_on(Source.objects.filter(pk__in=ids))  # nothing will call a Run that waits for it


def _go_on(sources: Iterable[Source]) -> None:
    for source in sources:
        for run in Run.objects.about(source).filter(kind=INDEX, status=Status.WAITING):
            runs.resume(run)
