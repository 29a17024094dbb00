"""One request of a handshake revision (up to 2025-11-25), given to the SDK's kernel as it is.

The SDK's transport for these revisions is made for sessions: streams, a router and four tasks, which a request that
stands for itself pays for and has nothing of. Its kernel (`serve_one`) is what also answers the stateless revision:
parameters are checked and results shaped by it, for the revision that is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import pydantic_core
from mcp.server.connection import Connection
from mcp.server.lowlevel.server import Server
from mcp.server.runner import serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data
from mcp.shared.message import MessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import Scope, Send

from endpoint.protocol import messages

_TRANSPORT = TransportContext(kind="streamable-http", can_send_request=False)


def revision_of(scope: Scope) -> str | None:
    """The handshake revision that a request is written in, None if it is another's."""
    said = Headers(scope=scope).get("mcp-protocol-version", DEFAULT_NEGOTIATED_VERSION)
    return said if said in HANDSHAKE_PROTOCOL_VERSIONS else None


async def answer(server: Server[Any], message: messages.Message, revision: str, send: Send) -> None:
    """Send the answer to `message`, which is a request, not a notification: 200 also for errors, as these revisions
    have it. Raises what a handler raises that is no MCPError or ValidationError."""
    assert message.id is not None  # noqa: S101  # as said
    try:
        connection = Connection.from_envelope(revision, None, None)
        context = _Alone(message.id)
        result = await serve_one(
            server, context, message.asked, message.params, connection=connection, lifespan_state={}
        )
        body = pydantic_core.to_json({"jsonrpc": "2.0", "id": message.id, "result": result}, inf_nan_mode="null")
    except (MCPError, ValidationError) as error:
        told = handler_exception_to_error_data(error)
        assert told is not None  # noqa: S101  # it has an answer for these two
        body = messages.refusal(told.message, code=told.code, of=message.id, data=told.data)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass(slots=True)
class _Alone:
    """What the kernel is told of a request (the SDK's DispatchContext): nothing but the answer can be sent."""

    request_id: str | int
    transport: TransportContext = _TRANSPORT
    message_metadata: MessageMetadata = None
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    can_send_request: bool = False

    async def send_raw_request(
        self, method: str, _params: Mapping[str, Any] | None, _opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """There is no stream to send it on."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """The same."""
