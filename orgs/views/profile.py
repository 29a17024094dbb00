"""A person's own page."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orgs import audit
from orgs.forms import ProfileForm
from orgs.models import Membership, User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name and time zone; e-mail, password and two-factor sign-in are pages of their own."""
    user = cast("User", request.user)
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        old = {"name": user.name, "time_zone": user.time_zone}
        changed = form.changed_data
        with transaction.atomic():
            form.save()
            if changed:
                audit.record(
                    "profile.changed",
                    organization=None,
                    actor=user,
                    target=user,
                    before={name: old[name] for name in changed},
                    after={name: form.cleaned_data[name] for name in changed},
                    request=request,
                )
        messages.success(request, "Your profile is saved.")
        return redirect("orgs:profile")
    memberships = Membership.objects.select_related("organization").filter(user=user).order_by("organization__name")
    return render(request, "orgs/profile.html", {"form": form, "my_memberships": memberships})
