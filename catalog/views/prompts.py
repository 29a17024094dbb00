"""Prompts of a server: look at with arguments filled in, create, edit, delete."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from catalog import prompts as services
from catalog.access import server_of
from catalog.checking import prompts as rules
from catalog.entity_uses import uses_of
from catalog.forms.prompts import PromptForm, SampleForm
from catalog.models import Prompt, Provider
from catalog.views import entity
from catalog.views.entity import Submitted, ask_to_delete, find, judged, page, submit_rows
from orgs import access
from orgs.models import Membership

Done = Submitted[PromptForm, Prompt]


@access.for_members()
def prompt(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Prompt, it, pk)
    sample = SampleForm(request.GET or None, arguments=found.arguments)
    return page(
        request,
        membership,
        it,
        "catalog/prompt.html",
        prompt=found,
        sample=sample,
        filled=services.fill(found, sample.values),
        warnings=rules.warnings(found.arguments, found.messages),
    )


@access.for_members("servers.edit")
def create(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    provider = find(Provider, it, pk)
    done = submit_rows(
        request,
        PromptForm(judged(request)),
        lambda form: services.create_prompt(provider=provider, values=form.values, by=membership.user, request=request),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved. This is how it reads.")
        return _to_prompt(membership, done.saved)
    return _form(request, membership, provider, done)


@access.for_members("servers.edit")
def edit(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Prompt, it, pk)
    done = submit_rows(
        request,
        PromptForm.for_row(found, judged(request)),
        lambda form: services.edit_prompt(
            prompt=found,
            values=form.values,
            seen_revision=form.cleaned_data["seen_revision"],
            by=membership.user,
            request=request,
        ),
    )
    if done.saved:
        messages.success(request, f"{done.saved.name} is saved.")
        return _to_prompt(membership, done.saved)
    return _form(request, membership, found.provider, done, prompt=found)


@access.for_members("servers.edit")
def delete(request: HttpRequest, membership: Membership, server: str, pk: UUID) -> HttpResponse:
    it = server_of(membership, server)
    found = find(Prompt, it, pk)
    if request.method == "POST":
        user = membership.user
        entity.delete(request, found.name, lambda: services.delete_prompt(prompt=found, by=user, request=request))
        return redirect("catalog:tools", org=membership.organization.slug, server=it.slug)
    where = [membership.organization.slug, it.slug, found.pk]
    count = len(found.messages)
    return ask_to_delete(
        request,
        membership,
        it,
        name=found.name,
        text=f"People can no longer choose it in their client. Its {count} message{'' if count == 1 else 's'} "
        f"{'is' if count == 1 else 'are'} kept nowhere else.",
        button="Delete prompt",
        items=[use.loss for use in uses_of(found, membership)],
        action=reverse("catalog:prompt_delete", args=where),
        cancel_url=reverse("catalog:prompt", args=where),
    )


def _form(
    request: HttpRequest, membership: Membership, provider: Provider, done: Done, prompt: Prompt | None = None
) -> HttpResponse:
    server = prompt.server if prompt else provider.server
    return page(
        request,
        membership,
        server,
        "catalog/prompt_form.html",
        status=done.status,
        provider=provider,
        prompt=prompt,
        form=done.form,
        theirs=done.theirs,
    )


def _to_prompt(membership: Membership, saved: Prompt) -> HttpResponse:
    return redirect("catalog:prompt", org=membership.organization.slug, server=saved.server.slug, pk=saved.pk)
