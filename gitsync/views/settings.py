"""What an organisation chooses for all its pushes, and removals of deleted servers that have not arrived."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from forges.clients.base import Author
from gitsync import settings as services
from gitsync.forms import TemplateForm
from gitsync.messages import PLACEHOLDERS, InvalidTemplate, Message, Told, author_of, check_template, compose
from gitsync.models import PushTarget
from orgs import access
from orgs.models import Membership

_SOMEBODY = Author("Robin Doe", "robin@example.com")


@require_http_methods(["GET", "HEAD", "POST"])
@access.for_members("gitsync.assign")
def settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    stored = services.template_of(membership.organization)
    data = request.POST if request.method == "POST" else None
    form = TemplateForm(data, initial={"message_template": stored})
    if request.method == "POST" and form.is_valid():
        try:
            services.change_template(
                template=form.cleaned_data["message_template"], membership=membership, request=request
            )
        except InvalidTemplate as error:
            form.add_error("message_template", str(error))
        else:
            messages.success(request, "The template is saved. The next push uses it.")
            return redirect("gitsync:settings", org=membership.organization.slug)
    leaving = PushTarget.objects.filter(organization=membership.organization, server=None).order_by("created_at")
    context = {
        "membership": membership,
        "organization": membership.organization,
        "org": membership.organization.slug,
        "form": form,
        "example": None if form.errors else _example(stored, membership),
        "placeholders": PLACEHOLDERS.items(),
        "leaving": leaving,
    }
    return render(request, "gitsync/settings.html", context, status=422 if form.errors else 200)


@require_POST
@access.for_members("gitsync.assign")
def example(request: HttpRequest, membership: Membership) -> HttpResponse:
    """A commit as the template on the form would word it."""
    form = TemplateForm(request.POST)
    context: dict[str, object] = {}
    if form.is_valid():
        try:
            context["example"] = _example(check_template(form.cleaned_data["message_template"]), membership)
        except InvalidTemplate as error:
            context["problem"] = str(error)
    return render(request, "gitsync/_example.html", context)


def _example(template: str, membership: Membership) -> Message:
    person = author_of(membership.user.name, membership.user.email)
    changes = (
        Told("update", "tool", "getWeather", person=_SOMEBODY),
        Told("create", "tool", "getForecast", person=person),
    )
    return compose(changes, server="Weather", organization=membership.organization.name, template=template)
