"""Signing in and out, and where one lands."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from orgs.models import AuditEvent, Organization, Role, User
from tests import factories
from tests.conftest import Browse

URL = "/accounts/login/"


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    cache.clear()


def sign_in(client: Client, person: User, password: str = factories.PASSWORD, **extra: str) -> str:
    response = client.post(URL, {"login": person.email, "password": password, **extra})
    return response.headers.get("Location", "")


def test_a_visitor_is_led_to_sign_in(client: Client, alice: User) -> None:
    assert client.get("/").headers["Location"] == URL


def test_a_member_lands_on_the_dashboard(client: Client, alice: User) -> None:
    assert sign_in(client, alice) == "/"
    assert client.get("/").headers["Location"] == "/o/acme/"


def test_the_organisation_used_last_is_remembered(alice: User, browse: Browse) -> None:
    zebra = factories.organization("Zebra", slug="zebra")
    factories.membership(alice, zebra)
    client = browse(alice)
    assert client.get("/").headers["Location"] == "/o/acme/"
    client.get("/o/zebra/members/")
    assert client.get("/").headers["Location"] == "/o/zebra/"


def test_a_fragment_does_not_change_which_organisation_was_used_last(alice: User, browse: Browse) -> None:
    factories.membership(alice, factories.organization("Zebra", slug="zebra"))
    client = browse(alice)
    client.get("/o/acme/")
    client.get("/o/zebra/members/", headers={"HX-Request": "true"})
    assert client.get("/").headers["Location"] == "/o/acme/"


def test_an_organisation_that_one_has_left_is_not_returned_to(alice: User, browse: Browse) -> None:
    membership = factories.membership(alice, factories.organization("Zebra", slug="zebra"))
    client = browse(alice)
    client.get("/o/zebra/")
    membership.delete()
    assert client.get("/").headers["Location"] == "/o/acme/"


def test_a_member_of_nothing_is_told_what_to_do(alice: User, browse: Browse) -> None:
    text = browse(factories.user("lost@example.com")).get("/").content.decode()
    assert "You are in no organisation yet" in text
    assert "invitation link" in text
    assert "Create an organisation" not in text


def test_next_leads_on_within_this_site(client: Client, alice: User) -> None:
    assert sign_in(client, alice, next="/o/acme/members/") == "/o/acme/members/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "http://localhost/",  # an allowed host, but not this one
    ],
)
def test_next_never_leads_to_another_host(client: Client, alice: User, target: str) -> None:
    assert sign_in(client, alice, next=target) == "/"


def test_signing_in_and_out_is_in_the_log_of_each_of_the_persons_organisations(client: Client, alice: User) -> None:
    factories.membership(alice, factories.organization("Zebra", slug="zebra"))
    sign_in(client, alice)
    client.post("/accounts/logout/")
    for slug in ("acme", "zebra"):
        events = AuditEvent.objects.filter(organization__slug=slug).order_by("id")
        assert [event.action for event in events] == ["account.signed_in", "account.signed_out"]
        assert {event.actor for event in events} == {alice}
        assert {event.address for event in events} == {"127.0.0.1"}


def test_a_failed_sign_in_is_logged_without_what_was_typed(client: Client, alice: User) -> None:
    sign_in(client, alice, "not the password")
    event = AuditEvent.objects.get()
    assert (event.action, event.target_id, event.actor) == ("account.sign_in_failed", str(alice.pk), None)
    assert event.organization == Organization.objects.get(slug="acme")
    assert "not the password" not in str(AuditEvent.objects.values_list())


def test_a_failed_sign_in_of_nobody_known_keeps_not_even_the_address(client: Client, alice: User) -> None:
    client.post(URL, {"login": "hunter2@typed.example", "password": "x"})
    event = AuditEvent.objects.get()
    assert (event.action, event.organization) == ("account.sign_in_failed", None)
    assert "hunter2" not in str(AuditEvent.objects.values_list())


def test_guessing_is_stopped_after_a_few_attempts(client: Client, alice: User) -> None:
    for _ in range(6):
        sign_in(client, alice, "wrong")
    assert sign_in(client, alice) == ""


def test_a_forged_forwarded_address_does_not_give_more_attempts(client: Client, alice: User) -> None:
    for number in range(30):
        client.post(
            URL,
            {"login": f"person{number}@acme.example", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert sign_in(client, alice) == ""


def test_somebody_switched_off_cannot_sign_in(client: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()
    assert sign_in(client, alice) == "/accounts/inactive/"


def test_signing_out_needs_a_post(alice: User, browse: Browse) -> None:
    client = browse(alice)
    client.get("/accounts/logout/")
    assert client.get("/o/acme/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/o/acme/").status_code == 302


def test_a_password_is_reset_by_mail_and_the_log_says_so(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    (message,) = mail.outbox
    link = next(word for word in str(message.body).split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "a whole new phrase", "password2": "a whole new phrase"})
    assert sign_in(client, alice, "a whole new phrase") == "/"
    assert AuditEvent.objects.filter(action="password.reset", target_id=str(alice.pk)).exists()


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client: Client, alice: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": alice.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@acme.example"})
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-abc/",
        "/accounts/password/reset/key/done/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/nonsense/",
    ],
)
def test_the_pages_of_signing_in_wear_the_narrow_layout(client: Client, alice: User, path: str) -> None:
    text = client.get(path).content.decode()
    assert '<body class="narrow"' in text
    assert text.count("<h1") == 1
    assert "Menu:" not in text


@pytest.mark.parametrize(
    "path", ["/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/", "/profile/"]
)
def test_the_pages_of_ones_account_wear_our_layout(alice: User, browse: Browse, path: str) -> None:
    text = browse(alice).get(path).content.decode()
    assert 'class="topbar"' in text
    assert 'aria-label="Your account"' in text
    assert text.count("<h1") == 1


def test_a_changed_password_is_in_the_log(alice: User, browse: Browse) -> None:
    client = browse(alice)
    data = {"oldpassword": factories.PASSWORD, "password1": "a whole new phrase", "password2": "a whole new phrase"}
    client.post("/accounts/password/change/", data)
    assert AuditEvent.objects.get(action="password.changed").target_id == str(alice.pk)


def test_the_page_begins_in_its_first_field(client: Client, alice: User) -> None:
    assert 'name="login"' in client.get(URL).content.decode()
    assert re.search(r'<input[^>]*name="login"[^>]*autofocus', client.get(URL).content.decode())


def test_a_new_address_is_in_the_log(alice: User, browse: Browse) -> None:
    client = Client()
    sign_in(client, alice)
    client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    client.post("/accounts/email/", {"action_add": "", "email": "alice@home.example"})
    assert AuditEvent.objects.get(action="email.added").after == {"email": "alice@home.example"}


def test_whoever_is_no_member_sees_404_and_nothing_of_the_organisation(charlie: User, alice: User) -> None:
    client = Client()
    client.force_login(charlie)
    response = client.get("/o/acme/")
    assert response.status_code == 404
    assert "Acme" not in response.content.decode()
    assert client.get("/o/nothing-of-the-kind/").status_code == 404


def test_somebody_switched_off_loses_an_open_session(alice: User, browse: Browse) -> None:
    client = browse(alice)
    assert client.get("/o/acme/").status_code == 200
    alice.is_active = False
    alice.save()
    assert client.get("/o/acme/").status_code == 302


def test_a_removed_member_loses_access_with_the_next_request(bob: User, browse: Browse) -> None:
    client = browse(bob)
    assert client.get("/o/acme/").status_code == 200
    bob.memberships.all().delete()
    assert client.get("/o/acme/").status_code == 404
    assert Role.OPERATOR not in str(client.get("/").content)
