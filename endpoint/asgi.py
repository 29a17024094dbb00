"""The endpoint as an ASGI application: HTTP in, one message to the SDK, HTTP out, and a line for the request log."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs

import anyio
from django.conf import settings
from django.utils import timezone
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST
from starlette.datastructures import Headers
from starlette.types import Message as Sent
from starlette.types import Receive, Scope, Send

from endpoint import addresses, admission, gate, hosting, messages, recording, threads
from endpoint.admission import Asked
from endpoint.admitted import Admitted, Refused, Trace
from endpoint.dispatch import internal
from endpoint.serving import tools

logger = logging.getLogger(__name__)

BODY_SECONDS = 30.0
"""How long a client may take to send a message."""
_ERROR_BYTES = 1 << 16
"""Of an answer that is an error, what is looked at for its code."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers each request whose path is below /mcp/, and never raises but when it is cancelled."""
    exchange = _Exchange(scope, send)
    try:
        async with asyncio.timeout(settings.MCP_REQUEST_SECONDS):
            await _answer(exchange, receive)
    except Refused as refused:
        await exchange.refuse(refused)
    except TimeoutError:
        await exchange.refuse(
            Refused(f"This took longer than {settings.MCP_REQUEST_SECONDS:g} seconds.", status=504, code=INTERNAL_ERROR)
        )
    except _Gone:
        exchange.trace.outcome, exchange.trace.code = "error", "disconnected"
    except Exception as error:
        failed = internal(error, exchange.trace)
        await exchange.refuse(Refused(failed.message, status=500, code=failed.code))
    exchange.record()


async def _answer(exchange: _Exchange, receive: Receive) -> None:
    scope = exchange.scope
    asker = gate.check(scope)
    exchange.headers = asker.headers
    if scope["method"] == "OPTIONS":
        await exchange.empty(204, gate.preflight(scope))
        return
    gate.check_post(scope)
    address = addresses.parse(scope["path"])
    if address is None:
        raise Refused("There is no server at this address.", status=404)
    headers = Headers(scope=scope)
    body = await _body(receive, headers)
    exchange.bytes_in = len(body)
    exchange.client = messages.client_of(headers.get("user-agent", ""))
    try:
        exchange.message = message = messages.read(body)
    except messages.Unreadable as error:
        raise Refused(str(error), status=400, code=error.code) from None
    asked = Asked(
        address=address,
        version=_version(scope),
        authorization=headers.get("authorization", ""),
        remote=str((scope.get("client") or ("",))[0]).partition("%")[0],
        base=asker.base,
    )
    needs_schema = bool(message.name) and "mcp-method" in headers
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        group.cancel_scope.cancel()

    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            admitted, schema = await threads.run(_admit, asked, message.name if needs_schema else "")
            exchange.admit(admitted)
            await hosting.answer(admitted, schema, scope, _once(body), exchange.send)
        except Exception as error:  # as it is, and not in the group's ExceptionGroup
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if gone and not exchange.complete:
        raise _Gone


def _admit(asked: Asked, tool: str) -> tuple[Admitted, dict[str, Any] | None]:
    """In one turn in a thread: who may, and the schema of the tool that is called (see `hosting.answer`)."""
    admitted = admission.admit(asked)
    return admitted, tools.input_schema(admitted, tool) if tool else None


class _Gone(Exception):
    """The client closed the connection before it was answered."""


async def _body(receive: Receive, headers: Headers) -> bytes:
    most = settings.MCP_MAX_REQUEST_BYTES
    said = headers.get("content-length", "")
    taken = bytearray()
    if said.isdigit() and int(said[:20]) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                part = await receive()
                if part["type"] == "http.disconnect":
                    raise _Gone
                taken += part.get("body", b"")
                if len(taken) > most:
                    raise _too_large(most)
                if not part.get("more_body"):
                    return bytes(taken)
    except TimeoutError:
        raise Refused(
            f"The message was not sent within {BODY_SECONDS:g} seconds.",
            status=408,
            code=INVALID_REQUEST,
            headers={"Connection": "close"},
        ) from None


def _too_large(most: int) -> Refused:
    return Refused(
        f"A message may have {most:,} bytes here.", status=413, code=INVALID_REQUEST, headers={"Connection": "close"}
    )


def _version(scope: Scope) -> str:
    """What the address says of a version. Raises Refused for two."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=False)
    said = query.get("version", [""])
    if len(said) > 1:
        raise Refused("The address names more than one version.", status=400, code=INVALID_REQUEST)
    return said[0]


def _once(body: bytes) -> Receive:
    """A request's body for the SDK; whether the client is still there is for `_answer` to watch."""
    parts: list[Sent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Sent:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError

    return receive


class _Exchange:
    """One request and its answer, and what is noted of the two."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self._send = send
        self._began = time.perf_counter()
        self._at = timezone.now()
        self.headers: gate.Pairs = []
        self.message: messages.Message | None = None
        self.admitted: Admitted | None = None
        self.trace = Trace()
        self.client = ""
        self.bytes_in = self.bytes_out = 0
        self.status = 0
        self.complete = False
        self._error = bytearray()

    def admit(self, admitted: Admitted) -> None:
        self.admitted = admitted
        self.trace = admitted.trace
        if self.message is not None:
            self.trace.method, self.trace.subject = self.message.method, self.message.subject
            self.trace.client = self.message.client or self.client
            self.trace.arguments = self.message.arguments

    async def send(self, sent: Sent) -> None:
        """Of the SDK's, and of ours: counted, and with the headers that all answers have."""
        if sent["type"] == "http.response.start":
            self.status = int(sent["status"])
            sent = {**sent, "status": self.status, "headers": [*sent.get("headers", []), *self.headers]}
        else:
            body = sent.get("body", b"")
            self.bytes_out += len(body)
            if self.status >= 400 and len(self._error) < _ERROR_BYTES:
                self._error += body
            self.complete = not sent.get("more_body", False)
        await self._send(sent)

    async def empty(self, status: int, headers: gate.Pairs) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    async def refuse(self, refused: Refused) -> None:
        """Nothing was answered yet, or it is too late to say anything else."""
        limited = refused.status == 429
        self.trace.outcome, self.trace.code = "limited" if limited else "refused", str(refused.status)
        if refused.status >= 500:
            self.trace.outcome = "error"
        if self.status:
            return
        of = self.message.id if self.message is not None else None
        body = messages.refusal(str(refused), code=refused.code, of=of)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in refused.headers.items()),
        ]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def record(self) -> None:
        """A line for the request log; none for notifications, which nobody answers."""
        admitted, trace = self.admitted, self.trace
        if admitted is None or trace.method.startswith("notifications/"):
            return
        if self.status >= 400 and trace.outcome == "ok":
            trace.outcome, trace.code = "error", self._code()
        recording.record(
            recording.Event(
                organization_id=admitted.organization.pk,
                server_id=admitted.server.pk if admitted.server else None,
                toolkit_id=admitted.toolkit.pk if admitted.toolkit else None,
                version=admitted.version.number if admitted.version else None,
                at=self._at,
                caller=admitted.caller.name,
                key_id=admitted.caller.key_id,
                client=admitted.caller.client or trace.client,
                method=trace.method,
                subject=trace.subject,
                arguments=trace.arguments if admitted.setup.log_arguments else None,
                query=trace.query,
                found=trace.found,
                outcome=trace.outcome,
                code=trace.code,
                milliseconds=(time.perf_counter() - self._began) * 1000,
                bytes_in=self.bytes_in,
                bytes_out=self.bytes_out,
            )
        )

    def _code(self) -> str:
        try:
            return str(json.loads(self._error)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return str(self.status)
