"""The panel “Git Push Sync” of a server's General tab, and its page: what is assigned, how it stands, and the form."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from catalog.access import server_of
from catalog.models import Server
from gitsync import targets
from gitsync.forms import NONE, AssignForm, values_of
from gitsync.models import Mode, PushTarget
from gitsync.requesting import ASSIGN
from gitsync.targets import FieldError, StaleTarget
from gitsync.views.page import connection_groups, page_context, panel_url, shown, target_of
from lib.htmx import go_to, is_fragment
from orgs import access
from orgs.models import Membership

_LABELS = {"choice": "Repository", "url": "Repository", "branch": "Branch", "directory": "Directory", "mode": "Mode"}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("token")
@access.for_members()
def target(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    it = server_of(membership, server)
    found = target_of(it)
    theirs: list[tuple[str, str]] = []
    if request.method == "POST":
        access.require(membership, ASSIGN)
        form = AssignForm(request.POST, server=it, target=found)
        if form.is_valid():
            try:
                _save(request, membership, it, found, form)
            except FieldError as error:
                form.add_field_error(error)
            except StaleTarget:
                found = target_of(it)
                theirs = _differences(form, found)
                form = _keep_mine(form, it, found)
            else:
                return redirect(panel_url(it))
    else:
        form = AssignForm(server=it, target=found, chosen=request.GET.get("choice", ""))
    return _render(request, membership, it, found, form, theirs)


def _save(
    request: HttpRequest, membership: Membership, server: Server, found: PushTarget | None, form: AssignForm
) -> None:
    seen = form.cleaned_data["seen_revision"]
    if form.chosen == NONE:
        if found is None:
            messages.info(request, f"{server.name} is pushed nowhere, as before.")
            return
        if seen != found.revision:
            raise StaleTarget(found)
        targets.unassign(server=server, membership=membership, request=request)
        messages.success(
            request, f"{server.name} is pushed to {found.repository} no more. What was pushed stays in the repository."
        )
        return
    saved = targets.assign(
        server=server, values=form.assignment(), membership=membership, seen_revision=seen, request=request
    )
    if saved.mode == Mode.PULL_REQUEST:
        where = f"{saved.repository} as a pull request"
    else:
        where = f"the branch {saved.branch} of {saved.repository}"
    messages.success(request, f"{server.name} is pushed to {where}, now and with every save.")


def _render(
    request: HttpRequest,
    membership: Membership,
    server: Server,
    found: PushTarget | None,
    form: AssignForm,
    theirs: list[tuple[str, str]],
) -> HttpResponse:
    fragment = is_fragment(request)
    context = page_context(
        membership,
        server,
        fragment=fragment,
        form=form,
        theirs=theirs,
        shown=shown(membership, found) if found else None,
        groups=connection_groups(membership) if access.may(membership, ASSIGN) else (),
        owner=server.owner,
    )
    wrong = 422 if form.errors else 200
    if theirs:
        wrong = 422 if fragment else 409  # htmx shows the former alone
    template = "gitsync/_panel.html" if fragment else "gitsync/target.html"
    response = render(request, template, context, status=wrong)
    patch_vary_headers(response, ("HX-Request",))
    return response


def _differences(form: AssignForm, current: PushTarget | None) -> list[tuple[str, str]]:
    """What is saved now, by label, where it is not what the person entered."""
    now, mine = values_of(current), form.cleaned_data
    found: list[tuple[str, str]] = []
    for name, label in _LABELS.items():
        if str(now.get(name) or "") == str(mine.get(name) or "") or (name == "url" and found):
            continue
        value = now.get(name) or ""
        if name in ("choice", "url"):
            value = current.repository if current else "None (Disable Auto-Push)"
        elif name == "mode":
            value = Mode(value).label
        found.append((label, str(value)))
    return found or [("Saved again", "with the same values")]


def _keep_mine(form: AssignForm, server: Server, current: PushTarget | None) -> AssignForm:
    """The same form with what the person entered, that saves over what is there now."""
    seen = "" if current is None else current.revision
    mine = {name: form.data.get(name, "") for name in form.fields}
    return AssignForm({**mine, "seen_revision": seen}, server=server, target=current)


@require_safe
@access.for_members()
def state(request: HttpRequest, membership: Membership, server: str) -> HttpResponseBase:
    """How it stands, which the panel asks for while a push is at work; nothing where that is as it was."""
    it = server_of(membership, server)
    found = target_of(it)
    if found is None or not is_fragment(request):
        # The assignment was taken away while somebody looked at it, who would ask for ever.
        return go_to(request, panel_url(it))
    now = shown(membership, found)
    if request.GET.get("seen") == now.digest:
        return HttpResponse(status=204)
    return render(request, "gitsync/_state.html", page_context(membership, it, shown=now))
