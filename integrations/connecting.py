"""Connect, edit, delete: what a person configures about an integration.

Everything entered is tried at the forge before anything is written, outside any transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.http import HttpRequest

from catalog import contents
from catalog.models import Content, Origin, Server
from forges.clients import FORGES, normalise_repository
from forges.clients.base import (
    Account,
    AuthFailed,
    Branch,
    Credential,
    Forbidden,
    ForgeError,
    InvalidName,
    NotFound,
    Repository,
)
from forges.clients.names import check_branch
from forges.opening import client_for, local_roots
from forges.reading import InvalidPattern, PathFilter, check_path
from integrations.apply import LOOKUP, chunked
from integrations.models import ImportedFile, Integration, Track
from jobs import runs
from jobs.models import LIVE, Run, Status
from orgs import audit
from orgs.models import User

INTERACTIVE_SECONDS = 15.0
"""How long a request to a forge may take while a person waits for a form."""
NOT_ACCEPTED = "Enter one that the forge accepts."


class FieldError(ValueError):
    """Something entered does not work. `field` is its form field, "" where it is none's alone."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Entered:
    """What the connect form holds, as text."""

    forge: str
    repository: str
    base_url: str = ""
    username: str = ""
    token: str = ""
    branch: str = ""
    """Empty means the default branch."""
    include: str = ""
    exclude: str = ""
    mount_path: str = ""

    @property
    def credential(self) -> Credential:
        return Credential(token=self.token, username=self.username)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the forge said about what was entered."""

    base_url: str
    account: Account
    repository: Repository
    branch: str
    commit: str
    """The branch's head; "" for a repository without a commit."""


@dataclass(frozen=True, slots=True)
class Connected:
    integration: Integration
    track: Track
    created: bool
    """False when the repository was connected already and its row was updated."""
    adopted: int
    """Files of an earlier integration that it took over."""


def probe(entered: Entered) -> Probe:
    """Try a credential, repository and branch at the forge. Raises FieldError; writes nothing."""
    base_url = FORGES[entered.forge].base_url if not entered.base_url else entered.base_url.rstrip("/")
    try:
        name = normalise_repository(entered.forge, base_url, entered.repository, local_roots=local_roots())
    except InvalidName as error:
        raise FieldError("repository", str(error)) from error
    field = "token" if entered.token else "repository"
    try:
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            account = client.account() if entered.token else Account(login=None)
            field = "repository"
            repository = client.repository(name)
            branch = entered.branch or repository.default_branch
            field = "branch"
            commit = client.head(repository.full_name, check_branch(branch))
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except Forbidden as error:
        raise FieldError("token" if entered.token else "repository", f"{error} {error.advice}") from error
    except NotFound as error:
        raise FieldError(field, _not_found(field, entered)) from error
    except InvalidName as error:
        raise FieldError(field, str(error)) from error
    except ForgeError as error:
        raise FieldError("repository" if field == "token" else field, f"{error} {error.advice}") from error
    return Probe(base_url, account, repository, branch, commit)


def _not_found(field: str, entered: Entered) -> str:
    if field == "branch":
        return "There is no such branch. Choose one from the list, or leave it empty for the default branch."
    if entered.token:
        return "This token sees no such repository. Check the spelling, and that the token was given access to it."
    return "There is no public repository of this name. A private one needs an access token."


def branches(entered: Entered) -> tuple[str, tuple[Branch, ...]]:
    """(default branch, branches with the default one first). Raises FieldError."""
    base_url = entered.base_url.rstrip("/") or FORGES[entered.forge].base_url
    try:
        name = normalise_repository(entered.forge, base_url, entered.repository, local_roots=local_roots())
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            repository = client.repository(name)
            found = client.branches(repository.full_name)
    except NotFound as error:
        raise FieldError("repository", _not_found("repository", entered)) from error
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except ForgeError as error:
        raise FieldError("repository", f"{error} {error.advice}") from error
    default = repository.default_branch
    return default, tuple(sorted(found, key=lambda branch: (branch.name != default, branch.name)))


def repositories(entered: Entered, *, query: str) -> tuple[Repository, ...]:
    """What the credential can see, for the picker. Raises FieldError."""
    base_url = entered.base_url.rstrip("/") or FORGES[entered.forge].base_url
    try:
        with client_for(
            forge=entered.forge, base_url=base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            return client.repositories(query=query, limit=50) if client.lists_repositories else ()
    except AuthFailed as error:
        raise FieldError("token", f"{error} {NOT_ACCEPTED}") from error
    except ForgeError as error:
        raise FieldError("repository", f"{error} {error.advice}") from error


@dataclass(frozen=True, slots=True)
class FilterCount:
    matching: int
    files: int
    complete: bool
    sample: tuple[str, ...]


def count_matching(entered: Entered) -> FilterCount:
    """How many files of the branch the filter takes. Raises FieldError."""
    only = parse_filter(entered.include, entered.exclude)
    found = probe(entered)
    try:
        with client_for(
            forge=entered.forge, base_url=found.base_url, credential=entered.credential, seconds=INTERACTIVE_SECONDS
        ) as client:
            listing = client.tree(found.repository.full_name, found.commit)
    except ForgeError as error:
        raise FieldError("", f"{error} {error.advice}") from error
    paths = [entry.path for entry in listing.entries if only.matches(entry.path)]
    return FilterCount(len(paths), len(listing.entries), listing.complete, tuple(sorted(paths)[:20]))


def parse_filter(include: str, exclude: str) -> PathFilter:
    """Raises FieldError on the field of the first line that is no pattern."""
    try:
        PathFilter.parse(include)
    except InvalidPattern as error:
        raise FieldError("include", str(error)) from error
    try:
        return PathFilter.parse(include, exclude)
    except InvalidPattern as error:
        raise FieldError("exclude", str(error)) from error


def normalise_mount(text: str) -> str:
    """A folder on the server without slashes around. Raises FieldError."""
    mount = text.strip().strip("/")
    if mount and (bad := check_path(mount, max_bytes=255)):
        raise FieldError("mount_path", bad.detail)
    return mount


def connect(
    server: Server, entered: Entered, found: Probe, *, by: User, request: HttpRequest | None = None
) -> Connected:
    """Connect a probed repository to a server.

    The same repository again updates its row, with what was entered now, and never makes a second; two at the same
    moment end as one. Files that an earlier integration of the same source left are adopted. Raises FieldError.
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        # One at a time on a server: the second finds the first one's row and updates it.
        Server.objects.select_for_update().get(pk=server.pk)
        identity = {
            "server": server,
            "forge": entered.forge,
            "base_url": found.base_url,
            "repository_id": found.repository.id,
        }
        integration = Integration.objects.filter(**identity).first()
        created = integration is None
        if integration is None:
            integration = Integration(**identity, created_by=by)
        before = _snapshot(integration, integration.tracks.first()) if not created else {}
        _take_probe(integration, entered, found)
        integration.save()
        track = integration.tracks.order_by("branch", "mount_path").first() or Track(integration=integration)
        adopted = _save_track(
            track,
            branch=found.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        audit.record(
            "integration.connected" if created else "integration.reconnected",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=before,
            after=_snapshot(integration, track),
            request=request,
        )
    return Connected(integration, track, created, adopted)


def edit(
    integration: Integration,
    track: Track,
    entered: Entered,
    *,
    found: Probe | None,
    clear_token: bool = False,
    by: User,
    request: HttpRequest | None = None,
) -> int:
    """Change branch, filter, mount path or credential; returns how many left-over files were adopted.

    `found` is the probe of a new token or branch, None when neither changed. A blank token keeps the one that is
    there. What the change means for the content is the next refresh's to show and to do. Raises FieldError.
    """
    parse_filter(entered.include, entered.exclude)
    mount_path = normalise_mount(entered.mount_path)
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=integration.server_id)
        before = _snapshot(integration, track)
        if found is not None:
            if found.repository.id != integration.repository_id:
                raise FieldError("repository", "This is another repository. Connect it as an integration of its own.")
            _take_probe(integration, entered, found)
        if clear_token:
            integration.token, integration.token_account, integration.token_expires_at = "", "", None
        integration.save()
        adopted = _save_track(
            track,
            branch=found.branch if found else track.branch,
            include=entered.include,
            exclude=entered.exclude,
            mount_path=mount_path,
        )
        audit.record(
            "integration.edited",
            organization=integration.server.organization,
            actor=by,
            target=integration,
            scope=integration.server,
            before=before,
            after=_snapshot(integration, track) | ({"token": "replaced"} if entered.token else {}),
            request=request,
        )
    return adopted


def _take_probe(integration: Integration, entered: Entered, found: Probe) -> None:
    integration.repository = found.repository.full_name
    integration.web_url = found.repository.web_url
    integration.private = found.repository.private
    if entered.token:
        integration.token = entered.token
        integration.username = entered.username
        integration.token_account = found.account.login or ""
        integration.token_expires_at = found.account.expires_at


def _save_track(track: Track, *, branch: str, include: str, exclude: str, mount_path: str) -> int:
    """Save a Track and take over what an earlier one of the same source left; its rows follow its new identity."""
    integration = track.integration
    track.branch, track.include, track.exclude, track.mount_path = branch, include, exclude, mount_path
    try:
        with transaction.atomic():
            track.save()
    except IntegrityError as error:
        raise FieldError("branch", "This branch is already connected at this mount path.") from error
    left_over = ImportedFile.objects.filter(server_id=integration.server_id, source_key=track.source_key, track=None)
    own = ImportedFile.objects.filter(track=track)
    # Where both have a row for a path, the Track's own is the newer truth; the other becomes a person's.
    twins = left_over.filter(path__in=own.values("path"))
    Content.objects.filter(pk__in=twins.values("content_id")).update(origin=Origin.TYPED)
    twins.delete()
    own.update(source_key=track.source_key)
    return left_over.update(track=track)


def _snapshot(integration: Integration, track: Track | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "forge": integration.forge,
        "repository": integration.repository,
        "token": Integration.token.is_set(integration),
    }
    if track is not None:
        shown |= {
            "branch": track.branch,
            "include": track.include,
            "exclude": track.exclude,
            "mount_path": track.mount_path,
        }
    return shown


@dataclass(frozen=True, slots=True)
class Deleted:
    repository: str
    kept_files: int
    source_keys: tuple[str, ...]
    cancelled: int


def delete_integration(integration: Integration, *, by: User, request: HttpRequest | None = None) -> Deleted:
    """Delete an integration and stop its Runs; its content stays, to be adopted by connecting again or removed."""
    with transaction.atomic():
        server = Server.objects.select_for_update().get(pk=integration.server_id)
        going = Run.objects.about(integration).filter(status__in=(*LIVE, Status.HELD))
        cancelled = len([runs.cancel_run(run, by=by) for run in going])
        keys = tuple(integration.tracks.values_list("source_key", flat=True))
        kept = ImportedFile.objects.filter(track__integration=integration).count()
        audit.record(
            "integration.deleted",
            organization=server.organization,
            actor=by,
            target=integration,
            scope=server,
            before=_snapshot(integration, integration.tracks.first()) | {"files_kept": kept},
            request=request,
        )
        integration.delete()
    return Deleted(integration.repository, kept, keys, cancelled)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Files that a deleted integration brought and nobody refreshes any more."""

    source_key: str
    repository: str
    branch: str
    files: int


def left_overs(server: Server) -> list[LeftOver]:
    """The sources whose integration is gone, one query however many files."""
    rows = (
        ImportedFile.objects.filter(server=server, track=None, detached_at=None)
        .values("source_key")
        .annotate(files=Count("id"), sample=Max("content_id"))
    )
    found = list(rows)
    samples = Content.objects.in_bulk([row["sample"] for row in found])
    return sorted(
        (
            LeftOver(
                row["source_key"],
                str(samples[row["sample"]].provenance.get("repository", "")),
                str(samples[row["sample"]].provenance.get("branch", "")),
                row["files"],
            )
            for row in found
        ),
        key=lambda left: (left.repository, left.branch),
    )


def remove_left_overs(server: Server, key: str, *, by: User, request: HttpRequest | None = None) -> int:
    """Delete the content that a deleted integration left; detached files stay. Returns how many went."""
    with transaction.atomic():
        Server.objects.select_for_update().get(pk=server.pk)
        files = ImportedFile.objects.filter(server=server, source_key=key, track=None, detached_at=None)
        ids = list(files.values_list("content_id", flat=True))
        removed = 0
        for chunk in chunked(ids, LOOKUP):
            ImportedFile.objects.filter(content_id__in=chunk).delete()
            removed += Content.objects.filter(pk__in=chunk, server=server, origin=Origin.IMPORTED).delete()[0]
        if removed:
            contents.touch(server)
        audit.record(
            "integration.files_removed",
            organization=server.organization,
            actor=by,
            target=server,
            before={"source": key, "files": removed},
            request=request,
        )
    return removed
