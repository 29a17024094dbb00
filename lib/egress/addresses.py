"""Which addresses may be asked: the table of refused ranges, the operator's policy, and resolving a name once."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lib.egress.errors import AddressRefused

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
    """`name`, `name:port`, an IPv6 address or `[address]:port`, in lower case: whatever it resolves to is accepted."""
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ca_file: str = ""
    """Of certificate authorities that are trusted beside the public ones, in PEM: a company's own."""

    @classmethod
    def parse(cls, hosts: Iterable[str], networks: Iterable[str], ca_file: str = "") -> Policy:
        """From settings; blank items are skipped. ValueError for a network that is none (host bits may be set)."""
        return cls(
            frozenset(host.strip().lower() for host in hosts if host.strip()),
            tuple(ip_network(network.strip(), strict=False) for network in networks if network.strip()),
            ca_file,
        )

    def allows_host(self, host: str, port: int) -> bool:
        """Whether the operator named this host as it is written in the URL."""
        name = host.strip("[]").rstrip(".").lower()
        with_port = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        return not self.allow_hosts.isdisjoint({name, with_port})

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
