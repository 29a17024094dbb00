"""News from the catalog and the forges: saves are noted and pushed, servers and connections leave."""

from __future__ import annotations

from django.db import transaction

from catalog.models import Server
from catalog.saving import Change
from orgs.models import User


@transaction.atomic
def on_config_saved(*, server: Server, change: Change, by: User | None, **_: object) -> None:
    """Receives `catalog.config_saved`: notes what changed, and asks for a push."""


@transaction.atomic
def on_server_leaving(*, server: Server, by: User | None, **_: object) -> None:
    """Receives `catalog.server_leaving`: its files leave the repository with it."""
