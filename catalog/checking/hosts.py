"""Hosts that a secret may be sent to: `api.example.com`, or with a port `api.example.com:8443`.

They are asked over https alone. One that may be asked over plain http, where everybody on the way reads the secret, is
written `http://api.example.com`, and stands for that alone. A host without a port stands for the standard port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import idna

MOST_HOSTS = 50
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_STANDARD_PORTS = {"https": 443, "http": 80}
_PLAIN = "http://"


class BadHost(ValueError):
    """The text is a sentence for a person."""


def check_host(text: str) -> str:
    """A host as it is kept and compared: in small letters, names of other alphabets in IDNA, no dot at the end; with
    `http://` before it for plain http, and with nothing for https.

    Raises BadHost for anything that names more than one host or is no host at all.
    """
    text = text.strip()
    scheme, authority = _without_scheme(text)
    host, port = _parted(authority)
    if not port:
        return f"{scheme}{_name(host, text)}"
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise BadHost(f"“{text}” has no valid port: it is a number from 1 to 65535.")
    return f"{scheme}{_name(host, text)}:{port}"


def check_hosts(texts: Iterable[str]) -> list[str]:
    """All of them, each once, in the order given. BadHost for the first that is none, or when there are too many."""
    hosts = list(dict.fromkeys(check_host(text) for text in texts if text.strip()))
    if len(hosts) > MOST_HOSTS:
        raise BadHost(f"A variable can name {MOST_HOSTS} hosts at most; these are {len(hosts)}.")
    return hosts


def added(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """The hosts of `after` that are not in `before`: where a secret could not go until now."""
    known = set(before)
    return [host for host in after if host not in known]


def allows(hosts: Iterable[str], url: str) -> bool:
    """Whether one of the hosts (each as `check_host` gave it) is where `url` leads."""
    try:
        parts = urlsplit(url)
        host, port = _name(parts.hostname or "", url, bracketed=False), parts.port
    except ValueError:
        return False
    standard = _STANDARD_PORTS.get(parts.scheme.lower())
    if standard is None:
        return False
    port = standard if port is None else port
    host = f"{_scheme(parts.scheme)}{host}"
    return f"{host}:{port}" in hosts or (port == standard and host in hosts)


def named(url: str) -> str:
    """Where `url` leads, as people write a host that may have a secret; "" where it names none."""
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2]
    return f"{_scheme(parts.scheme)}{authority}" if authority else ""


def _scheme(scheme: str) -> str:
    return _PLAIN if scheme.lower() == "http" else ""


def _without_scheme(text: str) -> tuple[str, str]:
    """How a host is asked, and the rest of it."""
    scheme, mark, rest = text.partition("://")
    return (_scheme(scheme), rest) if mark and scheme.lower() in _STANDARD_PORTS else ("", text)


def _parted(text: str) -> tuple[str, str]:
    """Host and port, "" without one; the host of an IPv6 address keeps its brackets."""
    if not text:
        raise BadHost("A host is missing: enter one such as api.example.com.")
    if "://" in text:
        raise BadHost(f"“{text}” has another scheme than http and https. Enter the host alone.")
    if "@" in text:
        raise BadHost("A host holds no user name or password. Enter the host alone, such as api.example.com.")
    if "*" in text:
        raise BadHost(f"“{text}” stands for many hosts. Name each host that the secret may be sent to.")
    if any(character in text for character in "/?#\\"):
        raise BadHost(f"“{text}” has a path. Enter the host alone, such as api.example.com.")
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        if not bracket or (port and not port.startswith(":")) or port == ":":
            raise _no_host(text)
        return f"{host}]", port.removeprefix(":")
    if text.count(":") > 1:  # an IPv6 address as people write it; a port needs brackets
        return f"[{text}]", ""
    host, colon, port = text.partition(":")
    if colon and not port:
        raise BadHost(f"“{text}” has no valid port: it is a number from 1 to 65535.")
    return host, port


def _name(host: str, text: str, *, bracketed: bool = True) -> str:
    """One name or address in the form that is compared; an IPv6 address in brackets, as in a URL."""
    if host.startswith("[") if bracketed else ":" in host:
        try:
            address = IPv6Address(host.strip("[]"))
        except ValueError:
            raise _no_host(text) from None
        if address.scope_id is not None:
            raise BadHost(f"“{text}” is an address of one network interface, which means nothing elsewhere.")
        return f"[{address.compressed}]"
    name = host.removesuffix(".")
    if re.fullmatch(r"[0-9.]+|0[xX][0-9a-fA-F.xX]*", name):  # 127.1, 2130706433: resolvers read them as addresses
        try:
            return str(ip_address(name))
        except ValueError:
            raise _no_host(text) from None
    try:
        encoded = idna.encode(name, uts46=True).decode() if not name.isascii() else name.lower()
    except idna.IDNAError:
        raise _no_host(text) from None
    if len(encoded) > 253 or not all(_LABEL.fullmatch(label) for label in encoded.split(".")):
        raise _no_host(text)
    return encoded


_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def _no_host(text: str) -> BadHost:
    return BadHost(f"“{text}” is not a valid host. Enter one such as api.example.com or api.example.com:8443.")
