from __future__ import annotations

import base64
import contextlib
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalog.models import Server
from integrations.models import Integration
from tests.lib.sites import Site

Names = Callable[..., list[str]]

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuv"
# Always the same, for the names of tests hold them.
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 11)[:43].decode()}=" for name in ("old", "new"))


@pytest.fixture
def open_site() -> Iterator[Callable[..., Site]]:
    """Opens sites that are closed after the test."""
    with contextlib.ExitStack() as stack:

        def opener(*args: Any, **kwargs: Any) -> Site:
            site = Site(*args, **kwargs)
            stack.callback(site.close)
            return site

        yield opener


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Site:
    return open_site()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The network's name service: `names(host, answer, answer…)`, each a list of addresses, the last one staying.

    Returns the list of hosts that were asked for, in order. Names that were not given stay the system's.
    """
    system = socket.getaddrinfo
    table: dict[str, list[list[str]]] = {}
    asked: list[str] = []

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in table:
            return system(host, port, *args, **kwargs)
        asked.append(host)
        answers = table[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    def name(host: str, *answers: list[str]) -> list[str]:
        table[host] = list(answers)
        return asked

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return name


@pytest.fixture
def integration(docs: Server) -> Callable[..., Integration]:
    """Makes rows that hold a secret: `integration(token)`."""

    def make(token: str = TOKEN) -> Integration:
        number = str(uuid.uuid4())
        row = Integration(server=docs, forge="github", repository_id=number, repository=f"acme/{number}")
        row.token = token
        row.save()
        return row

    return make
