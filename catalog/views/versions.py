"""The Versions tab: cut, browse, serve, delete."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from catalog import versions as services
from catalog.access import server_of, version_of
from catalog.forms import CutForm
from catalog.models import Content, Server, Version, VersionFile
from catalog.tree import Children, crumbs
from catalog.views.contents import PAGE, shown
from catalog.views.page import asked, confirm, page_of, posted, raw_text, server_context
from orgs import access
from orgs.models import Membership


@access.for_members()
def versions(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    found = Version.objects.filter(server=it).select_related("created_by")
    context = server_context(membership, it, "versions", page=page_of(request, found, 50))
    return render(request, "catalog/versions.html", context)


@access.for_members("versions.publish")
def cut(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    # Who serves versions cuts one to serve it; who serves the live content may want a snapshot alone.
    form = CutForm(posted(request), initial={"activate": it.served_version is not None})
    if request.method == "POST" and form.is_valid():
        version = services.cut_version(
            server=it,
            note=form.cleaned_data["note"],
            activate=form.cleaned_data["activate"],
            by=membership.user,
            request=request,
        )
        served = " and is served now" if form.cleaned_data["activate"] else ""
        messages.success(request, f"{version} is cut with {version.files:,} files{served}.")
        return _to_versions(membership, it)
    context = server_context(membership, it, "versions", form=form, files=Content.objects.filter(server=it).count())
    return render(request, "catalog/version_cut.html", context)


@access.for_members()
def notice(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """The fragment “live content is newer”, for pages of other apps; empty when there is nothing to say."""
    it = server_of(membership, server)
    if not request.headers.get("HX-Request"):
        return _to_versions(membership, it)
    return render(request, "catalog/_version_notice.html", server_context(membership, it, ""))


@require_POST
@access.for_members("versions.publish")
def clear(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    pointer = _pointer(request)
    services.clear(server=it, pointer=pointer, by=membership.user, request=request)
    it = server_of(membership, server)
    messages.success(
        request, f"There is no {pointer} version now. Agents get {it.served_version or 'the live content'}."
    )
    return _to_versions(membership, it)


@access.for_members()
def version(request: HttpRequest, membership: Membership, server: str, number: int) -> HttpResponse:
    it = server_of(membership, server)
    found = version_of(it, number)
    folder = asked(request, "folder").strip("/")
    rows = VersionFile.objects.filter(version=found).select_related("blob").defer("blob__text")
    context = server_context(
        membership,
        it,
        "versions",
        version=found,
        folder=folder,
        parent=folder.rpartition("/")[0],
        crumbs=crumbs(folder),
        page=page_of(request, Children(rows, folder), PAGE),
    )
    return render(request, "catalog/version.html", context)


@access.for_members()
def file(request: HttpRequest, membership: Membership, server: str, number: int, entry: int) -> HttpResponse:
    it = server_of(membership, server)
    found = version_of(it, number)
    row = _entry(found, entry)
    context = server_context(
        membership,
        it,
        "versions",
        version=found,
        file=row,
        crumbs=crumbs(row.path),
        **shown(it, row.path, row.blob.text, as_source="source" in request.GET),
    )
    return render(request, "catalog/version_file.html", context)


@access.for_members()
def raw(_request: HttpRequest, membership: Membership, server: str, number: int, entry: int) -> HttpResponse:
    row = _entry(version_of(server_of(membership, server), number), entry)
    return raw_text(row.blob.text, row.path)


@require_POST
@access.for_members("versions.publish")
def point(request: HttpRequest, membership: Membership, server: str, number: int) -> HttpResponse:
    it = server_of(membership, server)
    pointer = _pointer(request)
    found = version_of(it, number)
    services.point(version=found, pointer=pointer, by=membership.user, request=request)
    it = server_of(membership, server)
    messages.success(request, f"{found} is the {pointer} version. Agents get {it.served_version}.")
    return _to_versions(membership, it)


@access.for_members("versions.publish")
def delete(request: HttpRequest, membership: Membership, server: str, number: int) -> HttpResponse:
    it = server_of(membership, server)
    found = version_of(it, number)
    if request.method == "POST":
        try:
            services.delete_version(
                version=found, confirmed=request.POST.get("confirmed") == "1", by=membership.user, request=request
            )
        except services.InUse as error:
            messages.error(request, str(error))
            return redirect("catalog:version_delete", org=membership.organization.slug, server=it.slug, number=number)
        messages.success(request, f"{found} is deleted.")
        return _to_versions(membership, it)
    context = server_context(
        membership,
        it,
        "versions",
        title=f"Delete {found}?",
        text=f"Its snapshot of {found.files:,} files goes; the live content and other versions stay. "
        + services.after_deletion(it, found),
        action=reverse("catalog:version_delete", args=[membership.organization.slug, it.slug, number]),
        cancel_url=reverse("catalog:versions", args=[membership.organization.slug, it.slug]),
        confirm="Delete version",
        danger=True,
        name="confirmed",
        value="1",
    )
    return confirm(request, context)


def _entry(version: Version, pk: int) -> VersionFile:
    row = VersionFile.objects.select_related("blob").filter(version=version, pk=pk).first()
    if row is None:
        raise Http404
    return row


def _pointer(request: HttpRequest) -> services.Pointer:
    asked = request.POST.get("pointer")
    for pointer in services.POINTERS:
        if pointer == asked:
            return pointer
    raise Http404


def _to_versions(membership: Membership, server: Server) -> HttpResponse:
    return redirect("catalog:versions", org=membership.organization.slug, server=server.slug)
