"""The methods of the protocol, each in a thread, and how what goes wrong is told and noted."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from endpoint.admitted import Admitted, Trace
from endpoint.protocol import threads
from endpoint.serving import completing, prompts, resources, tools

logger = logging.getLogger(__name__)

T = TypeVar("T")
Context = ServerRequestContext[Any, Any]


class Handlers:
    """Of one request that was admitted."""

    def __init__(self, admitted: Admitted) -> None:
        self._admitted = admitted

    async def list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return await self._quickly(tools.list_tools, self._admitted, _cursor(params))

    async def call_tool(self, _: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        name, arguments = params.name, params.arguments or {}
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
        try:
            return await threads.run(function, *args)
        except MCPError:
            raise
        except Exception as error:
            raise internal(error, self._admitted.trace) from None

    async def _in_its_time(self, patient: Callable[..., bool], function: Callable[..., T], *args: Any) -> T:
        """Asked and, mostly, done within one turn in a quick thread."""

        def unless_patient() -> T | None:
            return None if patient(*args[:2]) else function(*args)

        done = await self._quickly(unless_patient)
        if done is not None:
            return done
        try:
            return await threads.run_patiently(self._admitted.target.pk, function, *args)
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
