"""One message from synchronous code of ours, answered as it would be over the network: for the Playground."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from mcp.shared.inbound import encode_header_value
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import Message as Sent
from starlette.types import Scope

from endpoint.admitted import Admitted, Refused
from endpoint.protocol import hosting, messages, threads
from endpoint.protocol.dispatch import internal
from endpoint.protocol.exchange import Exchange, once, too_slow

CLIENT = {"name": "Millrace's pages", "version": "1"}
"""What we say of ourselves."""


def ask(
    admitted: Admitted, message: dict[str, Any], *, protocol_version: str
) -> tuple[int, dict[str, Any] | None, float]:
    """Answer one message of JSON-RPC in a revision of the protocol: (HTTP status, reply, milliseconds).

    The reply is None for a notification. What each request of the stateless revision says of its client is added
    where the message lacks it. Everything is done in the thread, and the transaction, of the caller, who gives the
    database's connection back. It is in the request log, and counts for no limit.
    """
    return async_to_sync(_ask)(admitted, message, protocol_version)


async def _ask(
    admitted: Admitted, message: dict[str, Any], protocol_version: str
) -> tuple[int, dict[str, Any] | None, float]:
    threads.here.set(True)
    if protocol_version in MODERN_PROTOCOL_VERSIONS:
        message = _in_envelope(message, protocol_version)
    body = json.dumps(message).encode()
    said = bytearray()

    async def send(sent: Sent) -> None:
        said.extend(sent.get("body", b""))

    exchange = Exchange(send)
    exchange.bytes_in = len(body)
    exchange.client = CLIENT["name"]
    try:
        exchange.read(read := messages.read(body))
        exchange.admit(admitted)
        async with asyncio.timeout(settings.MCP_REQUEST_SECONDS):
            # Without the tool's schema: it would only be held against headers, and these are our own.
            await hosting.answer(
                admitted, None, _scope(read, protocol_version), once(body), exchange.send, message=read
            )
    except messages.Unreadable as error:
        await exchange.refuse(Refused(str(error), status=400, code=error.code))
    except TimeoutError:
        await exchange.refuse(too_slow())
    except Exception as error:
        failed = internal(error, exchange.trace)
        await exchange.refuse(Refused(failed.message, status=500, code=failed.code))
    milliseconds = exchange.record()
    return exchange.status, json.loads(said) if said else None, milliseconds


def _in_envelope(message: dict[str, Any], protocol_version: str) -> dict[str, Any]:
    params = message.get("params")
    if not isinstance(params, dict | None):
        return message
    meta = (params or {}).get("_meta")
    envelope = {
        PROTOCOL_VERSION_META_KEY: protocol_version,
        CLIENT_CAPABILITIES_META_KEY: {},
        CLIENT_INFO_META_KEY: CLIENT,
        **(meta if isinstance(meta, dict) else {}),
    }
    return {**message, "params": {**(params or {}), "_meta": envelope}}


def _scope(message: messages.Message, protocol_version: str) -> Scope:
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": protocol_version,
    }
    if protocol_version in MODERN_PROTOCOL_VERSIONS:
        headers["mcp-method"] = encode_header_value(message.method)
        if message.subject:
            headers["mcp-name"] = encode_header_value(message.subject)
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
