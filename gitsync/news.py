"""News from the catalog and the forges: saves are noted and pushed, servers and connections leave."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet

from catalog.models import Server
from catalog.saving import Change
from forges import standing
from forges.models import Connection
from gitsync import places
from gitsync.models import Mirror, PendingChange, Problem, PushTarget
from gitsync.places import place_of
from gitsync.requesting import live_runs, request_push, wake
from jobs import runs
from jobs.models import Run, Trigger
from orgs import audit
from orgs.models import Organization, User


@transaction.atomic
def on_config_saved(*, server: Server, change: Change, by: User | None, **_: object) -> None:
    """Receives `catalog.config_saved`: notes what changed. `saves.ask_for_pushes` asks for the push later: who saves
    waits for one row alone."""
    target = PushTarget.objects.filter(server=server).first()
    if target is None:
        return
    _note(target, change, by)
    if target.server_name != server.name:
        PushTarget.objects.filter(pk=target.pk).update(server_name=server.name)
        target.server_name = server.name
    follow_slug(target, server.slug)


def _note(target: PushTarget, change: Change, by: User | None) -> None:
    PendingChange.objects.create(
        target=target, person=by, verb=change.verb, kind=change.kind, name=change.name[:254], former=change.former[:254]
    )


def follow_slug(target: PushTarget, slug: str) -> None:
    """Let its directory be what the server is called now, unless another server's files are there. Our files follow
    with the next commit. Part of the caller's transaction."""
    directory = places.directory_of(slug)
    if not target.directory_follows or target.directory == directory:
        return
    place = place_of(target)
    places.lock(place)
    if places.taken(place, directory, but=target):
        return  # `states.notice_of` says so
    PushTarget.objects.filter(pk=target.pk).update(directory=directory, last_commit="")
    target.directory, target.last_commit = directory, ""


@transaction.atomic
def on_server_leaving(*, server: Server, by: User | None, **_: object) -> None:
    """Receives `catalog.server_leaving`: its files leave the repository with it."""
    target = PushTarget.objects.select_for_update().filter(server=server).first()
    if target is None:
        return
    if not target.files.exists():
        target.delete()
        return
    target.server, target.server_name, target.directory_follows = None, server.name, False
    target.save(update_fields=["server", "server_name", "directory_follows", "updated_at"])
    _note(target, Change("delete", "server", server.name), by)
    if not target.credential_lost:
        # In Millrace's name: who may delete servers need not be one who may edit them.
        request_push(target, trigger=Trigger.SAVE, by=None)


def consequence_of(server: Server) -> str:
    """What becomes of its files in a repository when it is deleted; "" for nothing."""
    target = PushTarget.objects.filter(server=server).first()
    if target is None or not (count := target.files.count()):
        return ""
    files = f"{count:,} file{'' if count == 1 else 's'}"
    if target.credential_lost:
        return f"{files} stay in {target.repository} on {target.branch}: the connection for it is gone."
    how = "by a pull request" if target.pull_request else "in one commit"
    return f"{files} in {target.repository} on {target.branch} are removed there {how}."


def on_connection_changed(*, connection: Connection, kind: str, **_: object) -> None:
    """Receives `forges.connection_changed`: what waited for it goes on, what lost it stops and says so."""
    using = PushTarget.objects.filter(connection=connection).select_related("organization")
    if kind == "connected":
        wake(*using)
        lacking = using.filter(
            Q(server=None) | Q(pushed_revision=None) | ~Q(pushed_revision=F("server__config_revision"))
        )
        for target in lacking.filter(problem__in=(Problem.NONE, Problem.FAILED)):
            request_push(target, trigger=Trigger.CONNECT, by=None)
    elif kind == "deleted":
        name = standing.named(connection)
        lost = f"{name[:1].upper()}{name[1:]} that it used was deleted."
        for target in using:
            for run in live_runs(target):
                runs.cancel_run(run, by=None)
        using.update(credential_lost=lost, problem=Problem.CREDENTIAL, problem_text=lost, problem_details={})


def on_changed(
    *,
    organization: Organization,
    forge: str,
    base_url: str,
    repository_id: str,
    kind: str,
    repository: str,
    **_: object,
) -> list[Run]:
    """Receives `forges.repository_changed`: follows renames by the forge's id, and says what is gone."""
    found: QuerySet[PushTarget] = PushTarget.objects.filter(
        organization=organization, forge=forge, base_url=base_url, repository_id=repository_id
    ).select_related("organization", "server")
    if kind in ("renamed", "transferred") and repository:
        for target in found.exclude(repository=repository):
            follow_rename(target, repository)
    elif kind == "deleted":
        gone = "The repository was deleted at the forge. Assign another one."
        found.update(problem=Problem.FAILED, problem_text=gone, problem_details={})
    return []


def follow_rename(target: PushTarget | Mirror, repository: str, web_url: str = "") -> None:
    """Take over the name that the repository has at the forge now; by its id it is the same one."""
    former, target.repository = target.repository, repository
    target.web_url = web_url or target.web_url.replace(former, repository)
    with transaction.atomic():
        type(target)._default_manager.filter(pk=target.pk).update(repository=repository, web_url=target.web_url)
        audit.record(
            "mirror.renamed" if isinstance(target, Mirror) else "target.renamed",
            organization=target.organization,
            actor=None,
            target=target,
            scope=None if isinstance(target, Mirror) else target.server,
            before={"repository": former},
            after={"repository": repository},
        )
