"""Redirects and TLS: what follows a server's word to another place, and what stays behind."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.auth import HTTPDigestAuth

from lib.egress import (
    AddressRefused,
    DeadlineExceeded,
    GuardedSession,
    Policy,
    RedirectRefused,
    SchemeRefused,
    TooManyRedirects,
    UrlRefused,
    pool_manager,
)
from tests.lib.conftest import Names
from tests.lib.sites import Reply, Site, raw_site

LOCAL = Policy.parse([], ["127.0.0.0/8"])
CREDENTIALS = {
    "Authorization": "Bearer secret",
    "PRIVATE-TOKEN": "secret",
    "JOB-TOKEN": "secret",
    "Cookie": "session=secret",
    "Proxy-Authorization": "Basic secret",
    "X-Auth-Token": "secret",
    "X-Api-Key": "secret",
    "X-Hub-Signature-256": "secret",
}


@pytest.fixture
def other(open_site: Callable[..., Site]) -> Site:
    """Another site, on an address of its own."""
    site = open_site("127.0.0.2")
    site.replies["/"] = Reply(b"other")
    return site


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_follow_a_redirect_on_the_same_site(site: Site, status: int) -> None:
    site.replies["/there"] = Reply(b"there")
    with GuardedSession(LOCAL) as session:
        response = session.get(site.redirect("/here", "/there", status), headers=CREDENTIALS)
    assert response.text == "there"
    assert site.seen[1].headers["authorization"] == "Bearer secret"
    assert site.seen[1].headers["private-token"] == "secret"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_credential_follows_a_redirect_to_another_host(site: Site, other: Site, status: int) -> None:
    with GuardedSession(LOCAL) as session:
        session.headers.update(CREDENTIALS)
        response = session.get(site.redirect("/", other.url(), status), headers={"Accept": "text/plain"})
    assert response.text == "other"
    assert [hop.status_code for hop in response.history] == [status]
    assert site.seen[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in str(other.seen[0].headers)
    assert other.seen[0].headers["accept"] == "text/plain"


def test_no_credential_follows_a_redirect_to_another_port_of_the_host(
    site: Site, open_site: Callable[..., Site]
) -> None:
    neighbour = open_site(site.address)
    with GuardedSession(LOCAL) as session:
        session.get(site.redirect("/", neighbour.url()), headers=CREDENTIALS)
        session.get(site.url("/"), auth=("bob", "secret"))
    assert len(neighbour.seen) == 2
    assert all("authorization" not in seen.headers for seen in neighbour.seen)


def test_credentials_do_not_come_back_with_a_redirect_that_does(site: Site, other: Site) -> None:
    site.replies["/end"] = Reply(b"end")
    with GuardedSession(LOCAL) as session:
        session.get(site.redirect("/", other.redirect("/bounce", site.url("/end"))), headers=CREDENTIALS)
    assert site.seen[-1].path == "/end"
    assert "secret" not in str(site.seen[-1].headers)


def test_a_digest_login_does_not_answer_another_servers_challenge(site: Site, other: Site) -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
    other.replies["/"] = Reply(status=401, headers=challenge)
    with GuardedSession(LOCAL) as session:
        response = session.get(site.redirect("/", other.url()), auth=HTTPDigestAuth("bob", "secret"))
    assert response.status_code == 401
    assert len(other.seen) == 1


@pytest.mark.parametrize("inward", ["http://127.0.0.1:{port}/inside", "//127.0.0.1:{port}/inside", "http://[::1]/"])
def test_a_redirect_inward_is_refused(inward: str, other: Site, open_site: Callable[..., Site], site: Site) -> None:
    policy = Policy.parse(["127.0.0.2"], [])
    url = other.redirect("/", inward.format(port=site.port))
    for ask in (GuardedSession(policy).get, lambda url: pool_manager(policy, timeout=5).request("GET", url)):
        with pytest.raises(AddressRefused):
            ask(url)
    assert site.seen == []


def test_a_name_is_checked_again_when_a_redirect_leads_back_to_it(names: Names, open_site: Callable[..., Site]) -> None:
    good = open_site("127.0.0.2")
    inside = open_site("127.0.0.1", good.port)
    good.replies["/"] = Reply(status=302, headers={"Location": "/again", "Connection": "close"})
    names("rebind.test", ["127.0.0.2"], ["127.0.0.1"])
    with GuardedSession(Policy.parse([], ["127.0.0.2/32"])) as session, pytest.raises(AddressRefused):
        session.get(good.url("/", "rebind.test"))
    assert inside.seen == []


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("file:///etc/passwd", SchemeRefused),
        ("ftp://127.0.0.1/", SchemeRefused),
        ("javascript:alert(1)", SchemeRefused),
        ("http://bob:hunter2@127.0.0.1/", UrlRefused),
        ("http://[::1", UrlRefused),
    ],
)
def test_a_redirect_to_what_is_never_asked_is_refused(site: Site, to: str, error: type[Exception]) -> None:
    url = site.redirect("/", to)
    with GuardedSession(LOCAL) as session, pytest.raises(error) as refused:
        session.get(url)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(error):
        pool_manager(LOCAL, timeout=5).request("GET", url)


def test_a_circle_ends_and_every_request_of_it_is_counted(site: Site) -> None:
    requests_made = []
    url = site.redirect("/", "/")
    with GuardedSession(LOCAL, max_redirects=3, on_request=lambda: requests_made.append(1)) as session:
        with pytest.raises(TooManyRedirects, match="more than 3 times"):
            session.get(url)
        assert len(requests_made) == len(site.seen) == 4
        session.get(url, allow_redirects=False)
        assert len(requests_made) == 5
    pools = pool_manager(LOCAL, timeout=5, on_request=lambda: requests_made.append(1))
    with pytest.raises(TooManyRedirects):
        pools.request("GET", url)
    assert len(requests_made) == len(site.seen) == 11


def test_the_deadline_covers_all_hops_together() -> None:
    def slow_circle(connection, over):  # type: ignore[no-untyped-def]
        connection.recv(65536)
        over.wait(0.15)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with (
        raw_site(slow_circle) as url,
        GuardedSession(LOCAL, timeout=5, total_timeout=0.4, max_redirects=1000) as session,
        pytest.raises(DeadlineExceeded),
    ):
        session.get(url)


def test_a_redirect_that_is_not_followed_is_handed_over(site: Site, other: Site) -> None:
    with GuardedSession(LOCAL) as session:
        response = session.get(site.redirect("/", "file:///etc/passwd"), allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (302, "file:///etc/passwd")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirected_post_becomes_a_get_without_its_body(site: Site, other: Site, status: int) -> None:
    with GuardedSession(LOCAL) as session:
        session.post(site.redirect("/", other.url(), status), json={"client_secret": "secret"})
    assert (other.seen[0].method, other.seen[0].body) == ("GET", b"")
    assert "content-type" not in other.seen[0].headers


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_is_sent_again_to_the_same_site_only(site: Site, other: Site, status: int) -> None:
    with GuardedSession(LOCAL) as session:
        session.post(site.redirect("/here", "/there", status), data=b"secret")
        assert (site.seen[1].method, site.seen[1].body) == ("POST", b"secret")
        with pytest.raises(RedirectRefused, match="was not sent"):
            session.post(site.redirect("/away", other.url(), status), data=b"secret")
    assert other.seen == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302])
def test_a_write_is_not_turned_into_a_read_silently(site: Site, method: str, status: int) -> None:
    with GuardedSession(LOCAL) as session, pytest.raises(RedirectRefused, match=method):
        session.request(method, site.redirect("/here", "/there", status))
    assert len(site.seen) == 1


def test_a_location_in_utf8_is_understood(site: Site) -> None:
    site.replies["/caf%C3%A9"] = Reply(b"served")
    with GuardedSession(LOCAL) as session:
        assert session.get(site.redirect("/", "/café".encode().decode("latin-1"))).text == "served"


def test_pools_take_no_credential_to_another_host_and_tell_where_they_ended(site: Site, other: Site) -> None:
    response = pool_manager(LOCAL, timeout=5).request(
        "GET", site.redirect("/", other.url()), headers={**CREDENTIALS, "Accept": "*/*"}
    )
    assert (response.data, response.geturl()) == (b"other", other.url())
    assert "secret" not in str(other.seen[0].headers)
    assert other.seen[0].headers["accept"] == "*/*"


def test_pools_leave_the_redirect_of_a_write_to_the_caller(site: Site, other: Site) -> None:
    response = pool_manager(LOCAL, timeout=5).request("POST", site.redirect("/", other.url(), 307), body=b"secret")
    assert response.status == 307
    assert other.seen == []


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of forge.test and 127.0.0.9, signed by itself; the key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forge.test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName("forge.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "forge.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path, open_site: Callable[..., Site]) -> Site:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site = open_site(tls=context)
    site.replies["/"] = Reply(b"secure")
    return site


@pytest.fixture
def trusting(certificate: Path) -> GuardedSession:
    session = GuardedSession(LOCAL)
    session.verify = str(certificate)
    return session


def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(
    secure: Site, trusting: GuardedSession, names: Names
) -> None:
    names("forge.test", ["127.0.0.1"])
    names("other.test", ["127.0.0.1"])
    assert trusting.get(secure.url("/", "forge.test")).text == "secure"
    with pytest.raises(requests.exceptions.SSLError, match=r"other\.test"):
        trusting.get(secure.url("/", "other.test"))
    with pytest.raises(requests.exceptions.SSLError):
        trusting.get(secure.url("/", "127.0.0.1"))


def test_a_certificate_of_nobody_is_refused_by_default(secure: Site, names: Names) -> None:
    names("forge.test", ["127.0.0.1"])
    with pytest.raises(requests.exceptions.SSLError):
        GuardedSession(LOCAL).get(secure.url("/", "forge.test"))
    with pytest.raises(urllib3.exceptions.MaxRetryError, match="certificate verify failed"):
        pool_manager(LOCAL, timeout=5).request("GET", secure.url("/", "forge.test"))


def test_a_company_s_own_authority_is_trusted_where_the_operator_says_so_and_the_name_is_checked_all_the_same(
    secure: Site, certificate: Path, names: Names
) -> None:
    names("forge.test", ["127.0.0.1"])
    names("other.test", ["127.0.0.1"])
    policy = Policy.parse([], ["127.0.0.0/8"], str(certificate))
    assert GuardedSession(policy).get(secure.url("/", "forge.test")).text == "secure"
    assert pool_manager(policy, timeout=5).request("GET", secure.url("/", "forge.test")).data == b"secure"
    with pytest.raises(requests.exceptions.SSLError, match=r"other\.test"):
        GuardedSession(policy).get(secure.url("/", "other.test"))


def test_a_redirect_from_https_down_to_http_is_refused(
    secure: Site, site: Site, trusting: GuardedSession, names: Names
) -> None:
    names("forge.test", ["127.0.0.1"])
    secure.redirect("/down", site.url())
    with pytest.raises(SchemeRefused, match="from https to http"):
        trusting.get(secure.url("/down", "forge.test"))
    assert site.seen == []


def test_a_redirect_up_to_https_is_followed_without_credentials(
    secure: Site, site: Site, trusting: GuardedSession, names: Names
) -> None:
    names("forge.test", ["127.0.0.1"])
    response = trusting.get(site.redirect("/", secure.url("/", "forge.test")), headers=CREDENTIALS)
    assert response.text == "secure"
    assert "secret" not in str(secure.seen[0].headers)
