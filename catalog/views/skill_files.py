"""The files of a skill beside SKILL.md: look at, download, write, upload, rename, replace, delete.

A file is named by `?path=`: what a sync from git makes anew keeps its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header, urlencode

from catalog import skills as services
from catalog.checking.problems import Invalid
from catalog.compare import TextDiff, diff
from catalog.forms.skill_files import (
    SkillFileForm,
    SkillRenameForm,
    SkillReplaceForm,
    SkillTextForm,
    SkillUploadForm,
)
from catalog.library import address
from catalog.models import Skill, SkillFile
from catalog.saving import Stale
from catalog.skill_tree import raster_of, text_of, type_of, with_line_ends_of
from catalog.skill_uploads import receive
from catalog.views.contents import shown_text
from catalog.views.library import context, find, page
from catalog.views.page import asked, confirm, posted
from catalog.views.skills import file_link
from orgs import access
from orgs.models import Membership

EDITABLE_CHARACTERS = 1_000_000
"""Of a text that is edited in a page; browsers get slow with longer ones."""
FORM = "catalog/entities/skill_file_form.html"
MEANWHILE = "Somebody else saved this skill in the same moment. Nothing of theirs is lost: save again."
CHANGED = "Somebody else changed this file while you had it open. Look at it as it is now, then do this again."


@access.for_members()
def file(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    path = asked(request, "path")
    found = _files(row).filter(path=path).first()
    if found is None:
        if path and path.lower() != "skill.md" and not row.files.filter(path__startswith=f"{path}/").exists():
            messages.warning(request, f"There is no file at {path[:200]} in this skill.")
        return redirect(f"{address(row)}#files")
    data = bytes(found.blob.data)
    text = text_of(data)
    return page(
        request,
        membership,
        row,
        "catalog/entities/skill_file.html",
        file=found,
        quoted=quote(path, safe=""),
        type=type_of(path, data),
        raster=raster_of(data),
        is_text=text is not None,
        editable=text is not None and len(text) <= EDITABLE_CHARACTERS,
        raw_url=f"{address(row, 'file_raw')}?{urlencode({'path': path})}",
        **(shown_text(path, text, file_link(row), as_source="source" in request.GET) if text is not None else {}),
    )


@access.for_members()
def raw(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    """The bytes, to keep: whatever they are, no browser runs them or shows them as a page of this site."""
    found = _file(find(Skill, membership, pk), request)
    data = bytes(found.blob.data)
    plain = "text/plain; charset=utf-8" if text_of(data) is not None else "application/octet-stream"
    response = HttpResponse(data, content_type=raster_of(data) or plain)
    name = found.path.rpartition("/")[2]
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@access.for_members("entities.edit")
def create(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    folder = asked(request, "folder").strip("/")
    form = SkillFileForm(posted(request), initial={"path": f"{folder}/" if folder else ""})
    if request.method == "POST" and form.is_valid():
        path = form.cleaned_data["path"]
        if row.files.filter(path=path).exists():
            form.add_error("path", "There is a file with this path. Choose another, or edit that one.")
        elif error := _save(request, membership, row, {path: form.cleaned_data["text"].encode()}):
            form.add_error("path", error)
        else:
            messages.success(request, f"{path} is saved.")
            return redirect(file_link(row)(path))
    return page(request, membership, row, FORM, form=form, doing="New file", button="Save file")


@access.for_members("entities.edit")
def upload(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    form = SkillUploadForm(posted(request), request.FILES or None, initial={"folder": asked(request, "folder")})
    received = None
    if request.method == "POST" and form.is_valid():
        received = receive(
            form.cleaned_data["uploads"],
            folder=form.cleaned_data["folder"],
            there=dict(row.files.values_list("path", "blob__oid")),
            replace=form.cleaned_data["replace"],
            max_file_bytes=settings.ENTITY_MAX_FILE_BYTES,
        )
        if received.files and (error := _save(request, membership, row, received.files)):
            form.add_error("uploads", error)
            received = None
        elif not received.refused:
            kept = len(received.files)
            told = f"{kept} file{'' if kept == 1 else 's'} uploaded." if kept else "Nothing changed."
            messages.success(request, told)
            return redirect(f"{address(row)}#files")
    return page(
        request, membership, row, FORM, form=form, received=received, doing="Upload files", button="Upload", upload=True
    )


@access.for_members("entities.edit")
def edit(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    found = _file(row, request)
    text = text_of(bytes(found.blob.data))
    if text is None or len(text) > EDITABLE_CHARACTERS:
        return redirect(f"{address(row, 'file_replace')}?{urlencode({'path': found.path})}")
    form = SkillTextForm(posted(request), initial={"text": text, "seen": found.blob.oid})
    theirs: TextDiff | None = None
    if request.method == "POST" and form.is_valid():
        mine = form.cleaned_data["text"]
        if form.cleaned_data["seen"] != found.blob.oid:
            # Theirs stays saved, mine stays in the form; saving again is a choice made with both in sight.
            theirs = diff(text, mine, "saved", "yours")
            form = SkillTextForm({"text": mine, "seen": found.blob.oid})
        elif error := _save(request, membership, row, {found.path: with_line_ends_of(text, mine).encode()}):
            form.add_error("text", error)
        else:
            messages.success(request, f"{found.path} is saved.")
            return redirect(file_link(row)(found.path))
    status = 409 if theirs else 200
    words = {"doing": "Edit", "button": "Save file"}
    return page(request, membership, row, FORM, status=status, file=found, form=form, theirs=theirs, **words)


@access.for_members("entities.edit")
def replace(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    found = _file(row, request)
    form = SkillReplaceForm(posted(request), request.FILES or None, initial={"seen": found.blob.oid})
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["seen"] != found.blob.oid:
            form.add_error(None, CHANGED)
        elif error := _save(request, membership, row, {found.path: form.cleaned_data["upload"].read()}):
            form.add_error("upload", error)
        else:
            messages.success(request, f"{found.path} is replaced.")
            return redirect(file_link(row)(found.path))
    return page(
        request, membership, row, FORM, file=found, form=form, doing="Replace", button="Replace file", upload=True
    )


@access.for_members("entities.edit")
def rename(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    found = _file(row, request)
    form = SkillRenameForm(posted(request), initial={"path": found.path, "seen": found.blob.oid})
    if request.method == "POST" and form.is_valid():
        path = form.cleaned_data["path"]
        if form.cleaned_data["seen"] != found.blob.oid:
            form.add_error(None, CHANGED)
        elif path != found.path and row.files.filter(path=path).exists():
            form.add_error("path", "There is a file with this path. Choose another.")
        elif path != found.path and (
            error := _save(request, membership, row, {found.path: None, path: bytes(found.blob.data)})
        ):
            form.add_error("path", error)
        else:
            messages.success(request, f"The file is now at {path}.")
            return redirect(file_link(row)(path))
    return page(request, membership, row, FORM, file=found, form=form, doing="Rename or move", button="Rename")


@access.for_members("entities.edit")
def delete(request: HttpRequest, membership: Membership, pk: UUID) -> HttpResponse:
    row = find(Skill, membership, pk)
    found = _file(row, request)
    if request.method == "POST":
        if error := _save(request, membership, row, {found.path: None}):
            messages.error(request, error)
        else:
            messages.success(request, f"{found.path} is deleted.")
        return redirect(f"{address(row)}#files")
    query = urlencode({"path": found.path})
    return confirm(
        request,
        context(
            membership,
            row,
            title=f"Delete {found.path}?",
            text=f"It goes from {row.name}, and from git with the next sync where it is synced. Links to it in the "
            "instructions stay, and lead nowhere. The skill’s history keeps it.",
            action=f"{address(row, 'file_delete')}?{query}",
            cancel_url=file_link(row)(found.path),
            confirm="Delete file",
            danger=True,
        ),
        page="catalog/entities/confirm.html",
    )


def _files(row: Skill) -> QuerySet[SkillFile]:
    return SkillFile.objects.filter(skill=row).select_related("blob")


def _file(row: Skill, request: HttpRequest) -> SkillFile:
    """The file that the address names; Http404 if it is not there."""
    found = _files(row).filter(path=asked(request, "path")).first()
    if found is None:
        raise Http404
    return found


def _save(request: HttpRequest, membership: Membership, row: Skill, files: Mapping[str, bytes | None]) -> str:
    """Save changes of files; what keeps them from being saved, in a sentence, or ""."""
    try:
        services.edit_skill(
            skill=row,
            values={"files": files},
            seen_revision=row.revision,
            by=membership.user,
            request=request,
        )
    except Invalid as invalid:
        return str(invalid)
    except Stale:
        return MEANWHILE
    except Skill.DoesNotExist as error:
        raise Http404 from error
    return ""
