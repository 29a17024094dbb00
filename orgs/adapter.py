"""Where allauth asks us: who may sign up and what follows, and how the secrets of two-factor sign-in are kept."""

from __future__ import annotations

from typing import Any

import qrcode  # type: ignore[import-untyped]  # publishes no types
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from qrcode.image.svg import SvgPathFillImage  # type: ignore[import-untyped]

from orgs import second_factors, sign_up
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


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return second_factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return second_factors.unseal(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """The QR code on white, so that a camera also finds it on a dark page."""
        image = qrcode.make(url, image_factory=SvgPathFillImage)
        return str(image.to_string(encoding="unicode"))
