"""What tests of pages share: a page as text, and how many queries something takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


def words(response: Answer) -> str:
    """The HTML of an answer, its white space made single, so that words are found across lines."""
    return " ".join(response.content.decode().split())


def page(client: Client, address: str, status: int = 200) -> str:
    """The HTML of a page, as `words` gives it."""
    response = client.get(address)
    assert response.status_code == status
    return words(response)


def queries_of(action: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)
