"""OAuth as a client sees it: where to sign in, being allowed, tokens and their end; and what attackers try."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from catalog.models import Server
from endpoint.models import Grant
from endpoint.oauth import tokens as rows
from endpoint.oauth.verification import caller_of
from orgs.models import AuditEvent, Organization, User
from tests import factories
from tests.conftest import Browse
from tests.endpoint import oauth_steps as steps
from tests.endpoint.oauth_steps import BASE

DOCS = f"{BASE}/mcp/acme/docs"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """All tests register from one address."""
    cache.clear()


@pytest.fixture
def theirs(bob: User, docs: Server, browse: Browse) -> Browser:
    """Bob's browser."""
    return browse(bob)


def _whose(token: str, acme: Organization, resource: str = DOCS) -> str | None:
    caller = caller_of(token, resource=resource, organization=acme)
    return caller.name if caller else None


def test_metadata_leads_from_an_address_to_where_one_signs_in(db: None) -> None:
    of_resource = Browser().get("/.well-known/oauth-protected-resource/mcp/acme/docs")
    assert of_resource.json()["resource"] == DOCS
    assert of_resource["Access-Control-Allow-Origin"] == "*"
    issuer = of_resource.json()["authorization_servers"][0]
    metadata = Browser().get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == issuer == BASE
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization", "token", "registration", "revocation"):
        assert metadata[f"{name}_endpoint"].startswith(f"{BASE}/oauth/")


def test_metadata_is_the_same_for_what_does_not_exist(docs: Server) -> None:
    there = Browser().get("/.well-known/oauth-protected-resource/mcp/acme/docs").content.decode()
    nowhere = Browser().get("/.well-known/oauth-protected-resource/mcp/acme/nope").content.decode()
    assert there.replace("docs", "nope") == nowhere
    toolkit = Browser().get("/.well-known/oauth-protected-resource/mcp/acme/toolkits/all")
    assert toolkit.json()["resource"] == f"{BASE}/mcp/acme/toolkits/all"


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/identity/o/authorize"]
)
def test_what_is_not_offered_is_not_there(db: None, path: str) -> None:
    assert Browser().get(path).status_code == 404


def test_a_client_is_let_in_and_gets_tokens_for_one_address(theirs: Browser, acme: Organization, bob: User) -> None:
    client_id = steps.registered()
    page = theirs.get(steps.address(steps.query(client_id)))
    assert page.status_code == 200
    told = steps.answered(theirs, steps.query(client_id))
    assert told["state"] == "st"
    assert told["iss"] == BASE
    answer = steps.exchange(client_id, told["code"], resource=DOCS)
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(answer.content)["expires_in"] == 3600
    found = steps.tokens(client_id, answer)
    caller = caller_of(found.access, resource=DOCS, organization=acme)
    assert caller is not None
    assert (caller.name, caller.may_call, caller.client) == (bob.email, True, "Editor")
    assert AuditEvent.objects.filter(organization=acme, actor=bob, action="connected_client.allowed").count() == 1
    stored = json.dumps(list(Token.objects.values()), default=str)
    assert found.access not in stored
    assert found.refresh not in stored


def test_the_page_names_client_address_and_what_it_may_do(theirs: Browser) -> None:
    client_id = steps.registered(client_name="<b>Nice</b> \u202eeditor")
    page = theirs.get(steps.address(steps.query(client_id))).content.decode()
    assert "&lt;b&gt;Nice&lt;/b&gt; editor" in page
    assert "<b>Nice" not in page
    for words in (
        "127.0.0.1:4321",
        "Docs",
        "Acme",
        "bob@acme.example",
        "Nobody has checked who this is",
        "call its tools",
    ):
        assert words in page


def test_the_page_cannot_be_framed_and_its_form_may_lead_to_the_client(theirs: Browser) -> None:
    page = theirs.get(steps.address(steps.query(steps.registered())))
    assert page["X-Frame-Options"] == "DENY"
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https: http:" in policy
    elsewhere = theirs.get("/profile/clients/")["Content-Security-Policy"]
    assert "form-action 'self';" in f"{elsewhere};"


def test_whoever_is_not_signed_in_signs_in_first(docs: Server) -> None:
    there = steps.address(steps.query(steps.registered()))
    response = Browser().get(there)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/oauth/authorize")


def test_denying_tells_the_client_and_allows_nothing(theirs: Browser) -> None:
    told = steps.answered(theirs, steps.query(steps.registered()), answer="deny")
    assert told == {"error": "access_denied", "state": "st", "iss": BASE}
    assert not Grant.objects.exists()
    assert not Token.objects.exists()


def test_a_person_may_allow_reading_alone(theirs: Browser, acme: Organization) -> None:
    found = steps.connected(theirs, call="")
    assert found.scope == "mcp:read"
    caller = caller_of(found.access, resource=DOCS, organization=acme)
    assert caller is not None
    assert not caller.may_call
    again = steps.tokens(found.client_id, steps.refresh(found.client_id, found.refresh, scope="mcp:read mcp:call"))
    assert again.scope == "mcp:read"


def test_scopes_that_there_are_not_are_left_out(theirs: Browser) -> None:
    client_id = steps.registered()
    code = steps.answered(theirs, steps.query(client_id, scope="openid offline_access mcp:call"))["code"]
    assert steps.tokens(client_id, steps.exchange(client_id, code)).scope == "mcp:read mcp:call"


def test_what_was_allowed_last_holds_for_all_tokens_of_a_client(theirs: Browser, acme: Organization) -> None:
    found = steps.connected(theirs)
    steps.answered(theirs, steps.query(found.client_id), call="")
    caller = caller_of(found.access, resource=DOCS, organization=acme)
    assert caller is not None
    assert not caller.may_call


def test_a_forged_consent_form_is_refused(bob: User, docs: Server) -> None:
    forged = Browser(enforce_csrf_checks=True)
    forged.force_login(bob)
    response = forged.post(steps.address(steps.query(steps.registered())), {"answer": "allow"})
    assert response.status_code == 403
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:4321/callback/../evil",
        "http://127.0.0.1:4321/callback?x=1",
        "http://127.0.0.1:4321@evil.example/callback",
        "http://127.0.0.1.evil.example:4321/callback",
        "http://localhost:4321/callback",
        "http://127.0.0.1:4321/callback#x",
        "http://127.0.0.1:4321/Callback",
        "http://127.0.0.1:4321\\@evil.example/callback",
        "//evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_where_the_client_did_not_register(theirs: Browser, uri: str) -> None:
    there = steps.address(steps.query(steps.registered(), redirect_uri=uri))
    for response in (
        theirs.get(there),
        theirs.post(there, {"answer": "allow"}),
        theirs.post(there, {"answer": "deny"}),
    ):
        assert response.status_code == 400
        assert "Location" not in response
        assert "evil.example" not in response.content.decode()
    assert not Token.objects.exists()


def test_another_port_on_the_computer_itself_is_the_same_client(theirs: Browser) -> None:
    client_id = steps.registered()
    other = "http://127.0.0.1:50999/callback"
    code = steps.answered(theirs, steps.query(client_id, redirect_uri=other))["code"]
    assert (
        steps.error_of(steps.exchange(client_id, code)) == "invalid_request"
    )  # a code is for the address it was sent to
    code = steps.answered(theirs, steps.query(client_id, redirect_uri=other))["code"]
    steps.tokens(client_id, steps.exchange(client_id, code, redirect_uri=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"response_type": "code token"},
        {"response_type": None},
        {"resource": None},
        {"resource": [DOCS, f"{BASE}/mcp/acme/other"]},
        {"client_id": ["a", "b"]},
    ],
)
def test_a_weaker_request_is_told_to_the_person_and_sends_nobody_on(theirs: Browser, changes: dict[str, Any]) -> None:
    there = steps.address(steps.query(steps.registered(), **changes))
    for response in (theirs.get(there), theirs.post(there, {"answer": "allow"})):
        assert response.status_code == 400
        assert "Location" not in response
        assert "This cannot be allowed" in response.content.decode()
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "resource",
    [
        f"{BASE}/mcp/acme/nope",
        f"{BASE}/mcp/acme/docs/",
        f"{BASE}/mcp/acme/docs?version=1",
        f"{BASE}/mcp/acme",
        f"{BASE}/mcp/other/theirs",
        f"{BASE}/mcp/acme/toolkits/hers",
        f"{BASE}/mcp/acme/hers",
        "https://testserver/mcp/acme/docs",
        "http://evil.example/mcp/acme/docs",
        "docs",
    ],
)
def test_what_is_not_theirs_is_not_told_from_what_is_not_there(
    theirs: Browser, acme: Organization, alice: User, charlie: User, resource: str
) -> None:
    factories.server(Organization.objects.get(slug="other"), "Theirs", slug="theirs")
    factories.server(acme, "Hers", slug="hers", owner=alice)
    factories.toolkit(acme, "Hers", slug="hers", owner=alice)
    response = theirs.get(steps.address(steps.query(steps.registered(), resource)))
    assert response.status_code == 400
    page = response.content.decode()
    assert "There is no server or toolkit at the address that the application asks for" in page
    assert "Theirs" not in page
    assert "Hers" not in page


def test_a_code_that_comes_twice_ends_what_was_got_with_it(theirs: Browser, acme: Organization) -> None:
    client_id = steps.registered()
    code = steps.answered(theirs, steps.query(client_id))["code"]
    found = steps.tokens(client_id, steps.exchange(client_id, code))
    assert _whose(found.access, acme)
    assert steps.error_of(steps.exchange(client_id, code)) == "invalid_grant"
    assert _whose(found.access, acme) is None
    assert steps.error_of(steps.refresh(client_id, found.refresh)) == "invalid_grant"


def test_of_two_who_bring_a_code_in_the_same_moment_one_has_it_for_a_moment(theirs: Browser) -> None:
    """Both have found it before either uses it up."""
    code = steps.answered(theirs, steps.query(steps.registered()))["code"]
    one, other = Token.objects.by_value(code).get(), Token.objects.by_value(code).get()
    assert rows.use(one, rows.CODE)
    assert not rows.use(other, rows.CODE)
    assert not Token.objects.exists()


@pytest.mark.parametrize("changes", [{"code_verifier": "w" * 64}, {"code_verifier": None}, {"redirect_uri": None}])
def test_a_stolen_code_is_worth_nothing(theirs: Browser, changes: dict[str, Any]) -> None:
    client_id = steps.registered()
    code = steps.answered(theirs, steps.query(client_id))["code"]
    assert steps.exchange(client_id, code, **changes).status_code == 400
    assert not Token.objects.filter(type=Token.Type.ACCESS_TOKEN).exists()


def test_a_code_is_for_its_own_client_and_for_two_minutes(theirs: Browser) -> None:
    client_id, other = steps.registered(), steps.registered()
    code = steps.answered(theirs, steps.query(client_id))["code"]
    assert steps.error_of(steps.exchange(other, code)) == "invalid_grant"
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=False):
        assert steps.error_of(steps.exchange(client_id, code)) == "invalid_grant"


def test_a_token_is_for_exactly_its_address(theirs: Browser, acme: Organization) -> None:
    factories.server(acme, "Docs 2", slug="docs-2")
    client_id = steps.registered()
    code = steps.answered(theirs, steps.query(client_id))["code"]
    wrong = steps.exchange(client_id, code, resource=f"{DOCS}/deeper")
    assert steps.error_of(wrong) == "invalid_target"
    found = steps.tokens(client_id, steps.exchange(client_id, code, resource=DOCS))
    assert _whose(found.access, acme)
    for resource in (
        f"{DOCS}-2",
        f"{DOCS}/",
        f"{BASE}/mcp/acme",
        "http://other/mcp/acme/docs",
        f"{BASE}/mcp/acme/toolkits/docs",
    ):
        assert _whose(found.access, acme, resource) is None
    assert steps.error_of(steps.refresh(client_id, found.refresh, resource=f"{DOCS}-2")) == "invalid_target"
    assert steps.error_of(steps.refresh(client_id, found.refresh, resource=f"{DOCS}/x")) == "invalid_target"


def test_a_token_of_another_organisation_is_good_for_nothing_here(charlie: User, docs: Server, browse: Browse) -> None:
    other = Organization.objects.get(slug="other")
    factories.server(other, "Docs", slug="docs")
    found = steps.connected(browse(charlie), f"{BASE}/mcp/other/docs")
    assert _whose(found.access, other, f"{BASE}/mcp/other/docs") == charlie.email
    assert _whose(found.access, docs.organization) is None
    assert _whose(found.access, docs.organization, f"{BASE}/mcp/other/docs") is None


def test_refresh_tokens_rotate_and_one_that_comes_again_ends_all(theirs: Browser, acme: Organization) -> None:
    first = steps.connected(theirs)
    second = steps.tokens(first.client_id, steps.refresh(first.client_id, first.refresh, resource=DOCS))
    assert second.refresh != first.refresh
    # At once it may be an editor's second window: it is refused, and nothing else happens.
    assert steps.error_of(steps.refresh(first.client_id, first.refresh)) == "invalid_grant"
    assert _whose(second.access, acme)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert steps.error_of(steps.refresh(first.client_id, first.refresh)) == "invalid_grant"
        assert _whose(second.access, acme) is None
        assert steps.error_of(steps.refresh(first.client_id, second.refresh)) == "invalid_grant"


def test_tokens_end(theirs: Browser, acme: Organization, settings: Any) -> None:
    settings.MCP_OAUTH_DAYS = 45
    found = steps.connected(theirs)
    begun = timezone.now()
    with time_machine.travel(begun + timedelta(minutes=61), tick=False):
        assert _whose(found.access, acme) is None
    with time_machine.travel(begun + timedelta(days=29), tick=False):
        found = steps.tokens(found.client_id, steps.refresh(found.client_id, found.refresh))
        assert _whose(found.access, acme)
    with time_machine.travel(begun + timedelta(days=46), tick=False):  # less than 30 days after, and over all the same
        assert steps.error_of(steps.refresh(found.client_id, found.refresh)) == "invalid_grant"


def test_a_client_can_give_back_its_own_tokens_only(theirs: Browser, acme: Organization) -> None:
    found = steps.connected(theirs)
    assert steps.revoke(steps.registered(), found.access).status_code == 200
    assert _whose(found.access, acme)
    assert steps.revoke(found.client_id, found.refresh).status_code == 200
    assert _whose(found.access, acme) is None
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "garbage", ["%zz", "client_id=%00", "client_id=a%00b&redirect_uri=%ff", "&&==", "client_id=" + "a" * 5000]
)
def test_garbage_is_refused_in_words(theirs: Browser, garbage: str) -> None:
    assert theirs.get(f"/oauth/authorize?{garbage}").status_code == 400
    kind = "application/x-www-form-urlencoded"
    for path in ("/oauth/token", "/oauth/revoke"):
        for body in (garbage, f"grant_type=authorization_code&code=x&{garbage}", f"token=x&{garbage}"):
            assert Browser().post(path, body, content_type=kind).status_code in (400, 401)
        assert Browser().post(f"{path}?{garbage}", {"token": "x"}).status_code in (400, 401)
        assert Browser().post(path, {"token": "x"}, headers={"Authorization": "Basic ====="}).status_code in (400, 401)
