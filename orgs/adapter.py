"""Where allauth asks us: who may sign up and what follows, and how the secrets of two-factor sign-in are kept."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from lib import crypto
from orgs import sign_up
from orgs.invitations import InvitationRefused
from orgs.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return sign_up.way_in(request).exists

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Save the new account together with what it came for; when that fails, back to a page that says why."""
        if not commit:
            raise ValueError("An account is made together with its membership, which needs it saved.")
        save_account = super().save_user

        def save() -> User:
            user.name = form.cleaned_data["name"].strip()
            save_account(request, user, form, commit=True)
            return user

        try:
            sign_up.sign_up(
                request=request, save=save, organization_name=form.cleaned_data.get("organization_name", "")
            )
        except (sign_up.SignUpClosed, InvitationRefused) as error:
            messages.error(request, str(error))
            raise ImmediateHttpResponse(redirect("account_signup")) from error
        except IntegrityError as error:
            messages.error(request, "This email address has just been registered. Sign in, or use another one.")
            raise ImmediateHttpResponse(redirect("account_login")) from error
        sign_up.forget_invitation(request)
        return user

    def is_safe_url(self, url: str | None) -> bool:
        """Whether `next` may lead there: to this host alone. allauth would also take any other allowed host."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )


_ASSOCIATED = b"mfa.authenticator"
"""allauth does not tell whose secret it hands over, so that it can be bound to its kind but not to its row."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        """`key id:nonce:ciphertext`, the latter two in URL-safe base64."""
        sealed = crypto.key_ring().encrypt(text, _ASSOCIATED)
        parts = (base64.urlsafe_b64encode(part).decode() for part in (sealed.nonce, sealed.ciphertext))
        return ":".join((sealed.key_id, *parts))

    def decrypt(self, encrypted_text: str) -> str:
        """CryptoError when the key is gone or the text was altered."""
        try:
            key_id, nonce, ciphertext = encrypted_text.split(":")
            sealed = crypto.Sealed(key_id, base64.urlsafe_b64decode(nonce), base64.urlsafe_b64decode(ciphertext))
        except (ValueError, binascii.Error):
            raise crypto.Tampered("A two-factor secret is not in the form that it was stored in.") from None
        return crypto.key_ring().decrypt(sealed, _ASSOCIATED)
