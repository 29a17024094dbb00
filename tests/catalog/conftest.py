"""What the tests of the catalog share: things to do at the same moment, and signals that were sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.dispatch import Signal

from catalog import signals
from catalog.models import Server
from jobs.models import Run, Status
from tests.catalog.calling import api, weather

__all__ = ["api", "weather"]


def together(*tasks: Callable[[], Any]) -> list[Any]:
    """Run the tasks at the same moment, each on a thread and connection of its own; results or errors in order."""
    results: list[Any] = [None] * len(tasks)
    start = threading.Barrier(len(tasks))

    def run(number: int, task: Callable[[], Any]) -> None:
        try:
            start.wait()
            results[number] = task()
        except Exception as error:  # handed to the test
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def run(server: Server, **fields: Any) -> Run:
    """A Run about a server, as an app above would have asked for it; succeeded unless said otherwise."""
    return Run.objects.create(
        organization=server.organization,
        kind="integrations.refresh",
        subject_type=ContentType.objects.get_for_model(Server),
        subject_id=str(server.pk),
        subject_label=fields.pop("label", "acme/handbook"),
        scope=str(server.pk),
        options_key="",
        **{"status": Status.SUCCEEDED, **fields},
    )


def _heard(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def receive(**news: Any) -> None:
        heard.append({name: value for name, value in news.items() if name not in ("signal", "sender")})

    signal.connect(receive)
    yield heard
    signal.disconnect(receive)


@pytest.fixture
def content_news() -> Iterator[list[dict[str, Any]]]:
    """Each `content_changed` that was sent during the test."""
    yield from _heard(signals.content_changed)


@pytest.fixture
def served_news() -> Iterator[list[dict[str, Any]]]:
    """Each `version_served` that was sent during the test."""
    yield from _heard(signals.version_served)


@pytest.fixture
def config_news() -> Iterator[list[dict[str, Any]]]:
    """Each `config_saved` that was sent during the test."""
    yield from _heard(signals.config_saved)


@pytest.fixture
def entity_news() -> Iterator[list[dict[str, Any]]]:
    """Each `entity_saved` that was sent during the test."""
    yield from _heard(signals.entity_saved)
