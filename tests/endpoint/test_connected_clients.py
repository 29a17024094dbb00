"""Connected clients: who sees them, and all that ends them."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.idp.oidc.models import Token
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Server
from endpoint.models import Grant
from endpoint.oauth.verification import caller_of
from orgs.models import AuditEvent, Membership, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.endpoint import oauth_steps as steps
from tests.endpoint.oauth_steps import BASE, Tokens

DOCS = f"{BASE}/mcp/acme/docs"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def found(bob: User, docs: Server, browse: Browse) -> Tokens:
    """What Bob's editor holds."""
    return steps.connected(browse(bob))


def _is_good(found: Tokens, organization: Organization, resource: str = DOCS) -> bool:
    return caller_of(found.access, resource=resource, organization=organization) is not None


def _is_over(found: Tokens, organization: Organization) -> bool:
    """Neither the access token nor the refresh token is good for anything."""
    return not _is_good(found, organization) and steps.refresh(found.client_id, found.refresh).status_code == 400


def test_a_person_sees_their_clients_and_disconnects_one(
    found: Tokens, acme: Organization, bob: User, browse: Browse
) -> None:
    other = steps.connected(browse(bob))
    page = browse(bob).get("/profile/clients/").content.decode()
    assert all(f'href="/profile/clients/{each.pk}/disconnect/"' in page for each in Grant.objects.all())
    for words in ("Editor", "registered itself", "Docs", "Acme", "search, read and call tools", "not yet"):
        assert words in page
    grant = Grant.objects.get(client_id=found.client_id)
    there = reverse("endpoint_clients_revoke", kwargs={"pk": grant.pk})
    assert "Disconnect Editor?" in browse(bob).get(there).content.decode()
    assert _is_good(found, acme)
    browse(bob).post(there)
    assert _is_over(found, acme)
    assert _is_good(other, acme)
    event = AuditEvent.objects.get(action="connected_client.revoked")
    assert (event.actor, event.organization, event.before["client"]) == (bob, acme, "Editor")


def test_when_a_client_was_used_is_known(found: Tokens, acme: Organization) -> None:
    assert Grant.objects.get().last_used_at is None
    assert _is_good(found, acme)
    assert Grant.objects.get().last_used_at is not None


def test_nobody_disconnects_what_is_anothers(found: Tokens, acme: Organization, carol: User, browse: Browse) -> None:
    there = reverse("endpoint_clients_revoke", kwargs={"pk": Grant.objects.get().pk})
    assert browse(carol).post(there).status_code == 404
    assert "No connected clients" in browse(carol).get("/profile/clients/").content.decode()
    assert _is_good(found, acme)


def test_an_admin_sees_all_clients_and_disconnects_one(
    found: Tokens, acme: Organization, adam: User, bob: User, browse: Browse
) -> None:
    page = browse(adam).get("/o/acme/connected-clients/").content.decode()
    assert "Editor" in page
    assert str(bob) in page
    assert f'href="/o/acme/connected-clients/{Grant.objects.get().pk}/disconnect/"' in page
    there = reverse("endpoint:granted_revoke", kwargs={"org": "acme", "pk": Grant.objects.get().pk})
    assert browse(bob).post(there).status_code == 403
    assert browse(adam).post(there).status_code == 302
    assert _is_over(found, acme)
    assert AuditEvent.objects.get(action="connected_client.revoked").actor == adam


def test_a_personal_server_is_allowed_by_its_owner_and_told_to_nobody_else(
    acme: Organization, adam: User, bob: User, browse: Browse
) -> None:
    factories.server(acme, "Diary", slug="diary", owner=bob)
    resource = f"{BASE}/mcp/acme/diary"
    found = steps.connected(browse(bob), resource)
    assert _is_good(found, acme, resource)
    assert "Diary" not in browse(adam).get("/o/acme/connected-clients/").content.decode()
    there = reverse("endpoint:granted_revoke", kwargs={"org": "acme", "pk": Grant.objects.get().pk})
    assert browse(adam).post(there).status_code == 404
    assert "diary" not in str(list(AuditEvent.objects.filter(organization=acme).values())).lower()


def test_a_toolkit_is_allowed_like_a_server(acme: Organization, bob: User, browse: Browse) -> None:
    factories.toolkit(acme, "All", slug="all")
    resource = f"{BASE}/mcp/acme/toolkits/all"
    assert _is_good(steps.connected(browse(bob), resource), acme, resource)
    assert "All" in browse(bob).get("/profile/clients/").content.decode()


def test_the_list_asks_no_more_for_more_clients(
    found: Tokens, bob: User, browse: Browse, django_assert_num_queries: Any
) -> None:
    theirs = browse(bob)
    theirs.get("/profile/clients/")
    with CaptureQueriesContext(connection) as once:
        theirs.get("/profile/clients/")
    for_one = len(once)
    for _ in range(3):
        steps.connected(browse(bob))
    with django_assert_num_queries(for_one):
        theirs.get("/profile/clients/")


def test_whoever_leaves_takes_their_clients_along(found: Tokens, acme: Organization, bob: User) -> None:
    Membership.objects.get(user=bob).delete()
    assert _is_over(found, acme)
    factories.membership(bob, acme)
    assert _is_over(found, acme)  # coming back does not bring them back
    assert not Token.objects.filter(type__in=("at", "rt")).exists()


def test_a_new_password_disconnects_all_clients(found: Tokens, acme: Organization, bob: User) -> None:
    assert bob.check_password(factories.PASSWORD)
    bob.name = "Bobby"
    bob.save()
    assert _is_good(found, acme)
    bob.set_password("a very different one")
    bob.save()
    assert _is_over(found, acme)


def test_an_account_that_is_switched_off_takes_its_clients_along(found: Tokens, acme: Organization, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert _is_over(found, acme)
    User.objects.filter(pk=bob.pk).update(is_active=True)
    bob.refresh_from_db()
    bob.is_active = False
    bob.save()
    bob.is_active = True
    bob.save()
    assert _is_over(found, acme)


def test_an_address_that_becomes_another_servers_is_not_opened_by_old_tokens(
    found: Tokens, docs: Server, acme: Organization, bob: User, browse: Browse
) -> None:
    docs.slug = "renamed"
    docs.save()
    factories.server(acme, "Other", slug="docs")
    assert not _is_good(found, acme)
    assert not _is_good(found, acme, f"{BASE}/mcp/acme/renamed")
    steps.answered(browse(bob), steps.query(found.client_id))
    assert not _is_good(found, acme)


def test_a_server_that_is_deleted_takes_its_clients_along(found: Tokens, docs: Server, acme: Organization) -> None:
    docs.delete()
    factories.server(acme, "Docs", slug="docs")
    assert _is_over(found, acme)


def test_signing_in_with_a_second_factor_leads_back_to_the_question(bob: User, docs: Server) -> None:
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(bob, secret)
    browser = Browser()
    there = steps.address(steps.query(steps.registered()))
    to_sign_in = browser.get(there)["Location"]
    response = browser.post(to_sign_in, {"login": bob.email, "password": factories.PASSWORD})
    assert "/2fa/" in response["Location"]
    page = browser.get(response["Location"])
    assert "Editor" not in page.content.decode()
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    response = browser.post(response["Location"], {"code": code}, follow=True)
    assert "Allow" in response.content.decode()
    assert "Editor" in response.content.decode()
