"""mcp-contextforge-gateway as a peer, from an environment of its own (`make .venv-bench-contextforge/.done`).

As it comes, but for its limit of requests a minute, with its database in a file and its cache in memory. A virtual
server of it has as many tools as ours, and a resource whose text it keeps itself: reading that is its nearest to fetch.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.installation import ROOT, end, free_port

PROGRAM = ROOT / ".venv-bench-contextforge" / "bin" / "mcpgateway"
PATIENCE = 180.0
"""Seconds for it to come up."""
_EMAIL, _PASSWORD = "admin@example.com", "Only-for-benches-1!"


@dataclass(frozen=True, slots=True)
class Gateway:
    url: str
    token: str
    resource: str
    """The URI of the text."""


@contextmanager
def gateway(folder: Path, *, tools: list[dict[str, Any]], text: str) -> Iterator[Gateway]:
    """Running, with these tools (as tools/list tells of them) and this text. Raises RuntimeError where it is not."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    log = folder / "gateway.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            # Each by itself: written with = it would not know them, and take its own port.
            [str(PROGRAM), "mcpgateway.main:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
            cwd=folder,
            env=_environment(folder),
            stdout=out,
            stderr=out,
        )
    try:
        _wait_for(process, base, log)
        yield _filled(base, tools, text)
    finally:
        end(process)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HOST": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder / 'gateway.sqlite3'}",
        "CACHE_TYPE": "memory",
        "RATE_LIMITING_ENABLED": "false",
        "SSRF_ALLOW_LOCALHOST": "true",
        "SSRF_ALLOW_PRIVATE_NETWORKS": "true",
        "MCPGATEWAY_UI_ENABLED": "false",
        "PLUGINS_ENABLED": "false",
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "AUTH_ENCRYPTION_SECRET": secrets.token_urlsafe(48),
        "PLATFORM_ADMIN_EMAIL": _EMAIL,
        "PLATFORM_ADMIN_PASSWORD": _PASSWORD,
        "DEFAULT_USER_PASSWORD": _PASSWORD,
        "LOG_LEVEL": "ERROR",
    }


def _wait_for(process: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(requests.RequestException):
            requests.get(f"{base}/health", timeout=5)
            return
        time.sleep(0.3)
    raise RuntimeError(f"The gateway does not answer. Its log ends with:\n{log.read_text()[-2000:]}")


def _filled(base: str, tools: list[dict[str, Any]], text: str) -> Gateway:
    token: str = _post(base, "/auth/login", {"email": _EMAIL, "password": _PASSWORD})["access_token"]
    uri = "docs://document"
    resource = {"uri": uri, "name": "document", "mime_type": "text/markdown", "content": text}
    kept = _post(base, "/resources", {"resource": resource, "visibility": "public"}, token)["id"]
    made = [
        _post(
            base,
            "/tools",
            {
                "tool": {
                    "name": tool["name"],
                    "url": f"http://127.0.0.1:9/{tool['name']}",
                    "integration_type": "REST",
                    "request_type": "POST",
                    "description": tool.get("description", ""),
                    "input_schema": tool["inputSchema"],
                },
                "visibility": "public",
            },
            token,
        )["id"]
        for tool in tools
    ]
    server = {"name": "bench", "associated_tools": made, "associated_resources": [kept]}
    number = _post(base, "/servers", {"server": server, "visibility": "public"}, token)["id"]
    return Gateway(f"{base}/servers/{number}/mcp", token, uri)


def _post(base: str, path: str, what: dict[str, Any], token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(f"{base}{path}", json=what, headers=headers, timeout=30)
    if not answer.ok:
        raise RuntimeError(f"The gateway answers {path} with {answer.status_code}: {answer.text[:500]}")
    return answer.json()
