"""A plain HTTP client for the forge's own tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.wire.forge import Forge

Get = Callable[..., requests.Response]
Ask = Callable[..., requests.Response]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def get(forge: Forge, session: requests.Session) -> Get:
    """`get("/user", token=…)`: one request to the API, redirects not followed."""

    def ask(path: str, *, token: str = "", headers: dict[str, str] | None = None, **more: object) -> requests.Response:
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        address = path if path.startswith("http") else forge.url + path
        return session.get(address, headers=sent, allow_redirects=False, timeout=10, **more)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def ask(forge: Forge, session: requests.Session) -> Ask:
    """`ask("/user", token=…, method="PUT", json=…)`: one request to GitLab's API, redirects not followed."""

    def request(path: str, *, token: str = "", method: str = "GET", **more: Any) -> requests.Response:
        address = path if path.startswith("http") else forge.gitlab_url + path
        headers = {**({"PRIVATE-TOKEN": token} if token else {}), **more.pop("headers", {})}
        return session.request(method, address, headers=headers, allow_redirects=False, timeout=10, **more)

    return request
