"""A server's content changed, or the server is new: its content is indexed within seconds.

Who saves waits for one row at the most: the news is noted on the server's own Source, and `ask_for_runs` asks for the
Run. What was not noted, because a process died or a server is older than its index, the clock finds by comparing.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from catalog.models import Server
from catalog.saving import Change
from indexing import texts
from indexing.chunking.model import CHUNKER
from indexing.contents import source_of_content
from indexing.models import ServerIndex, Source
from indexing.requesting import INDEX, request_index
from jobs.models import LIVE, Run, Trigger

BATCH = 200
"""Servers that one look takes up; the next look is soon."""


def on_content_changed(*, server_id: uuid.UUID, **_: object) -> None:
    """Receives `catalog.content_changed` and `catalog.version_served`."""
    own = Source.objects.filter(server=server_id, kind=Source.Kind.CONTENT)
    # What is noted already is left alone: of a burst, the first one writes.
    if own.filter(noted_at=None).update(noted_at=timezone.now()) or own.exists():
        return
    server = Server.objects.filter(pk=server_id).first()
    if server is not None:
        note(server)


def on_config_saved(*, server: Server, change: Change, **_: object) -> None:
    """Receives `catalog.config_saved`: a new server has content from the beginning, if only none."""
    if change.verb == "create" and change.kind == "server":
        with transaction.atomic():
            note(server)


def note(server: Server) -> None:
    """Let a Run be asked for soon."""
    source = source_of_content(server)
    Source.objects.filter(pk=source.pk, noted_at=None).update(noted_at=timezone.now())


def on_server_leaving(*, server: Server, **_: object) -> None:
    """Receives `catalog.server_leaving`, once its Runs are asked to stop: what still stores a text or a page of it
    waits until it is gone, and then stores nothing."""
    list(Source.objects.select_for_update().filter(server=server).order_by("pk").values_list("pk"))
    list(ServerIndex.objects.select_for_update().filter(server=server).values_list("pk"))


def ask_for_runs() -> int:
    """Ask for a Run for each server whose content has news; how many. `jobs.outbox` calls it every two seconds."""
    noted = Source.objects.filter(noted_at__isnull=False, paused_at=None).select_related("server__organization")
    asked = 0
    for source in noted.order_by("noted_at")[:BATCH]:
        with transaction.atomic():
            # First, so that what changes from here on is noted anew. Of two workers one finds it.
            if Source.objects.filter(pk=source.pk, noted_at=source.noted_at).update(noted_at=None):
                request_index(source, trigger=Trigger.SAVE)
                asked += 1
    return asked


def look() -> str:
    """What the schedule calls: note what has no Source yet, and what is not in the index as it is now and that nobody
    is at. Returns how many, in words."""
    new = Server.objects.filter(~Exists(Source.objects.filter(server=OuterRef("pk"), kind=Source.Kind.CONTENT)))
    noted = 0
    for server in new.order_by("pk")[:BATCH]:
        note(server)
        noted += 1
    revision = Cast("server__content_revision", CharField())
    now = Concat(Value(f"{CHUNKER}."), revision, Value("."), output_field=CharField())
    behind = Source.objects.filter(
        ~Q(fingerprint__startswith=now), kind=Source.Kind.CONTENT, noted_at=None, paused_at=None
    ).filter(Q(checked_at=None) | Q(error_code="") | Q(server__content_changed_at__gt=F("checked_at")))
    for source in behind.order_by("checked_at", "pk")[:BATCH]:
        if not Run.objects.about(source).filter(kind=INDEX, status__in=LIVE).exists():
            noted += Source.objects.filter(pk=source.pk, noted_at=None).update(noted_at=timezone.now())
    return f"{noted} servers' content to be indexed"


def forget() -> str:
    """What the schedule calls each day: delete the texts of all servers that nothing uses any more."""
    forgotten = sum(texts.forget_unused(index) for index in ServerIndex.objects.order_by("pk").iterator())
    return f"{forgotten} unused texts deleted"
