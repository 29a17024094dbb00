"""A weather API on loopback for the calls of tools: strict about what it is sent, and bad in many ways on demand.

Its API is below `/v1`; `/admin` is what no call should ever reach, and `/token` its OAuth2 server.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

CLIENT = ("weather-client", "s3cret/with:signs")


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    """As it was on the wire."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass
class Upstream:
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What `/v1/flaky` answers first: (status, headers)."""
    typed: tuple[str, bytes] = ("text/plain", b"")
    """What `/v1/typed` answers: its type and its body."""
    token_takes: str = "basic"
    """How its OAuth2 server wants the client to say who it is: basic or post."""
    token_answer: tuple[int, Any] | None = None
    """What it answers instead of a token."""
    token_lasts: Any = 3600
    tokens: list[str] = field(default_factory=list)
    """Those it gave; the last one is good."""
    on_request: Callable[[], object] = lambda: None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def asked(self) -> list[str]:
        """`METHOD target` of each request."""
        return [f"{each.method} {each.target}" for each in self.seen]


@contextlib.contextmanager
def upstream(address: str = "127.0.0.1") -> Iterator[Upstream]:
    world = Upstream()

    class Handler(_Handler):
        it = world

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """A client that hangs up is what these tests are about."""

    server = Server((address, 0), Handler)
    world.url = f"http://{address}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield world
    finally:
        world.over.set()
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    it: Upstream

    def handle_any(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.body = self.rfile.read(int(headers.get("content-length") or 0))
        self.it.seen.append(Seen(self.command, self.path, headers, self.body))
        self.it.on_request()
        self.query = dict(parse_qsl(urlsplit(self.path).query))
        path = urlsplit(self.path).path
        if headers.get("host") != self.it.host:
            self.answer(421, {"error": "this is another host"})
        elif path == "/token":
            self.give_token()
        elif path.startswith("/v1/"):
            getattr(self, path.split("/")[2], self.missing)()
        else:
            self.answer(200, {"inside": path})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        for name, each in sent.items():
            self.send_header(name, each)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def missing(self) -> None:
        self.answer(404, {"error": "no such endpoint"})

    def cities(self) -> None:
        city = urlsplit(self.path).path.removeprefix("/v1/cities/")
        self.answer(200, {"city": city, "days": int(self.query.get("days", "1")), "sunny": True}, {"ETag": '"a1"'})

    def echo(self) -> None:
        last = self.it.seen[-1]
        self.answer(
            200, {"method": last.method, "target": last.target, "headers": last.headers, "body": last.body.decode()}
        )

    def notes(self) -> None:
        if self.command == "POST" and self.headers.get("Content-Type") != "application/json":
            self.answer(415, {"error": "send JSON"})
        else:
            self.answer(201, {"saved": json.loads(self.body or b"null")})

    def teapot(self) -> None:
        self.answer(418, {"error": "short and stout"})

    def text(self) -> None:
        self.answer(200, self.query.get("say", "hello").encode(), {"Content-Type": "text/plain; charset=utf-8"})

    def page(self) -> None:
        self.answer(200, b"\x89PNG\r\n\x1a\n" + bytes(100), {"Content-Type": "image/png"})

    def typed(self) -> None:
        kind, body = self.it.typed
        self.answer(200, body, {"Content-Type": kind})

    def redirect(self) -> None:
        status = int(self.query.get("status", "302"))
        self.answer(status, {}, {"Location": self.query["to"]})

    def loop(self) -> None:
        self.answer(302, {}, {"Location": "/v1/loop"})

    def flaky(self) -> None:
        if self.it.failures:
            status, headers = self.it.failures.pop(0)
            if status == 0:
                self.close_connection = True
                return
            self.answer(status, {"error": "not now"}, headers)
        else:
            self.answer(200, {"ok": True})

    def silent(self) -> None:
        self.it.over.wait(30)
        self.close_connection = True

    def slow(self) -> None:
        """One byte after the other, each in time, and never done."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.it.over.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    def huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(1024):
            self.wfile.write(b"x" * 65536)
        self.close_connection = True

    def bomb(self) -> None:
        packed = gzip.compress(bytes(64 << 20))
        self.answer(200, packed, {"Content-Type": "text/plain", "Content-Encoding": "gzip"})

    def broken(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def private(self) -> None:
        given = self.headers.get("Authorization", "")
        if self.it.tokens and given == f"Bearer {self.it.tokens[-1]}":
            self.answer(200, {"welcome": True, "you_sent": given})
        else:
            self.answer(401, {"error": "invalid_token"}, {"WWW-Authenticate": "Bearer"})

    def give_token(self) -> None:
        form = dict(parse_qsl(self.body.decode()))
        given = self.headers.get("Authorization", "")
        basic = ""
        if given.startswith("Basic "):
            basic = base64.b64decode(given.removeprefix("Basic ")).decode()
        by_basic = tuple(unquote_plus(part) for part in basic.split(":", 1)) if basic else ()
        by_post = (form.get("client_id"), form.get("client_secret"))
        if self.it.token_answer is not None:
            status, value = self.it.token_answer
            self.answer(status, value)
        elif (by_basic if self.it.token_takes == "basic" else by_post) != CLIENT:
            self.answer(401, {"error": "invalid_client", "error_description": f"who is {given} {form}?"})
        elif self.command != "POST" or form.get("grant_type") != "client_credentials":
            self.answer(400, {"error": "unsupported_grant_type"})
        else:
            self.it.tokens.append(f"access-{len(self.it.tokens) + 1}-{form.get('scope', '')}".replace(" ", "+"))
            value = {"access_token": self.it.tokens[-1], "token_type": "bearer", "expires_in": self.it.token_lasts}
            self.answer(200, {name: each for name, each in value.items() if each is not None})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Quiet: what was asked is kept."""
