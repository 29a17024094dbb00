"""A threaded HTTP/1.1 server that hands each request to the first speaker that knows it.

It keeps a log, waits when told to, and lets faults stand between the client and the truth. It knows nothing of
forges: see `github` and `smart_http` for what is spoken.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar, Protocol, Self

from tests.wire.faults import ArmedFault, Fault
from tests.wire.messages import CutConnection, Headers, Reply, Request, RequestLog, json_reply, text_reply


class Speaker(Protocol):
    """One protocol on the server."""

    def knows(self, request: Request) -> bool:
        """Whether the request is this speaker's; it may set the request's `prefix` and `path`."""
        ...

    def check(self, request: Request, /) -> Reply | None:
        """What the protocol says about the request itself, before any fault; a reply refuses it."""
        ...

    def answer(self, request: Request) -> Reply: ...


class WireServer:
    """Start it with `start()` (or as a context manager), stop it with `close()`.

    `latency` is in seconds and added to every request, without holding up others.
    """

    def __init__(
        self, speakers: Sequence[Speaker], *, host: str = "127.0.0.1", port: int = 0, latency: float = 0.0
    ) -> None:
        self.speakers = list(speakers)
        self.latency = latency
        self.requests = RequestLog()
        self.errors: list[BaseException] = []
        """What went wrong inside the server itself: a bug here, never the client's."""
        self.stopping = threading.Event()
        self._faults: list[ArmedFault] = []
        self._listeners = [_Listener((host, port), self)]

    @property
    def url(self) -> str:
        return self._listeners[0].url

    def start(self) -> Self:
        self._listeners[0].start()
        return self

    def listen_also(self, host: str = "127.0.0.2") -> str:
        """Answer on another host too (the same content and log); returns its address."""
        listener = _Listener((host, 0), self)
        self._listeners.append(listener)
        listener.start()
        return listener.url

    def close(self) -> None:
        self.stopping.set()
        for listener in self._listeners:
            listener.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- faults --------------------------------------------------------------------------------------------------------

    def arm(self, fault: Fault, on: str = "*", *, skip: int = 0, times: int | None = None) -> ArmedFault:
        """Let `fault` stand before requests that match `on` (see `Request.matches`), until it is disarmed.

        The first `skip` of them pass unharmed, then `times` are hit (None: all). Of several faults the one armed first
        is nearest to the client: it has the last word on the reply.
        """
        armed = ArmedFault(fault, on, skip=skip, times=times)
        self._faults.append(armed)
        return armed

    def disarm(self, armed: ArmedFault) -> None:
        self._faults.remove(armed)

    @contextlib.contextmanager
    def fault(self, fault: Fault, on: str = "*", *, skip: int = 0, times: int | None = None) -> Iterator[ArmedFault]:
        """`arm` for the length of a with-block; what it yields counts its `hits`."""
        armed = self.arm(fault, on, skip=skip, times=times)
        try:
            yield armed
        finally:
            self.disarm(armed)

    # -- answering -----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        speaker = next((speaker for speaker in self.speakers if speaker.knows(request)), None)
        if self.latency:
            request.pause(self.latency)
        if speaker is None:
            return json_reply({"message": "Not Found", "status": "404"}, 404)
        if refused := speaker.check(request):
            return refused
        reply: Callable[[Request], Reply] = speaker.answer
        for armed in reversed(list(self._faults)):
            reply = armed.before(reply)
        return reply(request)


class _Listener(socketserver.ThreadingMixIn, HTTPServer):
    """A thread for each connection; stopping ends the connections first, so that each thread can be waited for."""

    request_queue_size = 256

    def __init__(self, address: tuple[str, int], wire: WireServer) -> None:
        self.wire = wire
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        # HTTPServer's own asks DNS for the machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name=f"wire {self.url}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self.shutdown()
            self._thread.join(timeout=5)
        self.socket.close()
        with self._lock:
            open_connections = dict(self._open)
            for connection in open_connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in open_connections.values():
            thread.join(timeout=5)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is its own business; answering errors are kept by the handler."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener
    LARGEST_BODY: ClassVar[int] = 100 << 20

    def serve(self) -> None:
        wire = self.server.wire
        request = Request(
            self.command,
            self.path,
            Headers(self.headers.items()),
            self._read_body(),
            origin=f"http://{self.headers.get('Host') or self.server.url.removeprefix('http://')}",
            stopping=wire.stopping,
        )
        try:
            reply = wire.answer(request)
        except CutConnection:
            self._cut()
            return
        except Exception as error:
            wire.errors.append(error)
            reply = text_reply(f"The test's own server failed: {error!r}", 500)
        request.status = reply.status
        try:
            self._send(reply)
        except CutConnection:
            self._cut()
        finally:
            if reply.close:
                reply.close()

    # The names are http.server's.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Quiet: the request log has it all."""

    def version_string(self) -> str:
        return "github.com"

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)
        length = int(self.headers.get("Content-Length") or 0)
        assert 0 <= length <= self.LARGEST_BODY
        return self.rfile.read(length) if length else b""

    def _send(self, reply: Reply) -> None:
        if reply.raw is not None:
            for piece in reply.raw:
                self.wfile.write(piece)
            self._cut()
            return
        bodyless = self.command == "HEAD" or reply.status in {204, 304}
        whole = reply.body if isinstance(reply.body, bytes) else None
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if whole is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.status not in {204, 304} and "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(whole)))
        if bodyless or whole is not None:
            # One write for head and body: two would be two packets.
            body = b"" if bodyless or whole is None else whole
            head: list[bytes] = self._headers_buffer  # type: ignore[attr-defined]
            head.append(b"\r\n" + (body if reply.cut_after is None else body[: reply.cut_after]))
            self.flush_headers()
        else:
            self.end_headers()
            assert not isinstance(reply.body, bytes)
            self._send_pieces(reply.body, reply.cut_after)
        if reply.cut_after is not None:
            self._cut()

    def _send_pieces(self, pieces: Iterator[bytes], limit: int | None) -> None:
        sent = 0
        for piece in pieces:
            if self.server.wire.stopping.is_set():
                self._cut()
                return
            part = piece if limit is None else piece[: limit - sent]
            if part:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                sent += len(part)
            if limit is not None and sent >= limit:
                return
        if limit is None:
            self.wfile.write(b"0\r\n\r\n")

    def _cut(self) -> None:
        """Close at once, as a dropped line does: what was written still arrives, then an early end."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
