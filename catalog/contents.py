"""The live content of a server: what people write and upload, and the rules for what was imported.

For apps that bring content in bulk: store the texts with `catalog.blobs.store_texts` first, then, in one transaction,
insert, update and delete Content rows as you like (paths checked by `catalog.paths.check_path`) and call
`touch(server)` once. Your rows have the origin `imported` and carry their `provenance`; people can read, detach and
delete them. What you have to do when one is detached you append to `on_detach`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from catalog import signals
from catalog.blobs import store_text
from catalog.models import Content, Origin, Server
from catalog.paths import BadPath, check_path, normalise_path, parents
from orgs import audit
from orgs.models import User

__all__ = [
    "BadPath",
    "BadText",
    "ContentError",
    "PathTaken",
    "ReadOnly",
    "Stale",
    "check_free",
    "check_path",
    "check_text",
    "check_writable",
    "create_content",
    "decode",
    "delete_content",
    "delete_contents",
    "detach_content",
    "edit_content",
    "insert",
    "normalise_path",
    "on_detach",
    "rename_content",
    "save",
    "touch",
]


class ContentError(ValueError):
    """Content that cannot be stored so; the text is a sentence for a person."""


class PathTaken(ContentError):
    """Another file, or a folder, has this path."""


class BadText(ContentError):
    """The bytes are no text, or too many."""


class ReadOnly(ContentError):
    """Imported content changes in its repository, until it is detached."""


class Stale(ContentError):
    """Somebody else saved the file first."""


on_detach: list[Callable[[Content], None]] = []
"""Called inside the transaction when a person detaches an imported file, before its row is changed."""


def touch(server: Server) -> None:
    """Count one change of the live content, and tell `signals.content_changed` when the transaction commits.

    Call it last in the transaction that changed Content rows: it locks the server's row until the commit, which keeps a
    version from being cut half-way.
    """
    now = timezone.now()
    Server.objects.filter(pk=server.pk).update(content_revision=F("content_revision") + 1, content_changed_at=now)
    server.refresh_from_db(fields=["content_revision", "content_changed_at"])
    news = {"server_id": server.pk, "organization_id": server.organization_id}
    transaction.on_commit(lambda: _tell(news))


def _tell(news: dict[str, Any]) -> None:
    signals.content_changed.send_robust(Server, **news)


def decode(data: bytes) -> str:
    """The text of a file's bytes, or BadText with the reason: too large, binary, or not UTF-8."""
    if len(data) > settings.CONTENT_MAX_FILE_BYTES:
        most = filesizeformat(settings.CONTENT_MAX_FILE_BYTES)
        raise BadText(f"It is too large: a file can have {most} at most.")
    if b"\0" in data:
        raise BadText("It is a binary file; only text can be content.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadText(f"It is not UTF-8: byte {error.start + 1:,} is the first that does not fit.") from error


def check_text(text: str) -> str:
    """Return `text` itself, or raise BadText with a sentence."""
    return decode(text.encode("utf-8", errors="surrogatepass"))


@transaction.atomic
def create_content(
    *, server: Server, path: str, text: str, by: User | None, request: HttpRequest | None = None
) -> Content:
    """Add a typed file. Raises BadPath, BadText or PathTaken."""
    path = check_path(normalise_path(path))
    check_text(text)
    check_free(server, path)
    content = insert(server, path, store_text(text).pk, Origin.TYPED, by)
    touch(server)
    audit.record(
        "content.created",
        organization=server.organization,
        actor=by,
        target=content,
        scope=server,
        after={"path": path, "origin": content.origin, "size": content.blob.size},
        request=request,
    )
    return content


@transaction.atomic
def edit_content(
    *, content: Content, text: str, by: User | None, seen_blob: int | None = None, request: HttpRequest | None = None
) -> Content:
    """Give a file another text. `seen_blob` is the id of the blob that the person started from: Stale is raised when
    somebody else saved another one since. Raises BadText and, for an imported file, ReadOnly."""
    content = _locked(content)
    check_writable(content)
    check_text(text)
    if seen_blob is not None and content.blob_id != seen_blob:
        raise Stale("Somebody else saved this file while you were editing it. Nothing of yours or theirs is lost.")
    blob = store_text(text)
    if blob.pk == content.blob_id:
        return content
    before = {"sha256": content.blob.sha256, "size": content.blob.size}
    content.blob = blob
    save(content, by, "blob")
    touch(content.server)
    audit.record(
        "content.edited",
        organization=content.server.organization,
        actor=by,
        target=content,
        scope=content.server,
        before=before,
        after={"sha256": blob.sha256, "size": blob.size},
        request=request,
    )
    return content


@transaction.atomic
def rename_content(*, content: Content, path: str, by: User | None, request: HttpRequest | None = None) -> Content:
    """Move a file. Raises BadPath, PathTaken and, for an imported file, ReadOnly."""
    content = _locked(content)
    check_writable(content)
    path = check_path(normalise_path(path))
    if path == content.path:
        return content
    check_free(content.server, path, but=content)
    before = {"path": content.path}
    content.path = path
    try:
        with transaction.atomic():
            save(content, by, "path")
    except IntegrityError as error:
        raise _taken(path) from error
    touch(content.server)
    audit.record(
        "content.renamed",
        organization=content.server.organization,
        actor=by,
        target=content,
        scope=content.server,
        before=before,
        after={"path": path},
        request=request,
    )
    return content


@transaction.atomic
def detach_content(*, content: Content, by: User | None, request: HttpRequest | None = None) -> Content:
    """Make an imported file typed content that people edit; its repository no longer changes it."""
    content = _locked(content)
    if content.origin != Origin.IMPORTED:
        return content
    for hook in on_detach:
        hook(content)
    before = {"origin": content.origin}
    content.origin = Origin.TYPED
    kept = {name: value for name, value in content.provenance.items() if name != "stale_since"}
    content.provenance = {**kept, "detached_at": timezone.now().isoformat()}
    save(content, by, "origin", "provenance")
    audit.record(
        "content.detached",
        organization=content.server.organization,
        actor=by,
        target=content,
        scope=content.server,
        before=before,
        after={"origin": content.origin},
        request=request,
    )
    return content


def delete_content(*, content: Content, by: User | None, request: HttpRequest | None = None) -> None:
    """Delete a file from the live content; versions keep theirs. The next refresh brings an imported one back."""
    delete_contents(server=content.server, ids=[content.pk], by=by, request=request)


@transaction.atomic
def delete_contents(*, server: Server, ids: Iterable[int], by: User | None, request: HttpRequest | None = None) -> int:
    """Delete several files of one server; return how many were there."""
    found = list(Content.objects.filter(server=server, pk__in=list(ids)).order_by("path"))
    if not found:
        return 0
    for content in found:
        audit.record(
            "content.deleted",
            organization=server.organization,
            actor=by,
            target=content,
            scope=server,
            before={"path": content.path, "origin": content.origin},
            request=request,
        )
    Content.objects.filter(pk__in=[content.pk for content in found]).delete()
    touch(server)
    return len(found)


def insert(server: Server, path: str, blob_id: int, origin: str, by: User | None) -> Content:
    """A new row at a path that was found free; PathTaken when somebody was faster."""
    try:
        with transaction.atomic():
            return Content.objects.create(server=server, path=path, blob_id=blob_id, origin=origin, updated_by=by)
    except IntegrityError as error:  # somebody was faster than the check
        raise _taken(path) from error


def save(content: Content, by: User | None, *fields: str) -> None:
    """Write these fields, who did it and when."""
    content.updated_by, content.updated_at = by, timezone.now()
    content.save(update_fields=[*fields, "updated_by", "updated_at"])


def _locked(content: Content) -> Content:
    """The row as it is now, ours until the transaction ends."""
    return (
        Content.objects.select_for_update(of=("self",))
        .select_related("blob", "server__organization")
        .get(pk=content.pk)
    )


def check_writable(content: Content) -> None:
    """Raise ReadOnly for an imported file."""
    if content.origin == Origin.IMPORTED:
        source = content.provenance.get("repository") or "its repository"
        raise ReadOnly(
            f"{content.path} is imported from {source} and read-only here. Change it there and refresh, "
            "or choose “Detach and edit” to make it your own."
        )


def check_free(server: Server, path: str, *, but: Content | None = None) -> None:
    """Raise PathTaken when a file has this path, is where one of its folders would be, or lies below it."""
    others = Content.objects.filter(server=server)
    if but is not None:
        others = others.exclude(pk=but.pk)
    clash = others.filter(path__in=[path, *parents(path)]).values_list("path", flat=True).first()
    if clash == path:
        raise _taken(path)
    if clash is not None:
        raise PathTaken(f"{clash} is a file, so nothing can be put below it. Choose another folder.")
    if others.filter(path__gte=f"{path}/", path__lt=f"{path}0").exists():
        raise PathTaken(f"{path} is a folder. Give the file another name.")


def _taken(path: str) -> PathTaken:
    return PathTaken(f"There is already a file at {path}. Choose another path, or edit that file.")
