"""An integration that refreshes by itself, for tests of what comes of that."""

from __future__ import annotations

import pytest

from integrations import automation
from integrations.automation import Automation
from integrations.models import Integration
from tests.integrations.conftest import Connect, Connection
from tests.wire.world import HostedRepository


@pytest.fixture
def connection(connect: Connect, book: HostedRepository) -> Connection:
    """The book, imported once."""
    made = connect(book)
    made.refresh()
    return made


def automate(connection: Connection, **chosen: object) -> Integration:
    return automation.configure(
        Integration.objects.get(pk=connection.integration.pk),
        Automation(**chosen),  # type: ignore[arg-type]
        by=connection.by,
    )
