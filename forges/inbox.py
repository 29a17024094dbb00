"""Where deliveries of webhooks come in: whose they are, and whether that one's secret signed them.

What is not signed is counted at the webhook that it was sent to, and kept nowhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from forges.clients import FORGES, webhooks
from forges.clients.webhooks import Refused
from forges.deliveries import Arrival, take, take_all
from forges.models import Connection, Delivery, Hook, Method

CANDIDATES, MOST_CANDIDATES = 20, 500
"""Webhooks whose secrets are tried for a delivery whose address does not name one: of a large and of a small one."""
VERIFIED_BYTES = 16 << 20
"""That are hashed for one delivery, all secrets together."""
_MOST = 1_000_000
"""Refusals that are counted."""


def at_hook(forge: str, hook_id: uuid.UUID, headers: Mapping[str, str], body: bytes) -> list[Delivery]:
    """A delivery at a webhook's own address. Refused unless that webhook's secret signed it; Failed.

    An unknown id costs what a known one does, and is answered alike.
    """
    found = Hook.objects.select_related("organization").filter(pk=hook_id, forge=forge).first()
    hook = found or _stand_in(forge, hook_id)
    try:
        current = _verify(hook, headers, body)
        if found is None:
            raise Refused("wrong_signature")
    except Refused as refusal:
        _count_refusal(hook_id, forge, refusal)
        raise
    return [take(hook, Arrival.of(forge, headers, body), by_current_secret=current)]


def for_app(headers: Mapping[str, str], body: bytes) -> list[Delivery]:
    """A delivery of the GitHub App's webhook, to each organisation that connected the installation. Refused; Failed."""
    webhooks.verify("github", headers, body, [settings.GITHUB_APP_WEBHOOK_SECRET], now=timezone.now())
    arrival = Arrival.of("github", headers, body)
    if arrival.event is None or not arrival.event.installation_id:
        return []
    # Numbers of installations are those of one server: another one, where the App was before, has the same.
    connections = Connection.objects.select_related("organization").filter(
        forge="github",
        base_url=FORGES["github"].api_url(settings.GITHUB_APP_URL.rstrip("/")),
        method=Method.GITHUB_APP,
        installation_id=arrival.event.installation_id,
    )
    return take_all(list(connections.order_by("created_at")), arrival)


def by_repository(forge: str, headers: Mapping[str, str], body: bytes) -> list[Delivery]:
    """A delivery at an address that names no webhook: it is for each whose secret signed it. Refused; Failed.

    They are looked for by the forge's id of the repository that the body claims to be about, in all organisations. A
    refusal is counted nowhere: whoever knows a public repository's id could fill others' pages with it.
    """
    if forge == "github" and settings.GITHUB_APP_WEBHOOK_SECRET:
        try:
            return for_app(headers, body)
        except Refused:
            pass  # it may be a repository's own
    event = webhooks.parse(forge, headers, body)
    # Those that deliver already come first, and there is room for many: others can connect repositories that have the
    # same number at a server of theirs, and let them deliver.
    most = max(CANDIDATES, min(MOST_CANDIDATES, VERIFIED_BYTES // (len(body) or 1)))
    candidates = (
        Hook.objects.select_related("organization")
        .filter(forge=forge, repository_id=event.repository_id)
        .order_by(F("delivered_at").desc(nulls_last=True), "created_at")[:most]
    )
    verified = []
    for hook in candidates:
        try:
            verified.append((hook, _verify(hook, headers, body)))
        except Refused as refusal:
            if refusal.code == "stale":
                raise
    if not verified:
        _verify(_stand_in(forge, uuid.uuid4()), headers, body)  # raises Refused with what is wrong with it
    arrival = Arrival.of(forge, headers, body)
    return take_all([hook for hook, _ in verified], arrival, current={hook.pk: current for hook, current in verified})


def _stand_in(forge: str, hook_id: uuid.UUID) -> Hook:
    """In the place of a webhook that does not exist: with a secret that nobody knows."""
    hook = Hook(pk=hook_id, forge=forge)
    hook.secret = webhooks.new_secret(forge)
    return hook


def _verify(hook: Hook, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it was the current secret that signed it, or else the one before; Refused where neither did."""
    now = timezone.now()
    current, *former = hook.secrets(now)
    try:
        webhooks.verify(hook.forge, headers, body, [current], now=now)
    except Refused as refusal:
        if refusal.code != "wrong_signature" or not former:
            raise
        webhooks.verify(hook.forge, headers, body, former, now=now)
        return False
    return True


def _count_refusal(hook_id: uuid.UUID, forge: str, refusal: Refused) -> None:
    Hook.objects.filter(pk=hook_id, forge=forge).update(
        refused=Least(F("refused") + 1, _MOST), refused_at=timezone.now(), refused_reason=refusal.code
    )
