"""A tool called, a resource read: what is loaded for it, and the installation's limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings

from catalog.calls.answers import Limits
from catalog.calls.building import Endpoint, build
from catalog.calls.results import Busy, CallResult, Misconfigured
from catalog.calls.sending import send
from catalog.models import Provider, Resource, Tool
from catalog.variables import values_for
from lib.database import release_connections
from lib.policy import egress_policy

AT_ONCE = 4
"""Tools that people of one process try at once: were all its threads waiting, nobody would see a page."""
TURN_SECONDS = 1.0
"""How long one more waits for its turn."""

_TURNS = BoundedSemaphore(AT_ONCE)


def call_tool(tool: Tool, arguments: Any, *, seconds: float | None = None) -> CallResult:
    """Make the tool's HTTP call with `{"path": {…}, "query": {…}, "body": …}`, as `input_schema` describes.

    What the provider answers is the result, its errors included (`is_error`). It is told within `seconds`, and never
    later than CALL_TOTAL_TIMEOUT; the database's connection is given back meanwhile. Raises CallError: each is a
    sentence, without secrets. To be called outside transactions; from many threads at once.
    """
    return _called(_endpoint(tool.provider, tool), tool.provider, arguments, seconds)


def read_resource(resource: Resource, *, seconds: float | None = None) -> CallResult:
    """The same for a resource that the provider answers at its `upstream_path`; Misconfigured for one that has none."""
    if not resource.upstream_path:
        raise Misconfigured("The resource is a text that is kept here, and no call is needed for it.")
    return _called(_endpoint(resource.provider, resource), resource.provider, {}, seconds)


@contextmanager
def turn() -> Iterator[None]:
    """For a call that a person waits for: Busy when too many do already."""
    if not _TURNS.acquire(timeout=TURN_SECONDS):
        raise Busy("Many people try tools at this moment. Try again in some seconds.")
    try:
        yield
    finally:
        _TURNS.release()


def _called(endpoint: Endpoint, provider: Provider, arguments: Any, seconds: float | None) -> CallResult:
    longest = settings.CALL_TOTAL_TIMEOUT
    end = time.monotonic() + (longest if seconds is None else min(seconds, longest))
    request = build(endpoint, arguments, values_for(provider.server))
    limits = Limits(
        timeout=settings.CALL_TIMEOUT,
        max_bytes=settings.CALL_MAX_BYTES,
        max_characters=settings.CALL_MAX_RESPONSE_CHARACTERS,
    )
    release_connections()
    return send(request, policy=egress_policy(), limits=limits, end=end)


def _endpoint(provider: Provider, what: Tool | Resource) -> Endpoint:
    common: dict[str, Any] = {
        "provider": (str(provider.pk), provider.revision),
        "base_url": provider.base_url,
        "token_url": provider.oauth2_token_url,
        "client_id": provider.oauth2_client_id,
        "client_secret": provider.oauth2_client_secret,
    }
    if isinstance(what, Resource):
        whole = what.upstream_path.replace("{", "%7B").replace("}", "%7D")  # nothing is filled in here
        path, _, query = whole.partition("?")
        return Endpoint(**common, method="GET", path=path, query=query, scopes=tuple(provider.oauth2_scopes))
    return Endpoint(
        **common,
        method=what.method,
        path=what.path,
        path_schema=what.path_schema,
        query_schema=what.query_schema,
        body_schema=what.body_schema,
        headers=what.headers,
        idempotent=what.idempotent,
        scopes=tuple(dict.fromkeys([*provider.oauth2_scopes, *what.oauth2_scopes])),
    )
