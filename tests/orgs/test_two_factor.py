"""The second factor: switched on, asked for, and kept encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from lib import crypto
from orgs.adapter import MFAAdapter
from orgs.models import AuditEvent, User
from tests import factories


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still: a code is good for 30 seconds, and must not change between two lines of a test."""
    cache.clear()
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def signed_in(alice: User) -> Client:
    """By password, which was then asked for once more, as it is before anything about the second factor."""
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    return client


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def activate(client: Client) -> str:
    page = client.get("/accounts/2fa/totp/activate/")
    secret: str = page.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    return secret


def test_an_open_session_alone_does_not_switch_it_on(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    response = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert response.redirect_chain[0][0].startswith("/accounts/reauthenticate/")
    assert "Confirm access" in response.content.decode()


def test_the_page_shows_the_code_as_an_image_that_the_policy_allows(signed_in: Client) -> None:
    response = signed_in.get("/accounts/2fa/totp/activate/")
    assert 'src="data:image/svg+xml' in response.content.decode()
    assert "<rect fill=" in MFAAdapter().build_totp_svg("otpauth://totp/alice")  # a light ground on a dark page
    assert "img-src 'self' data:" in response.headers["Content-Security-Policy"]


def test_the_secret_is_stored_encrypted(signed_in: Client, alice: User) -> None:
    secret = activate(signed_in)
    stored = Authenticator.objects.get(user=alice, type="totp").data["secret"]
    assert secret not in stored
    assert stored.startswith("test:")
    assert MFAAdapter().decrypt(stored) == secret


def test_the_seed_of_the_recovery_codes_is_stored_encrypted(signed_in: Client, alice: User) -> None:
    activate(signed_in)
    seed = Authenticator.objects.get(user=alice, type="recovery_codes").data["seed"]
    assert seed.startswith("test:")


def test_signing_in_then_asks_for_the_code(signed_in: Client, alice: User) -> None:
    activate(signed_in)
    client = Client()
    response = client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/2fa/authenticate/")
    assert '<body class="narrow"' in response.content.decode()
    assert client.get("/o/acme/").status_code == 302


def test_the_right_code_lets_in_once(signed_in: Client, alice: User, clock: time_machine.Traveller) -> None:
    secret = activate(signed_in)
    clock.shift(30)
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/o/acme/").status_code == 200
    thief = Client()
    thief.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert thief.get("/o/acme/").status_code == 302


def test_a_wrong_code_does_not_and_is_logged(signed_in: Client, alice: User) -> None:
    activate(signed_in)
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert client.get("/o/acme/").status_code == 302
    assert AuditEvent.objects.filter(action="account.second_factor_failed", target_id=str(alice.pk)).exists()


@pytest.mark.django_db(transaction=True)  # the e-mails that tell of it are sent on commit, while the request lasts
def test_switching_it_on_and_off_is_in_the_log_and_told_by_mail(
    signed_in: Client, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    activate(signed_in)
    signed_in.post("/accounts/2fa/totp/deactivate/")
    assert {mail.to[0] for mail in mailoutbox} == {alice.email}
    assert len(mailoutbox) >= 2
    actions = list(AuditEvent.objects.filter(target_id=str(alice.pk)).values_list("action", flat=True))
    assert "second_factor.added" in actions
    assert "second_factor.removed" in actions


def test_the_admin_asks_for_the_second_factor_too(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    client = Client()
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/accounts/login/")
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    assert client.get("/admin/").status_code == 302


def test_a_secret_whose_key_is_gone_says_so(settings: Settings) -> None:
    stored = MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")
    settings.ENCRYPTION_KEYS = crypto.generate_key("other")
    with pytest.raises(crypto.UnknownKey, match="“test”"):
        MFAAdapter().decrypt(stored)


def test_rotating_the_keys_takes_the_second_factors_along(
    signed_in: Client, alice: User, settings: Settings, clock: time_machine.Traveller
) -> None:
    secret = activate(signed_in)
    settings.ENCRYPTION_KEYS = f"{crypto.generate_key('new')},{settings.ENCRYPTION_KEYS}"
    call_command("rotate_keys", stdout=StringIO())
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS.split(",")[0]  # the old key is taken out
    kept = {row.type: row for row in Authenticator.objects.filter(user=alice)}
    assert MFAAdapter().decrypt(kept["totp"].data["secret"]) == secret
    assert kept["recovery_codes"].data["seed"].startswith("new:")
    clock.shift(30)
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": factories.PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/o/acme/").status_code == 200


def test_a_second_factor_that_cannot_be_opened_is_named_and_left(alice: User, settings: Settings) -> None:
    kept = Authenticator.objects.create(user=alice, type="totp", data={"secret": "gone:AAAA:AAAA"})
    with pytest.raises(CommandError, match="1 secrets could not be opened"):
        call_command("rotate_keys", stdout=StringIO(), stderr=StringIO())
    kept.refresh_from_db()
    assert kept.data == {"secret": "gone:AAAA:AAAA"}


@pytest.mark.parametrize("altered", ["", "plain", "test:AAAA:AAAA", "test:not base64:%%%"])
def test_a_secret_that_was_altered_does_not_open(altered: str) -> None:
    with pytest.raises(crypto.CryptoError):
        MFAAdapter().decrypt(altered)
