"""An application's end of hooks: a server on loopback that keeps what is delivered and answers what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.wire.messages import Headers, Request


@dataclass(slots=True)
class Listener:
    url: str = ""
    status: int = 202
    """What it answers."""
    heard: list[Request] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        """GitHub's names of what was heard."""
        return [request.headers["X-GitHub-Event"] for request in self.heard]


@contextmanager
def listening() -> Iterator[Listener]:
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.heard.append(Request("POST", self.path, Headers(self.headers.items()), body))
            self.send_response(heard.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Quiet: what was heard is kept."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/inbox"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
