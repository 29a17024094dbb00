"""What the pages of providers, tools, resources, prompts and variables share; forms are submitted by those of the
Library as here, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from catalog.checking.problems import Invalid
from catalog.forms.entity import Difference, EntityForm
from catalog.forms.rows import RowsForm
from catalog.models import Prompt, Provider, Resource, Server, Tool, Variable
from catalog.saving import Counted, Stale
from catalog.views.page import confirm, posted, server_context
from orgs.models import Membership

ROW = TypeVar("ROW", bound=Counted)
OFFERED = TypeVar("OFFERED", Provider, Tool, Resource, Prompt, Variable)
FORM = TypeVar("FORM", bound=EntityForm)
ROWS_FORM = TypeVar("ROWS_FORM", bound=RowsForm)


@dataclass(frozen=True)
class Submitted(Generic[FORM, ROW]):
    """What became of a form: the row that was saved, or the form to show again."""

    form: FORM
    saved: ROW | None = None
    theirs: list[Difference] = field(default_factory=list)
    """What somebody else saved meanwhile; the form then holds what this person typed, and saves over it."""

    gone: bool = False
    """Whether somebody deleted the row, or what it was to be in; the form still holds what this person typed."""

    @property
    def status(self) -> int:
        return 409 if self.theirs or self.gone else 200


def find(model: type[OFFERED], server: Server, pk: UUID) -> OFFERED:
    """A row of the server; Http404 if it is not there."""
    rows = model._default_manager.filter(server=server, pk=pk)
    if model in (Tool, Resource, Prompt):  # read at once: it may be deleted before the page is made
        rows = rows.select_related("provider")
    row: OFFERED | None = rows.first()
    if row is None:
        raise Http404
    row.server = server
    return row


def submit(request: HttpRequest, form: FORM, save: Callable[[FORM], ROW]) -> Submitted[FORM, ROW]:
    """Save what was posted by a service; whatever keeps it from being saved is shown on the form."""
    if request.method != "POST" or not form.is_valid():
        return Submitted(form)
    try:
        return Submitted(form, saved=save(form))
    except Invalid as invalid:
        form.refuse(invalid.errors)
    except Stale as stale:
        theirs = form.differences(stale.current)
        if not theirs:  # both saved the same: there is nothing to choose between
            return Submitted(form, saved=cast("ROW", stale.current))
        return Submitted(form.over(stale.current), theirs=theirs)
    except ObjectDoesNotExist:
        form.add_error(None, "Somebody deleted this while you were editing it. Copy what you need from here.")
        return Submitted(form, gone=True)
    return Submitted(form)


def judged(request: HttpRequest) -> QueryDict | None:
    """What was posted to be saved; a button of a form's rows posts it to get it back otherwise."""
    return None if "rows" in request.POST else posted(request)


def submit_rows(request: HttpRequest, form: ROWS_FORM, save: Callable[[ROWS_FORM], ROW]) -> Submitted[ROWS_FORM, ROW]:
    """`submit` of a form with rows, made of what `judged` gives."""
    if request.method == "POST" and "rows" in request.POST:
        return Submitted(type(form).rearranged(request.POST))
    return submit(request, form, save)


def delete(request: HttpRequest, name: str, service: Callable[[], None]) -> bool:
    """Delete by a service, and say so. False where somebody else was first, in that moment."""
    try:
        service()
    except ObjectDoesNotExist:
        messages.info(request, f"{name} was deleted meanwhile, by somebody else.")
        return False
    messages.success(request, f"{name} is deleted.")
    return True


def page(
    request: HttpRequest,
    membership: Membership,
    server: Server,
    template: str,
    *,
    tab: str = "tools",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    """A page of one of the server's tabs."""
    return render(request, template, server_context(membership, server, tab, **more), status=status)


def ask_to_delete(
    request: HttpRequest,
    membership: Membership,
    server: Server,
    *,
    name: str,
    text: str,
    button: str,
    action: str,
    cancel_url: str,
    items: Sequence[str] = (),
    more: int = 0,
    tab: str = "tools",
) -> HttpResponse:
    """The question before something is deleted; it says what goes."""
    context = server_context(
        membership,
        server,
        tab,
        title=f"Delete {name}?",
        text=text,
        items=items,
        more=more,
        action=action,
        cancel_url=cancel_url,
        confirm=button,
        danger=True,
    )
    return confirm(request, context)
