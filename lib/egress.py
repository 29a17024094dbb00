"""Guarded HTTP: the only way to an address that a tenant can influence.

A host name is resolved once, every answer must be a public unicast address (or allowed by the operator), and the
connection goes to exactly the address that was checked, so that a second DNS answer changes nothing. TLS still
verifies the name. Redirects are followed here, each hop checked like the first, credentials staying behind when the
origin changes. Bodies are capped after decompression, and one deadline covers connecting, headers, body and redirects:
every single read from the socket waits no longer than what is left of it. ::

    with GuardedSession(Policy()) as session:
        session.get("https://example.com/")                        # a whole, capped response
        response = session.get(archive_url, stream=True)
        for chunk in iter_body(response, max_bytes=1 << 30): ...   # a large one, piece by piece

`pool_manager` guards libraries on urllib3 (dulwich); `GuardedAdapter` can be mounted on anybody's requests session.
Errors of this module are `EgressError`; ordinary network failures stay what requests and urllib3 make of them.
Not bounded: the time that the system's resolver takes, for getaddrinfo cannot be interrupted.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.certs import where
from requests.hooks import default_hooks
from requests.utils import requote_uri
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

MAX_REDIRECTS = 5
CHUNK = 64 << 10


class EgressError(Exception):
    """A request was refused or stopped. `str(error)` is a sentence for a person and never holds a credential."""


class AddressRefused(EgressError):
    """The host leads to an address that is not public, and the operator has not allowed it."""


class UrlRefused(EgressError):
    """The URL is not one that we ask for: no host, or a user name and password inside it."""


class SchemeRefused(UrlRefused):
    """Neither http nor https, or a redirect from https down to http."""


class RedirectRefused(EgressError):
    """The redirect would send a request body to another origin, or silently turn a write into a read."""


class TooManyRedirects(RedirectRefused):
    pass


class BodyTooLarge(EgressError):
    pass


class DeadlineExceeded(EgressError):
    pass


# --- Addresses

# https://www.iana.org/assignments/iana-ipv4-special-registry, whole blocks even where single addresses are global.
_REFUSED_V4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a protocol assignment"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
# https://www.iana.org/assignments/iana-ipv6-special-registry. Only 2000::/3 is global unicast; what lies outside is
# listed for its reason's sake.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::/128", "the unspecified address"),
        ("::1/128", "a loopback address"),
        ("::/96", "an IPv4 address inside IPv6"),
        ("::ffff:0:0/96", "an IPv4 address inside IPv6"),
        ("64:ff9b::/96", "an IPv4 address inside IPv6"),
        ("64:ff9b:1::/48", "an IPv4 address inside IPv6"),
        ("100::/64", "a discard-only address"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "a protocol assignment"),  # benchmarking 2001:2::/48, ORCHID 2001:10::/28 and 2001:20::/28
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "an IPv4 address inside IPv6"),
        ("3fff::/20", "a documentation address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)


def refusal(address: str | IPv4Address | IPv6Address) -> str:
    """Why an address is refused, such as "a loopback address"; "" for a public unicast address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "not an IP address"
    if isinstance(parsed, IPv4Address):
        return next((reason for network, reason in _REFUSED_V4 if parsed in network), "")
    if parsed.scope_id is not None:
        return "an address of one network interface"
    for network, reason in _REFUSED_V6:
        if parsed in network:
            return reason
    return "" if parsed in _GLOBAL_UNICAST_V6 else "a reserved address"


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether it is a public unicast address. `is_global` is not enough: it is true for multicast, NAT64 and 6to4."""
    return not refusal(address)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beyond public addresses."""

    allow_hosts: frozenset[str] = frozenset()
    """`name`, `name:port` or `[v6]:port`, lower case: whatever such a name resolves to is accepted."""
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, hosts: Iterable[str], networks: Iterable[str]) -> Policy:
        """From settings; blank items are skipped. ValueError for a network that is none (host bits may be set)."""
        return cls(
            frozenset(host.strip().lower() for host in hosts if host.strip()),
            tuple(ip_network(network.strip(), strict=False) for network in networks if network.strip()),
        )

    def allows_host(self, host: str, port: int) -> bool:
        name = host.strip("[]").rstrip(".").lower()
        spellings = (
            {name, f"{name}:{port}", f"[{name}]", f"[{name}]:{port}"} if ":" in name else {name, f"{name}:{port}"}
        )
        return not self.allow_hosts.isdisjoint(spellings)

    def allows_address(self, address: str) -> bool:
        if "%" in address:
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self.allow_networks)


def resolve(host: str, port: int, policy: Policy) -> tuple[str, ...]:
    """The addresses of `host`, in the resolver's order, every one of them public or allowed.

    AddressRefused unless all are; socket.gaierror when the name has none. Odd spellings (2130706433, 0x7f.1, full-width
    digits) are judged by what the resolver makes of them, since that is what gets connected to.
    """
    try:
        answers = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (UnicodeError, ValueError):
        raise AddressRefused("The address has a host name that is not valid. Check its spelling.") from None
    addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if policy.allows_host(host, port):
        return addresses
    for address in addresses:
        reason = refusal(address)
        if reason and not policy.allows_address(address):
            raise AddressRefused(
                f"“{host}” leads to {reason}, and only public addresses are asked. The operator can allow it "
                "with EGRESS_ALLOW_HOSTS or EGRESS_ALLOW_NETWORKS."
            )
    return addresses


# --- Time and bytes of one exchange


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

    def arrived(self, count: int) -> None:
        if self.wire_bytes is not None:
            self.wire_bytes -= count
            if self.wire_bytes < 0:
                raise BodyTooLarge("The answer is larger than the limit for it.")


# Set while a request is sent, for the connection that is made or reused deep inside urllib3.
_BUDGET: ContextVar[Budget | None] = ContextVar("egress_budget", default=None)


@dataclass(frozen=True, slots=True)
class _Guard:
    """What every connection of one pool keeps to."""

    policy: Policy
    timeout: float
    total_timeout: float
    wire_bytes: int | None = None
    on_request: Callable[[], None] | None = None

    def new_budget(self, timeout: float | None = None) -> Budget:
        return Budget(timeout or self.timeout, time.monotonic() + self.total_timeout, self.wire_bytes)

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
        try:
            count = self._raw.readinto(buffer)
        except TimeoutError:
            self._budget.patience()  # says so if it was the deadline that cut this read short
            raise
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


# --- Connections


class _GuardedConnection(HTTPConnection):
    """Connects to a checked address and no other, within the budget of the exchange."""

    def __init__(self, *args: Any, guard: _Guard, **kwargs: Any) -> None:
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

    def request(self, *args: Any, **kwargs: Any) -> None:
        with self._guard.budget() as budget:
            self._budget = budget
            self.response_class = cast("Any", functools.partial(_BudgetResponse, budget))
            if self._guard.on_request is not None:
                self._guard.on_request()
            super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is not None and self._budget is not None:
            self.sock.settimeout(self._budget.patience())
        super().send(data)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        response = super().getresponse()
        if "," in response.headers.get("Content-Encoding", ""):
            response.close()
            raise BodyTooLarge("The answer is compressed more than once, and was not unpacked.")
        return response


class _GuardedTLSConnection(_GuardedConnection, HTTPSConnection):
    pass


class _GuardedPools(urllib3.PoolManager):
    def __init__(self, guard: _Guard, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._guard = guard

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> urllib3.HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        connection = _GuardedTLSConnection if scheme == "https" else _GuardedConnection
        pool.ConnectionCls = cast("Any", functools.partial(connection, guard=self._guard))
        return pool

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Like PoolManager's, with redirects of GET and HEAD followed by the rules of this module."""
        with self._guard.budget():
            check_url(url)
            hops = 0
            while True:
                response = super().urlopen(method, url, redirect=False, **kw)
                location = redirect and method in ("GET", "HEAD") and response.get_redirect_location()
                if not location:
                    if hops:
                        response.url = url
                    return response
                response.close()
                hops += 1
                _count_hop(hops, MAX_REDIRECTS)
                target = urljoin(url, location)
                check_url(target, came_from=url)
                if origin(target) != origin(url):
                    kw["headers"] = _harmless(kw.get("headers") or self.headers)
                url = target


def pool_manager(
    policy: Policy,
    *,
    timeout: float,
    total_timeout: float = 600.0,
    max_bytes: int | None = None,
    on_request: Callable[[], None] | None = None,
) -> urllib3.PoolManager:
    """Guarded pools for a library that works on urllib3; no proxies, no retries.

    `timeout` is for one connect or read, `total_timeout` for one whole exchange (redirects and body included), both in
    seconds. `max_bytes` caps what one exchange may bring over the wire. Errors: EgressError beside urllib3's own.
    """
    guard = _Guard(policy, timeout, total_timeout, max_bytes, on_request)
    return _GuardedPools(guard, retries=urllib3.Retry(0), timeout=timeout, cert_reqs="CERT_REQUIRED", ca_certs=where())


# --- URLs and redirects

# All that follows a redirect to another origin. An allow-list: any other header may be somebody's credential.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "connection", "range", "user-agent"})


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or {"http": 80, "https": 443}.get(scheme)


def check_url(url: str, *, came_from: str = "") -> None:
    """Refuse what we never ask for, before any name is resolved. `came_from` is the URL that redirected here."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = origin(url)
    except ValueError:
        raise UrlRefused("The address is not a valid URL. Check its spelling.") from None
    if scheme not in ("http", "https"):
        raise SchemeRefused("Only http:// and https:// addresses are asked.")
    if came_from and urlsplit(came_from).scheme.lower() == "https" and scheme == "http":
        raise SchemeRefused("The server redirects from https to http, which would be readable on the way.")
    if "@" in parts.netloc:
        raise UrlRefused("The address holds a user name or password. Enter it without, and the token in its own field.")
    if not host:
        raise UrlRefused("The address has no host name.")


def _count_hop(hops: int, limit: int) -> None:
    if hops > limit:
        raise TooManyRedirects(f"The server redirected more than {limit} times.")


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}


# --- requests


class GuardedResponse(requests.Response):
    """A response whose `content`, `text`, `json()` and `iter_content()` end at `max_bytes` and at the deadline.

    `raw` keeps to the deadline too, but is not capped: take `iter_body`.
    """

    max_bytes: int
    """Decoded bytes."""
    budget: Budget

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        declared = self.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > self.max_bytes and self.request.method != "HEAD":
            self._too_large()
        seen = 0
        for chunk in super().iter_content(chunk_size or CHUNK, decode_unicode):
            seen += len(chunk)
            if seen > self.max_bytes:
                self._too_large()
            self.budget.patience()
            yield chunk

    def _too_large(self) -> None:
        self.close()
        host = urlsplit(self.url).hostname
        raise BodyTooLarge(f"The answer of {host} is larger than the limit of {self.max_bytes:,} bytes.")


def iter_body(
    response: requests.Response, *, max_bytes: int, deadline: float | None = None, chunk_size: int = CHUNK
) -> Iterator[bytes]:
    """The decoded body of a response got with stream=True, in chunks; closes it at the end, however it ends.

    `max_bytes` replaces the session's cap and counts decoded bytes; `deadline` (time.monotonic()) can only tighten the
    session's. BodyTooLarge, DeadlineExceeded, TypeError for a response that is not from a guarded session.
    """
    if not isinstance(response, GuardedResponse):
        raise TypeError("iter_body takes the responses of a GuardedSession or GuardedAdapter.")
    response.max_bytes = max_bytes
    if deadline is not None:
        response.budget.deadline = min(response.budget.deadline, deadline)
    with response:
        yield from response.iter_content(chunk_size)


class GuardedAdapter(HTTPAdapter):
    """Guards any requests session where it is mounted. What such a session does on a redirect stays its own business,
    but each hop is checked."""

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = 30.0,
        total_timeout: float = 600.0,
        max_bytes: int = 64 << 20,
        on_request: Callable[[], None] | None = None,
    ) -> None:
        self._guard = _Guard(policy, timeout, total_timeout, None, on_request)
        self._max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = _GuardedPools(self._guard, num_pools=connections, maxsize=maxsize, block=block, **kwargs)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        check_url(request.url or "")
        names = ("stream", "timeout", "verify", "cert", "proxies")
        options = dict(zip(names, args, strict=False)) | kwargs
        patience = options.get("timeout")
        options["proxies"] = None
        with self._guard.budget(patience if isinstance(patience, int | float) else None) as budget:
            options["timeout"] = budget.patience()
            return super().send(request, **options)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> GuardedResponse:
        response = GuardedResponse()
        response.__dict__.update(super().build_response(req, resp).__dict__)
        response.max_bytes = self._max_bytes
        response.budget = _BUDGET.get() or self._guard.new_budget()
        return response


class GuardedSession(requests.Session):
    """A requests session for addresses that a tenant can influence. Ignores proxies, netrc and cookies.

    `timeout` (seconds) is for one connect or read; a request's own `timeout` replaces it. `total_timeout` (seconds)
    covers a request with its redirects and its body. `max_bytes` caps the decoded body; a larger one is got with
    stream=True and `iter_body`. `on_request` is called for every request sent, redirects included.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = 30.0,
        total_timeout: float = 600.0,
        max_bytes: int = 64 << 20,
        max_redirects: int = MAX_REDIRECTS,
        on_request: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = max_redirects
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._guard = _Guard(policy, timeout, total_timeout, None, on_request)
        self.adapters.clear()
        for scheme in ("https://", "http://"):
            self.mount(
                scheme,
                GuardedAdapter(
                    policy, timeout=timeout, total_timeout=total_timeout, max_bytes=max_bytes, on_request=on_request
                ),
            )

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        follow = kwargs.pop("allow_redirects", True)
        stream = kwargs.pop("stream", False)
        check_url(request.url or "")
        history: list[requests.Response] = []
        with self._guard.budget(kwargs.get("timeout")):
            while True:
                response = super().send(request, stream=True, allow_redirects=False, **kwargs)
                location = self.get_redirect_target(response) if follow else None
                if location is None:
                    break
                history.append(response)
                response.close()
                _count_hop(len(history), self.max_redirects)
                request = self._next_request(request, response, location)
        response.history = history
        if not stream:
            response.content  # noqa: B018  read now, within the cap
        return response

    def resolve_redirects(self, *_args: Any, **_kwargs: Any) -> Iterator[Any]:
        """Nothing: `send` follows redirects itself."""
        return iter(())

    def _next_request(
        self, request: requests.PreparedRequest, response: requests.Response, location: str
    ) -> requests.PreparedRequest:
        here, target = request.url or "", urljoin(request.url or "", requote_uri(location))
        check_url(target, came_from=here)
        following = request.copy()
        following.prepare_url(target, None)
        same = origin(target) == origin(here)
        if response.status_code in (307, 308):
            if following.body is not None and not same:
                raise RedirectRefused("The server redirects a request with a body to another server. It was not sent.")
        elif following.method not in ("GET", "HEAD"):
            # RFC 9110, 15.4: 303 means GET, and so do 301 and 302 for a POST. Any other write would be lost silently.
            if response.status_code != 303 and following.method != "POST":
                raise RedirectRefused(f"The server redirects a {following.method} request. Use its new address.")
            following.method, following.body = "GET", None
            for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                following.headers.pop(name, None)
        if not same:
            following.headers = requests.structures.CaseInsensitiveDict(_harmless(following.headers))
            following.hooks = default_hooks()  # a digest login's hook would answer the other server's challenge
            following.prepare_hooks(self.hooks)
        return following
