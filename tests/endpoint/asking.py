"""How tests ask for what is served, without HTTP: each answer is held against its tool's schemas."""

from __future__ import annotations

import json
from typing import Any

import mcp_types as types
from jsonschema import Draft202012Validator

from catalog.models import Server, Toolkit, Version
from endpoint.admitted import Admitted, Caller
from endpoint.models import Setup
from endpoint.serving import built_in
from endpoint.serving.offered import Offered


def admitted(
    target: Server | Toolkit, *, version: Version | None = None, pinned: bool = False, **setup: Any
) -> Admitted:
    """Somebody with a key, who asks for this."""
    of = {"server": target} if isinstance(target, Server) else {"toolkit": target}
    caller = Caller(kind="key", name="a key", limited_as="key", may_call=True)
    return Admitted(target.organization, caller, Setup(**of, **setup), version=version, pinned=pinned, **of)


def offered(asked: Admitted) -> dict[str, Offered]:
    """The built-in tools by their names."""
    found = {name: built_in.find(asked, name) for name in built_in.names(asked)}
    return {name: each for name, each in found.items() if each is not None}


def tool(asked: Admitted, name: str) -> types.Tool:
    return offered(asked)[name].tool


def called(asked: Admitted, name: str, **arguments: Any) -> types.CallToolResult:
    """What a built-in tool answers."""
    found = offered(asked)[name]
    Draft202012Validator(found.tool.input_schema).validate(arguments)
    result = found.call(arguments)
    json.loads(result.model_dump_json())  # it can be sent
    return result


def told(asked: Admitted, name: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer, which is the same as the text."""
    result = called(asked, name, **arguments)
    assert not result.is_error, result.content
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    assert json.loads(content.text) == result.structured_content
    assert result.structured_content is not None
    Draft202012Validator(tool(asked, name).output_schema or {}).validate(result.structured_content)
    found: dict[str, Any] = result.structured_content
    return found


def trouble(asked: Admitted, name: str, **arguments: Any) -> str:
    """The sentence that a tool answers in place of a result."""
    result = called(asked, name, **arguments)
    assert result.is_error
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text
