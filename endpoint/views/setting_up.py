"""How a server or toolkit is served: what its people choose."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from catalog.checking.problems import Invalid
from catalog.views.page import posted
from endpoint.forms.setup import SetupForm
from endpoint.models import Setup
from endpoint.recording import counts
from endpoint.setups import Changed, clashes, needed, save_setup, setup_of
from endpoint.views.place import CONNECT, Place, both, used_up
from orgs import access


def _setup(request: HttpRequest, place: Place) -> HttpResponseBase:
    access.require(place.membership, needed(place.target))
    stored = setup_of(place.target)
    form = SetupForm(stored, posted(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            save_setup(
                place.target,
                values=form.values,
                seen=form.cleaned_data["seen"],
                by=place.membership,
                request=request,
            )
        except Invalid as invalid:
            form.refuse(invalid.errors)
        except Changed as changed:
            stored, status = changed.current, 409
            messages.warning(request, str(changed))
            form = SetupForm(stored)
        except ObjectDoesNotExist:
            form.add_error(None, f"Somebody deleted this {place.noun} while you were editing it.")
            status = 409
        else:
            messages.success(request, "The settings are saved. Clients get them with their next request.")
            return redirect(place.url("setup"))
    return _page(request, place, stored, form, status=422 if form.errors and status == 200 else status)


def _page(request: HttpRequest, place: Place, stored: Setup, form: SetupForm, *, status: int) -> HttpResponse:
    context = place.context(
        CONNECT,
        "setup",
        form=form,
        clashes=clashes(place.target, stored),
        used=counts.month(place.target),
        used_up=used_up(stored),
    )
    return render(request, "endpoint/setup.html", context, status=status)


setup, toolkit_setup = (require_http_methods(["GET", "HEAD", "POST"])(view) for view in both(_setup))
