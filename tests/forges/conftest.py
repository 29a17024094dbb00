"""Clients that speak with the local forge, as strictly as in production: only its two addresses are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from forges.clients import open_client
from forges.clients.base import Client, Credential, Limits
from lib import egress
from tests.wire.fixtures import contract, forge, git_repo, github_contract, github_repo, private_repo
from tests.wire.forge import Forge

__all__ = ["contract", "forge", "git_repo", "github_contract", "github_repo", "private_repo"]

POLICY = egress.Policy.parse([], ["127.0.0.1/32", "127.0.0.2/32"])
LIMITS = Limits(timeout=5.0, total_timeout=20.0)

OpenGitHub = Callable[..., Client]


@pytest.fixture
def open_github(forge: Forge) -> Iterator[OpenGitHub]:
    """A client for the local GitHub: `open_github(token, max_entries=10)`; keywords replace single limits."""
    with ExitStack() as stack:

        def open_it(token: str = "", **limits: float) -> Client:
            client = open_client(
                "github",
                base_url=forge.url,
                credential=Credential(token),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
            )
            return stack.enter_context(client)

        yield open_it


@pytest.fixture
def open_git() -> Iterator[OpenGitHub]:
    """The same for plain git; `local_roots` are folders."""
    with ExitStack() as stack:

        def open_it(token: str = "", *, local_roots: tuple = (), **limits: float) -> Client:  # type: ignore[type-arg]
            client = open_client(
                "git",
                credential=Credential(token),
                policy=POLICY,
                limits=replace(LIMITS, **limits),  # type: ignore[arg-type]
                local_roots=local_roots,
            )
            return stack.enter_context(client)

        yield open_it
