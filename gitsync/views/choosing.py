"""What the form offers to choose from: the repositories of each connection, and the branches of one."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from catalog.access import server_of
from catalog.views.page import asked
from forges import picking
from forges.clients.errors import Busy
from forges.models import Connection
from forges.picking import Asked, FieldError
from gitsync import targets
from gitsync.forms import NONE, URL, AssignForm, Choice, RepositoryForm
from gitsync.models import Mirror, PushTarget
from gitsync.probing import asked_of
from gitsync.views.page import connection_groups, page_context, target_of
from lib.htmx import is_fragment
from orgs import access
from orgs.models import Membership


@require_safe
@access.for_members("gitsync.assign")
def repositories(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """Those of one connection (`connection`) whose name holds `q`: a group of the list for htmx, else a page on which
    one chooses a connection, too."""
    it = server_of(membership, server)
    context = listed(request, membership, target_of(it))
    context["repositories_url"] = reverse("gitsync:repositories", args=[membership.organization.slug, it.slug])
    if is_fragment(request):
        return render(request, "gitsync/_repositories.html", {**context, "org": membership.organization.slug})
    return render(request, "gitsync/repositories.html", page_context(membership, it, **context))


def listed(request: HttpRequest, membership: Membership, assigned: PushTarget | Mirror | None) -> dict[str, Any]:
    """What the list of one connection's repositories takes, and the page around it."""
    query, wanted = asked(request, "q"), asked(request, "connection")
    groups = connection_groups(membership)
    if not wanted and len(groups) == 1:
        wanted = str(groups[0].it.pk)
    connection = _usable(membership, wanted) if wanted else None
    context: dict[str, Any] = {"query": query, "connection": connection, "most": picking.SHOWN, "groups": groups}
    if connection is not None:
        context |= _found(connection, query, Choice.of(assigned), Choice.parse(request.GET.get("choice", "")))
    return context


def _usable(membership: Membership, pk: str) -> Connection:
    try:
        found: Connection | None = Connection.objects.usable_by(membership).filter(pk=pk).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise Http404
    return found


def _found(connection: Connection, query: str, assigned: Choice | None, chosen: Choice | None) -> dict[str, Any]:
    """The group's choices. What is assigned stands above all groups; what is chosen stays, whatever is searched."""
    keep = chosen if chosen is not None and chosen.connection == connection.pk and chosen != assigned else None
    answer: dict[str, Any] = {"kept": keep, "choices": []}
    try:
        found = picking.repositories(Asked(forge=connection.forge, connection=connection), query=query)
    except FieldError as error:
        answer |= {"problem": str(error), "busy": isinstance(error.__cause__, Busy)}
        return answer
    choices = [(Choice(connection.pk, each.id, each.full_name), each.private) for each in found]
    answer["choices"] = [(choice, private) for choice, private in choices if choice not in (assigned, keep)]
    answer["count"] = len(found)
    return answer


@require_POST
@sensitive_post_parameters("token")
@access.for_members("gitsync.assign")
def branches(request: HttpRequest, membership: Membership, server: str) -> HttpResponse:
    """The branch's field for the repository that is chosen: its default branch in it, all of them to choose from."""
    it = server_of(membership, server)
    target = target_of(it)
    form = AssignForm(request.POST, server=it, target=target)
    return offered(request, membership, form, target, nothing=it.owner_id is not None)


def offered(
    request: HttpRequest,
    membership: Membership,
    form: RepositoryForm,
    target: PushTarget | Mirror | None,
    *,
    nothing: bool = False,
) -> HttpResponse:
    """The branch's field for what is chosen on the form; with `nothing` no forge is asked."""
    form.full_clean()
    context: dict[str, Any] = {"form": form, "branch": "", "fill": "fill" in request.GET}
    if target is not None and form.chosen == form.initial["choice"]:
        context["branch"] = target.branch
    try:
        repository = None if nothing else _asked(form, target, membership)
        if repository is not None:
            default, found = picking.branches(repository)
            context |= {"default": default, "found": found, "branch": context["branch"] or default}
    except FieldError as error:
        context["problem"] = str(error)
    return render(request, "gitsync/_branch.html", context)


def _asked(form: RepositoryForm, target: PushTarget | Mirror | None, membership: Membership) -> Asked | None:
    """None where nothing is chosen yet. Raises FieldError."""
    values = form.assignment()
    if form.chosen == URL:
        if not values.repository or "url" in form.errors:
            return None
        return asked_of(targets.with_stored_token(values, target), None)
    if form.chosen == NONE or not values.connection_id:
        return None
    return asked_of(values, _usable(membership, str(values.connection_id)))
