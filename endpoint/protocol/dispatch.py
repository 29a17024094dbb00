"""The methods of the protocol, each in a thread, and how what goes wrong is told and noted."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from endpoint.admitted import Admitted, Trace
from endpoint.protocol import threads
from endpoint.protocol.messages import Message
from endpoint.serving import completing, prompts, resources, tools

logger = logging.getLogger(__name__)

T = TypeVar("T")
Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The call of a tool that was done before the SDK had read the message: in the turn that admits, as a second turn
    in a thread takes longer than a document. What it noted is noted once it is asked for."""

    name: str
    arguments: dict[str, Any]
    trace: Trace
    result: types.CallToolResult | None = None
    error: Exception | None = None

    def told(self, trace: Trace) -> types.CallToolResult:
        """What the call gave, or raised."""
        trace.query, trace.found, trace.code = self.trace.query, self.trace.found, self.trace.code
        if self.result is None:
            raise self.error or AssertionError
        return self.result


def call_ahead(admitted: Admitted, message: Message) -> Ahead | None:
    """None where nothing is called, or what is called may wait for others: all that is quick only reads, and can be
    done for nothing if the SDK finds the message wrong."""
    name, arguments = message.name, message.arguments
    if message.id is None or not name or not isinstance(arguments, dict):
        return None
    admitted = replace(admitted, trace=Trace())
    try:
        found = tools.find(admitted, name)
        if found is not None and found.patient:
            return None
        return Ahead(name, arguments, admitted.trace, result=tools.call(found, name, arguments))
    except Exception as error:  # told, and noted, where it is asked for
        return Ahead(name, arguments, admitted.trace, error=error)


class Handlers:
    """Of one request that was admitted."""

    def __init__(self, admitted: Admitted, ahead: Ahead | None = None) -> None:
        self._admitted = admitted
        self._ahead = ahead

    async def list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return await self._quickly(tools.list_tools, self._admitted, _cursor(params))

    async def call_tool(self, _: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        name, arguments = params.name, params.arguments or {}
        ahead = self._ahead
        if ahead is not None and (ahead.name, ahead.arguments) == (name, arguments):
            with self._our_mistakes():
                result = ahead.told(self._admitted.trace)
        else:
            result = await self._in_its_time(tools.is_patient, tools.call_tool, self._admitted, name, arguments)
        if result.is_error and self._admitted.trace.outcome == "ok":
            self._admitted.trace.outcome = "tool_error"
        return result

    async def list_resources(
        self, _: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await self._quickly(resources.list_resources, self._admitted, _cursor(params))

    async def list_templates(
        self, _: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return await self._quickly(resources.list_templates, self._admitted, _cursor(params))

    async def read_resource(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        read, patient = resources.read_resource, resources.is_patient_resource
        try:
            return await self._in_its_time(patient, read, self._admitted, str(params.uri))
        except resources.ResourceNotFound as error:
            raise error.for_revision(ctx.protocol_version) from None

    async def list_prompts(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return await self._quickly(prompts.list_prompts, self._admitted, _cursor(params))

    async def get_prompt(self, _: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return await self._quickly(prompts.get_prompt, self._admitted, params.name, params.arguments or {})

    async def complete(self, _: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        return await self._quickly(completing.complete, self._admitted, params.ref, params.argument)

    async def _quickly(self, function: Callable[..., T], *args: Any) -> T:
        with self._our_mistakes():
            return await threads.run_shortly(function, *args)

    async def _in_its_time(self, patient: Callable[..., bool], function: Callable[..., T], *args: Any) -> T:
        """Asked and, mostly, done within one turn in a quick thread."""

        def unless_patient() -> T | None:
            return None if patient(*args[:2]) else function(*args)

        done = await self._quickly(unless_patient)
        if done is not None:
            return done
        with self._our_mistakes():
            return await threads.run_patiently(self._admitted.target.pk, function, *args)

    @contextmanager
    def _our_mistakes(self) -> Iterator[None]:
        """Told as such here: pydantic's, further out, are a client's that sent wrong parameters."""
        try:
            yield
        except MCPError:
            raise
        except Exception as error:
            raise internal(error, self._admitted.trace) from None


def internal(error: Exception, trace: Trace) -> MCPError:
    """What a client is told of a mistake of ours: a reference, under which the log has the rest."""
    reference = secrets.token_hex(4)
    logger.error(
        "%s of %r failed (reference %s)", trace.method or "A request", trace.subject, reference, exc_info=error
    )
    return MCPError(
        types.INTERNAL_ERROR,
        f"Something went wrong here, and it is not your fault. Tell who runs this server: reference {reference}.",
        {"reference": reference},
    )


def observed(trace: Trace) -> ServerMiddleware[Any]:
    """Notes errors, and says which parameter was wrong where the SDK would only say that one was."""

    async def noting(ctx: Context, call_next: CallNext) -> HandlerResult:
        try:
            return await call_next(ctx)
        except MCPError as error:
            trace.outcome, trace.code = "error", str(error.code)
            raise
        except ValidationError as error:
            trace.outcome, trace.code = "error", str(types.INVALID_PARAMS)
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()[:3]
            )
            raise MCPError(types.INVALID_PARAMS, f"The parameters of {ctx.method[:100]} are wrong. {wrong}") from None
        except Exception as error:
            trace.outcome, trace.code = "error", str(types.INTERNAL_ERROR)
            raise internal(error, trace) from None

    return noting


def _cursor(params: types.PaginatedRequestParams | None) -> str | None:
    return params.cursor if params is not None else None
