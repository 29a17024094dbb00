"""How tests ask for what was configured: each message goes through the SDK, as the network's do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from catalog.models import Server, Toolkit
from endpoint.admitted import Admitted, Trace
from endpoint.protocol.inside import ask
from tests.endpoint import asking
from tests.endpoint.live import HANDSHAKE, message


def admitted(
    target: Server | Toolkit, kind: Literal["anonymous", "key"] = "key", *, may_call: bool = True, **setup: Any
) -> Admitted:
    made = asking.admitted(target, **setup)
    return replace(made, caller=replace(made.caller, kind=kind, may_call=may_call))


def asked(of: Admitted, method: str, params: dict[str, Any] | None = None, *, era: str = HANDSHAKE) -> Any:
    """The reply, a result or an error. What is noted of it is in `of.trace`, of this request alone."""
    for name, value in Trace.__dataclass_fields__.items():
        setattr(of.trace, name, value.default)
    status, reply, _ = ask(of, message(method, params, era=era), protocol_version=era)
    assert reply is not None
    assert status in (200, 400), reply
    assert "Traceback" not in json.dumps(reply)
    return reply


def result(of: Admitted, method: str, params: dict[str, Any] | None = None, *, era: str = HANDSHAKE) -> Any:
    reply = asked(of, method, params, era=era)
    assert "result" in reply, reply
    return reply["result"]


def refusal(of: Admitted, method: str, params: dict[str, Any] | None = None) -> str:
    """The sentence of an error about invalid parameters."""
    reply = asked(of, method, params)
    assert reply["error"]["code"] == -32602, reply
    sentence: str = reply["error"]["message"]
    return sentence


def call(of: Admitted, tool: str, arguments: dict[str, Any] | None = None, *, era: str = HANDSHAKE) -> Any:
    return result(of, "tools/call", {"name": tool, "arguments": arguments or {}}, era=era)


def text(answer: Any) -> str:
    return "\n".join(each["text"] for each in answer["content"])


def failed(of: Admitted, tool: str, arguments: dict[str, Any] | None = None) -> str:
    """What a tool says that went wrong; it is noted so."""
    answer = call(of, tool, arguments)
    assert answer["isError"] is True, answer
    assert "structuredContent" not in answer
    assert of.trace.outcome == "tool_error"
    assert of.trace.code
    return text(answer)


def names(of: Admitted, what: str, key: str = "name") -> list[str]:
    """All of a list, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = result(of, f"{what}/list", {"cursor": cursor} if cursor else None)
        found += [each[key] for each in page[what]]
        cursor = page.get("nextCursor")
        if cursor is None:
            return found
