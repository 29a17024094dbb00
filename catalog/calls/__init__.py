"""The HTTP call that a tool is. The Try it page and the MCP endpoint use the same functions.

From the bottom up: `schema` and `validating` (what a tool takes), `building` (the request; pure), `tokens`, `answers`
and `sending` (through `lib.egress`), `calling` (with the database and the settings). `results` is what comes of it.
"""

from catalog.calls.calling import call_tool, read_resource, turn
from catalog.calls.results import CallError, CallResult, Sent
from catalog.calls.schema import input_schema, skeleton

__all__ = ["CallError", "CallResult", "Sent", "call_tool", "input_schema", "read_resource", "skeleton", "turn"]
