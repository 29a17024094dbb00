"""The endpoint as an ASGI application: HTTP in, one message to the SDK, HTTP out, and a line for the request log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from mcp_types import INVALID_REQUEST
from starlette.types import Receive, Scope, Send

from endpoint import addresses, admission
from endpoint.admission import Asked
from endpoint.admitted import Admitted, Refused
from endpoint.protocol import gate, hosting, messages, threads
from endpoint.protocol.dispatch import Ahead, call_ahead, internal
from endpoint.protocol.exchange import Exchange, once, too_slow
from endpoint.protocol.leaving import Gone, Watch
from endpoint.serving import tools

BODY_SECONDS = 30.0
"""How long a client may take to send a message."""
SHORT = 64 << 10
"""Bytes of a message that is taken however many others are."""
MOST_TAKEN = 128 << 20
"""Bytes of all longer ones that are taken at once: nobody was asked yet who they are, and all could be slow."""
_taken = [0]
"""Of these, in this moment."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers each request whose path is below /mcp/, and never raises but when it is cancelled."""
    exchange = Exchange(send)
    watch = Watch(receive, lambda: exchange.complete)
    try:
        async with asyncio.timeout(settings.MCP_REQUEST_SECONDS) as limit:
            await _answer(exchange, scope, receive, watch, limit)
    except Refused as refused:
        await exchange.refuse(refused)
    except (Gone, TimeoutError, asyncio.CancelledError) as ended:
        if isinstance(ended, TimeoutError) and not watch.gone:
            await exchange.refuse(too_slow())
        else:
            exchange.trace.outcome, exchange.trace.code = "error", "disconnected"
        if isinstance(ended, asyncio.CancelledError):  # the process is asked to end
            raise
    except Exception as error:
        failed = internal(error, exchange.trace)
        await exchange.refuse(Refused(failed.message, status=500, code=failed.code))
    finally:
        exchange.record()


async def _answer(exchange: Exchange, scope: Scope, receive: Receive, watch: Watch, limit: asyncio.Timeout) -> None:
    headers = gate.read(scope)
    asker = gate.check(scope, headers)
    exchange.headers = asker.headers
    if scope["method"] == "OPTIONS":
        await exchange.empty(204, gate.preflight(headers))
        return
    address = addresses.parse(scope["path"])
    if address is None:
        raise Refused("There is no server at this address.", status=404)
    exchange.client = messages.client_of(headers.get("user-agent", ""))
    asked = Asked(
        address=address,
        version=_version(scope),
        authorization=headers.get("authorization", ""),
        remote=str((scope.get("client") or ("",))[0]).partition("%")[0],
        base=asker.base,
    )
    body, wrong = b"", gate.check_post(scope, headers)
    if wrong is None:
        body = await _body(receive, headers)
        exchange.bytes_in = len(body)
        try:
            exchange.read(messages.read(body))
        except messages.Unreadable as error:
            wrong = Refused(str(error), status=400, code=error.code)
    # Before they are told what is wrong with it: that there is something, and that it wants a credential, is told to
    # whoever looks, with whatever request.
    tool = exchange.message.name if exchange.message is not None and "mcp-method" in headers else ""

    message = exchange.message if wrong is None else None
    with watch.until(limit):
        admitted, schema, ahead = await threads.run_shortly(_admit, asked, tool, message, scope["method"] == "POST")
        if wrong is not None:
            raise wrong
        exchange.admit(admitted)
        await hosting.answer(admitted, schema, scope, once(body), exchange.send, message=message, ahead=ahead)
    if not exchange.complete:
        raise Gone


def _admit(
    asked: Asked, tool: str, message: messages.Message | None, count: bool
) -> tuple[Admitted, dict[str, Any] | None, Ahead | None]:
    """In one turn in a thread: who may, the schema of the tool that is called, and what it gives if it waits for
    nobody (see `hosting.answer`)."""
    admitted = admission.admit(asked, count=count)
    schema = tools.input_schema(admitted, tool) if tool else None
    return admitted, schema, call_ahead(admitted, message) if message is not None else None


async def _body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    most = settings.MCP_MAX_REQUEST_BYTES
    said = headers.get("content-length", "")
    taken, counted = bytearray(), 0
    if said.isdigit() and int(said[:20]) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                part = await receive()
                if part["type"] == "http.disconnect":
                    raise Gone
                taken += part.get("body", b"")
                if len(taken) > most:
                    raise _too_large(most)
                if len(taken) > SHORT:
                    _taken[0] += len(taken) - counted
                    counted = len(taken)
                    if _taken[0] > MOST_TAKEN:
                        raise _crowded()
                if not part.get("more_body"):
                    return bytes(taken)
    except TimeoutError:
        raise Refused(
            f"The message was not sent within {BODY_SECONDS:g} seconds.",
            status=408,
            code=INVALID_REQUEST,
            headers={"Connection": "close"},
        ) from None
    finally:
        _taken[0] -= counted


def _crowded() -> Refused:
    return Refused(
        "Too many long messages are being sent here at once. Send it again in a while, or a shorter one.",
        status=503,
        headers={"Connection": "close", "Retry-After": "10"},
    )


def _too_large(most: int) -> Refused:
    return Refused(
        f"A message may have {most:,} bytes here.", status=413, code=INVALID_REQUEST, headers={"Connection": "close"}
    )


def _version(scope: Scope) -> str:
    """What the address says of a version. Raises Refused for two."""
    query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=False)
    said = query.get("version", [""])
    if len(said) > 1:
        raise Refused("The address names more than one version.", status=400, code=INVALID_REQUEST)
    return said[0]
