"""Which addresses are asked, tried as somebody who wants inside."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import pytest
import requests

from lib.egress import AddressRefused, GuardedSession, Policy, is_public, refusal, resolve
from tests.lib.conftest import Names
from tests.lib.sites import Reply, Site

REFUSED = [
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("10.0.0.1", "private"),
    ("100.64.0.1", "shared"),
    ("100.127.255.254", "shared"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("169.254.169.254", "link-local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.8", "protocol assignment"),
    ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarking"),
    ("198.19.255.255", "benchmarking"),
    ("198.51.100.7", "documentation"),
    ("203.0.113.7", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::7f00:1", "IPv4 address inside IPv6"),
    ("::8.8.8.8", "IPv4 address inside IPv6"),
    ("::ffff:127.0.0.1", "IPv4 address inside IPv6"),
    ("::ffff:8.8.8.8", "IPv4 address inside IPv6"),
    ("::ffff:0:127.0.0.1", "reserved"),  # SIIT, RFC 2765
    ("64:ff9b::a00:1", "IPv4 address inside IPv6"),
    ("64:ff9b::8.8.8.8", "IPv4 address inside IPv6"),
    ("64:ff9b:1::a00:1", "IPv4 address inside IPv6"),
    ("100::1", "discard"),
    ("2001::7f00:1", "Teredo"),
    ("2001:2::1", "protocol assignment"),  # benchmarking
    ("2001:10::1", "protocol assignment"),  # ORCHID
    ("2001:20::1", "protocol assignment"),  # ORCHIDv2
    ("2001:db8::1", "documentation"),
    ("2002:7f00:1::", "IPv4 address inside IPv6"),
    ("2002:808:808::1", "IPv4 address inside IPv6"),
    ("3fff::1", "documentation"),
    ("4000::1", "reserved"),
    ("5f00::1", "reserved"),  # segment routing
    ("fc00::1", "private"),
    ("fd12:3456::1", "private"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "one network interface"),
    ("2606:4700::1111%eth0", "one network interface"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("ff0e::1", "multicast"),
    ("2130706433", "not an IP address"),
    ("0177.0.0.1", "not an IP address"),
    ("", "not an IP address"),
]
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1",
]  # fmt: skip


@pytest.mark.parametrize(("address", "reason"), REFUSED)
def test_an_address_that_is_not_public_unicast_is_refused_with_its_reason(address: str, reason: str) -> None:
    assert reason in refusal(address)
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_accepted_up_to_the_edges_of_the_refused_ranges(address: str) -> None:
    assert refusal(address) == ""
    assert is_public(ipaddress.ip_address(address))


def test_nothing_is_public_that_python_knows_to_be_anything_else() -> None:
    for address, _ in REFUSED[:-3]:
        parsed = ipaddress.ip_address(address)
        assert not (parsed.is_private or parsed.is_loopback) or not is_public(parsed)
    assert [address for address, _ in REFUSED[:-3] if ipaddress.ip_address(address).is_global], (
        "is_global is not enough"
    )


def test_every_answer_has_to_be_public(names: Names) -> None:
    names("mixed.test", ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefused, match=r"“mixed\.test” leads to a private address"):
        resolve("mixed.test", 443, Policy())


def test_public_answers_come_in_the_resolvers_order(names: Names) -> None:
    names("good.test", ["2606:4700::1111", "8.8.8.8", "8.8.8.8"])
    assert resolve("good.test", 443, Policy()) == ("2606:4700::1111", "8.8.8.8")


def test_the_refusal_tells_the_reason_and_the_way_out_but_not_the_inner_address(names: Names) -> None:
    names("inside.test", ["10.11.12.13"])
    with pytest.raises(AddressRefused) as refused:
        resolve("inside.test", 443, Policy())
    assert "EGRESS_ALLOW_HOSTS" in str(refused.value)
    assert "10.11.12.13" not in str(refused.value)


def test_an_operator_can_allow_a_host_on_every_port_or_on_one(names: Names) -> None:
    names("forge.test", ["10.0.0.1"])
    assert resolve("forge.test", 8080, Policy.parse(["Forge.test "], [])) == ("10.0.0.1",)
    assert resolve("forge.test", 443, Policy.parse(["forge.test:443"], [])) == ("10.0.0.1",)
    with pytest.raises(AddressRefused):
        resolve("forge.test", 22, Policy.parse(["forge.test:443"], []))


def test_allowing_a_host_does_not_allow_its_neighbours(names: Names) -> None:
    names("evil-forge.test", ["10.0.0.1"])
    names("sub.forge.test", ["10.0.0.1"])
    for host in ("evil-forge.test", "sub.forge.test"):
        with pytest.raises(AddressRefused):
            resolve(host, 443, Policy.parse(["forge.test", ""], []))


def test_an_operator_can_allow_a_network_of_either_family(names: Names) -> None:
    policy = Policy.parse([], ["10.1.2.3/8", " fd00::/8", ""])
    names("four.test", ["10.9.9.9"])
    names("six.test", ["fd00::9"])
    names("other.test", ["10.9.9.9", "192.168.0.1"])
    names("scoped.test", ["fd00::9%eth0"])
    names("mapped.test", ["::ffff:10.9.9.9"])
    assert resolve("four.test", 443, policy) == ("10.9.9.9",)
    assert resolve("six.test", 443, policy) == ("fd00::9",)
    for host in ("other.test", "scoped.test", "mapped.test"):
        with pytest.raises(AddressRefused):
            resolve(host, 443, policy)


def test_a_network_that_is_none_is_a_mistake_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0/33"):
        Policy.parse([], ["10.0.0/33"])


@pytest.mark.parametrize("host", ["bad\0host", "a" * 300, "a..b", "\ud800"])
def test_a_host_that_is_no_name_is_refused_not_crashed_upon(host: str) -> None:
    with pytest.raises((AddressRefused, socket.gaierror)):
        resolve(host, 443, Policy())


SPELLINGS = [
    "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "0.0.0.0",
    "127.0.0.1.", "localhost", "localhost.", "LOCALHOST", "１２７.０.０.１", "127。0。0。1", "①②⑦.0.0.1",
    "%31%32%37.0.0.1", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_loopback_reaches_a_server_there(spelling: str, open_site: Callable[..., Site]) -> None:
    four, six = open_site("127.0.0.1"), open_site("::1")
    with GuardedSession(Policy()) as session:
        for port in (four.port, six.port):
            with pytest.raises((AddressRefused, requests.RequestException)):
                session.get(f"http://{spelling}:{port}/")
    assert four.seen == six.seen == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_an_allowed_literal_address_is_asked(address: str, open_site: Callable[..., Site]) -> None:
    site = open_site(address)
    site.replies["/"] = Reply(b"hello")
    host = f"[{address}]" if ":" in address else address
    with GuardedSession(Policy.parse([address], [])) as session:
        assert session.get(site.url("/", host)).text == "hello"
    with GuardedSession(Policy.parse([f"{host}:{site.port}"], [])) as session:
        assert session.get(site.url("/", host)).text == "hello"


def test_a_name_that_changes_its_mind_is_asked_once_a_connection_and_checked_each_time(
    names: Names, open_site: Callable[..., Site]
) -> None:
    good = open_site("127.0.0.2")
    inside = open_site("127.0.0.1", good.port)
    good.replies["/"] = Reply(b"good", headers={"Connection": "close"})
    asked = names("rebind.test", ["127.0.0.2"], ["127.0.0.1"])
    with GuardedSession(Policy.parse([], ["127.0.0.2/32"])) as session:
        assert session.get(good.url("/", "rebind.test")).text == "good"
        assert asked == ["rebind.test"], "the checked answer is the one that was connected to"
        with pytest.raises(AddressRefused):
            session.get(good.url("/", "rebind.test"))
    assert inside.seen == []


def test_a_name_with_a_dead_address_is_reached_at_its_next_one(names: Names, site: Site) -> None:
    site.replies["/"] = Reply(b"hello")
    names("two.test", ["127.0.0.3", "127.0.0.1"])
    with GuardedSession(Policy.parse([], ["127.0.0.0/8"])) as session:
        assert session.get(site.url("/", "two.test")).text == "hello"
    assert site.seen[0].headers["host"] == f"two.test:{site.port}"


def test_a_name_without_addresses_stays_an_ordinary_network_error() -> None:
    with GuardedSession(Policy()) as session, pytest.raises(requests.ConnectionError):
        session.get("http://no-such-name.invalid/")
