"""What people paste into MCP clients to connect one of them to a server. Pure.

Each format is the client's own, as its documentation has it:
https://code.claude.com/docs/en/mcp, https://support.claude.com/en/articles/11175166, https://cursor.com/docs/context/mcp,
https://code.visualstudio.com/docs/copilot/customization/mcp-servers, https://geminicli.com/docs/tools/mcp-server/,
https://modelcontextprotocol.io/docs/tools/inspector.
"""

from __future__ import annotations

import base64
import json
import shlex
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

PLACEHOLDER = "mr_YOUR_KEY"
"""Stands where the key goes: nothing here can show a key that was made before."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Target:
    """What is connected to."""

    name: str
    """What clients call it: a server's or toolkit's slug."""
    address: str
    """The whole URL."""
    key: str = ""
    """"" for none: an open server, or a client that signs in by OAuth."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text to paste."""

    where: str
    """A file's path, “Terminal”, or what it is."""
    text: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """All that one client needs."""

    client: str
    label: str
    advice: str
    parts: tuple[Part, ...]
    install: str = ""
    """A link that opens the client and adds the server."""


def snippets(target: Target) -> list[Snippet]:
    """Of each client, in the order of a page."""
    made = (_claude_code, _claude_desktop, _cursor, _vs_code, _gemini, _inspector, _curl)
    return [make(target) for make in made]


def _claude_code(target: Target) -> Snippet:
    # --header takes all words that follow it, so it comes last.
    command = ["claude", "mcp", "add", "--transport", "http", target.name, target.address, *_header(target, "--header")]
    # What is shared holds no key: each person's environment does, in a variable of this name.
    entry = {"type": "http", "url": target.address, **_headers(replace(target, key=target.key and "${MILLRACE_KEY}"))}
    advice = "Add “--scope user” for all of your projects."
    if target.key:
        advice += " A project's file takes the key from the variable MILLRACE_KEY of each person's environment."
    else:
        advice += " Where signing in is needed, type /mcp in a session and choose the server."
    return Snippet(
        "claude-code",
        "Claude Code",
        advice,
        (
            Part("Terminal", shlex.join(command)),
            Part(".mcp.json, to share it with a project", _json({"mcpServers": {target.name: entry}})),
        ),
    )


def _claude_desktop(target: Target) -> Snippet:
    """Its file takes local processes alone: mcp-remote is one that asks a server elsewhere."""
    arguments = ["-y", "mcp-remote@latest", target.address, "--transport", "http-only"]
    if _is_plain(target.address):
        arguments.append("--allow-http")
    entry: dict[str, Any] = {"command": "npx", "args": arguments}
    if target.key:
        # Without a space: on Windows it would split the argument.
        arguments += ["--header", "Authorization:${AUTH_HEADER}"]
        entry["env"] = {"AUTH_HEADER": f"Bearer {target.key}"}
    file = Part("claude_desktop_config.json", _json({"mcpServers": {target.name: entry}}))
    if target.key:
        return Snippet(
            "claude-desktop",
            "Claude Desktop",
            "Settings, Developer, Edit Config; then start it again. It needs Node.js, for npx.",
            (file,),
        )
    return Snippet(
        "claude-desktop",
        "Claude Desktop",
        "Settings, Connectors, Add custom connector, and paste the address; it has to be reachable from the internet. "
        "Otherwise put the second text into its file, which needs Node.js, for npx.",
        (Part("Address of the connector", target.address), file),
    )


def _cursor(target: Target) -> Snippet:
    entry = {"url": target.address, **_headers(target)}
    packed = base64.b64encode(json.dumps(entry).encode()).decode()
    link = "cursor://anysphere.cursor-deeplink/mcp/install?" + urlencode({"name": target.name, "config": packed})
    return Snippet(
        "cursor",
        "Cursor",
        "Merge this into the file, of your home folder or of a project.",
        (Part("~/.cursor/mcp.json", _json({"mcpServers": {target.name: entry}})),),
        install=link,
    )


def _vs_code(target: Target) -> Snippet:
    entry: dict[str, Any] = {"type": "http", "url": target.address}
    inputs: list[dict[str, Any]] = []
    if target.key:
        # It asks for the key and keeps it: none stands in a file that is shared.
        entry["headers"] = {"Authorization": "Bearer ${input:millrace-key}"}
        asked = {"type": "promptString", "id": "millrace-key", "description": f"API key for {target.name}"}
        inputs = [{**asked, "password": True}]
    written = {**({"inputs": inputs} if inputs else {}), "servers": {target.name: entry}}
    installed = {"name": target.name, **entry, **({"inputs": inputs} if inputs else {})}
    return Snippet(
        "vs-code",
        "VS Code",
        "It asks for the key when it starts the server." if target.key else "Put this into a folder that you work in.",
        (
            Part(".vscode/mcp.json", _json(written)),
            Part("Terminal", shlex.join(["code", "--add-mcp", json.dumps(installed)])),
        ),
        install="vscode:mcp/install?" + quote(json.dumps(installed), safe=""),
    )


def _gemini(target: Target) -> Snippet:
    command = ["gemini", "mcp", "add", "--scope", "user", "--transport", "http", *_header(target, "--header")]
    entry = {"httpUrl": target.address, **_headers(target)}
    return Snippet(
        "gemini",
        "Gemini CLI",
        "" if target.key else "Where signing in is needed, type /mcp auth and the name.",
        (
            Part("Terminal", shlex.join([*command, target.name, target.address])),
            Part("~/.gemini/settings.json", _json({"mcpServers": {target.name: entry}})),
        ),
    )


def _inspector(target: Target) -> Snippet:
    program = ["npx", "@modelcontextprotocol/inspector"]
    shown = [*program, "--server-url", target.address, "--transport", "http"]
    asked = [*program, "--cli", target.address, "--transport", "http", "--method", "tools/list"]
    advice = "To look at what a client sees: in a browser, or in the terminal alone."
    if target.key:  # its page takes no headers from the command line
        advice += f" In the browser, add the header Authorization with “Bearer {target.key}” to the server's settings."
    return Snippet(
        "inspector",
        "MCP Inspector",
        advice,
        (
            Part("In a browser", shlex.join(shown)),
            Part("In the terminal", shlex.join([*asked, *_header(target, "--header")])),
        ),
    )


def _curl(target: Target) -> Snippet:
    headers = [
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2025-11-25",
        *([f"Authorization: Bearer {target.key}"] if target.key else []),
    ]
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    # -g: brackets in an address are no ranges.
    lines = [shlex.join(["curl", "-sg", target.address])]
    lines += [shlex.join(["-H", header]) for header in headers]
    lines += [shlex.join(["-d", json.dumps(message)])]
    advice = "" if target.key else "It signs in nowhere: where that is needed, use a key."
    return Snippet("curl", "curl", advice, (Part("Terminal", " \\\n  ".join(lines)),))


def _headers(target: Target) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {target.key}"}} if target.key else {}


def _header(target: Target, option: str) -> list[str]:
    return [option, f"Authorization: Bearer {target.key}"] if target.key else []


def _is_plain(address: str) -> bool:
    """Unencrypted, to another machine: clients want to be told that this is meant."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
