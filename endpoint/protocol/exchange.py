"""One request and its answer, and what is noted of the two."""

from __future__ import annotations

import asyncio
import json
import time

from django.conf import settings
from django.utils import timezone
from mcp_types import INTERNAL_ERROR
from starlette.types import Message as Sent
from starlette.types import Receive, Send

from endpoint import recording
from endpoint.admitted import Admitted, Parties, Refused, Trace
from endpoint.protocol import gate, messages

_ERROR_BYTES = 1 << 16
"""Of an answer that is an error, what is looked at for its code."""


class Exchange:
    """One request and its answer, and what is noted of the two."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._began = time.perf_counter()
        self._at = timezone.now()
        self.headers: gate.Pairs = []
        self.message: messages.Message | None = None
        self.admitted: Admitted | None = None
        self.parties = Parties()
        self.trace = Trace()
        self.client = ""
        self.bytes_in = self.bytes_out = 0
        self.status = 0
        self.complete = False
        self._error = bytearray()

    def admit(self, admitted: Admitted) -> None:
        """From here on it is noted for the target."""
        self.admitted, self.parties = admitted, Parties.of(admitted)
        self.trace = admitted.trace
        self.read(self.message)

    def read(self, message: messages.Message | None) -> None:
        """Note what is asked."""
        self.message = message
        self.trace.client = self.client
        if message is not None:
            self.trace.method, self.trace.subject = message.method, message.subject
            self.trace.client = message.client or self.client
            self.trace.arguments = message.arguments

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
        if self.admitted is None:
            self.parties = refused.parties
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

    def record(self) -> float:
        """A line for the request log, and the milliseconds since the request came.

        There is none for what holds no request: notifications, replies, a browser's questions, bodies that are no
        message.
        """
        milliseconds = (time.perf_counter() - self._began) * 1000
        admitted, parties, trace = self.admitted, self.parties, self.trace
        if self.message is None or self.message.id is None or not trace.method:
            return milliseconds
        if self.status >= 400 and trace.outcome == "ok":
            trace.outcome, trace.code = "error", self._code()
        recording.record(
            recording.Event(
                organization_id=parties.organization_id,
                server_id=parties.server_id,
                toolkit_id=parties.toolkit_id,
                version=admitted.version.number if admitted and admitted.version else None,
                at=self._at,
                caller=parties.caller,
                key_id=parties.key_id,
                client=(admitted.caller.client if admitted else "") or trace.client,
                method=trace.method,
                subject=trace.subject,
                arguments=trace.arguments if admitted and admitted.setup.log_arguments else None,
                query=trace.query,
                found=trace.found,
                outcome=trace.outcome,
                code=trace.code,
                milliseconds=milliseconds,
                bytes_in=self.bytes_in,
                bytes_out=self.bytes_out,
            )
        )
        return milliseconds

    def _code(self) -> str:
        try:
            return str(json.loads(self._error)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return str(self.status)


def once(body: bytes) -> Receive:
    """A request's body for the SDK. Whether the client is still there is for us to watch."""
    parts: list[Sent] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Sent:
        if parts:
            return parts.pop()
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def too_slow() -> Refused:
    """What is told when the time for a request is over."""
    return Refused(f"This took longer than {settings.MCP_REQUEST_SECONDS:g} seconds.", status=504, code=INTERNAL_ERROR)
