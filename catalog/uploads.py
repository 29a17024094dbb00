"""Files that people upload: the good ones become content, each other one is refused with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest

from catalog.blobs import store_texts
from catalog.contents import ContentError, PathTaken, check_free, check_writable, decode, insert, save, touch
from catalog.models import Blob, Content, Origin, Server
from catalog.paths import BadPath, check_path, normalise_path
from orgs import audit
from orgs.models import User


@dataclass(frozen=True)
class Uploaded:
    """What became of each uploaded file."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str]
    refused: dict[str, str]
    """{the name as it came: why, in a sentence}"""


@transaction.atomic
def upload_contents(
    *,
    server: Server,
    files: Iterable[tuple[str, bytes]],
    folder: str,
    replace: bool,
    by: User | None,
    request: HttpRequest | None = None,
) -> Uploaded:
    """Store uploaded files `(name, bytes)` below `folder` (empty for the top). The good ones are kept, each other one
    is refused with its reason. A file that exists is replaced only if `replace`, and never if it was imported."""
    texts: dict[str, str] = {}
    refused: dict[str, str] = {}
    names: dict[str, str] = {}
    folder = normalise_path(folder).strip("/")
    for name, data in files:
        try:
            path = check_path(f"{folder}/{normalise_path(name)}" if folder else normalise_path(name))
            if path in texts:
                raise PathTaken("Another of the uploaded files has the same path.")
            texts[path] = decode(data)
            names[path] = name
        except (BadPath, ContentError) as error:
            refused[name] = str(error)
    uploaded = _store_uploads(server, texts, names, refused, replace=replace, by=by)
    if uploaded.added or uploaded.replaced:
        touch(server)
        audit.record(
            "content.uploaded",
            organization=server.organization,
            actor=by,
            target=server,
            after={
                name: paths for name, paths in (("added", uploaded.added), ("replaced", uploaded.replaced)) if paths
            },
            request=request,
        )
    return uploaded


def _store_uploads(
    server: Server,
    texts: dict[str, str],
    names: dict[str, str],
    refused: dict[str, str],
    *,
    replace: bool,
    by: User | None,
) -> Uploaded:
    uploaded = Uploaded([], [], [], refused)
    blobs = store_texts(texts.values())
    there = {content.path: content for content in Content.objects.filter(server=server, path__in=list(texts))}
    for path, text in texts.items():
        blob_id = blobs[Blob.digest(text)]
        existing = there.get(path)
        try:
            if existing is None:
                check_free(server, path)
                insert(server, path, blob_id, Origin.UPLOADED, by)
                uploaded.added.append(path)
            elif existing.blob_id == blob_id:
                uploaded.unchanged.append(path)
            elif not replace:
                raise PathTaken("There is a file with this path. Choose “Replace files that exist” to overwrite it.")
            else:
                check_writable(existing)
                existing.blob_id, existing.origin = blob_id, Origin.UPLOADED
                save(existing, by, "blob", "origin")
                uploaded.replaced.append(path)
        except ContentError as error:
            refused[names[path]] = str(error)
    return uploaded
