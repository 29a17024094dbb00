"""Clients whose id is the address of a document: read through the guard, from a real server with TLS."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.idp.oidc.models import Client
from django.core.cache import cache
from django.test import Client as Browser

from catalog.models import Server
from endpoint.oauth import clients, documents
from endpoint.oauth.registration import Invalid
from orgs.models import Organization, User
from tests.conftest import Browse
from tests.endpoint import oauth_steps as steps
from tests.lib.conftest import Names, names
from tests.lib.sites import Reply, Site
from tests.lib.test_egress_redirects import certificate

__all__ = ["certificate", "names"]
PATH = "/client.json"


@pytest.fixture
def site(certificate: Any, settings: Any, names: Names) -> Iterator[Site]:
    """https://forge.test, which the operator allows to be reached."""
    cache.clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names("forge.test", ["127.0.0.1"])
    settings.EGRESS_ALLOW_NETWORKS = ["127.0.0.0/8"]
    settings.EGRESS_CA_FILE = str(certificate)
    opened = Site(tls=context)
    yield opened
    opened.close()


def _id(site: Site) -> str:
    return site.url(PATH, "forge.test")


def _says(site: Site, **changes: Any) -> str:
    """Puts a client's document there, and returns the client's id."""
    values = {"client_id": _id(site), "client_name": "Editor", "redirect_uris": [steps.REDIRECT], **changes}
    site.replies[PATH] = Reply(json.dumps(values).encode())
    return _id(site)


@pytest.fixture
def theirs(bob: User, docs: Server, browse: Browse) -> Browser:
    return browse(bob)


def test_a_client_with_a_document_needs_no_registration(site: Site, theirs: Browser, acme: Organization) -> None:
    client_id = _says(site)
    page = theirs.get(steps.address(steps.query(client_id))).content.decode()
    assert f"forge.test:{site.port}" in page
    assert "Nobody has checked" not in page
    assert "Any application on this computer could be asking" in page
    code = steps.answered(theirs, steps.query(client_id))["code"]
    found = steps.tokens(client_id, steps.exchange(client_id, code))
    site.replies.clear()  # tokens are refreshed without the document
    steps.tokens(client_id, steps.refresh(client_id, found.refresh))
    assert [each.path for each in site.seen] == [PATH]


def test_nobody_who_is_not_signed_in_makes_us_read_a_document(site: Site, docs: Server) -> None:
    client_id = _says(site)
    Browser().get(steps.address(steps.query(client_id)))
    steps.exchange(client_id, "code")
    assert site.seen == []
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://other.example/client.json"},
        {"client_id": None},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": []},
        {"client_secret": "x"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["implicit"]},
    ],
)
def test_a_document_that_is_not_good_lets_nobody_in(site: Site, theirs: Browser, changes: dict[str, Any]) -> None:
    client_id = _says(site, **changes)
    assert theirs.get(steps.address(steps.query(client_id))).status_code == 400
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b" " * (10 << 20)),
        Reply(b"[" * 30_000),
        Reply(b"<html>"),
        Reply(b"[]"),
        Reply(b"{}", status=404),
        Reply(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
        Reply(status=302, headers={"Location": PATH}),
    ],
    ids=["10 MB", "nested", "html", "list", "404", "redirect inward", "redirect"],
)
def test_what_is_no_document_is_not_read_on(site: Site, theirs: Browser, reply: Reply) -> None:
    site.replies[PATH] = reply
    for _ in range(2):
        assert theirs.get(steps.address(steps.query(_id(site)))).status_code == 400
    assert len(site.seen) == 1  # and not asked for again at once
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    "client_id",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:169.254.169.254]/a",
        "https://127.0.0.1/client.json",
        "https://inward.test/client.json",
    ],
)
def test_no_document_is_read_from_inside(theirs: Browser, names: Names, settings: Any, client_id: str) -> None:
    settings.EGRESS_ALLOW_NETWORKS = []
    names("inward.test", ["10.0.0.5"])
    cache.clear()
    page = theirs.get(steps.address(steps.query(client_id)))
    assert page.status_code == 400
    assert "could not be read" in page.content.decode()


@pytest.mark.parametrize(
    "client_id",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com/a/../b",
        "https://example.com/a?x=1",
        "https://example.com/a#x",
        "https://user@example.com/a",
        "https://Example.com/a",
        "https://example.com:0/a",
        "https://example.com:x/a",
        "https://example.com/a b",
        "https://example.com/ä",
        "https:///a",
        "https://example.com/" + "a" * 100,
    ],
)
def test_only_plain_addresses_are_ids(client_id: str) -> None:
    with pytest.raises(Invalid):
        documents.check_address(client_id)


def test_a_document_is_read_again_after_an_hour_and_counts_as_it_is_then(site: Site, theirs: Browser) -> None:
    client_id = _says(site)
    assert theirs.get(steps.address(steps.query(client_id))).status_code == 200
    _says(site, redirect_uris=["https://elsewhere.example/cb"])
    assert theirs.get(steps.address(steps.query(client_id))).status_code == 200
    Client.objects.update(data={"kind": clients.DOCUMENT, "read_at": "2026-01-01T00:00:00+00:00"})
    assert theirs.get(steps.address(steps.query(client_id))).status_code == 400
