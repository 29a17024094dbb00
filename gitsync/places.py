"""Where in a repository a server's files go: one folder for each, and no two that hold each other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from catalog.portable.model import FOLDERS
from forges.picking import FieldError
from forges.reading import check_path
from gitsync.models import Mirror, PushTarget
from orgs.models import Organization

ROOT = "/"
"""What a person enters for the repository's root; nothing at all means the server's slug."""
_MAX_BYTES = 200
_SAFE = re.compile(r"[A-Za-z0-9._+@-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A branch of a repository: one writer at a time, whatever number of servers share it."""

    forge: str
    base_url: str
    repository_id: str
    branch: str

    @property
    def digest(self) -> str:
        parts = "\0".join((self.forge, self.base_url, self.repository_id, self.branch))
        return hashlib.sha256(parts.encode()).hexdigest()

    def targets(self) -> QuerySet[PushTarget]:
        """Those that are pushed here, of whatever organisation."""
        return PushTarget.objects.filter(
            forge=self.forge, base_url=self.base_url, repository_id=self.repository_id, branch=self.branch
        )

    def mirrors(self) -> QuerySet[Mirror]:
        """Those that are kept the same with it, of whatever organisation."""
        return Mirror.objects.filter(
            forge=self.forge, base_url=self.base_url, repository_id=self.repository_id, branch=self.branch
        )


def place_of(target: PushTarget | Mirror) -> Place:
    return Place(target.forge, target.base_url, target.repository_id, target.branch)


def lock(place: Place) -> None:
    """Let nobody else choose a folder there until the transaction ends: of two folders that hold each other, no
    constraint of the database knows. (SQLite has one writer at a time anyway.)"""
    connection = transaction.get_connection()
    if connection.vendor == "postgresql":
        key = int.from_bytes(bytes.fromhex(place.digest)[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def directory_of(slug: str) -> str:
    """The folder that follows a server's name: its slug, but for names that some systems cannot have."""
    return f"{slug}-server" if _RESERVED.fullmatch(slug) else slug


def clean_directory(text: str) -> str:
    """A folder without slashes around, "" for the root. Raises FieldError."""
    directory = text.strip().strip("/")
    if not directory:
        return ""
    if bad := check_path(directory, max_bytes=_MAX_BYTES):
        raise FieldError("directory", bad.detail)
    for part in directory.split("/"):
        if not _SAFE.fullmatch(part) or part.endswith(".") or _RESERVED.fullmatch(part):
            raise FieldError(
                "directory",
                "Use letters, digits and . _ + @ - in the names of folders, with slashes between them. Names that some "
                "systems reserve, and those that end in a dot, cannot be used.",
            )
    return directory


def overlap(one: str, other: str) -> bool:
    """Whether one folder is, or holds, the other; on some systems names that differ in case are one."""
    one, other = one.casefold(), other.casefold()
    return "" in (one, other) or one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def taken(place: Place, directory: str, *, but: PushTarget) -> bool:
    """Whether the files of another server than that of `but`, or an organisation's entities, are there, or around, or
    below. Call it under `lock`.

    A server of another organisation counts once it was pushed: anybody can choose a repository that they can read, and
    must not keep those from it by that who may write.
    """
    others = place.targets().filter(server__isnull=False).exclude(pk=but.pk)
    others = others.filter(Q(organization=but.organization_id) | Q(pushed_revision__isnull=False))
    mirrors = place.mirrors().filter(Q(organization=but.organization_id) | ~Q(last_commit=""))
    folders = [folder for base in mirrors.values_list("directory", flat=True) for folder in entity_folders(base)]
    return any(overlap(directory, other) for other in [*others.values_list("directory", flat=True), *folders])


def entity_folders(directory: str) -> list[str]:
    """The five that an organisation's entities are in, below a mirror's directory."""
    return [f"{directory}/{folder}" if directory else folder for folder in FOLDERS.values()]


def mirror_clash(place: Place, directory: str, *, organization: Organization) -> str:
    """A folder that a server is pushed to and that is, holds, or is in one of those for entities; "" for none. Call it
    under `lock`. A server of another organisation counts as for `taken`."""
    pushed = place.targets().filter(server__isnull=False)
    pushed = pushed.filter(Q(organization=organization) | Q(pushed_revision__isnull=False))
    for other in pushed.values_list("directory", flat=True):
        if any(overlap(folder, other) for folder in entity_folders(directory)):
            return other or ROOT
    return ""


def under(directory: str) -> Q:
    """Of rows with a `path`: those below the folder."""
    return Q(path__gte=f"{directory}/", path__lt=f"{directory}0") if directory else Q()
