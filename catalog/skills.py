"""Skills and their files: create, edit, share, delete.

Toolkits and servers name a skill by its slug in their documents: those change when it is renamed or deleted, without a
save of their own (see `catalog.documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from catalog import entity_saving, file_blobs
from catalog.bulk import insert_rows
from catalog.checking.problems import Findings
from catalog.checking.skills import clean_skill, page_bytes, path_errors
from catalog.entity_saving import Act
from catalog.models import FileBlob, Skill, SkillFile
from catalog.portable.model import SKILL_FILE
from catalog.revisions import Source
from orgs.models import Organization, User

FIELDS = ("name", "slug", "description", "front_matter", "instructions")
VALUES = (*FIELDS, "files")
"""`files` are changes of the files beside SKILL.md: {path: bytes; a FileBlob that is stored; None to remove it}."""
_PAGE = Source()


def create_skill(
    *,
    organization: Organization,
    values: Mapping[str, Any],
    by: User | None,
    owner: User | None = None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Skill:
    """Make a skill of VALUES; without a slug it gets one made of its name, and with an owner it is personal. Raises
    Invalid."""
    row = Skill(organization=organization, owner=owner)
    values = stored(organization, values)
    return entity_saving.insert(row, values=values, clean=clean, act=Act(by, request, source))


def edit_skill(
    *,
    skill: Skill,
    values: Mapping[str, Any],
    seen_revision: int | None,
    by: User | None,
    request: HttpRequest | None = None,
    source: Source = _PAGE,
) -> Skill:
    """Save VALUES. Raises Invalid and Stale."""
    values, act = stored(skill.organization, values), Act(by, request, source)
    return entity_saving.change(skill, values=values, seen_revision=seen_revision, clean=clean, act=act)


def share_skill(*, skill: Skill, by: User | None, request: HttpRequest | None = None) -> Skill:
    """Make a personal one the organisation's, for good. Raises Invalid where another one has its slug."""
    return entity_saving.share(skill, check=lambda _: None, act=Act(by, request))


def delete_skill(*, skill: Skill, by: User | None, request: HttpRequest | None = None, source: Source = _PAGE) -> None:
    """Delete it with its files; toolkits and servers have it no more."""
    entity_saving.delete(skill, act=Act(by, request, source))


def stored(organization: Organization, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the bytes of their files stored, before the transaction that needs them, so that no other writer
    waits. Raises Invalid where there are too many."""
    changes: Mapping[str, bytes | FileBlob | None] = values.get("files") or {}
    new = {path: data for path, data in changes.items() if isinstance(data, bytes)}
    findings = Findings()
    _check_sizes({path: len(data) for path, data in new.items()}, findings)
    findings.refuse()
    kept = file_blobs.store(organization, new.values())
    blobs = {
        path: FileBlob(pk=kept[file_blobs.oid_of(data)], organization=organization, size=len(data))
        for path, data in new.items()
    }
    return {**values, "files": {**changes, **blobs}}


def clean(row: Skill, values: Mapping[str, Any]) -> tuple[dict[str, Any], entity_saving.Relate]:
    """An `entity_saving.Clean`; of files that are `stored`."""
    findings = Findings()
    fields = clean_skill({name: values.get(name, getattr(row, name)) for name in FIELDS}, findings)
    changes: Mapping[str, FileBlob | None] = values.get("files") or {}
    there = {} if row._state.adding else _files_of(row)
    files = dict(there)
    for path, blob in changes.items():
        if blob is None:
            files.pop(path, None)
        elif blob.organization_id != row.organization_id:
            raise ValueError("The bytes of a skill's file are its own organisation's.")
        else:
            files[path] = (blob.pk, blob.size)
    findings.errors += path_errors(files)
    findings.refuse()
    _check_sizes({SKILL_FILE: page_bytes(fields), **{path: size for path, (_, size) in files.items()}}, findings)
    findings.refuse()
    gone = [path for path, file in there.items() if files.get(path) != file]
    new = [(path, pk) for path, (pk, size) in files.items() if there.get(path) != (pk, size)]

    def relate(saved: Skill) -> bool:
        saved.files.filter(path__in=gone).delete()
        insert_rows(SkillFile, ("path", "blob"), new, same={"skill": saved.pk})
        return bool(gone or new)

    return fields, relate


def _files_of(skill: Skill) -> dict[str, tuple[int, int]]:
    """{path: (primary key of its bytes, how many they are)}"""
    rows = SkillFile.objects.filter(skill=skill).annotate(size=F("blob__size"))
    return {path: (pk, size) for path, pk, size in rows.values_list("path", "blob", "size")}


def _check_sizes(sizes: Mapping[str, int], findings: Findings) -> None:
    largest, together, most = settings.ENTITY_MAX_FILE_BYTES, settings.SKILL_MAX_BYTES, settings.SKILL_MAX_FILES
    for path, size in sizes.items():
        if size > largest:
            words = f"“{path}” has {filesizeformat(size)}; {filesizeformat(largest)} is the most for one file."
            findings.add("files", words)
    if (total := sum(sizes.values())) > together:
        words = f"Its files have {filesizeformat(total)} together; {filesizeformat(together)} is the most for a skill."
        findings.add("files", words)
    if len(sizes) > most:
        findings.add("files", f"It would have {len(sizes):,} files; {most:,} is the most for a skill.")
