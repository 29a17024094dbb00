"""The webhook that tells a mirror of pushes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from forges import hooks
from forges.clients.base import Client
from forges.models import Hook, Method
from forges.picking import FieldError
from forges.usage import Use
from gitsync.credentials import open_client
from gitsync.mirror.trials import pasted
from gitsync.models import Mirror
from orgs.models import Membership

LEAST_SECRET, MOST_SECRET = 16, 200
"""Characters of a webhook's secret: whoever guesses it can have us look at the forge as often as they like."""
_SECRET = re.compile(r"[\x21-\x7e]+")


def checked_secret(entered: str) -> str:
    """The secret that a person chose, "" for none. Raises FieldError."""
    secret = pasted(entered)
    if secret and not (LEAST_SECRET <= len(secret) <= MOST_SECRET and _SECRET.fullmatch(secret)):
        raise FieldError(
            "webhook_secret",
            f"A webhook secret has {LEAST_SECRET} to {MOST_SECRET} letters, digits and signs, without spaces. Leave it "
            "empty, and Millrace makes one.",
        )
    return secret


def told_by_app(mirror: Mirror) -> bool:
    """Whether the GitHub App's own webhook tells of its pushes."""
    return mirror.connection is not None and mirror.connection.method == Method.GITHUB_APP


def hook_of(mirror: Mirror) -> Hook | None:
    """The webhook of its repository, which integrations of the organisation share."""
    return Hook.objects.filter(
        organization=mirror.organization_id,
        forge=mirror.forge,
        base_url=mirror.base_url,
        repository_id=mirror.repository_id,
    ).first()


def want_hook(mirror: Mirror, given: str, membership: Membership, request: HttpRequest | None) -> str:
    """Have a webhook made. Returns its secret where a person may have to enter it, and nobody has seen it yet."""
    if not hooks.possible(mirror.forge) or told_by_app(mirror):
        return ""
    made = "" if given or mirror.forge != "bitbucket" or hook_of(mirror) else secrets.token_hex(32)
    hook = hooks.want(
        mirror.organization,
        forge=mirror.forge,
        base_url=mirror.base_url,
        repository_id=mirror.repository_id,
        repository=mirror.repository,
        secret=given or made,
    )
    return hooks.reveal(hook, by=membership.user, request=request) if made else ""


def _following(hook: Hook) -> QuerySet[Mirror]:
    return Mirror.objects.filter(
        organization=hook.organization_id,
        forge=hook.forge,
        base_url=hook.base_url,
        repository_id=hook.repository_id,
    ).select_related("organization", "connection")


def use_of(mirror: Mirror) -> Use:
    return Use(
        kind="mirror",
        label=f"Entities and {mirror.repository}",
        url=reverse("gitsync:mirror", args=[mirror.organization.slug]),
        stops=f"the sync of the organisation’s entities with {mirror.repository}",
    )


def followers_of(hook: Hook) -> list[Use]:
    """What waits for its deliveries; those of a GitHub App's connection are told of pushes by the App itself."""
    return [use_of(each) for each in _following(hook) if not told_by_app(each)]


def clients_for_hook(hook: Hook, *, seconds: float | None) -> Iterator[AbstractContextManager[Client]]:
    """Clients that may be able to manage it. Entering one can raise what `open_client` does."""
    for each in _following(hook):
        if each.connection is not None or Mirror.token.is_set(each):
            yield open_client(each, seconds=seconds)
