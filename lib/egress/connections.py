"""Connections that go to a checked address and keep to a budget of time and bytes, and pools of them for urllib3."""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from lib.egress.addresses import Policy, resolve
from lib.egress.errors import BodyTooLarge, DeadlineExceeded
from lib.egress.urls import MAX_REDIRECTS, check_url, count_hop, harmless, origin, redirect_target


@dataclass(slots=True)
class Budget:
    """What one exchange may still spend: shared by its redirects, its connection and its body."""

    timeout: float
    """Seconds that one connect or one read may wait."""
    deadline: float
    """On the clock of time.monotonic()."""
    wire_bytes: int | None = None
    """Bytes that may still arrive, headers included and before decompression; None for no limit."""

    def patience(self) -> float:
        """Seconds that the next wait may last; DeadlineExceeded when there are none left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("The other side took too long to answer in full, and the request was given up.")
        return min(self.timeout, left)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Around a wait: turns its TimeoutError into DeadlineExceeded where it was the deadline that cut it short."""
        try:
            yield
        except TimeoutError:
            self.patience()
            raise

    def arrived(self, count: int) -> None:
        if self.wire_bytes is not None:
            self.wire_bytes -= count
            if self.wire_bytes < 0:
                raise BodyTooLarge("The answer is larger than the limit for it.")


# Set while a request is sent, for the connection that is made or reused deep inside urllib3.
_BUDGET: ContextVar[Budget | None] = ContextVar("egress_budget", default=None)


@dataclass(frozen=True, slots=True)
class Guard:
    """What every connection of one pool keeps to."""

    policy: Policy
    timeout: float
    total_timeout: float
    wire_bytes: int | None = None
    compression: bool = True
    """Whether bodies may come compressed. Whoever allows it counts what comes out."""
    on_request: Callable[[], None] | None = None
    end: Callable[[], float] | None = None
    """When everything has to be over, on the clock of time.monotonic(): asked as each exchange begins."""

    def new_budget(self, timeout: float | None = None) -> Budget:
        deadline = time.monotonic() + self.total_timeout
        if self.end is not None:
            deadline = min(deadline, self.end())
        return Budget(timeout or self.timeout, deadline, self.wire_bytes)

    @contextmanager
    def budget(self, timeout: float | None = None) -> Iterator[Budget]:
        """The budget of the exchange under way (a redirect's, a repeated request's), or else a new one."""
        current = _BUDGET.get()
        if current is not None:
            yield current
            return
        budget = self.new_budget(timeout)
        token = _BUDGET.set(budget)
        try:
            yield budget
        finally:
            _BUDGET.reset(token)


class _BudgetReader(io.RawIOBase):
    """Reads a socket within a budget: a trickle of headers or body ends at the deadline, however often a byte comes."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, budget: Budget) -> None:
        self._raw, self._sock, self._budget = raw, sock, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._budget.patience())
        with self._budget.told():
            count = self._raw.readinto(buffer)
        self._budget.arrived(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BudgetResponse(http.client.HTTPResponse):
    def __init__(self, budget: Budget, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_BudgetReader(raw, sock, budget))


class GuardedConnection(HTTPConnection):
    """Connects to a checked address and no other, within the budget of the exchange."""

    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard
        self._budget: Budget | None = None

    def _new_conn(self) -> socket.socket:
        with self._guard.budget() as budget:
            budget.patience()
            try:
                addresses = resolve(self._dns_host, self.port, self._guard.policy)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            failure: OSError = OSError("the name has no address")
            for address in addresses:
                sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
                try:
                    for option in self.socket_options or ():
                        sock.setsockopt(*option)
                    sock.settimeout(budget.patience())
                    sock.connect((address, self.port))
                except OSError as error:
                    sock.close()
                    failure = error
                except BaseException:
                    sock.close()
                    raise
                else:
                    return sock
            budget.patience()
            if isinstance(failure, TimeoutError):
                raise ConnectTimeoutError(self, f"Connection to {self.host} timed out.") from failure
            raise NewConnectionError(self, f"Failed to establish a new connection: {failure}") from failure

    def connect(self) -> None:
        with self._guard.budget() as budget, budget.told():  # the TLS handshake waits too
            super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        with self._guard.budget() as budget:
            self._budget = budget
            self.response_class = cast("Any", functools.partial(_BudgetResponse, budget))
            if self._guard.on_request is not None:
                self._guard.on_request()
            super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None or self._budget is None:
            super().send(data)
            return
        self.sock.settimeout(self._budget.patience())
        with self._budget.told():
            super().send(data)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        response = super().getresponse()
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if "," in encoding or (encoding != "identity" and not self._guard.compression):
            response.close()
            raise BodyTooLarge("The answer is compressed in a way that was not asked for, and was not unpacked.")
        return response


class GuardedTLSConnection(GuardedConnection, HTTPSConnection):
    pass


class GuardedPools(urllib3.PoolManager):
    def __init__(self, guard: Guard, **kwargs: Any) -> None:
        if guard.policy.ca_file:
            # The public ones are loaded into it, too, as each connection is made.
            kwargs["ssl_context"] = context = create_urllib3_context()
            context.load_verify_locations(guard.policy.ca_file)
        super().__init__(**kwargs)
        self._guard = guard

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> urllib3.HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        connection = GuardedTLSConnection if scheme == "https" else GuardedConnection
        pool.ConnectionCls = cast("Any", functools.partial(connection, guard=self._guard))
        return pool

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Like PoolManager's, with redirects of GET and HEAD followed by the rules of this module."""
        with self._guard.budget():
            check_url(url)
            hops = 0
            while True:
                response = super().urlopen(method, url, redirect=False, **kw)
                # The redirect of anything else is the caller's to see: its body was meant for this server.
                location = redirect and method in ("GET", "HEAD") and response.get_redirect_location()
                if not location:
                    if hops:
                        response.url = url
                    return response
                response.close()
                hops += 1
                count_hop(hops, MAX_REDIRECTS)
                target = redirect_target(url, location)
                if origin(target) != origin(url):
                    kw["headers"] = harmless(kw.get("headers") or self.headers)
                url = target


def pool_manager(
    policy: Policy,
    *,
    timeout: float,
    total_timeout: float = 600.0,
    max_bytes: int | None = None,
    headers: Mapping[str, str] | None = None,
    on_request: Callable[[], None] | None = None,
    end: Callable[[], float] | None = None,
) -> urllib3.PoolManager:
    """Guarded pools for a library that works on urllib3; no proxies, no retries.

    `timeout` is for one connect or read, `total_timeout` for one whole exchange (redirects and body included), both in
    seconds; `end` is when all exchanges are over, on the clock of time.monotonic(), asked as each begins. `max_bytes`
    caps what one exchange may bring over the wire; compressed answers are refused. `headers` go with every request that
    brings none of its own. Errors: EgressError beside urllib3's own.
    """
    guard = Guard(
        policy, timeout, total_timeout, wire_bytes=max_bytes, compression=False, on_request=on_request, end=end
    )
    return GuardedPools(
        guard,
        headers=headers,
        retries=urllib3.Retry(0),
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
    )
