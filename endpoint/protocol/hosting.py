"""The SDK's server for one request.

Name, instructions and handlers are fixed when a `Server` of the SDK is made, which is cheap (7 µs). So each request has
its own, and what else the SDK needs to answer it, and they end with it: nothing that was true of another target,
another caller or an hour ago is ever at hand, and nothing goes on after the answer (ADR 0018).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from starlette.types import Receive, Scope, Send

from catalog.models import Server as OurServer
from endpoint.admitted import Admitted
from endpoint.protocol import single
from endpoint.protocol.dispatch import Ahead, Handlers, observed
from endpoint.protocol.messages import Message


async def answer(
    admitted: Admitted,
    schema: Mapping[str, Any] | None,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    message: Message | None = None,
    ahead: Ahead | None = None,
) -> None:
    """Let the SDK answer one request of HTTP, in whichever revision of the protocol it is written.

    `schema` is the input schema of the tool that is called, if one is; `message` is what the body was read as, if it
    could be, and `ahead` what the call gave already.
    """
    server = server_of(admitted, schema, ahead=ahead)
    revision = single.revision_of(scope)
    if revision is not None and message is not None and message.id is not None and message.asked:
        await single.answer(server, message, revision, send)
        return
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    async with manager.run():
        # Past the manager's own limit on bodies: ours was kept already, and stands for all.
        await manager.handle_request(scope, receive, send)


def server_of(
    admitted: Admitted, schema: Mapping[str, Any] | None = None, *, ahead: Ahead | None = None
) -> Server[Any]:
    """What answers for the target of a request."""
    target = admitted.target
    handlers = Handlers(admitted, ahead)
    server: Server[Any] = Server(
        target.slug,
        title=target.name,
        version=str(admitted.version.number) if admitted.version else "live",
        description=target.description or None,
        instructions=(target.instructions or None) if isinstance(target, OurServer) else None,
        # Asked for the tool that is called, and for no other. Without it the SDK would list all tools for each call.
        get_tool_input_schema=lambda _name: schema,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )
    if isinstance(get_tracer_provider(), ProxyTracerProvider):  # nobody traces
        server.middleware.clear()
    server.middleware.append(observed(admitted.trace))
    return server
