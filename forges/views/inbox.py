"""Where forges post. It is for nobody with a session: who may deliver is who knows the secret."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from forges import deliveries, inbox
from forges.clients.webhooks import Refused
from forges.models import Delivery

Take = Callable[[Mapping[str, str], bytes], list[Delivery]]


@csrf_exempt
def hook(request: HttpRequest, forge: str, hook: str) -> HttpResponse:
    """A webhook's own address."""
    return _answer(request, lambda headers, body: inbox.at_hook(forge, uuid.UUID(hook), headers, body))


@csrf_exempt
def app(request: HttpRequest) -> HttpResponse:
    """The GitHub App's."""
    return _answer(request, inbox.for_app)


@csrf_exempt
def fixed(request: HttpRequest, forge: str) -> HttpResponse:
    """The older addresses, which are the same for all repositories."""
    return _answer(request, lambda headers, body: inbox.by_repository(forge, headers, body))


def _answer(request: HttpRequest, take: Take) -> HttpResponse:
    """405, 413, 401 for what is not signed with the secret, 500 for what should be sent again, and otherwise 202:
    GitLab switches off a webhook whose deliveries are not answered with 2xx."""
    if request.method != "POST":
        answer = _say(405, "Forges post the deliveries of webhooks here; there is nothing to see.")
        answer["Allow"] = "POST"
        return answer
    body = _body(request)
    if body is None:
        return _say(413, f"A delivery may have {settings.HOOK_MAX_BYTES:,} bytes here, and this one has more.")
    try:
        taken = take(dict(request.headers), body)
    except Refused as refusal:
        return _say(401, str(refusal))
    except deliveries.Failed as failure:
        return _say(500, str(failure))
    return _say(202, "\n".join(map(_told, taken)) or "Nobody here follows this.")


def _told(delivery: Delivery) -> str:
    if delivery.detail:
        return f"{delivery.get_outcome_display()}: {delivery.detail}"
    asked = len(delivery.runs)
    return f"{delivery.get_outcome_display()}: {asked} {'run is' if asked == 1 else 'runs are'} asked for."


def _body(request: HttpRequest) -> bytes | None:
    """None if it is too large: by what it says of itself, or by what comes."""
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said.isdecimal() and int(said) > settings.HOOK_MAX_BYTES:
        return None
    body = request.read(settings.HOOK_MAX_BYTES + 1)
    return body if len(body) <= settings.HOOK_MAX_BYTES else None


def _say(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
