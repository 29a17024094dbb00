"""Changes of the live content: write, upload, edit, rename, detach, delete."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from catalog import contents as services
from catalog.access import content_of, server_of
from catalog.compare import diff
from catalog.forms import ContentForm, RenameForm, TextForm, UploadForm
from catalog.models import Content, Origin, Server
from catalog.uploads import upload_contents
from catalog.views.page import asked, confirm, posted, server_context
from orgs import access
from orgs.models import Membership


@access.for_members("contents.edit")
def create(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    folder = asked(request, "folder").strip("/")
    form = ContentForm(posted(request), initial={"path": f"{folder}/" if folder else ""})
    if request.method == "POST" and form.is_valid():
        try:
            file = services.create_content(
                server=it,
                path=form.cleaned_data["path"],
                text=form.cleaned_data["text"],
                by=membership.user,
                request=request,
            )
        except services.PathTaken as error:
            form.add_error("path", str(error))
        except services.BadText as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, f"{file.path} is saved.")
            return _to_file(membership, file)
    context = server_context(membership, it, "content", form=form, folder=folder)
    return render(request, "catalog/content_create.html", context)


@access.for_members("contents.edit")
def upload(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    folder = asked(request, "folder").strip("/")
    form = UploadForm(posted(request), request.FILES or None, initial={"folder": folder})
    uploaded = None
    if request.method == "POST" and form.is_valid():
        at_most = settings.CONTENT_MAX_FILE_BYTES + 1  # enough to see that it is too large, however large it is
        uploaded = upload_contents(
            server=it,
            files=((file.name, file.read(at_most)) for file in form.cleaned_data["uploads"]),
            folder=form.cleaned_data["folder"],
            replace=form.cleaned_data["replace"],
            by=membership.user,
            request=request,
        )
        if not uploaded.refused:
            kept = len(uploaded.added) + len(uploaded.replaced)
            messages.success(
                request, f"{kept} file{'' if kept == 1 else 's'} uploaded." if kept else "Nothing changed."
            )
            return _to_folder(membership, it, form.cleaned_data["folder"])
    context = server_context(membership, it, "content", form=form, folder=folder, uploaded=uploaded)
    return render(request, "catalog/content_upload.html", context)


@access.for_members("contents.edit")
def edit(request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    it = server_of(membership, server)
    file = content_of(it, content)
    if file.origin == Origin.IMPORTED:
        return redirect("catalog:content_detach", org=membership.organization.slug, server=it.slug, content=file.pk)
    initial = {"text": file.blob.text, "seen_blob": file.blob_id}
    form = TextForm(posted(request), initial=initial)
    theirs = None
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            services.edit_content(
                content=file, text=text, seen_blob=form.cleaned_data["seen_blob"], by=membership.user, request=request
            )
        except services.Stale:
            # Theirs stays saved, mine stays in the form; saving again is a choice made with both in sight.
            theirs = diff(file.blob.text, text, "saved", "yours")
            form = TextForm({"text": text, "seen_blob": file.blob_id})
        except services.ContentError as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, f"{file.path} is saved.")
            return _to_file(membership, file)
    context = server_context(membership, it, "content", file=file, form=form, theirs=theirs)
    return render(request, "catalog/content_edit.html", context, status=409 if theirs else 200)


@access.for_members("contents.edit")
def rename(request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    it = server_of(membership, server)
    file = content_of(it, content)
    form = RenameForm(posted(request), initial={"path": file.path})
    if request.method == "POST" and form.is_valid():
        try:
            file = services.rename_content(
                content=file, path=form.cleaned_data["path"], by=membership.user, request=request
            )
        except services.ContentError as error:
            form.add_error("path", str(error))
        else:
            messages.success(request, f"The file is now at {file.path}.")
            return _to_file(membership, file)
    context = server_context(membership, it, "content", file=file, form=form)
    return render(request, "catalog/content_rename.html", context)


@access.for_members("contents.edit")
def detach(request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    it = server_of(membership, server)
    file = content_of(it, content)
    if request.method == "POST":
        services.detach_content(content=file, by=membership.user, request=request)
        messages.success(request, f"{file.path} is detached: it is yours to edit, and refreshes leave it alone.")
        return redirect("catalog:content_edit", org=membership.organization.slug, server=it.slug, content=file.pk)
    if file.origin != Origin.IMPORTED:
        return _to_file(membership, file)
    source = file.provenance.get("repository") or "its repository"
    return _confirm(
        request,
        membership,
        file,
        title=f"Detach {file.path}?",
        text=f"It becomes content of this server that you edit here. Changes in {source} no longer reach it.",
        view="catalog:content_detach",
        confirm="Detach and edit",
    )


@access.for_members("contents.can_delete")
def delete(request: HttpRequest, membership: Membership, server: str, content: int) -> HttpResponse:
    it = server_of(membership, server)
    file = content_of(it, content)
    if request.method == "POST":
        services.delete_content(content=file, by=membership.user, request=request)
        messages.success(request, f"{file.path} is deleted from the live content.")
        return _to_folder(membership, it, file.path.rpartition("/")[0])
    text = "It goes from the live content; versions that hold it keep it."
    if file.origin == Origin.IMPORTED and not file.is_stale:
        text += " It is imported: the next refresh brings it back, unless it is filtered out or gone in the repository."
    return _confirm(
        request,
        membership,
        file,
        title=f"Delete {file.path}?",
        text=text,
        view="catalog:content_delete",
        confirm="Delete file",
        danger=True,
    )


def _confirm(
    request: HttpRequest, membership: Membership, file: Content, *, view: str, **words: object
) -> HttpResponse:
    where = [membership.organization.slug, file.server.slug, file.pk]
    context = server_context(
        membership,
        file.server,
        "content",
        action=reverse(view, args=where),
        cancel_url=reverse("catalog:content", args=where),
        **words,
    )
    return confirm(request, context)


def _to_folder(membership: Membership, server: Server, folder: str) -> HttpResponse:
    listing = reverse("catalog:contents", args=[membership.organization.slug, server.slug])
    return redirect(f"{listing}?{urlencode({'folder': folder})}" if folder else listing)


def _to_file(membership: Membership, file: Content) -> HttpResponse:
    return redirect("catalog:content", org=membership.organization.slug, server=file.server.slug, content=file.pk)
