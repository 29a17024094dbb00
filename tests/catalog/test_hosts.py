"""Hosts that a secret may be sent to: what is one, and which URL leads there."""

from __future__ import annotations

import pytest

from catalog.checking.hosts import BadHost, allows, check_host, check_hosts


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("api.example.com", "api.example.com"),
        (" API.Example.COM. ", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Faß.example", "xn--fa-hia.example"),
        ("localhost", "localhost"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("192.0.2.7:80", "192.0.2.7:80"),
        ("2001:DB8:0::1", "[2001:db8::1]"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ("HTTPS://API.example.com", "api.example.com"),
        ("HTTP://API.example.com.:8080", "http://api.example.com:8080"),
        ("http://2001:DB8:0::1", "http://[2001:db8::1]"),
    ],
)
def test_a_host_is_kept_in_the_form_that_is_compared(typed: str, kept: str) -> None:
    assert check_host(typed) == kept
    assert check_host(kept) == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ftp://api.example.com", "another scheme"),
        ("http://https://api.example.com", "another scheme"),
        ("https://api.example.com/v1", "has a path"),
        ("http://user@api.example.com", "no user name"),
        ("http://", "missing"),
        ("api.example.com/v1", "has a path"),
        ("api.example.com?x", "has a path"),
        ("api.example.com#x", "has a path"),
        ("evil.example\\@api.example.com", "no user name"),
        ("evil.example\\.api.example.com", "has a path"),
        ("user@api.example.com", "no user name"),
        ("*.example.com", "many hosts"),
        ("api.example.com:0", "valid port"),
        ("api.example.com:65536", "valid port"),
        ("api.example.com:", "valid port"),
        ("api.example.com:x", "valid port"),
        ("api.example.com:٤٤٣", "valid port"),
        ("127.1", "not a valid host"),
        ("2130706433", "not a valid host"),
        ("0x7f.0.0.1", "not a valid host"),
        ("0177.0.0.1", "not a valid host"),
        ("api..example.com", "not a valid host"),
        (".", "not a valid host"),
        ("-api.example.com", "not a valid host"),
        ("api example.com", "not a valid host"),
        ("api.example.com\nevil.example", "not a valid host"),
        ("a" * 64 + ".example", "not a valid host"),
        ("a." * 127 + "example", "not a valid host"),
        ("${HOST}", "not a valid host"),
        ("[::1", "not a valid host"),
        ("[::1]x", "not a valid host"),
        ("fe80::1%eth0", "one network interface"),
        (":443", "not a valid host"),
        ("", "missing"),
    ],
)
def test_what_is_no_single_host_is_refused_with_the_reason(typed: str, words: str) -> None:
    with pytest.raises(BadHost, match=words):
        check_host(typed)


def test_a_list_holds_each_host_once_and_not_too_many() -> None:
    assert check_hosts(["b.example", " ", "A.example", "a.example."]) == ["b.example", "a.example"]
    with pytest.raises(BadHost, match="50 hosts at most; these are 51"):
        check_hosts(f"h{number}.example" for number in range(51))


@pytest.mark.parametrize(
    ("hosts", "url", "may"),
    [
        (["api.example.com"], "https://api.example.com/v1?x=1", True),
        (["api.example.com"], "HTTPS://API.EXAMPLE.COM.:443/v1", True),
        (["api.example.com"], "http://api.example.com/", False),
        (["api.example.com:80"], "http://api.example.com/", False),
        (["http://api.example.com"], "http://api.example.com/v1", True),
        (["http://api.example.com"], "HTTP://api.example.com:80/", True),
        (["http://api.example.com"], "http://api.example.com:8080/", False),
        (["http://api.example.com"], "https://api.example.com/", False),
        (["http://api.example.com:8080"], "http://api.example.com:8080/", True),
        (["api.example.com"], "https://api.example.com:8443/", False),
        (["api.example.com"], "https://api.example.com:80/", False),
        (["api.example.com:8443"], "https://api.example.com:8443/", True),
        (["api.example.com:8443"], "https://api.example.com/", False),
        (["api.example.com:443"], "https://api.example.com/", True),
        (["api.example.com"], "https://evil.example/api.example.com", False),
        (["api.example.com"], "https://api.example.com.evil.example/", False),
        (["api.example.com"], "https://evilapi.example.com/", False),
        (["example.com"], "https://api.example.com/", False),
        (["api.example.com"], "https://api.example.com@evil.example/", False),
        (["api.example.com"], "ftp://api.example.com/", False),
        (["api.example.com"], "https://api.example.com:99999/", False),
        (["api.example.com"], "//api.example.com/", False),
        (["api.example.com"], "", False),
        (["xn--bcher-kva.example"], "https://bücher.example/", True),
        (["[2001:db8::1]"], "https://[2001:DB8:0::1]/", True),
        (["127.0.0.1"], "https://127.1/", False),
        ([], "https://api.example.com/", False),
    ],
)
def test_a_secret_goes_to_its_hosts_alone(hosts: list[str], url: str, may: bool) -> None:
    assert allows(hosts, url) is may
