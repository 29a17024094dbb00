"""A server's configuration taken out as one file, and brought in with a preview."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header

from catalog.access import server_of
from catalog.exchange import applying, document, previews, wording
from catalog.exchange.errors import DocumentError, Problem
from catalog.exchange.masking import masked
from catalog.exchange.model import ServerConfig
from catalog.exchange.planning import ImportPlan, counted, counts, plan
from catalog.exchange.reading import read
from catalog.exchange.snapshot import snapshot
from catalog.forms.exchange import DocumentForm, ImportForm, ServerImportForm
from catalog.models import Server
from catalog.servers import SlugTaken
from catalog.views.page import posted, server_context
from orgs import access
from orgs.models import Membership

EXPIRED = "The preview is too old, or was made for another page. Nothing has been imported: choose the file again."


@access.for_members("servers.edit")
def export(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    config = snapshot(it)
    context = server_context(
        membership,
        it,
        "tools",
        parts=wording.parts(counted(config)),
        masked=[wording.masked_line(place) for place in masked(config)],
        version=config.version,
        problems=_problems(config),
    )
    return render(request, "catalog/export.html", context)


@access.for_members("servers.edit")
def export_file(_request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    config = snapshot(it)
    try:
        text = document.render(config)
    except DocumentError:
        return redirect("catalog:export", org=membership.organization.slug, server=it.slug)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"{it.slug}.export.json"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@access.for_members("servers.edit")
def import_(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    it = server_of(membership, server)
    if "preview" in request.POST:
        return _confirmed(request, membership, it)
    form = DocumentForm(posted(request), request.FILES or None)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            wanted = read(form.document).config
            found = applying.plan_import(it, wanted)
        except DocumentError as error:
            problems = error.problems
        else:
            preview = previews.sign(wanted, person=membership.user, about=it, revision=it.config_revision)
            return _preview(request, membership, it, found, ImportForm(initial={"preview": preview}))
    context = server_context(membership, it, "tools", form=form, problems=problems)
    return render(request, "catalog/import.html", context)


def _confirmed(request: HttpRequest, membership: Membership, it: Server) -> HttpResponse:
    """Import what a preview showed, or show it again where that has changed or something is still to be agreed to."""
    form = ImportForm(request.POST)
    shown = previews.shown(request.POST["preview"], person=membership.user, about=it)
    if shown is None or not form.is_valid():
        messages.error(request, EXPIRED)
        return redirect("catalog:import", org=membership.organization.slug, server=it.slug)
    wanted, notice = shown.config, ""
    try:
        imported = applying.apply_import(
            server=it,
            wanted=wanted,
            by=membership.user,
            request=request,
            remove=form.cleaned_data["remove"],
            confirmed_hosts=form.cleaned_data["confirm_hosts"],
            seen_revision=shown.revision,
        )
    except applying.HostsNotConfirmed as error:
        form.add_error("confirm_hosts", str(error))
    except applying.ServerMoved as error:
        notice = str(error)
    except DocumentError as error:
        for problem in error.problems:
            form.add_error(None, str(problem))
    else:
        messages.success(request, _said(imported))
        return redirect("catalog:tools", org=membership.organization.slug, server=it.slug)
    it.refresh_from_db(fields=["config_revision"])
    try:
        found = applying.plan_import(it, wanted)
    except DocumentError as error:
        context = server_context(membership, it, "tools", form=DocumentForm(), problems=error.problems)
        return render(request, "catalog/import.html", context, status=409)
    if notice:  # what is agreed to is agreed to for what was shown
        preview = previews.sign(wanted, person=membership.user, about=it, revision=it.config_revision)
        form = ImportForm(initial={"preview": preview})
    return _preview(request, membership, it, found, form, notice)


def _preview(
    request: HttpRequest, membership: Membership, it: Server, found: ImportPlan, form: ImportForm, notice: str = ""
) -> HttpResponse:
    form.fields["remove"].help_text = f"This deletes {wording.listed(counts(found.removed))}, listed above, for good."
    context = server_context(membership, it, "tools", form=form, notice=notice, **_plan_context(found))
    return render(request, "catalog/import_preview.html", context, status=409 if notice else 200)


@access.for_members("servers.edit")
def server_import(request: HttpRequest, membership: Membership) -> HttpResponse:
    organization = membership.organization
    if "preview" in request.POST:
        return _confirmed_new(request, membership)
    form = DocumentForm(posted(request), request.FILES or None)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            wanted = read(form.document).config
        except DocumentError as error:
            problems = error.problems
        else:
            preview = previews.sign(wanted, person=membership.user, about=organization)
            slug = applying.new_slug(organization, wanted)
            return _preview_new(
                request, membership, wanted, ServerImportForm(initial={"preview": preview, "slug": slug})
            )
    context = {"membership": membership, "nav_section": "servers", "form": form, "problems": problems}
    return render(request, "catalog/server_import.html", context)


def _confirmed_new(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = ServerImportForm(request.POST)
    shown = previews.shown(request.POST["preview"], person=membership.user, about=membership.organization)
    if shown is None:
        messages.error(request, EXPIRED)
        return redirect("catalog:server_import", org=membership.organization.slug)
    if form.is_valid():
        try:
            imported = applying.import_as_new(
                organization=membership.organization,
                wanted=shown.config,
                slug=form.cleaned_data["slug"],
                by=membership.user,
                request=request,
            )
        except SlugTaken as error:
            form.add_error("slug", str(error))
        else:
            messages.success(request, _said(imported))
            return redirect("catalog:tools", org=membership.organization.slug, server=imported.server.slug)
    return _preview_new(request, membership, shown.config, form)


def _preview_new(
    request: HttpRequest, membership: Membership, wanted: ServerConfig, form: ServerImportForm
) -> HttpResponse:
    context = {
        "membership": membership,
        "nav_section": "servers",
        "form": form,
        "wanted": wanted,
        "other_slug": form["slug"].value() != wanted.slug and not form.is_bound,
        **_plan_context(plan(None, wanted)),
    }
    return render(request, "catalog/server_import_preview.html", context)


def _plan_context(found: ImportPlan) -> dict[str, Any]:
    sections = (
        ("Created", "ok", found.created),
        ("Changed", "info", found.changed),
        ("Not in the file", "warn", found.removed),
    )
    return {
        "plan": found,
        "sections": [(title, tone, wording.groups(items)) for title, tone, items in sections if items],
        "missing": [wording.masked_line(place) for place in found.missing],
        "moves": found.moves,
        "forgotten": wording.in_words(found.forgotten),
    }


def _problems(config: ServerConfig) -> tuple[Problem, ...]:
    """What keeps a configuration from being exported: what was saved before there was a rule against it."""
    try:
        document.render(config)
    except DocumentError as error:
        return error.problems
    return ()


def _said(imported: applying.Imported) -> str:
    found = imported.plan
    done = [(found.created, "created"), (found.changed, "changed"), (imported.removed, "removed")]
    words = ", ".join(f"{wording.listed(counts(items))} {word}" for items, word in done if items)
    text = f"Imported: {words}." if words else "Nothing changed: the server was as the file says."
    if found.missing:
        text += f" {len(found.missing)} value{'' if len(found.missing) == 1 else 's'} still to be entered."
    return text
